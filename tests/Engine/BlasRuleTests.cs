using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>The dispatch rule, pins, and what the report says of them.</summary>
public sealed class BlasRuleTests
{
    private static readonly Processor Amd = new("AuthenticAMD", "test", 26, "avx512");

    private const string Table = """
        AuthenticAMD * float32 large mkl>=2024 openblas managed   # a comment
        AuthenticAMD/25 * * * managed
        * * * * mkl openblas>=0.3.10 managed
        """;

    [Fact]
    public void The_first_fitting_line_decides_and_its_first_backend_that_is_there_is_taken()
    {
        var rule = DispatchRule.Parse("table", Table);
        Assert.Equal(Backend.OpenBlas, rule.Choose(Amd, "float32", ProductShape.Large, Both).Backend);
        Assert.Equal(Backend.Mkl, rule.Choose(Amd, "float64", ProductShape.Large, Both).Backend);
        Assert.Equal(Backend.Managed, rule.Choose(Amd, "float32", ProductShape.Large, _ => null).Backend);
        Assert.Equal(Backend.Managed, rule.Choose(Amd, "float64", ProductShape.Tiny, b => b == Backend.OpenBlas ? new Version(0, 3, 9) : null).Backend);
        Assert.Equal(Backend.Managed, rule.Choose(Amd with { Family = 25 }, "float64", ProductShape.Large, Both).Backend);
        var why = rule.Choose(Amd, "float32", ProductShape.Large, Both).Why;
        Assert.Contains("table, line 1", why, StringComparison.Ordinal);
        Assert.Contains("Mkl 2020.0.4 is below 2024.0", why, StringComparison.Ordinal);

        static Version? Both(Backend backend) => backend == Backend.Mkl ? new Version(2020, 0, 4) : new Version(0, 3, 21);
    }

    [Theory]
    [InlineData("* * float16 * managed", "line 1: unknown dtype 'float16'")]
    [InlineData("* * * huge managed", "line 1: unknown shape 'huge'")]
    [InlineData("\n* * * * mathnet", "line 2: unknown backend 'mathnet'")]
    [InlineData("* * * * mkl>=x", "line 1: 'x' is no version")]
    [InlineData("* * *", "line 1: expected processor, isa, dtype, shape")]
    public void A_wrong_line_is_named(string table, string message)
    {
        var error = Assert.Throws<FormatException>(() => DispatchRule.Parse("file", table));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_built_in_rule_covers_every_shape_and_says_why()
    {
        foreach (var (m, n, k) in new[] { (1, 5, 5), (4, 4, 4), (10, 64, 256), (64, 64, 64), (1000, 1000, 1000) })
        {
            Assert.Contains("by the rule", MatrixProducts.Explain<float>(m, n, k), StringComparison.Ordinal);
            Assert.Contains("line ", MatrixProducts.Explain<double>(m, n, k), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_pin_holds_for_its_thread_and_ends_with_its_scope()
    {
        using (MatrixProducts.Pin(Backend.MathNet))
        {
            using (MatrixProducts.Pin(Backend.Managed))
                Assert.Equal(Backend.Managed, MatrixProducts.Pinned);
            Assert.Equal(Backend.MathNet, MatrixProducts.Pinned);
            Assert.Contains("pinned", MatrixProducts.Explain<float>(2, 3, 4), StringComparison.Ordinal);
            Backend? elsewhere = Backend.MathNet;
            var thread = new Thread(() => elsewhere = MatrixProducts.Pinned);
            thread.Start();
            thread.Join();
            Assert.NotEqual(Backend.MathNet, elsewhere);
        }
    }

    [Fact]
    public void The_report_names_every_backend_and_accounts_for_every_class_of_products()
    {
        var report = BlasReport.Make();
        Assert.Equal(Enum.GetValues<Backend>(), report.Backends.Select(b => b.Backend));
        Assert.Equal(10, report.Backends.Sum(b => b.UsedFor.Count(use => use.Contains("float", StringComparison.Ordinal))));
        Assert.All(report.Backends, b => Assert.True(b.Available || b.HowToGet.Length > 0));
        Assert.All(report.Backends, b => Assert.Equal(b.Path is not null, b.Backend is Backend.Mkl or Backend.OpenBlas && b.Available));
        Assert.NotEmpty(report.Lines());
    }

    [Theory]
    [BlasBackendData(Backend.OpenBlas)]
    public void The_report_says_whose_kernels_OpenBlas_runs_and_whether_a_rule_may_choose_it(Backend backend)
    {
        var (library, said) = (Libraries.Get(backend)!, BlasReport.Make().Backends.Single(b => b.Backend == backend).Version);
        if (library.Core is { } core) Assert.Contains($"; on this processor it runs its kernels for {core}", said, StringComparison.Ordinal);
        Assert.Equal(!library.KnowsProcessor, said.EndsWith("no rule chooses it", StringComparison.Ordinal));
    }
}
