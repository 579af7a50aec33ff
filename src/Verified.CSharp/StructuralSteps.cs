using System.Collections.Frozen;
using Verified.Engine;
using Verified.Oracle;
using Verified.Spec;
using Autograd = Verified.Engine.Autograd;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>Runs one structural step of the protocol on the engine.</summary>
/// <param name="run">The run with its variables.</param>
/// <param name="step">The step.</param>
/// <param name="path">Where the step stands; a block's steps extend it.</param>
public delegate void StructuralStep(ProgramRun run, Step step, IReadOnlyList<int> path);

/// <summary>The steps of the protocol that are no tensor functions, bound to the engine. An immutable value: planted bugs replace entries.</summary>
public sealed class StructuralSteps
{
    private readonly FrozenDictionary<string, StructuralStep> _steps;

    private StructuralSteps(IEnumerable<KeyValuePair<string, StructuralStep>> steps) => _steps = steps.ToFrozenDictionary();

    /// <summary>The engine's own.</summary>
    public static StructuralSteps Default { get; } = new(new Dictionary<string, StructuralStep>
    {
        ["backward"] = (run, step, _) => Autograd.Backward(
            run.Roots(step), Gradients(run, step), step.Wrt?.Value.Select(run.Tensor).ToArray(), OptionalFlag(step, "retain_graph"), Flag(step, "create_graph")),
        ["grad"] = (run, step, _) => run.Bind(step, Autograd.Grad(
            run.Roots(step), (step.Wrt?.Value ?? throw new MalformedProgramException("'grad' wants \"wrt\"")).Select(run.Tensor).ToArray(),
            Gradients(run, step), OptionalFlag(step, "retain_graph"), Flag(step, "create_graph"), Flag(step, "allow_unused"))),
        ["get_grad"] = (run, step, _) => run.Bind(step, [run.Only(step).Grad]),
        ["zero_grad"] = (run, step, _) => run.Only(step).ZeroGrad(OptionalFlag(step, "set_to_none") ?? true),
        ["detach"] = (run, step, _) => run.Bind(step, [run.Only(step).Detach()]),
        ["detach_"] = (run, step, _) => run.Bind(step, [run.Only(step).DetachInPlace()]),
        ["data"] = (run, step, _) => run.Bind(step, [run.Only(step).Data]),
        ["requires_grad_"] = (run, step, _) => run.Bind(step, [run.Only(step).RequiresGradInPlace(OptionalFlag(step, "requires_grad") ?? true)]),
        ["retain_grad"] = (run, step, _) => run.Only(step).RetainGrad(),
        ["no_grad"] = (run, step, path) => Block(run, step, path, Autograd.NoGrad()),
        ["enable_grad"] = (run, step, path) => Block(run, step, path, Autograd.EnableGrad()),
        ["inference_mode"] = (run, step, path) => Block(run, step, path, Autograd.InferenceMode()),
        ["register_hook"] = (run, step, _) =>
        {
            var scale = Number(step, "scale");
            run.BindHook(step, run.Only(step).RegisterHook(g => g * scale));
        },
        ["remove_hook"] = (run, step, _) => run.Hook(step).Remove(),
    });

    /// <summary>The names of the steps.</summary>
    public IEnumerable<string> Names => _steps.Keys;

    /// <summary>The step of a name, or null.</summary>
    public StructuralStep? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _steps.GetValueOrDefault(name);
    }

    /// <summary>A copy in which one step is replaced.</summary>
    public StructuralSteps With(string name, StructuralStep replacement)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(replacement);
        return new(_steps.Where(entry => entry.Key != name).Append(KeyValuePair.Create(name, replacement)));
    }

    private static void Block(ProgramRun run, Step step, IReadOnlyList<int> path, GradScope scope)
    {
        using (scope) run.RunSteps(step.Steps, (List<int>)path);
    }

    private static Tensor?[]? Gradients(ProgramRun run, Step step) =>
        step.Gradients?.Value.Select(name => name is null ? null : run.Tensor(name.Value)).ToArray();

    private static bool Flag(Step step, string name) => OptionalFlag(step, name) ?? false;

    private static bool? OptionalFlag(Step step, string name) => step.Attrs.TryGetValue(name, out var attr)
        ? attr switch
        {
            Attr.Flag flag => flag.Item,
            { IsNull: true } => null,
            _ => throw new MalformedProgramException($"'{name}' of '{step.Op}' must be true or false"),
        }
        : null;

    private static double Number(Step step, string name) => step.Attrs.TryGetValue(name, out var attr)
        ? attr switch
        {
            Attr.Float number => number.Item,
            Attr.Integer number => number.Item,
            _ => throw new MalformedProgramException($"'{name}' of '{step.Op}' must be a number"),
        }
        : throw new MalformedProgramException($"'{step.Op}' wants '{name}'");
}
