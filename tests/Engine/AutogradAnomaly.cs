using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Anomaly mode: texts as PyTorch 2.6.0 gives them.</summary>
public class AutogradAnomaly
{
    [Fact]
    public void A_nan_names_the_derivative_and_the_forward_call()
    {
        var x = Leaf(0);
        using (Autograd.DetectAnomaly())
        {
            var y = SomebodysSquareRoot(x) * 0;
            var error = Assert.Throws<AutogradException>(() => y.Sum().Backward());
            Assert.Equal("Function 'SqrtBackward0' returned nan values in its 0th output.", error.Message);
            Assert.StartsWith("Error detected in SqrtBackward0. Traceback of forward call that caused the error:\n", error.ForwardTrace, StringComparison.Ordinal);
            Assert.Contains(nameof(SomebodysSquareRoot), error.ForwardTrace, StringComparison.Ordinal);
            Assert.Matches($"error:\n *at [^\n]*{nameof(SomebodysSquareRoot)}", error.ForwardTrace!);
            Assert.Contains(nameof(SomebodysSquareRoot), error.ToString(), StringComparison.Ordinal);
        }
        Assert.False(Autograd.IsAnomalyEnabled);
    }

    [Fact]
    public void Outside_the_mode_a_nan_is_a_gradient()
    {
        var x = Leaf(0);
        (x.Sqrt() * 0).Sum().Backward();
        Assert.True(double.IsNaN(x.Grad!.Item()));
    }

    [Fact]
    public void A_forward_outside_the_mode_is_not_known()
    {
        var y = (Leaf(0).Sqrt() * 0).Sum();
        using (Autograd.DetectAnomaly())
        {
            Assert.Equal(
                "Error detected in SqrtBackward0. No forward pass information available. Enable detect anomaly during forward pass for more information.",
                Assert.Throws<AutogradException>(() => y.Backward()).ForwardTrace);
        }
    }

    [Fact]
    public void Without_the_check_a_nan_passes()
    {
        var x = Leaf(0);
        using (Autograd.DetectAnomaly(checkNan: false)) (x.Sqrt() * 0).Sum().Backward();
        Assert.True(double.IsNaN(x.Grad!.Item()));
    }

    [Fact]
    public void A_nan_in_a_second_derivative_names_both_orders()
    {
        var x = Leaf(0);
        using (Autograd.DetectAnomaly())
        {
            var g = Autograd.Grad([x.Pow(1.5).Sum()], [x], createGraph: true)[0]!;
            var error = Assert.Throws<AutogradException>(() => (g * 0.0).Sum().Backward());
            Assert.Matches("^Function 'PowBackward[01]' returned nan values in its 0th output.$", error.Message);
            Assert.Contains("\n\nPrevious calculation was induced by PowBackward0. Traceback of forward call that induced the previous calculation:\n", error.ForwardTrace, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_hint_of_a_version_error_points_to_the_trace()
    {
        using (Autograd.DetectAnomaly())
        {
            var y = Leaf(1).Exp();
            var z = y.Sum();
            y.Detach().MulInPlace(2);
            var error = Assert.Throws<AutogradException>(() => z.Backward());
            Assert.EndsWith(
                "is at version 1; expected version 0 instead. Hint: the backtrace further above shows the operation that failed to compute its gradient. "
                + "The variable in question was changed in there or anywhere later. Good luck!",
                error.Message,
                StringComparison.Ordinal);
            Assert.StartsWith("Error detected in ExpBackward0. Traceback of forward call", error.ForwardTrace, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_error_of_a_custom_backward_keeps_its_type_and_gains_a_trace()
    {
        var f = Function.Create("Raises", (_, x) => x * 2, (_, _) => throw new FormatException("mine"));
        using (Autograd.DetectAnomaly())
        {
            var error = Assert.Throws<FormatException>(() => f.Apply(Leaf(1)).Sum().Backward());
            Assert.StartsWith("Error detected in RaisesBackward. Traceback of forward call", Autograd.ForwardTrace(error), StringComparison.Ordinal);
        }
        Assert.Null(Autograd.ForwardTrace(Assert.Throws<FormatException>(() => f.Apply(Leaf(1)).Sum().Backward())));
    }

    private static Tensor SomebodysSquareRoot(Tensor x) => x.Sqrt();

    private static Tensor Leaf(params double[] data) => Tensor.Create(data, requiresGrad: true);
}
