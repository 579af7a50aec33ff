using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>The registry of PyTorch's divergences: each entry still shows, has a witness, and is no wider than what it states.</summary>
public sealed class DivergenceTests
{
    public static TheoryData<string> Divergences => [.. KnownDivergences.All.Select(d => d.Id)];

    [Theory]
    [MemberData(nameof(Divergences))]
    public void A_known_divergence_still_shows_and_its_witness_sides_with_the_specification(string id)
    {
        var divergence = KnownDivergences.All.Single(d => d.Id == id);
        Assert.NotEmpty(divergence.Goldens.Concat(divergence.Examples));
        foreach (var prefix in divergence.Goldens)
        {
            var goldens = Concerned.Value.Where(g => g.Id.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(goldens);
            StillShows(divergence, goldens);
        }

        foreach (var example in divergence.Examples) StillShows(divergence, [Json.readCase(example.ReplaceLineEndings(" ")).ResultValue]);
    }

    private static void StillShows(Divergence divergence, List<Json.Case> goldens)
    {
        var shown = goldens.Where(g => Judge.Outcome(g.Program, g.Golden!.Value, Goldens.PyTorch).Verdict == Verdict.Fail).ToList();
        Assert.True(shown.Count > 0, $"{goldens[0].Id}: PyTorch lies inside the bound; the entry is not needed");
        foreach (var golden in shown)
        {
            Assert.Null(divergence.Witness(golden));
            foreach (var finding in Wrong(golden))
                Assert.True(divergence.Covers(golden.Program, finding), $"{golden.Id}: {finding.Message} is not what the entry covers");
        }
    }

    [Theory]
    [MemberData(nameof(Divergences))]
    public void What_has_nothing_to_do_with_a_known_divergence_is_not_excused(string id)
    {
        var divergence = KnownDivergences.All.Single(d => d.Id == id);
        foreach (var golden in Shown(divergence))
        {
            var program = WithSomethingElse(golden.Program);
            var elsewhere = FSharpList<int>.Cons(program.Steps.Length - 1, FSharpList<int>.Empty);
            foreach (var finding in Wrong(golden))
            {
                if (finding.Raised is { } raised)
                {
                    // An assertion of PyTorch's own that fails is a fault wherever it does.
                    if (id != "internal-assertion")
                        Assert.False(divergence.Covers(program, finding with { Raised = new Raised(elsewhere, raised.Kind, raised.Message) }), $"{golden.Id}: an error of another step");
                }
                else
                {
                    var first = finding.Index is null ? finding : finding with { Index = 0 };
                    Assert.False(divergence.Covers(program, first with { Name = Else }), $"{golden.Id}: a value that depends on nothing in question");
                    Assert.False(divergence.Covers(program, first with { Name = Else + ".grad" }), $"{golden.Id}: a gradient that depends on nothing in question");
                }
            }
        }
    }

    [Fact]
    public void Another_version_of_PyTorch_has_no_entries_and_the_report_says_so()
    {
        var golden = Shown(KnownDivergences.All[0])[0];
        Divergence? Explaining(string version) => KnownDivergences.Explaining(Goldens.PyTorch with { Version = version }, golden.Program, Wrong(golden)[0]);
        string? Note(string version) => KnownDivergences.Note(Goldens.PyTorch with { Version = version });
        Assert.NotNull(Explaining("2.6.0"));
        Assert.Null(Note("2.6.0"));
        foreach (var other in new[] { "2.7.0", "2.60.0", "1.13.1", "" })
        {
            Assert.Null(Explaining(other));
            Assert.Contains("2.6", Note(other), StringComparison.Ordinal);
        }

        Assert.Null(KnownDivergences.Note(Goldens.PyTorch with { Name = "mine", Version = "1" }));
    }

    private static readonly Lazy<List<Json.Case>> Concerned = new(() =>
        [.. Goldens.Files().SelectMany(Goldens.Read).Where(golden => KnownDivergences.All.Any(divergence => divergence.Shows(golden.Id)))]);

    private const string Else = "something else";

    // One more leaf and one more step at the end.
    private static Program WithSomethingElse(Program program)
    {
        var other = Json.readProgram(
            $$$"""{"inputs": {"another leaf": {"dtype": "float32", "shape": [1], "data": [1], "requires_grad": true}}, "steps": [{"op": "neg", "in": ["another leaf"], "out": "{{{Else}}}"}], "observe": ["{{{Else}}}"]}""").ResultValue;
        return new Program(ListModule.Append(program.Inputs, other.Inputs), ListModule.Append(program.Steps, other.Steps), ListModule.Append(program.Observe, other.Observe));
    }

    private static List<Json.Case> Shown(Divergence divergence) =>
    [
        .. Concerned.Value.Where(golden => divergence.Shows(golden.Id))
            .Concat(divergence.Examples.Select(example => Json.readCase(example.ReplaceLineEndings(" ")).ResultValue))
            .Where(golden => Wrong(golden).Count > 0),
    ];

    private static List<Finding> Wrong(Json.Case golden) =>
        [.. Judge.Outcome(golden.Program, golden.Golden!.Value, Goldens.PyTorch).Findings.Where(finding => finding.Verdict >= Verdict.LessAccurate)];
}
