using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>A known divergence as a prediction: the specification run over what PyTorch really does.</summary>
internal static class Prediction
{
    /// <summary>Whether what a finding found is what is predicted.</summary>
    internal static bool Predicts(this Expectation predicted, Finding finding)
    {
        if (finding.Raised is { } raised)
            return predicted.Ran.Raised?.Value is { } expectedError && expectedError.Kind.Equals(raised.Kind) && expectedError.Step.Equals(raised.Step);
        if (predicted.Ran.Values.FirstOrDefault(v => v.Item1 == finding.Name)?.Item2?.Value is not { } expected) return false;
        return finding switch
        {
            { Difference: Difference.Version } => expected.Version is { } version && finding.Message.StartsWith($"{finding.Name} has version {version.Value},", StringComparison.Ordinal),
            { Difference: Difference.Value or Difference.Class, Index: { } i } => expected.Value.Elements switch
            {
                Elements<Bounded>.Floats { Item: var x } => finding.Actual.Equals(x[i].V) || Math.Abs(finding.Actual - x[i].V) <= x[i].E,
                Elements<Bounded>.Ints { Item1: var n, decided: true } => finding.Actual.Equals(n[i]),
                _ => false,
            },
            _ => false,
        };
    }
}
