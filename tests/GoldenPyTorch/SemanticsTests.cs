using System.Reflection;
using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>Each program of the semantics corpus shows its rule: without the rule the specification gives another outcome.</summary>
public sealed class SemanticsTests
{
    public static TheoryData<string> Rules => [.. Spec.AutogradRules.all.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Rules))]
    public void Every_program_fails_without_its_rule(string rule)
    {
        var programs = SemanticsProgram.All.Where(p => p.Rule == rule).ToList();
        Assert.True(programs.Count > 0, $"no program shows {rule}");
        var off = new FSharpSet<string>([rule]);
        var indifferent = new List<string>();
        // What PyTorch does where it breaks the rule itself is what the specification does without it.
        var isBroken = programs.TrueForAll(IsDivergence);
        foreach (var program in programs)
        {
            var with = Run.outcome(RegistryModule.all, program.Case.Program);
            var without = Run.outcomeOf(Run.runWithout<Real>(off, RegistryModule.all, program.Case.Program));
            if (!Differ(with, without, messages: true))
                indifferent.Add($"{program.Name}: the rule makes no difference");
            else if (isBroken && Differ(program.Case.Golden!.Value, without, messages: false))
                indifferent.Add($"{program.Name}: without the rule it is not what PyTorch gives, which breaks it");
            else if (!IsDivergence(program) && !Differ(program.Case.Golden!.Value, without, rule.StartsWith("errors/", StringComparison.Ordinal)))
                indifferent.Add($"{program.Name}: without the rule it is PyTorch's");
        }

        Assert.True(indifferent.Count == 0, $"{indifferent.Count} of {programs.Count}:\n{string.Join('\n', indifferent)}");
    }

    [Fact]
    public void Every_program_names_a_rule()
    {
        var known = Spec.AutogradRules.all.Select(r => r.Name).ToHashSet();
        Assert.All(SemanticsProgram.All, p => Assert.Contains(p.Rule, known));
    }

    [Fact]
    public void There_are_at_least_400_programs_that_differ_in_more_than_one_parameter()
    {
        var twice = SemanticsProgram.All.DistinctBy(p => p.Family).GroupBy(p => (p.Rule, Structure.Of(p.Case.Program))).Where(g => g.Count() > 1);
        Assert.True(SemanticsProgram.Structures >= 400, $"{SemanticsProgram.Structures} structures; counted once:\n"
            + string.Join('\n', twice.Select(g => string.Join(" and ", g.Select(p => p.Family)))));
    }

    [Fact]
    public void The_list_of_rules_is_whole_and_each_stands_in_the_specification_under_its_name()
    {
        var declared = typeof(AutogradRule).Assembly.GetTypes().Where(t => t.Namespace == "Verified.Spec.Rules").SelectMany(t => t.GetProperties(BindingFlags.Public | BindingFlags.Static))
            .Where(p => p.PropertyType == typeof(AutogradRule)).Select(p => ((AutogradRule)p.GetValue(null)!).Name).ToList();
        Assert.Equal(declared.Order(StringComparer.Ordinal), Spec.AutogradRules.all.Select(r => r.Name).Order(StringComparer.Ordinal));
        Assert.Equal(declared.Count, declared.Distinct().Count());
        Assert.All(Spec.AutogradRules.all, r => Assert.NotEmpty(SpecificationSource.FilesThatAsk(r.Name)));
    }

    private static bool IsDivergence(SemanticsProgram program) => KnownDivergences.All.Any(d => d.Shows(program.Case.Id));

    /// <summary>Whether two outcomes differ in anything that a user could see, rounding excepted.</summary>
    private static bool Differ(Outcome a, Outcome b, bool messages)
    {
        var (raised, other) = (a.Raised?.Value, b.Raised?.Value);
        if (raised is null != other is null) return true;
        if (raised is not null && (!raised.Step.Equals(other!.Step) || !raised.Kind.Equals(other.Kind) || messages && raised.Message != other.Message)) return true;
        var left = a.Values.ToDictionary(v => v.Item1, v => v.Item2?.Value);
        var right = b.Values.ToDictionary(v => v.Item1, v => v.Item2?.Value);
        return !left.Keys.ToHashSet().SetEquals(right.Keys) || left.Any(v => Differ(v.Value, right[v.Key]));
    }

    private static bool Differ(Report? a, Report? b)
    {
        if (a is null || b is null) return a is not null || b is not null;
        return !a.Tensor.DType.Equals(b.Tensor.DType) || !a.Tensor.Shape.SequenceEqual(b.Tensor.Shape)
            || Known(a.RequiresGrad, b.RequiresGrad) || Known(a.IsLeaf, b.IsLeaf) || a.Version is { } v && b.Version is { } w && v.Value != w.Value
            || !Numbers(a.Tensor.Data).Zip(Numbers(b.Tensor.Data), Near).All(near => near);
        static bool Known(Microsoft.FSharp.Core.FSharpOption<bool>? x, Microsoft.FSharp.Core.FSharpOption<bool>? y) => x is not null && y is not null && x.Value != y.Value;
        static bool Near(double x, double y) => x.Equals(y) || Math.Abs(x - y) <= 1e-5 * (1 + Math.Abs(y));
    }

    private static IEnumerable<double> Numbers(Data data) => data is Data.Floats { Item: var x } ? x : ((Data.Ints)data).Item.Select(i => (double)i);
}
