using Verified.Examples;

namespace Verified.Cli;

/// <summary><c>verify check --example NAME</c>: records a small form of an example's training step and holds it against the specification.</summary>
internal static class ExampleCheck
{
    public static int Run(Example example)
    {
        var report = Verify.Step(example.Step());
        Console.WriteLine(report);
        Console.WriteLine($"{(report.Holds ? "PASS" : report.HoldsInFloat64 ? "PASS IN FLOAT64" : report.Verdict >= Oracle.Verdict.LessAccurate ? "FAIL" : report.Error is not null ? "ENDS IN AN ERROR" : "INCONCLUSIVE")}  the step of {example.Name}");
        return report.HoldsInFloat64 ? ExitCodes.Held : ExitCodes.Failed;
    }
}
