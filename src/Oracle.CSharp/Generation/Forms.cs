using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>
/// Forms that steps may have, beside which operator they are of: what a generator that makes every operator may still never make.
/// </summary>
public static class Forms
{
    private static readonly Dictionary<string, Func<Program, Step, bool>> All = new()
    {
        ["backward of several roots"] = (_, step) => step.Op == "backward" && step.In.Length > 1,
        ["backward into inputs="] = (_, step) => step.Op == "backward" && step.Wrt is not null,
        ["backward under create_graph"] = (_, step) => step.Op == "backward" && Steps.IsSet(step, "create_graph"),
        ["backward that retains its graph"] = (_, step) => step.Op == "backward" && Steps.IsSet(step, "retain_graph"),
        ["grad of several roots"] = (_, step) => step.Op == "grad" && step.In.Length > 1,
        ["grad by several inputs"] = (_, step) => step.Op == "grad" && step.Wrt!.Value.Length > 1,
        ["grad of first order"] = (program, step) => step.Op == "grad" && !IsCreated(step) && !IsOfCreated(program, step),
        ["grad without allow_unused"] = (_, step) => step.Op == "grad" && !Steps.IsSet(step, "allow_unused"),
        ["grad of third order"] = (program, step) => IsCreated(step) && IsOfCreated(program, step),
        ["grad that ends a second order"] = (program, step) => step.Op == "grad" && !IsCreated(step) && IsOfCreated(program, step),
        ["a hook with a name"] = (_, step) => step.Op == "register_hook" && StepNames.Bound(step).Any(),
        ["a flag that is set"] = (_, step) => step.Op == "requires_grad_" && Steps.IsSet(step, "requires_grad"),
        ["a flag that is cleared"] = (_, step) => step.Op == "requires_grad_" && !Steps.IsSet(step, "requires_grad"),
        ["a block in a block"] = (_, step) => step.Steps.Any(inner => !inner.Steps.IsEmpty),
        ["integers in the place of floats"] = (program, step) => ByKind(program, step).Any(argument => argument is { Kind.IsFloat: true, Tensor.DType.IsFloat: false }),
        ["probabilities of classes"] = (program, step) => ByKind(program, step).Any(argument => argument is { Kind.IsClasses: true, Tensor.DType.IsFloat: true }),
        ["an index from the end"] = (program, step) => ByKind(program, step).Any(argument => argument is { Kind.IsIndex: true, Tensor.Data: Data.Ints { Item: var indices } } && indices.Any(i => i < 0)),
        ["a number as an integer"] = (_, step) => step.Attrs.Any(attr => attr.Value is Attr.Integer && KindOf(step, attr.Key) is AttrKind.Number),
        ["a running statistic that is observed"] = (program, step) =>
            Record(step)?.Updates is { IsEmpty: false } && StepNames.Read(step).Skip(1).Any(name => program.Observe.Contains(Observed.NewValue(name))),
        ["a structural step in a block"] = (_, step) => step.Steps.Any(inner => inner.Op is "backward" or "detach" or "requires_grad_" or "retain_grad" or "get_grad" or "zero_grad"),
        ["a write to a leaf in no_grad"] = (program, step) =>
            step.Op == "no_grad" && step.Steps.Any(inner => Writes(inner, [.. program.Inputs.Where(input => input.RequiresGrad).Select(input => input.Name)])),
        ["a write to what grad gave"] = (program, step) => Writes(step, [.. Steps.All(program.Steps).Where(before => before.Op == "grad").SelectMany(StepNames.Bound)]),
        ["a write to a leaf's gradient"] = (program, step) => Writes(step, [.. Steps.All(program.Steps).Where(before => before.Op == "get_grad").SelectMany(StepNames.Bound)]),
        ["a write to what was given as a gradient"] = (program, step) =>
            Writes(step, [.. Steps.All(program.Steps).SelectMany(before => before.Gradients?.Value ?? []).OfType<Microsoft.FSharp.Core.FSharpOption<string>>().Select(name => name.Value)]),
        ["a retained gradient that is observed"] = (program, step) => step.Op == "retain_grad" && program.Observe.Contains(Observed.NewGradient(StepNames.Read(step).First())),
    };

    /// <summary>The names of the forms.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>The forms that a program holds.</summary>
    public static IEnumerable<string> In(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var steps = Steps.All(program.Steps).ToList();
        return All.Where(form => steps.Any(step => form.Value(program, step))).Select(form => form.Key);
    }

    private static bool Writes(Step step, HashSet<string> names) => step.Op.EndsWith('_') && StepNames.Read(step).FirstOrDefault() is { } written && names.Contains(written);

    private static Operator? Record(Step step) => RegistryModule.all.TryGetValue(step.Op.TrimEnd('_'), out var op) ? op : null;

    private static AttrKind? KindOf(Step step, string attribute) => Record(step)?.Attrs.FirstOrDefault(attr => attr.Name == attribute)?.Kind;

    // The arguments of an operator's step that are the program's inputs, each with the kind that the record asks for.
    private static IEnumerable<(ArgKind Kind, Literal Tensor)> ByKind(Program program, Step step) =>
        from pair in (Record(step)?.Args ?? []).Zip(step.In)
        from name in pair.Second switch
        {
            Arg.Name each => [each.Item],
            Arg.Names list => list.Item.Where(item => item is not null).Select(item => item!.Value),
            _ => Enumerable.Empty<string>(),
        }
        from input in program.Inputs
        where input.Name == name
        select (Plain(pair.First), input.Tensor);

    private static ArgKind Plain(ArgKind kind) => kind switch
    {
        ArgKind.List list => Plain(list.Item),
        ArgKind.Optional optional => Plain(optional.Item),
        _ => kind,
    };

    private static bool IsCreated(Step step) => step.Op == "grad" && Steps.IsSet(step, "create_graph");

    private static bool IsOfCreated(Program program, Step step) =>
        Steps.All(program.Steps).Any(before => IsCreated(before) && StepNames.Bound(before).Intersect(StepNames.Roots(step)).Any());
}
