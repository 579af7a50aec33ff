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

    /// <summary>The message of the error that the model ended in; null where it ended in none. That it is the right one is examined as values are.</summary>
    public string? Error { get; private init; }

    /// <summary>The worst verdict.</summary>
    public Verdict Verdict => OnEngine?.Judgement is { } other && other.Verdict > Judgement.Verdict ? other.Verdict : Judgement.Verdict;

    /// <summary>Whether all values and gradients are right. An inconclusive check does not hold.</summary>
    public bool Holds => Verdict == Verdict.Pass && OnEngine is null or { Judgement: not null };

    /// <summary>The first step that is wrong; null where none is, or none can be singled out.</summary>
    public ModelDifference? First { get; private init; }

    /// <summary>The shortest program that shows the fault, where it shows when the program is run again: on the engine that was given, or with the model's own operators.</summary>
    public Failure? Shortest { get; private init; }

    /// <summary>The program in one of the languages <c>pytorch</c>, <c>csharp</c>, <c>fsharp</c> and <c>json</c>.</summary>
    public string Printed(string language) => FailureDescription.Printed(Program, language);

    /// <summary>The report in a few lines: the verdict, the step that is wrong, the program that shows it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        var steps = Program.Steps.Sum(step => Math.Max(1, step.Steps.Length));
        text.AppendLine(Verdict switch
        {
            Verdict.Pass => string.Create(
                CultureInfo.InvariantCulture,
                $"The model holds: {Judgement.Findings.Count - 1} values and gradients after {steps} steps lie within the specification's bounds (at most {Judgement.Ratio:P0} of a bound is used)."),
            Verdict.Inconclusive => $"Inconclusive: {Worst?.Message}.",
            _ => $"The model is wrong: {Worst?.Message}.",
        });
        if (Error is not null) text.AppendLine(CultureInfo.InvariantCulture, $"It ends in an error{(Verdict == Verdict.Pass ? ", as it must" : "")}: {Error}");
        foreach (var note in Notes) text.AppendLine(CultureInfo.InvariantCulture, $"Note: {note}.");
        if (First is { } first) text.AppendLine(first.ToString());
        if (Shortest is { } shortest) text.AppendLine().AppendLine("The shortest program that shows it:").AppendLine(FailureDescription.Text(shortest));
        return text.ToString().TrimEnd();
    }

    /// <summary>Examines a finished recording.</summary>
    internal static ModelReport Of(ProgramRecorder recorder, IEnumerable<Tensor> observed, IEngine? engine)
    {
        var leaves = recorder.Inputs.Where(item => item.Tensor is { RequiresGrad: true, GradFn: null }).Select(item => item.Tensor).ToList();
        var program = recorder.ToProgram(observed, leaves);
        var live = new EngineInfo { Name = "the model", Language = "C#", Features = Compared };
        var expectation = Expectation.Of(program);
        var judgement = Judge.Outcome(expectation, Outcome(recorder, program), live);
        var result = engine is null ? null : new Examiner(engine).Examine("model", program);
        return new ModelReport(program, judgement, result, recorder.Notes)
        {
            Error = recorder.Error?.Message,
            First = judgement.Verdict >= Verdict.LessAccurate ? ModelDifference.Find(recorder, program, live) : null,
            Shortest = Shortened(recorder, program, judgement, engine, result),
        };
    }

    private static IReadOnlySet<string> Compared { get; } =
        EngineFeatures.All.Except(["versions", "grad_fn", "requires_grad", "is_leaf", "messages"]).ToHashSet();

    private Finding? Worst => (Judgement.Verdict >= (OnEngine?.Judgement?.Verdict ?? Verdict.Pass) ? Judgement : OnEngine!.Judgement!).Worst;

    private static Outcome Outcome(ProgramRecorder recorder, Program program)
    {
        var tensors = recorder.Known.ToDictionary(item => item.Name, item => item.Tensor);
        IEnumerable<Tuple<string, FSharpOption<Report>?>> Values()
        {
            foreach (var observed in program.Observe)
            {
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

    private static Failure? Shortened(ProgramRecorder recorder, Program program, Judgement judgement, IEngine? engine, CaseResult? onEngine)
    {
        if (onEngine is { IsFinding: true }) return Failure.Of(new Examiner(engine!), onEngine);
        if (judgement.Verdict < Verdict.LessAccurate) return null;
        var registry = recorder.ForeignOperators.Aggregate(OperatorRegistry.Default, (known, op) => known.With(op));
        using var again = new BuiltInEngine(registry);
        var examiner = new Examiner(again);
        var result = examiner.Examine("model", program);
        return result.IsFinding ? Failure.Of(examiner, result) : null;
    }
}
