using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.Specification.Tests;

/// <summary>What a finding says, for each respect in which two sides can differ.</summary>
public sealed class SentenceTests
{
    private static readonly Side Two = new Side.Present(new Side.Shape([2]), IsZeros: false);

    public static TheoryData<Finding, string> Said => new()
    {
        { Of(Difference.Value, new Side.Element(0.5), new Side.Element(0.25)) with { Index = 3, Bound = 1e-6 }, "y[3] is 0.25, expected 0.5 within 1E-06" },
        { Of(Difference.Value, new Side.Element(0.5), new Side.Element(0.25)) with { Index = 3, Bound = 1e-6, Verdict = Verdict.LessAccurate }, "y[3] is 0.25, expected 0.5 within 1E-06: it lies within 16 ulp of each elementary function" },
        { Of(Difference.None, new Side.Element(0.5), new Side.Element(0.25)) with { Index = 0, Bound = 1, Verdict = Verdict.Inconclusive }, "y[0] cannot be decided: 0.25, expected 0.5 within 1: a bound wider than 1 % of the value says nothing useful" },
        { Of(Difference.None, new Side.Element(0.5), new Side.Element(0.25)) with { Index = 0, Bound = double.PositiveInfinity, Verdict = Verdict.Inconclusive }, "y[0] cannot be decided: 0.25, expected 0.5 within Infinity: no bound holds there, since a comparison before it is undecided, or rounding alone may make it infinite or NaN" },
        { Of(Difference.Value, new Side.Whole(1), new Side.Whole(0)) with { Index = 2 }, "y[2] is 0, expected 1" },
        { Of(Difference.Value, new Side.Whole(1), new Side.Whole(0)) with { Index = 2, Place = "[1, 0]" }, "y[1, 0] is 0, expected 1" },
        { Of(Difference.Value, new Side.Element(0.5), new Side.Element(0.25)) with { Index = 0, Place = "", Bound = 1e-6 }, "y is 0.25, expected 0.5 within 1E-06" },
        { Of(Difference.Null, new Side.Null(), new Side.Present(new Side.Shape([2]), IsZeros: true)), "y is zeros, expected null: no path leads to it" },
        { Of(Difference.Null, new Side.Null(), Two), "y is a tensor, expected null: no path leads to it" },
        { Of(Difference.Null, Two, new Side.Null()), "y is null, expected a tensor of shape [2]" },
        { Of(Difference.None, Two, new Side.Null()) with { Verdict = Verdict.Inconclusive }, "y is null, which is right if it is zeros: they lie within the bound" },
        { Of(Difference.DType, new Side.Type(DType.Float64), new Side.Type(DType.Float32)), "y has dtype float32, expected float64" },
        { Of(Difference.Shape, new Side.Shape([2, 1]), new Side.Shape([])), "y has shape [], expected [2, 1]" },
        { Of(Difference.Version, new Side.Version(1), new Side.Version(2)), "y has version 2, expected 1" },
        { Of(Difference.RequiresGrad, new Side.Flag(true), new Side.Flag(false)), "y has requires_grad False, expected True" },
        { Of(Difference.IsLeaf, new Side.Flag(true), null), "y's is_leaf is not reported, expected True" },
        { Of(Difference.GradFn, new Side.GradFn(true), new Side.GradFn(false)), "y has grad_fn None, expected a node" },
        { Of(Difference.Presence, null, null), "y is not reported" },
        { Of(Difference.Presence, null, Two), "y is reported, but does not exist at that point" },
        { Of(Difference.Raised, null, Freed), "freed_graph at step [2, 0] (twice) was raised, expected nothing" },
        { Of(Difference.Raised, Freed, null), "nothing was raised, expected freed_graph at step [2, 0] (twice)" },
        { Of(Difference.None, null, Freed) with { Verdict = Verdict.Inconclusive }, "freed_graph at step [2, 0] (twice) was raised, which is right if the derivative is zero: it lies within the bound of it" },
        { Of(Difference.None, Freed, null) with { Verdict = Verdict.Inconclusive }, "freed_graph at step [2, 0] (twice) may be raised or not, since a derivative is zero; what follows depends on it" },
        { Of(Difference.Message, new Side.Text("so"), new Side.Text("thus")), "the message is \"thus\", expected \"so\"" },
        { Of(Difference.None, null, null) with { Verdict = Verdict.Pass }, "" },
    };

    [Theory]
    [MemberData(nameof(Said))]
    public void A_finding_says_what_was_expected_and_what_came(Finding finding, string sentence) => Assert.Equal(sentence, finding.Message);

    private static Side Freed { get; } = new Side.Error(new Raised(ListModule.OfSeq([2, 0]), ErrorKind.FreedGraph, "twice\nand more"));

    private static Finding Of(Difference difference, Side? expected, Side? actual) => new("y", Verdict.Fail, difference) { Expected = expected, Actual = actual };
}
