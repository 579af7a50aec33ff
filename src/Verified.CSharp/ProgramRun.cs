using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Engine;
using Verified.Spec;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>One run of a program on the engine: the variables, and the steps applied to them.</summary>
public sealed class ProgramRun
{
    private readonly OperatorRegistry _registry;
    private readonly StructuralSteps _structural;
    private readonly Dictionary<string, Tensor?> _variables = [];
    private readonly Dictionary<string, HookHandle> _hooks = [];

    internal ProgramRun(OperatorRegistry registry, StructuralSteps structural)
    {
        _registry = registry;
        _structural = structural;
    }

    internal Outcome Run(Program program)
    {
        Raised? raised = null;
        var path = new List<int>();
        try
        {
            foreach (var input in program.Inputs)
                _variables[input.Name] = Literals.ToTensor(input.Tensor, input.RequiresGrad);
            RunSteps(program.Steps, path);
        }
        catch (AutogradException e)
        {
            raised = new Raised(ListModule.OfSeq(path), Kinds.Of(e), e.Message);
        }

        return new Outcome(ListModule.OfSeq(Observe(program)), raised is null ? null : FSharpOption<Raised>.Some(raised));
    }

    /// <summary>Runs steps at a path; where one raises, the path names it.</summary>
    internal void RunSteps(IEnumerable<Step> steps, List<int> path)
    {
        path.Add(0);
        foreach (var step in steps)
        {
            RunStep(step, path);
            path[^1]++;
        }

        path.RemoveAt(path.Count - 1);
    }

    private void RunStep(Step step, List<int> path)
    {
        if (_structural.Find(step.Op) is { } structural)
        {
            structural(this, step, path);
            return;
        }

        if (!_registry.Has(step.Op)) throw new UnsupportedStepException(step.Op);
        var results = _registry.Invoke(step.Op, new OperatorCall([.. step.In.Select(Argument)], Literals.ToAttributes(step.Attrs)));
        Bind(step, results);
    }

    private object? Argument(Arg arg) => arg switch
    {
        Arg.Name name => Tensor(name.Item),
        Arg.Names names => names.Item.Select(item => item is null ? null : Tensor(item.Value)).ToArray(),
        _ => null,
    };

    /// <summary>The tensor of a variable. A name bound to null (a gradient that is not there) is an error of the step that uses it.</summary>
    /// <exception cref="AutogradException">Nothing has that name, or it is bound to null.</exception>
    public Tensor Tensor(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_variables.TryGetValue(name, out var tensor))
            throw new AutogradException(Engine.ErrorKind.Other, $"'{name}' is used before anything has defined it");
        return tensor ?? throw new AutogradException(Engine.ErrorKind.UnusedInput, $"'{name}' is null and cannot be used");
    }

    /// <summary>The tensors that variables are bound to.</summary>
    internal IEnumerable<Tensor> Variables => _variables.Values.OfType<Tensor>();

    /// <summary>Whether a variable is bound to null.</summary>
    internal bool IsNull(string name) => _variables.TryGetValue(name, out var tensor) && tensor is null;

    /// <summary>The one tensor argument of a structural step.</summary>
    /// <exception cref="MalformedProgramException">It has none, or something else.</exception>
    public Tensor Only(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return First(step) is Arg.Name name
            ? Tensor(name.Item)
            : throw new MalformedProgramException($"'{step.Op}' wants a variable in \"in\"");
    }

    /// <summary>The tensors that a backward or a grad starts at.</summary>
    /// <exception cref="MalformedProgramException">Something else is among them.</exception>
    public Tensor[] Roots(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return [.. step.In.Select(arg => arg is Arg.Name name ? Tensor(name.Item) : throw new MalformedProgramException($"'{step.Op}' wants variables in \"in\""))];
    }

    /// <summary>Gives a step's results the names that it has for them.</summary>
    /// <exception cref="AutogradException">There are more or fewer results than names.</exception>
    public void Bind(Step step, IReadOnlyList<Tensor?> results)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(results);
        switch (step.Out)
        {
            case Out.Name name:
                if (results.Count != 1) throw new AutogradException(Engine.ErrorKind.Other, $"{step.Op} gives {results.Count} results, 'out' names one");
                _variables[name.Item] = results[0];
                break;
            case Out.Names names:
                if (results.Count != names.Item.Length)
                    throw new AutogradException(Engine.ErrorKind.Other, $"{step.Op} gives {results.Count} results, 'out' names {names.Item.Length}");
                foreach (var (item, result) in names.Item.Zip(results))
                    if (item is not null) _variables[item.Value] = result;
                break;
        }
    }

    /// <summary>Keeps a hook's handle under the step's name.</summary>
    public void BindHook(Step step, HookHandle handle)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(handle);
        if (step.Out is Out.Name name) _hooks[name.Item] = handle;
    }

    /// <summary>The hook that a name stands for.</summary>
    /// <exception cref="MalformedProgramException">It stands for none.</exception>
    public HookHandle Hook(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return First(step) is Arg.Name name && _hooks.TryGetValue(name.Item, out var handle)
            ? handle
            : throw new MalformedProgramException($"'{step.Op}' wants a hook's name in \"in\"");
    }

    private static Arg First(Step step) => step.In.IsEmpty ? Arg.Missing : step.In.Head;

    private IEnumerable<Tuple<string, FSharpOption<Report>?>> Observe(Program program)
    {
        foreach (var observed in program.Observe)
        {
            var gradient = observed is Observed.Gradient;
            var name = observed is Observed.Gradient g ? g.Item : ((Observed.Value)observed).Item;
            if (!_variables.TryGetValue(name, out var tensor)) continue;
            if (gradient) tensor = tensor?.Grad;
            yield return Tuple.Create(observed.Text, tensor is null ? null : FSharpOption<Report>.Some(Literals.ToReport(tensor, gradient)))!;
        }
    }
}
