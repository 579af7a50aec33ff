using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Spec;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>The standard distribution, to which every rate refers.</summary>
public sealed class GeneratorDistributionTests(ITestOutputHelper output)
{
    private const ulong Seed = 5000;

    private static readonly string[] Structural =
    [
        "backward", "grad", "get_grad", "zero_grad", "detach", "detach_", "data", "requires_grad_", "retain_grad", "no_grad", "enable_grad", "inference_mode",
        "register_hook", "remove_hook", "setitem_",
    ];

    [Fact]
    public void Random_programs_follow_the_standard_distribution()
    {
        var generator = new ProgramGenerator(RegistryModule.all);
        var distribution = new Distribution();
        var programs = new Program[5000];
        Parallel.For(0, programs.Length, i => programs[i] = generator.Generate(Rng.CaseSeed(Seed, i)));
        foreach (var program in programs) distribution.Add(program);
        output.WriteLine(distribution.ToString());

        Assert.InRange(distribution.Shortest, 2, 25);
        Assert.InRange(distribution.Longest, 2, 25);
        Assert.InRange(distribution.Median, 9, 11);
        Assert.InRange(distribution.MaxElements, 2049, 4096);
        Assert.InRange(distribution.Large, 0.01, 0.02);
        Near(0.2, distribution.Heavy);
        Near(0.5, distribution.Backward);
        Near(1.0 / 3, distribution.InPlace);
        Near(0.2, distribution.SecondOrder);
        Near(0.1, distribution.Raised);
        Assert.True(distribution.InPlace >= 0.3, "fewer programs than 30 % have an in-place write");
        Assert.True(distribution.ViewUsed >= 0.3, "fewer programs than 30 % have a view that is later used");
        Assert.True(distribution.Raised >= 0.1, "fewer programs than 10 % end in an error");
        Assert.Equal(0, distribution.ObservingNothing);

        // What comes about once in some thousand programs is sought among more: an operator more changes which seeds have it.
        var missing = RegistryModule.all.Values.Where(op => !op.Internal).Select(op => op.OnlyInPlace ? op.Name + "_" : op.Name).Concat(Structural)
            .Where(name => !distribution.Operators.ContainsKey(name)).ToList();
        var forms = Forms.Names.Where(form => !distribution.Forms.ContainsKey(form)).ToHashSet();
        for (var i = programs.Length; forms.Count > 0 && i < 6 * programs.Length; i++) forms.ExceptWith(Forms.In(generator.Generate(Rng.CaseSeed(Seed, i))));
        missing.AddRange(forms);
        output.WriteLine(string.Join(", ", distribution.Forms.Select(form => $"{form.Key}: {form.Value}")));
        Assert.True(missing.Count == 0, $"never generated: {string.Join(", ", missing)}");
    }

    [Fact]
    public void Few_programs_are_inconclusive_and_of_no_operator_many()
    {
        var measure = FalseAlarms.Measure(Seed, 3000, [MachineEngine.All[0]]);
        var often = measure.Operators.Where(entry => entry.Value.Judged >= 20).OrderByDescending(entry => entry.Value.InconclusiveShare).ToList();
        output.WriteLine($"inconclusive {measure.Total.InconclusiveShare:P1}; most often {string.Join(", ", often.Take(8).Select(entry => $"{entry.Key} {entry.Value.InconclusiveShare:P0}"))}");
        Assert.True(measure.Total.InconclusiveShare < 0.25);
        Assert.All(often, entry => Assert.True(entry.Value.InconclusiveShare <= 0.4, $"{entry.Key}: {entry.Value.InconclusiveShare:P1} inconclusive"));
    }

    [Fact]
    public void The_same_seed_gives_the_same_program()
    {
        var (a, b) = (new ProgramGenerator(RegistryModule.all), new ProgramGenerator(RegistryModule.all));
        for (ulong seed = 1; seed <= 50; seed++) Assert.Equal(a.Generate(seed), b.Generate(seed));
    }

    private static void Near(double expected, double actual) => Assert.InRange(actual, expected - 0.03, expected + 0.03);
}
