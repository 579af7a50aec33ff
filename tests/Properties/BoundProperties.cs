using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Verified.Engine.Blas;
using Verified.Engine.Tests;
using Verified.Oracle;
using Verified.Oracle.Laws;
using Verified.Spec;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>The engine lies within the specification's bound; products do with every backend.</summary>
public sealed class BoundProperties(ITestOutputHelper output)
{
    private static readonly Examiner Examiner = new(Sound.Engine);

    [Property(MaxTest = 500, Replay = "2001,1", Arbitrary = [typeof(RandomPrograms)])]
    public void The_engine_lies_within_the_specifications_bound(StandardProgram p) => Within(p.Program);

    [Theory]
    [BlasBackendData(Backend.Managed)]
    [BlasBackendData(Backend.Mkl)]
    [BlasBackendData(Backend.OpenBlas)]
    public void Products_lie_within_the_bound_and_keep_the_laws_with_every_backend(Backend backend)
    {
        const string replay = "2002,1";
        output.WriteLine($"replay {replay}");
        var property = Prop.ForAll(RandomPrograms.Products(), p =>
        {
            using var _ = MatrixProducts.Pin(backend);
            Within(p.Program);
            foreach (var law in new[] { RunTwice.Law, LinearInUpstream.Law, AccumulatedTwice.Law, InPlaceTwin.Law, DetachTwin.Law })
            {
                var result = law.Check(Sound.Engine, p.Program);
                Assert.True(result.Holds, result.Violation);
            }
        });
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(150).WithReplay(2002, 1).WithName($"products with {backend}"), property);
    }

    private static void Within(Program program)
    {
        var result = Examiner.Examine("", program);
        var why = result.Judgement?.Worst?.Message ?? result.Result.ToString();
        Assert.False(result.IsFinding, why);
    }
}
