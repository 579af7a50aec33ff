using System.Globalization;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>What a finding says to a person: made of its two sides, here alone.</summary>
internal static class Sentence
{
    internal static string Of(Finding finding)
    {
        var name = finding.Name;
        var element = $"{name}{finding.Place ?? $"[{finding.Index}]"}";
        return (finding.Expected, finding.Actual) switch
        {
            (Side.Element expected, Side.Element actual) => OfElement(finding, element, expected.Value, actual.Value),
            (Side.Whole expected, Side.Whole actual) => $"{element} is {actual.Value}, expected {expected.Value}",
            (Side.Null, Side.Present actual) => $"{name} is {(actual.IsZeros ? "zeros" : "a tensor")}, expected null: no path leads to it",
            (Side.Present, Side.Null) when finding.Verdict == Verdict.Inconclusive => $"{name} is null, which is right if it is zeros: they lie within the bound",
            (Side.Present expected, Side.Null) => $"{name} is null, expected a tensor of shape {Show(expected.Of)}",
            (Side.Text expected, Side.Text actual) => $"the message is \"{actual.Message}\", expected \"{expected.Message}\"",
            (null, Side.Error actual) when finding.Verdict == Verdict.Inconclusive => $"{Show(actual)} was raised, which is right if the derivative is zero: it lies within the bound of it",
            (Side.Error expected, null) when finding.Verdict == Verdict.Inconclusive => $"{Show(expected)} may be raised or not, since a derivative is zero; what follows depends on it",
            (null, null) when finding.Verdict == Verdict.Pass => "",
            var (expected, actual) when finding.Difference == Difference.Raised => $"{(actual is null ? "nothing" : Show(actual))} was raised, expected {(expected is null ? "nothing" : Show(expected))}",
            (null, null) => $"{name} is not reported",
            ({ } expected, null) => $"{name}'s {Aspect(finding.Difference)} is not reported, expected {Show(expected)}",
            (null, _) => $"{name} is reported, but does not exist at that point",
            var (expected, actual) => $"{name} has {Aspect(finding.Difference)} {Show(actual)}, expected {Show(expected)}",
        };
    }

    private static string OfElement(Finding finding, string element, double expected, double actual)
    {
        var verb = finding.Verdict == Verdict.Inconclusive ? "cannot be decided:" : "is";
        var sentence = string.Create(CultureInfo.InvariantCulture, $"{element} {verb} {actual:R}, expected {expected:R} within {finding.Bound:G3}");
        return finding.Verdict switch
        {
            Verdict.LessAccurate => $"{sentence}: it lies within {Allowance.Most} ulp of each elementary function",
            Verdict.Inconclusive => $"{sentence}: {Reason(finding.Bound, actual)}",
            _ => sentence,
        };
    }

    private static string Reason(double bound, double actual) => double.IsFinite(bound) && double.IsFinite(actual)
        ? string.Create(CultureInfo.InvariantCulture, $"a bound wider than {Elementwise.Useless:P0} of the value says nothing useful")
        : "no bound holds there, since a comparison before it is undecided, or rounding alone may make it infinite or NaN";

    private static string Aspect(Difference difference) => difference switch
    {
        Difference.RequiresGrad => "requires_grad",
        Difference.IsLeaf => "is_leaf",
        Difference.GradFn => "grad_fn",
        _ => difference.ToString().ToLowerInvariant(),
    };

    private static string Show(Side side) => side switch
    {
        Side.Type { DType: var dtype } => dtype.Name,
        Side.Shape { Sizes: var sizes } => Shape.show([.. sizes]),
        Side.Flag { Value: var flag } => $"{flag}",
        Side.Version { Writes: var writes } => $"{writes}",
        Side.GradFn { IsNode: var isNode } => isNode ? "a node" : "None",
        Side.Error { Raised: var raised } => $"{raised.Kind.Name} at step [{string.Join(", ", raised.Step)}] ({raised.Message.Split('\n')[0]})",
        _ => side.ToString(),
    };
}
