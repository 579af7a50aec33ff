using System.Collections;
using Verified.Engine;

namespace Verified.Training;

/// <summary>Modules one after the other, each taking what the one before gave; named 0, 1, .. or as told.</summary>
public sealed class Sequential : Module, IReadOnlyList<Module>
{
    private readonly List<Module> modules = [];

    /// <summary>A chain of modules.</summary>
    public Sequential(params Module[] modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        foreach (var module in modules) Add(module);
    }

    /// <summary>A chain of modules with names.</summary>
    public Sequential(params (string Name, Module Module)[] modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        foreach (var (name, module) in modules) Add(name, module);
    }

    /// <summary>How many there are.</summary>
    public int Count => modules.Count;

    /// <summary>The module at a place.</summary>
    public Module this[int index] => modules[index];

    /// <summary>Puts a module at the end, under its number.</summary>
    public void Add(Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        Add($"{modules.Count}", module);
    }

    /// <summary>Puts a module at the end, under a name.</summary>
    public void Add(string name, Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        modules.Add(RegisterModule(name, module));
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input)
    {
        foreach (var module in modules) input = module.Forward(input);
        return input;
    }

    /// <inheritdoc/>
    public IEnumerator<Module> GetEnumerator() => modules.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Modules in a list, named 0, 1, ..; how they are used is up to whoever holds it.</summary>
public sealed class ModuleList : Module, IReadOnlyList<Module>
{
    private readonly List<Module> modules = [];

    /// <summary>A list of modules.</summary>
    public ModuleList(params IEnumerable<Module> modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        foreach (var module in modules) Add(module);
    }

    /// <summary>How many there are.</summary>
    public int Count => modules.Count;

    /// <summary>The module at a place.</summary>
    public Module this[int index] => modules[index];

    /// <summary>Puts a module at the end.</summary>
    public void Add(Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        modules.Add(RegisterModule($"{modules.Count}", module));
    }

    /// <inheritdoc/>
    public IEnumerator<Module> GetEnumerator() => modules.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>As PyTorch has it, neighbours that print alike share a line: <c>(0-1): 2 x Linear(..)</c>.</summary>
    private protected override IEnumerable<string> Lines(IReadOnlyList<(string Name, string Text)> children)
    {
        for (var first = 0; first < children.Count;)
        {
            var end = first + 1;
            while (end < children.Count && children[end].Text == children[first].Text) end++;
            yield return end - first == 1
                ? $"({first}): {Indented(children[first].Text)}"
                : $"({first}-{end - 1}): {end - first} x {Indented(children[first].Text)}";
            first = end;
        }
    }
}

/// <summary>Gives back what it is given.</summary>
public sealed class Identity : Module
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input;
}
