using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// Errors that rest on a derivative which is identically zero: of second order it may be null in one engine and zeros in another, and
/// null cannot be used or pulled back from. Whether it is zero is for the specification to say.
/// </summary>
internal static class ZeroDerivatives
{
    /// <summary>Kinds that a derivative which is identically zero may cause.</summary>
    internal static bool MayRaise(ErrorKind kind) => kind.IsNoGradFn || kind.IsUnusedInput || kind.IsInputWithoutGrad;

    /// <summary>
    /// Whether an error of the engine's that the specification does not raise rests on such a derivative: pass where the specification
    /// finds nothing but zeros there, inconclusive where its bounds do not tell, else fail.
    /// </summary>
    internal static Verdict Explain(Expectation expectation, Raised raised)
    {
        if (Paths.At(expectation.Program.Steps, raised.Step) is not { } step) return Verdict.Fail;
        var state = expectation.Until(raised.Step).Ran.Last;
        var roots = step.Op is "backward" or "grad" ? StepNames.Roots(step).ToList() : [];
        var explained = raised.Kind.IsUnusedInput || raised.Kind.IsInputWithoutGrad
            ? StepNames.Read(step).Distinct().Select(name => Find(state, name)).OfType<Tensor<Bounded>>()
                .Where(t => State.secondOrder(state, t)).Select(t => ZeroVerdict(State.read(state, t)))
            : [];
        if (!raised.Kind.IsInputWithoutGrad && roots.Any(root => IsSecondOrder(state, root)))
            explained = explained.Concat(raised.Kind.IsUnusedInput
                ? step.Op == "grad" && step.Wrt is not null ? Pulled(expectation, raised, step, [.. step.Wrt.Value]) : []
                : roots.Index().Where(root => IsSecondOrder(state, root.Item)).Select(root =>
                    Pulled(expectation, raised, OfOneRoot(step, root.Index), Leaves(state)).Append(Verdict.Pass).Max()));
        return explained.Append(Verdict.Fail).Min();
    }

    /// <summary>Whether what the specification raised rests on such a derivative: it is null there, or of second order without a history.</summary>
    internal static bool AreBehind(Ran<Bounded> ran, Step step) =>
        (step.Op is "backward" or "grad" ? StepNames.Roots(step).Concat(step.Wrt?.Value ?? []) : StepNames.Read(step))
        .Any(name => IsSecondOrder(ran.Last, name) || ran.SecondOrder && ran.Last.Names.TryGetValue(name, out var id) && id is null);

    /// <summary>The verdict on null in the place of a value of second order: it stands for zeros.</summary>
    internal static Verdict ZeroVerdict(Value<Bounded> value) => value.Elements is Elements<Bounded>.Floats { Item: var x }
        ? Elementwise.Judge("", x, new double[x.Length], zeroSigns: false, secondOrder: true).Verdict
        : Verdict.Fail;

    // The gradients of a step's roots, each by itself, where the error was raised.
    private static IEnumerable<Verdict> Pulled(Expectation expectation, Raised raised, Step step, string[] wrt)
    {
        if (wrt.Length == 0) return [];
        string[] names = [.. wrt.Select((_, i) => $"?{i}")];
        var pull = Steps.Act("grad").On(step.In, step.Gradients).Wrt(wrt).Binding(names)
            .With("allow_unused", Attr.NewFlag(true));
        var program = Paths.Until(expectation.Program, raised.Step, pull);
        var ran = expectation.OfAnother(new Program(program.Inputs, program.Steps, ListModule.OfSeq(names.Select(Observed.NewValue)))).Ran;
        return ran.Raised is null
            ? ran.Values.Select(v => v.Item2 is null ? Verdict.Pass : ZeroVerdict(v.Item2.Value.Value))
            : [Verdict.Fail];
    }

    private static Step OfOneRoot(Step step, int index) => Steps.Act("grad").On(
        ListModule.OfSeq([step.In[index]]),
        step.Gradients is { Value: var gradients } && index < gradients.Length
            ? FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.OfSeq([gradients[index]]))
            : null);

    // A view that was made with recording off says that it is a leaf, but nothing leads there, and asking for its gradient may be an error.
    private static string[] Leaves(State<Bounded> state) =>
        [.. Run.variables(state).Where(v => v.IsLeaf && v.RequiresGrad && Find(state, v.Name)!.View is null).Select(v => v.Name)];

    private static bool IsSecondOrder(State<Bounded> state, string name) => Find(state, name) is { } tensor && State.secondOrder(state, tensor);

    private static Tensor<Bounded>? Find(State<Bounded> state, string name) =>
        state.Names.TryGetValue(name, out var id) && id is not null ? State.tensor(state, id.Value) : null;
}
