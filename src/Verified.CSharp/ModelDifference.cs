using System.Globalization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle;
using Verified.Spec;

namespace Verified;

/// <summary>Where a model first goes wrong.</summary>
/// <param name="Index">The index of the step at the top of the program.</param>
/// <param name="Step">The step that is wrong: in its value or, with <paramref name="Backward"/>, in its derivative.</param>
/// <param name="Backward">Whether the derivative is wrong: gradients are right down to the step's results, and wrong at what it was computed from.</param>
/// <param name="Finding">What differs.</param>
public sealed record ModelDifference(int Index, Step Step, bool Backward, Finding Finding)
{
    /// <summary>In one sentence.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"First wrong at step {Index} ({Written}): {(Backward ? "its derivative, for " : "")}{Finding.Message}.");

    private string Written => Step.Out is Out.Name name ? $"{name.Item} = {Step.Op}" : Step.Op;

    /// <summary>Looks among the values that the recording kept after each step, then among the gradients that it caught.</summary>
    internal static ModelDifference? Find(ProgramRecorder recorder, Program program, EngineInfo live)
    {
        var blocks = recorder.Blocks().ToList();
        return Forward(blocks, program, live) ?? Backwards(recorder, blocks, program, live);
    }

    /// <summary>Once a value is wrong, what follows is too: the first step is found by halving.</summary>
    private static ModelDifference? Forward(List<(Step Step, IReadOnlyList<RecordedStep> Parts)> blocks, Program program, EngineInfo live)
    {
        Finding? Wrong(int length)
        {
            var values = new Dictionary<string, Literal>();
            foreach (var part in blocks.Take(length).SelectMany(block => block.Parts))
                foreach (var (name, value) in part.Values) values[name] = value;
            return Judged(Prefix(program, length), values.ToDictionary(v => Observed.NewValue(v.Key), v => v.Value), live).FirstOrDefault();
        }

        int right = 0, wrong = blocks.Count;
        if (Wrong(wrong) is not { } finding) return null;
        while (wrong - right > 1)
        {
            var middle = (right + wrong) / 2;
            if (Wrong(middle) is { } earlier) (wrong, finding) = (middle, earlier);
            else right = middle;
        }

        var parts = blocks[wrong - 1].Parts;
        var step = parts.FirstOrDefault(part => part.Values.ContainsKey(finding.Name)) ?? parts[0];
        // A value that comes out of a backward is wrong because the backward is.
        return step.Step.Op is "get_grad" or "grad" or "backward" ? null : new ModelDifference(wrong - 1, step.Step, false, finding);
    }

    /// <summary>The first backward in which a wrong gradient arrives anywhere; there, the tensor nearest to the root; of the steps that use it, one whose own results get right gradients.</summary>
    private static ModelDifference? Backwards(
        ProgramRecorder recorder, List<(Step Step, IReadOnlyList<RecordedStep> Parts)> blocks, Program program, EngineInfo live)
    {
        foreach (var (arrived, pulled) in recorder.Gradients.Arrived.Zip(recorder.Steps.Where(step => step.Step.Op is "backward" or "grad")))
        {
            var top = blocks.FindIndex(block => block.Parts.Any(part => ReferenceEquals(part, pulled)));
            if (top < 0 || blocks[top].Step.Op is not ("backward" or "grad")) continue;
            var backward = AsBackward(blocks[top].Step);
            // Each gradient by itself: kept where it arrives, with what earlier backwards left taken away.
            var names = arrived.Keys.ToList();
            var steps = program.Steps.Take(top)
                .Concat(names.Select(name => StepModule.act("retain_grad", ListModule.OfSeq([name]), FSharpList<Tuple<string, Attr>>.Empty)))
                .Concat(names.Select(name => StepModule.act("zero_grad", ListModule.OfSeq([name]), FSharpList<Tuple<string, Attr>>.Empty)))
                .Append(backward);
            var watched = new Program(program.Inputs, ListModule.OfSeq(steps), program.Observe);
            var findings = Judged(watched, arrived.ToDictionary(g => Observed.NewGradient(g.Key), g => g.Value), live).ToDictionary(f => f.Name[..^".grad".Length]);
            if (findings.Count == 0) continue;
            var (name, finding) = findings.MaxBy(f => PlaceOf(recorder, f.Key));
            // What a custom function computes inside gets no gradients that could be caught, so steps without any come second.
            var users = Enumerable.Range(0, top).Reverse()
                .SelectMany(i => blocks[i].Parts.Reverse().Where(part => part.Block is null && Uses(part.Step, name) && !part.Values.Keys.Any(findings.ContainsKey)).Select(part => (Index: i, Part: part)))
                .OrderByDescending(user => user.Part.Values.Keys.Any(arrived.ContainsKey)).ToList();
            return users.Count == 0
                ? new ModelDifference(top, blocks[top].Step, true, finding)
                : new ModelDifference(users[0].Index, users[0].Part.Step, true, finding);
        }

        return null;
    }

    /// <summary>A <c>grad</c> as the backward that goes the same way; where the gradients end does not matter here.</summary>
    private static Step AsBackward(Step step) => step.Op == "backward" && step.Wrt is null
        ? step
        : new Step("backward", step.In, step.Attrs.Remove("allow_unused"), Out.Nothing, null, step.Gradients, FSharpList<Step>.Empty);

    private static int PlaceOf(ProgramRecorder recorder, string name)
    {
        for (var i = 0; i < recorder.Known.Count; i++)
            if (recorder.Known[i].Name == name) return i;
        return -1;
    }

    private static bool Uses(Step step, string name) => step.In.Any(arg => arg switch
    {
        Arg.Name one => one.Item == name,
        Arg.Names list => list.Item.Any(item => item?.Value == name),
        _ => false,
    });

    private static Program Prefix(Program program, int length) => new(program.Inputs, ListModule.OfSeq(program.Steps.Take(length)), program.Observe);

    private static IEnumerable<Finding> Judged(Program program, Dictionary<Observed, Literal> values, EngineInfo live)
    {
        var watched = new Program(program.Inputs, program.Steps, ListModule.OfSeq(values.Keys));
        var outcome = new Outcome(
            ListModule.OfSeq(values.Select(v => Tuple.Create(v.Key.Text, FSharpOption<Report>.Some(new Report(v.Value, null, null, null, null)))))!, null);
        return Judge.Outcome(Expectation.Of(watched), outcome, live).Findings.Where(f => f.Verdict >= Verdict.LessAccurate && f.Name != "raised");
    }
}
