using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Runs programs on an engine and judges what it answers.</summary>
public sealed class Examiner(IEngine engine)
{
    /// <summary>The engine.</summary>
    public IEngine Engine => engine;

    /// <summary>Runs and judges one program.</summary>
    public CaseResult Examine(string id, Program program, Outcome? golden = null) => Judged(id, program, golden, engine.Run(program));

    /// <summary>Runs and judges cases in order; an engine in another process works ahead.</summary>
    public IEnumerable<CaseResult> Examine(IEnumerable<Json.Case> cases)
    {
        var waiting = new Queue<Json.Case>();
        IEnumerable<Program> Programs()
        {
            foreach (var item in cases)
            {
                waiting.Enqueue(item);
                yield return item.Program;
            }
        }

        foreach (var result in engine.RunAll(Programs()))
        {
            var item = waiting.Dequeue();
            yield return Judged(item.Id, item.Program, item.Golden?.Value, result);
        }
    }

    /// <summary>True where the program counts against the engine: what a shrinker keeps.</summary>
    public bool Fails(Program program) => Examine("", program).IsFinding;

    private CaseResult Judged(string id, Program program, Outcome? golden, RunResult result)
    {
        if (result is not RunResult.Ran ran) return new CaseResult(id, program, result, null);
        var expectation = Expectation.Of(program, engine.Info.Ulp);
        return new CaseResult(id, program, result, Judge.Outcome(expectation, ran.Outcome, engine.Info))
        {
            Golden = golden is null ? null : Judge.Outcome(expectation, golden, PyTorch),
        };
    }

    /// <summary>PyTorch as goldens record it.</summary>
    private static EngineInfo PyTorch { get; } = new() { Name = "PyTorch", Language = "Python" };
}
