using System.Diagnostics.CodeAnalysis;
using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// What learns: parameters, buffers and further modules, as <c>torch.nn.Module</c>. A class of one's own derives from this and holds them in fields (or
/// properties, or F#'s <c>let</c>) of the types <see cref="Parameter"/>, <see cref="ModuleBuffer"/> and <see cref="Module"/>; they are found there, in the
/// order of their declaration, under the field's name in PyTorch's manner (<c>runningMean</c> is <c>running_mean</c>). Lists of modules go into a
/// <see cref="Sequential"/> or a <see cref="ModuleList"/>.
/// </summary>
/// <example>
/// <code>
/// sealed class Net : Module
/// {
///     private readonly Linear fc1 = new(784, 256), fc2 = new(256, 10);
///
///     public override Tensor Forward(Tensor x) => fc2.Forward(fc1.Forward(x).Relu());
/// }
/// </code>
/// </example>
[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.AllFields)]
public abstract partial class Module
{
    private readonly OrderedDictionary<string, object> registered = [];

    /// <summary>Whether the module is being trained (dropout drops, batch normalisation takes its batch's statistics) or evaluated.</summary>
    public bool Training { get; private set; } = true;

    /// <summary>What the module computes. A module of several inputs has a method of its own instead.</summary>
    /// <exception cref="NotImplementedException">The class does not say.</exception>
    public virtual Tensor Forward(Tensor input) =>
        throw new NotImplementedException($"Module [{GetType().Name}] is missing the required \"forward\" function");

    /// <summary>Turns training on or off, here and in all modules within, and gives the module back.</summary>
    public Module Train(bool mode = true)
    {
        Training = mode;
        foreach (var (_, child) in NamedChildren()) child.Train(mode);
        return this;
    }

    /// <summary>Turns training off, here and in all modules within, and gives the module back.</summary>
    public Module Eval() => Train(false);

    /// <summary>Freezes (false) or unfreezes (true) all parameters within, and gives the module back.</summary>
    public Module RequiresGrad(bool requiresGrad = true)
    {
        foreach (var p in Parameters()) p.RequiresGrad = requiresGrad;
        return this;
    }

    /// <summary>Forgets the gradients of all parameters within or, with <paramref name="setToNone"/> false, fills them with zeros.</summary>
    public void ZeroGrad(bool setToNone = true)
    {
        foreach (var p in Parameters()) p.ZeroGrad(setToNone);
    }

    /// <summary>
    /// Turns floating-point parameters and buffers within into another type, and gives the module back. The parameters are then other tensors: make
    /// optimizers afterwards.
    /// </summary>
    /// <param name="dtype">float32 or float64.</param>
    public Module To(DType dtype)
    {
        if (!dtype.IsFloat()) throw new ArgumentException($"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype.Name()}");
        foreach (var (_, module) in NamedModules())
        {
            foreach (var (_, member) in module.Own())
            {
                if (member is Parameter p) p.Convert(dtype);
                else if (member is ModuleBuffer b) b.Convert(dtype);
            }
        }
        return this;
    }

    /// <summary>Calls a function with each module within, the innermost first and this one last, and gives the module back: for initial values of one's own.</summary>
    public Module Apply(Action<Module> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        foreach (var (_, child) in NamedChildren()) child.Apply(function);
        function(this);
        return this;
    }

    /// <summary>The modules that this one holds itself, each once, with their names.</summary>
    public IEnumerable<(string Name, Module Module)> NamedChildren()
    {
        var seen = new HashSet<Module>(ReferenceEqualityComparer.Instance);
        foreach (var (name, member) in Own())
            if (member is Module child && seen.Add(child)) yield return (name, child);
    }

    /// <summary>This module (named "") and all within, each once, with their names joined by points.</summary>
    public IEnumerable<(string Name, Module Module)> NamedModules() => Walk("", new HashSet<Module>(ReferenceEqualityComparer.Instance));

    /// <summary>All parameters within, each once: what an optimizer takes.</summary>
    public IEnumerable<Tensor> Parameters() => NamedParameters().Select(p => p.Value);

    /// <summary>All parameters within, each once, with their names in state dictionaries: <c>conv1.weight</c>.</summary>
    public IEnumerable<(string Name, Tensor Value)> NamedParameters() => Tensors(member => (member as Parameter)?.Value);

    /// <summary>All buffers within, each once.</summary>
    public IEnumerable<Tensor> Buffers() => NamedBuffers().Select(b => b.Value);

    /// <summary>All buffers within, each once, with their names in state dictionaries: <c>bn1.running_mean</c>.</summary>
    public IEnumerable<(string Name, Tensor Value)> NamedBuffers() => Tensors(member => (member as ModuleBuffer)?.Value);

    /// <summary>Adds a module under a name that is not a field's.</summary>
    /// <exception cref="ArgumentException">The name is empty, contains a point or is taken.</exception>
    public T RegisterModule<T>(string name, T module)
        where T : Module
    {
        ArgumentNullException.ThrowIfNull(module);
        Register(name, module, "module");
        return module;
    }

    /// <summary>Adds a parameter under a name that is not a field's.</summary>
    /// <inheritdoc cref="RegisterModule{T}(string, T)"/>
    public Parameter RegisterParameter(string name, Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        Register(name, parameter, "parameter");
        return parameter;
    }

    /// <summary>Adds a buffer under a name that is not a field's.</summary>
    /// <inheritdoc cref="RegisterModule{T}(string, T)"/>
    public ModuleBuffer RegisterBuffer(string name, ModuleBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        Register(name, buffer, "buffer");
        return buffer;
    }

    /// <summary>Parameters, buffers and modules that this one holds itself.</summary>
    private IEnumerable<(string Name, object Value)> Own() => Members.Of(this).Concat(registered.Select(r => (r.Key, r.Value)));

    private void Register(string name, object member, string kind)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Contains('.', StringComparison.Ordinal)) throw new ArgumentException($"{kind} name can't contain \".\", got: {name}");
        if (name.Length == 0) throw new ArgumentException($"{kind} name can't be empty string \"\"");
        if (Own().Any(m => m.Name == name)) throw new ArgumentException($"attribute '{name}' already exists");
        registered.Add(name, member);
    }

    private IEnumerable<(string Name, Module Module)> Walk(string prefix, HashSet<Module> seen)
    {
        if (!seen.Add(this)) yield break;
        yield return (prefix, this);
        foreach (var (name, member) in Own())
        {
            if (member is not Module child) continue;
            foreach (var found in child.Walk(Join(prefix, name), seen)) yield return found;
        }
    }

    private IEnumerable<(string Name, Tensor Value)> Tensors(Func<object, Tensor?> select)
    {
        var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
        foreach (var (prefix, module) in NamedModules())
            foreach (var (name, member) in module.Own())
                if (select(member) is { } tensor && seen.Add(tensor)) yield return (Join(prefix, name), tensor);
    }

    private static string Join(string prefix, string name) => prefix.Length == 0 ? name : prefix + "." + name;
}
