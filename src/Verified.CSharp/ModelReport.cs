using System.Globalization;
using System.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Engine;
using Verified.Oracle;
using Verified.Spec;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>What came of checking a model: its program, the verdict, and where it first goes wrong.</summary>
public sealed class ModelReport
{
    private ModelReport(Program program, Judgement judgement, CaseResult? onEngine, IReadOnlyList<string> notes) =>
        (Program, Judgement, OnEngine, Notes) = (program, judgement, onEngine, notes);

    /// <summary>What the model did, as a program.</summary>
    public Program Program { get; }

    /// <summary>The verdict on what the model computed.</summary>
    public Judgement Judgement { get; }

    /// <summary>The same program on the engine that was given; null where none was.</summary>
    public CaseResult? OnEngine { get; }

    /// <summary>What the program leaves out of what the model did.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// The custom functions (<see cref="Function"/>), each examined by itself; none where the program, which has what their forwards compute, already shows that their derivatives are right. Where they are
    /// here, <see cref="Program"/> is cut at them: what their backwards gave is taken as given, so that all else is examined whatever they do.
    /// </summary>
    public IReadOnlyList<FunctionCheck> Functions { get; private init; } = [];

    /// <summary>
    /// The same program with float64 in the place of float32, run on the built-in engine (with the model's own operators); null where float32 leaves nothing undecided. It examines the operators that the
    /// model applied and how they are put together, not the rounding of the model's own numbers.
    /// </summary>
    public CaseResult? InFloat64 { get; private init; }

    /// <summary>
    /// The verdict on each step by itself in float64, on the values and gradients that reached it; null where <see cref="InFloat64"/> decides, and for what is more than a forward and a backward. Bounds on a
    /// whole model grow with its depth, those on a step do not; where every step is right, the model is.
    /// </summary>
    public Judgement? StepByStep { get; private init; }

    /// <summary>The values and gradients that float32 cannot decide: those that follow from a comparison within the bound, and sums that cancel.</summary>
    public IEnumerable<Finding> Undecided => Judgement.Findings.Where(finding => finding.Verdict == Verdict.Inconclusive);

    /// <summary>Why no gradient was compared, such as that nothing that requires one leads to the result; null where one was. A model without gradients may be meant so, and holds if its values do.</summary>
    public string? WhyNoGradient { get; private init; }

    /// <summary>The message of the error that the model ended in; null where it ended in none. That it is the right one is examined as values are, and seen in <see cref="Verdict"/>: a model that ends in one does not hold.</summary>
    public string? Error { get; private init; }

    /// <summary>The worst verdict. That something undecided is right in float64 leaves it undecided; that it is wrong there makes it wrong.</summary>
    public Verdict Verdict => Decision is { Verdict: >= Verdict.LessAccurate } wrong ? wrong.Verdict : Worse(Judgement, OnEngine?.Judgement).Verdict;

    /// <summary>Whether all values and gradients are right. An inconclusive check does not hold, and neither does a model that ends in an error, be it the right one.</summary>
    public bool Holds => Verdict == Verdict.Pass && Error is null && OnEngine is null or { Judgement: not null };

    /// <summary>Whether nothing is wrong as the model computed it, and all is right in float64: what can be said of a float32 model of real size. A model that holds holds in float64.</summary>
    public bool HoldsInFloat64 => Holds
        || (Verdict == Verdict.Inconclusive && Error is null && Decision?.Verdict == Verdict.Pass && IsWhole && Functions.All(f => f.Finding.Verdict == Verdict.Pass) && OnEngine is null or { Judgement: not null });

    /// <summary>The first step that is wrong; null where none is, or none can be singled out.</summary>
    public ModelDifference? First { get; private init; }

    /// <summary>The shortest program that shows the fault, where it shows when the program is run again: on the engine that was given, or with the model's own operators.</summary>
    public Failure? Shortest { get; private init; }

