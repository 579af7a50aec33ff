using Xunit;

namespace Verified.Engine.Tests;

/// <summary>First derivatives, accumulation and second derivatives of small formulas whose values are known.</summary>
public class AutogradBasics
{
    [Fact]
    public void The_tutorials_first_formula_gives_four_and_a_half()
    {
        var x = Tensor.Ones([2, 2], requiresGrad: true);
        var y = x + 2;
        var z = y * y * 3;
        z.Mean().Backward();
        Assert.Equal([4.5f, 4.5f, 4.5f, 4.5f], x.Grad!.ToFloats());
    }

    [Fact]
    public void Gradients_accumulate_until_they_are_zeroed()
    {
        var x = Tensor.Create([1f, 2f], requiresGrad: true);
        x.Sum().Backward();
        var first = x.Grad;
        x.Sum().Backward();
        Assert.Equal([2f, 2f], x.Grad!.ToFloats());
        Assert.Same(first, x.Grad);
        x.ZeroGrad(setToNone: false);
        Assert.Equal([0f, 0f], x.Grad!.ToFloats());
        x.ZeroGrad();
        Assert.Null(x.Grad);
    }

    [Fact]
    public void Broadcast_operands_get_gradients_of_their_own_shape()
    {
        var a = Tensor.Create([1.0, 2, 3], [3, 1], requiresGrad: true);
        var b = Tensor.Create([1.0, 2, 3, 4], [1, 4], requiresGrad: true);
        (a * b).Sum().Backward();
        Assert.Equal([3, 1], a.Grad!.Shape.ToArray());
        Assert.Equal([10.0, 10, 10], a.Grad.ToDoubles());
        Assert.Equal([6.0, 6, 6, 6], b.Grad!.ToDoubles());
    }

    [Fact]
    public void Third_derivatives_are_recorded_rules_of_recorded_rules()
    {
        var x = Tensor.Scalar(0.5, DType.Float64, requiresGrad: true);
        var y = x * x * x * x;
        var first = Autograd.Grad([y], [x], createGraph: true)[0]!;
        var second = Autograd.Grad([first], [x], createGraph: true)[0]!;
        var third = Autograd.Grad([second], [x])[0]!;
        Assert.Equal([0.5, 3.0, 12.0], [first.Item(), second.Item(), third.Item()]);
    }

    [Fact]
    public void Writing_over_a_saved_output_is_PyTorchs_error()
    {
        var x = Tensor.Create([1.0], requiresGrad: true);
        var y = x.Exp();
        y.Detach().ZeroInPlace();
        var error = Assert.Throws<AutogradException>(() => y.Sum().Backward());
        Assert.Equal(ErrorKind.ModifiedInPlace, error.Kind);
        Assert.Equal(
            "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.DoubleTensor [1]], which is output 0 of ExpBackward0, "
            + "is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
            + "torch.autograd.set_detect_anomaly(True).",
            error.Message);
    }

    [Fact]
    public void A_write_to_a_view_becomes_part_of_its_bases_history()
    {
        var x = Tensor.Create([1.0, 2, 3], requiresGrad: true);
        var y = x * 2;
        y.GetItem(1L).MulInPlace(10);
        Assert.Equal([2.0, 40, 6], y.ToDoubles());
        Assert.Equal("torch::autograd::CopySlices", y.GradFn!.Name);
        y.Sum().Backward();
        Assert.Equal([2.0, 20, 2], x.Grad!.ToDoubles());
    }

    [Fact]
    public void The_registry_and_the_methods_are_one_definition()
    {
        var x = Tensor.Create([1f, -2f], requiresGrad: true);
        var y = OperatorRegistry.Default.Invoke("neg", new OperatorCall(x))[0];
        OperatorRegistry.Default.Invoke("mul_", new OperatorCall([y], Attributes.Of("other", 3L)));
        OperatorRegistry.Default.Invoke("sum", new OperatorCall([y], Attributes.Of("dim", new object?[] { 0L })))[0].Backward();
        Assert.Equal([-3f, -3f], x.Grad!.ToFloats());
    }

    [Fact]
    public void Products_of_all_ranks_pull_back()
    {
        var a = Tensor.Create([1.0, 2, 3, 4, 5, 6], [2, 3], requiresGrad: true);
        var b = Tensor.Create([1.0, 0, 2, 1, 0, 3], [3, 2], requiresGrad: true);
        a.Matmul(b).Sum().Backward();
        Assert.Equal([1.0, 3, 3, 1, 3, 3], a.Grad!.ToDoubles());
        Assert.Equal([5.0, 5, 7, 7, 9, 9], b.Grad!.ToDoubles());
    }
}
