using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Tuning: what is measured, how it becomes a rule, and that the rule is read back.</summary>
public sealed class BlasTuningTests
{
    [Fact]
    public void Each_product_that_is_measured_belongs_to_its_class()
    {
        Assert.Equal(Enum.GetValues<ProductShape>().Order(), DispatchTuning.Products.Keys.Order());
        foreach (var (shape, products) in DispatchTuning.Products)
            Assert.All(products, product => Assert.Equal(shape, ProductShapes.Of(product.M, product.N, product.K)));
    }

    [Fact]
    public void The_fastest_backend_comes_first_and_the_managed_kernel_where_it_is_as_fast()
    {
        Assert.Equal([Backend.OpenBlas, Backend.Mkl, Backend.Managed], Order(90, 95, 100));
        Assert.Equal([Backend.Managed, Backend.OpenBlas, Backend.Mkl], Order(99, 95, 100));
        Assert.Equal([Backend.Managed, Backend.OpenBlas, Backend.Mkl], Order(110, 95, 100));

        static IEnumerable<Backend> Order(double managed, double mkl, double openBlas) =>
            DispatchTuning.Ranked([(Backend.Managed, managed), (Backend.Mkl, mkl), (Backend.OpenBlas, openBlas)]).Select(speed => speed.Backend);
    }

    [Fact]
    public void What_was_measured_is_the_rule_on_this_processor_and_the_built_in_one_on_others()
    {
        var tuned = DispatchTuning.Measure(new TuningEffort(1, 1e-5));
        Assert.Equal(2 * Enum.GetValues<ProductShape>().Length, tuned.Count);
        Assert.All(tuned.SelectMany(t => t.Speeds), speed => Assert.InRange(speed.Speed, 1e-6, 1e6));

        var rule = DispatchRule.Parse("tuned", DispatchTuning.Rule(tuned, new DateTime(2026, 1, 1)));
        Version? Installed(Backend backend) => Libraries.Get(backend)?.Version;
        foreach (var (shape, dtype, speeds) in tuned)
            Assert.Equal(speeds[0].Backend, rule.Choose(Processor.Current, dtype, shape, Installed).Backend);
        var other = new Processor("SomebodyElse", "another", 1, "sse");
        Assert.Equal(DispatchRule.Load().Choose(other, "float32", ProductShape.Large, Installed).Backend, rule.Choose(other, "float32", ProductShape.Large, Installed).Backend);
    }

    [Fact]
    public void Measuring_that_is_cancelled_ends_at_once_and_leaves_the_threads_as_they_were()
    {
        var threads = Parallelism.Threads;
        Assert.Throws<OperationCanceledException>(() => DispatchTuning.Measure(TuningEffort.Full, cancel: new CancellationToken(true)));
        Assert.Equal(threads, Parallelism.Threads);
    }
}
