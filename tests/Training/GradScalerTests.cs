using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>The gradient scaler's and the clipping's rules, PyTorch's.</summary>
public sealed class GradScalerTests
{
    [Fact]
    public void The_scale_falls_after_an_infinite_gradient_and_grows_after_an_interval_of_good_ones()
    {
        var w = Tensor.Ones([3], requiresGrad: true);
        var optimizer = new SGD([w], 0.5);
        var scaler = new GradScaler(initScale: 8, growthInterval: 3);
        var scales = new List<double>();
        var steps = new List<bool>();
        foreach (var factor in (double[])[1, double.PositiveInfinity, 1, 1, 1, double.NaN, 1, 1, 1, 1])
        {
            optimizer.ZeroGrad();
            var before = w.ToFloats();
            scaler.Scale((w * factor).Sum()).Backward();
            steps.Add(scaler.Step(optimizer));
            scaler.Update();
            scales.Add(scaler.GetScale());
            var moved = before.Zip(w.ToFloats(), (a, b) => a - b).ToArray();
            Assert.Equal(steps[^1] ? [0.5f, 0.5f, 0.5f] : [0, 0, 0], moved);
        }
        Assert.Equal([true, false, true, true, true, false, true, true, true, true], steps);
        Assert.Equal([8, 4, 4, 4, 8, 4, 4, 4, 8, 8], scales);
        Assert.Equal(["scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"], scaler.StateDict().Keys);
        Assert.Equal(1, scaler.StateDict().Integer("_growth_tracker"));

        var other = new GradScaler();
        other.LoadStateDict(scaler.StateDict());
        Assert.Equal(scaler.StateDict(), other.StateDict());
    }

    [Fact]
    public void A_scale_about_to_overflow_stays()
    {
        var w = Tensor.Zeros([1], DType.Float64, requiresGrad: true);
        var optimizer = new SGD([w], 0.1);
        var scaler = new GradScaler(initScale: 2.0 * Math.Pow(2, 126), growthInterval: 1);
        scaler.Scale(w.Sum()).Backward();
        Assert.True(scaler.Step(optimizer));
        scaler.Update();
        Assert.Equal(Math.Pow(2, 127), scaler.GetScale());
    }

    [Fact]
    public void Gradients_can_be_unscaled_once_and_clipped_before_the_step()
    {
        var w = Tensor.Ones([4], requiresGrad: true);
        var optimizer = new SGD([w], 1);
        var scaler = new GradScaler(initScale: 1024);
        scaler.Scale((w * 3).Sum()).Backward();
        Assert.Equal([3072, 3072, 3072, 3072], w.Grad!.ToDoubles());
        scaler.Unscale(optimizer);
        Assert.Equal("unscale_() has already been called on this optimizer since the last update().", Assert.Throws<InvalidOperationException>(() => scaler.Unscale(optimizer)).Message);
        Assert.Equal(6, ClipGrad.ClipGradNorm([w], 0.6), 1e-12);
        scaler.Step(optimizer);
        Assert.Equal("step() has already been called since the last update().", Assert.Throws<InvalidOperationException>(() => scaler.Step(optimizer)).Message);
        Assert.Equal("unscale_() is being called after step().", Assert.Throws<InvalidOperationException>(() => scaler.Unscale(optimizer)).Message);
        scaler.Update();
        Assert.All(w.ToDoubles(), v => Assert.Equal(0.7, v, 1e-6));
    }

    [Fact]
    public void Order_of_calls_is_checked_and_a_disabled_scaler_does_nothing()
    {
        var w = Tensor.Ones([1], requiresGrad: true);
        var optimizer = new SGD([w], 1);
        var scaler = new GradScaler();
        Assert.StartsWith("Attempted step but _scale is None.", Assert.Throws<InvalidOperationException>(() => scaler.Step(optimizer)).Message, StringComparison.Ordinal);
        scaler.Scale(w);
        Assert.Equal("No inf checks were recorded prior to update.", Assert.Throws<InvalidOperationException>(() => scaler.Update()).Message);
        Assert.Equal("No inf checks were recorded for this optimizer.", Assert.Throws<InvalidOperationException>(() => scaler.Step(optimizer)).Message);

        var off = new GradScaler(enabled: false);
        Assert.Same(w, off.Scale(w));
        w.Grad = Tensor.Full([1], double.PositiveInfinity);
        Assert.True(off.Step(optimizer));
        off.Update();
        Assert.Equal(1, off.GetScale());
        Assert.Empty(off.StateDict());
    }

    [Fact]
    public void Norms_of_every_order_are_taken_over_all_gradients_together()
    {
        Tensor a = Tensor.Zeros([2], requiresGrad: true), b = Tensor.Zeros([3], DType.Float64, requiresGrad: true), c = Tensor.Zeros([1], requiresGrad: true);
        void Give()
        {
            a.Grad = Tensor.Create([3f, -4f]);
            b.Grad = Tensor.Create([0.0, -12.0, 0.0]);
        }
        Give();
        Assert.Equal(13, ClipGrad.ClipGradNorm([a, b, c], 100), 1e-12);
        Assert.Equal([3, -4], a.Grad!.ToDoubles());
        Assert.Equal(13, ClipGrad.ClipGradNorm([a, b, c], 1.3), 1e-12);
        Assert.Equal(-1.2, b.Grad!.ToDoubles()[1], 1e-6);
        Give();
        Assert.Equal(12, ClipGrad.ClipGradNorm([a, b], 6, double.PositiveInfinity));
        Assert.Equal([1.5, -2], a.Grad!.ToDoubles().Select(x => Math.Round(x, 5)));
        Give();
        Assert.Equal(19, ClipGrad.ClipGradNorm([a, b], 100, 1), 1e-12);
        Give();
        ClipGrad.ClipGradValue([a, b, c], 3.5);
        Assert.Equal([3, -3.5, 0, -3.5, 0], (double[])[.. a.Grad!.ToDoubles(), .. b.Grad!.ToDoubles()]);
        Assert.Equal(0, ClipGrad.ClipGradNorm([c], 1));
    }

    [Fact]
    public void A_norm_that_is_not_finite_is_an_error_only_where_asked_for()
    {
        var a = Tensor.Zeros([2], requiresGrad: true);
        a.Grad = Tensor.Create([1f, float.PositiveInfinity]);
        Assert.Contains("is non-finite", Assert.Throws<ArithmeticException>(() => ClipGrad.ClipGradNorm([a], 1, errorIfNonfinite: true)).Message, StringComparison.Ordinal);
        Assert.Equal(double.PositiveInfinity, ClipGrad.ClipGradNorm([a], 1));
        Assert.Equal([0f, float.NaN], a.Grad!.ToFloats());
    }
}