    /// <summary>The program in one of the languages <c>pytorch</c>, <c>csharp</c>, <c>fsharp</c> and <c>json</c>.</summary>
    public string Printed(string language)
    {
        ArgumentNullException.ThrowIfNull(language);
        return FailureDescription.Printed(Program, language, EngineMethods.All);
    }

    /// <summary>The report in a few lines: the verdict, the step that is wrong, the program that shows it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        var steps = Program.Steps.Sum(step => Math.Max(1, step.Steps.Length));
        text.AppendLine(Verdict switch
        {
            Verdict.Pass when Error is not null => $"The model ends in an error, as it must, at steps[{string.Join("].steps[", LastPath(Program))}]: {Error}",
            Verdict.Pass when WhyNoGradient is not null => string.Create(
                CultureInfo.InvariantCulture,
                $"The model holds: {Ungraded} after {steps} steps, within the specification's bounds (at most {Judgement.Ratio:P0} of a bound is used), but no gradient was compared: {WhyNoGradient}."),
            Verdict.Pass => string.Create(
                CultureInfo.InvariantCulture,
                $"The model holds: {Values} values and gradients after {steps} steps lie within the specification's bounds (at most {Judgement.Ratio:P0} of a bound is used)."),
            Verdict.Inconclusive when HoldsInFloat64 => string.Create(
                CultureInfo.InvariantCulture,
                $"The model holds in float64{(StepByStep is null ? "" : ", step by step")}: {Decision!.Findings.Count - 1} values and gradients after {steps} steps. In float32 {Undecided.Count()} of {Values} cannot be decided, the others are right ({Worst?.Message})."),
            Verdict.Inconclusive => $"Inconclusive: {Worst?.Message}.{Otherwise}",
            _ when Judgement.Verdict < Verdict.LessAccurate && Decision?.Worst is { Verdict: >= Verdict.LessAccurate } worst => $"The model is wrong, computed in float64: {worst.Message}.",
            _ => $"The model is wrong: {Worst?.Message}.",
        });
        if (Error is not null && Verdict != Verdict.Pass) text.AppendLine(CultureInfo.InvariantCulture, $"It ends in an error: {Error}");
        if (WhyNoGradient is not null && Verdict != Verdict.Pass) text.AppendLine(CultureInfo.InvariantCulture, $"Note: no gradient was compared: {WhyNoGradient}.");
        foreach (var note in Notes) text.AppendLine(CultureInfo.InvariantCulture, $"Note: {note}.");
        AboutFunctions(text);
        if (First is { } first) text.AppendLine(first.ToString());
        if (Shortest is { } shortest) text.AppendLine().AppendLine("The shortest program that shows it:").AppendLine(FailureDescription.Text(shortest));
        return text.ToString().TrimEnd();
    }

    /// <summary>What is to be said of custom functions beyond the worst finding.</summary>
    private void AboutFunctions(StringBuilder text)
    {
        foreach (var function in Functions.Where(f => f.Finding.Verdict != Verdict.Pass && f.Finding != Worst)) text.AppendLine(CultureInfo.InvariantCulture, $"Custom function: {function.Finding.Message}.");
        if (Functions.Count(f => f.Finding.Verdict == Verdict.Pass) is > 0 and var right)
            text.AppendLine(CultureInfo.InvariantCulture, $"Custom functions that are right, by numerical differentiation where they were applied: {right} of {Functions.Count}.");
        if (Functions.All(f => f.Finding.Verdict != Verdict.Fail)) return;
        text.AppendLine(Judgement.Findings.Skip(Functions.Count).Max(f => f.Verdict) switch
        {
            _ when !IsWhole => "Gradients that come out of it are wrong with it: what else is wrong shows once it is right.",
            Verdict.Pass => string.Create(CultureInfo.InvariantCulture, $"All else is right, given what comes out of it: {Values} values and gradients."),
            Verdict.Inconclusive => string.Create(CultureInfo.InvariantCulture, $"Nothing else is known to be wrong; {Undecided.Count()} of {Values} values and gradients cannot be decided."),
            _ => "Not it alone: other steps are wrong too, given what comes out of it.",
        });
    }

    /// <summary>Examines the finished recording of a model and a backward from its output; null where it came to none.</summary>
    internal static ModelReport Of(ProgramRecorder recorder, Tensor? output, IEngine? engine) =>
        output is null && recorder.IsStopped ? OfStep(recorder, engine) : Of(recorder, output, output is null ? [] : [output], engine);

    /// <summary>Examines the finished recording of code that differentiates by itself.</summary>
    internal static ModelReport OfStep(ProgramRecorder recorder, IEngine? engine) => Of(recorder, null, [.. recorder.Known.Select(item => item.Tensor)], engine);

    private static ModelReport Of(ProgramRecorder recorder, Tensor? output, IReadOnlyList<Tensor> shown, IEngine? engine)
    {
        // A backward that was stopped has left what it had pulled back until then, and one that went on after a failure gives no gradient that anything could be said of.
        var failed = recorder.Functions.Any(applied => applied.Failure is not null);
        var leaves = recorder.IsStopped ? [] : recorder.Inputs.Where(item => item.Tensor is { RequiresGrad: true, GradFn: null }).Select(item => item.Tensor).ToList();
        var whyNone = failed ? null : GradientReach.WhyNone(recorder, output, leaves);
        string[] notes = [.. recorder.Notes, .. output is null || failed || recorder.Error is not null ? [] : GradientReach.Notes(recorder, output, leaves)];
        var program = recorder.ToProgram(shown, leaves);
        var live = new EngineInfo { Name = "the model", Language = "C#", Features = Compared };
        Judgement Judged() => Judge.Outcome(Expectation.Of(program), Outcome(recorder, program), live);
        // A program that lacks what a function computes says nothing of it.
        var judgement = recorder.Functions.Any(applied => applied.IsUnwritten) ? null : Judged();
        var functions = new List<FunctionCheck>();
        var whole = true;
        if ((judgement is not { Verdict: Verdict.Pass } || failed) && recorder.Functions.Count > 0)
        {
            functions.AddRange(recorder.Functions.Select(FunctionCheck.Of));
            whole = !recorder.IsStopped && recorder.CutAtFunctions();
            if (whole)
            {
                program = recorder.ToProgram(shown, [.. leaves, .. recorder.FunctionResults]);
                judgement = Judged();
            }

            judgement = new Judgement([.. functions.Select(f => f.Finding), .. judgement?.Findings ?? [Unfollowed]]);
        }

        var result = engine is null ? null : new Examiner(engine).Examine("model", program);
        var floats = program.Inputs.Any(input => input.Tensor.DType.IsFloat32);
        var widened = judgement!.Verdict == Verdict.Inconclusive && floats ? OnOwnEngine(recorder, Widening.Widen(program)) : null;
        return new ModelReport(program, judgement, result, notes)
        {
            WhyNoGradient = whyNone,
            Error = recorder.Error?.Message,
            Functions = functions,
            IsWhole = whole,
            First = (whole || functions.TrueForAll(f => f.Finding.Verdict == Verdict.Pass)) && judgement.Verdict >= Verdict.LessAccurate ? ModelDifference.Find(recorder, program, live) : null,
            InFloat64 = widened,
            StepByStep = widened is { Judgement.Verdict: Verdict.Inconclusive } ? Verified.StepByStep.Examine(widened.Program, Operators(recorder), live) : null,
            Shortest = Shortened(recorder, program, judgement, engine, result, widened),
        };
    }

    private static IReadOnlySet<string> Compared { get; } =
        EngineFeatures.All.Except(["versions", "grad_fn", "requires_grad", "is_leaf", "messages"]).ToHashSet();

    /// <summary>What is found where the way of a gradient through a custom function is not in the program.</summary>
    private static Finding Unfollowed { get; } = new("raised", Verdict.Inconclusive, Difference.Presence)
    {
        Note = "a custom function computes on numbers that it read out of its inputs, and the recording is no forward with one backward: what comes of its gradients cannot be followed",
    };

    /// <summary>Whether nothing in the program depends on a backward that the program does not have.</summary>
    private bool IsWhole { get; init; } = true;

    /// <summary>The number of values and gradients that were compared.</summary>
    private int Values => Judgement.Findings.Count - 1 - Functions.Count;

    /// <summary>The number of values that were compared, where no gradient was.</summary>
    private string Ungraded => Judgement.Findings.Count(f => f.Name != "raised" && !f.Name.EndsWith(".grad", StringComparison.Ordinal)) is var count && count == 1 ? "1 value" : $"{count} values";

    private Finding? Worst => Worse(Judgement, OnEngine?.Judgement).Worst;

    /// <summary>Why an inconclusive check is not decided by float64.</summary>
    private string Otherwise => InFloat64 switch
    {
        null => "",
        _ when Decision is { Verdict: Verdict.Pass } && !IsWhole => " In float64 the operators are right; the backward of the custom function was not run there.",
        _ when Decision is { Worst: { } worst } => $" In float64: {worst.Message}.",
        { Result: var result } => $" In float64 it could not be run: {result}.",
    };

    /// <summary>What float64 says.</summary>
    private Judgement? Decision => StepByStep ?? InFloat64?.Judgement;

    private static Judgement Worse(Judgement own, Judgement? other) => other is not null && other.Verdict > own.Verdict ? other : own;

    private static Outcome Outcome(ProgramRecorder recorder, Program program)
    {
        var tensors = recorder.Known.ToDictionary(item => item.Name, item => item.Tensor);
        IEnumerable<Tuple<string, FSharpOption<Report>?>> Values()
        {
            foreach (var observed in program.Observe)
            {
                if (observed is Observed.Gradient { Item: var name } && recorder.Functions.Any(applied => applied.Results.Contains(name)))
                {
                    var arrived = recorder.Gradients.Arrived[0].GetValueOrDefault(name);
                    yield return Tuple.Create(observed.Text, arrived is null ? null : FSharpOption<Report>.Some(new Report(arrived, null, null, null, null)));
                    continue;
                }

                var tensor = observed is Observed.Gradient g ? tensors[g.Item].Grad : tensors[((Observed.Value)observed).Item];
                yield return Tuple.Create(observed.Text, tensor is null ? null : FSharpOption<Report>.Some(Literals.ToReport(tensor, observed.IsGradient)));
            }
        }

        var raised = recorder.Error is { } error
            ? FSharpOption<Raised>.Some(new Raised(LastPath(program), Kinds.Of(error), error.Message))
            : null;
        return new Outcome(ListModule.OfSeq(Values())!, raised);
    }

    private static FSharpList<int> LastPath(Program program)
    {
        var last = program.Steps[program.Steps.Length - 1];
        return ListModule.OfSeq(last.Steps.IsEmpty ? [program.Steps.Length - 1] : new[] { program.Steps.Length - 1, last.Steps.Length - 1 });
    }

    private static Failure? Shortened(ProgramRecorder recorder, Program program, Judgement judgement, IEngine? engine, CaseResult? onEngine, CaseResult? widened)
    {
        if (onEngine is { IsFinding: true }) return Failure.Of(new Examiner(engine!), onEngine);
        if (judgement.Verdict < Verdict.LessAccurate && widened is null or { IsFinding: false }) return null;
        using var again = OwnEngine(recorder);
        var examiner = new Examiner(again);
        var result = widened ?? examiner.Examine("model", program);
        return result.IsFinding ? Failure.Of(examiner, result) : null;
    }

    private static CaseResult OnOwnEngine(ProgramRecorder recorder, Program program)
    {
        using var engine = OwnEngine(recorder);
        return new Examiner(engine).Examine("model", program);
    }

    /// <summary>The built-in engine with the operators that the model brought.</summary>
    private static BuiltInEngine OwnEngine(ProgramRecorder recorder) => new(Operators(recorder));

    private static OperatorRegistry Operators(ProgramRecorder recorder) => recorder.ForeignOperators.Aggregate(OperatorRegistry.Default, (known, op) => known.With(op));
}
