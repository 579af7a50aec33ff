using Verified.Oracle;
using Verified.Spec;
using Xunit;
using OperatorRegistry = Verified.Engine.OperatorRegistry;
using Tensor = Verified.Engine.Tensor;

namespace Verified.GoldenPyTorch;

/// <summary>
/// Every committed golden program, recorded while the engine runs it: the recording, run again, gives the same values. So each operator's calls are written down
/// as programs write them, without a line here about any of them.
/// </summary>
public sealed class RecordingOnGoldensTests
{
    public static TheoryData<string> Files => [.. Goldens.Files()];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_recording_computes_what_was_recorded(string file)
    {
        using var engine = new BuiltInEngine();
        var wrong = new List<string>();
        int count = 0, all = 0;
        foreach (var golden in Goldens.Read(file))
        {
            var run = new ProgramRun(OperatorRegistry.Default, StructuralSteps.Default);
            using var recorder = new ProgramRecorder();
            Outcome outcome;
            try
            {
                outcome = run.Run(golden.Program);
            }
            catch (UnsupportedStepException)
            {
                continue;
            }

            recorder.Dispose();
            // A hook's function, and a backward that ends half-way, cannot be written down.
            if (outcome.Raised is not null) continue;
            all++;
            if (recorder.Notes.Count > 0) continue;
            count++;
            var program = recorder.ToProgram(Bound(run, golden.Program, gradient: false), Bound(run, golden.Program, gradient: true));
            if (Difference(engine, recorder, run, outcome, program) is { } difference) wrong.Add($"{golden.Id}: {difference}\n{Json.writeProgram(program)}");
        }

        Assert.True(count * 2 >= all, $"only {count} of {all} could be recorded");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} recordings:\n{string.Join('\n', wrong.Take(10))}");
    }

    private static string? Difference(BuiltInEngine engine, ProgramRecorder recorder, ProgramRun run, Outcome outcome, Program program)
    {
        if (engine.Run(program) is not RunResult.Ran { Outcome: var again }) return "the recording cannot be run";
        if (again.Raised?.Value is { } raised) return $"the recording raises {raised.Message}";
        var unknown = program.Steps.SelectMany(step => step.Steps.Prepend(step)).Select(step => step.Op)
            .FirstOrDefault(op => !RegistryModule.all.ContainsKey(op.TrimEnd('_')) && !StructuralSteps.Default.Names.Contains(op));
        if (unknown is not null) return $"the specification has no operator '{unknown}'";
        var values = again.Values.ToDictionary(v => v.Item1, v => v.Item2?.Value.Tensor);
        foreach (var (text, report) in outcome.Values)
        {
            var gradient = text.EndsWith(".grad", StringComparison.Ordinal);
            if (Find(run, gradient ? text[..^".grad".Length] : text) is not { } tensor || recorder.NameOf(tensor) is not { } name) continue;
            if (!values.TryGetValue(gradient ? name + ".grad" : name, out var value)) return $"{text} is not observed";
            if (!Equals(value is null, report is null) || (value is not null && !value.Equals(report!.Value.Tensor))) return $"{text} differs";
        }

        return null;
    }

    private static IEnumerable<Tensor> Bound(ProgramRun run, Program program, bool gradient) => program.Observe
        .Where(observed => observed.IsGradient == gradient)
        .Select(observed => Find(run, observed is Observed.Gradient g ? g.Item : ((Observed.Value)observed).Item))
        .OfType<Tensor>();

    private static Tensor? Find(ProgramRun run, string name)
    {
        try
        {
            return run.Tensor(name);
        }
        catch (Verified.Engine.AutogradException)
        {
            return null;
        }
    }
}
