using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>
/// The second derivative of logsigmoid as PyTorch computes it: s (s - 1) with s = sigmoid(x) (tools/autograd/derivatives.yaml, log_sigmoid_backward), whose
/// difference has little but the rounding of s where that is close to 1.
/// </summary>
internal static class LogSigmoidAgain
{
    private static FSharpMap<string, Operator> Registry { get; } = RegistryModule.derivingAgain("logsigmoid", FuncConvert.FromFunc<Again, Term>(OfDifference), RegistryModule.all);

    /// <summary>Whether a finding is what that formula gives.</summary>
    internal static bool Explains(Sighting seen) =>
        seen.Finding.Difference == Difference.Value && seen.Depends(2, (_, step) => step.Op == "logsigmoid") && seen.IsRightBy(Expectation.Of(seen.Program, seen.Engine.Ulp, Registry));

    private static Term OfDifference(Again again)
    {
        var s = again.First.Input(0).Apply("sigmoid", FSharpList<Term>.Empty, FSharpList<Tuple<string, Attr>>.Empty);
        return again.Arriving * again.First.Gradient(0)!.Value * (s * (s + -1.0));
    }
}
