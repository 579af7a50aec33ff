using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Values, shapes and types of the first operators, and the neutral walk over what they record.</summary>
public class TensorOperators
{
    [Theory]
    [InlineData(DType.Float32, DType.Float64, 1, 1, DType.Float64)]
    [InlineData(DType.Float32, DType.Float64, 1, 0, DType.Float32)]
    [InlineData(DType.Int64, DType.Float64, 1, 0, DType.Float64)]
    [InlineData(DType.Int64, DType.Float32, 1, 1, DType.Float32)]
    [InlineData(DType.Bool, DType.Int64, 1, 0, DType.Int64)]
    public void Types_promote_as_PyTorchs(DType a, DType b, int rankA, int rankB, DType expected)
    {
        var result = Tensor.Ones(new int[rankA].Select(_ => 1).ToArray(), a) + Tensor.Ones(new int[rankB].Select(_ => 1).ToArray(), b);
        Assert.Equal(expected, result.DType);
    }

    [Fact]
    public void Numbers_yield_to_tensors_of_their_kind()
    {
        Assert.Equal(DType.Float32, (Tensor.Ones([1]) * 2).DType);
        Assert.Equal(DType.Float32, (Tensor.Create([1L]) * 1.5).DType);
        Assert.Equal(DType.Float32, (Tensor.Scalar(1) * 1e300).DType);
        Assert.Equal(DType.Int64, OperatorRegistry.Default.Invoke("mul", new OperatorCall([Tensor.Create([3L])], Attributes.Of("other", 2L)))[0].DType);
        Assert.Equal(DType.Float32, Tensor.Create([1L]).Div(Tensor.Create([2L])).DType);
        Assert.Equal(DType.Int64, Tensor.Create([true, true]).Sum().DType);
    }

    [Fact]
    public void Reductions_take_dimensions_from_either_end_and_nothing_sums_to_zero()
    {
        var x = Tensor.Create([1.0, 2, 3, 4, 5, 6], [2, 3]);
        Assert.Equal([6.0, 15.0], x.Sum(-1).ToDoubles());
        Assert.Equal([5.0, 7, 9], x.Sum([0]).ToDoubles());
        Assert.Equal([2, 1], x.Sum([1], keepdim: true).Shape.ToArray());
        Assert.Equal(21.0, x.Sum().Item());
        Assert.Equal(3.5, x.T().Mean().Item());
        Assert.Equal([0.0, 0.0], Tensor.Zeros([2, 0]).Sum(1).ToDoubles());
        Assert.True(double.IsNaN(Tensor.Zeros([0]).Mean().Item()));
    }

    [Fact]
    public void Views_share_memory_and_show_the_right_elements()
    {
        var x = Tensor.Create([1.0, 2, 3, 4, 5, 6], [2, 3]);
        Assert.Equal([1.0, 4, 2, 5, 3, 6], x.T().ToDoubles());
        Assert.Equal([2.0, 5.0], x.Select(1, -2).ToDoubles());
        Assert.Equal([1.0, 3.0], x[0].Slice(0, step: 2).ToDoubles());
        Assert.Equal([1.0, 1, 2, 2], x.GetItem(0L, new object?[] { null, 2L, null }).Unsqueeze(1).Expand(2, 2).ToDoubles());
        Assert.True(x.View([3, 2]).T().SharesMemoryWith(x));
        Assert.False(x.T().Reshape([6]).SharesMemoryWith(x));
        Assert.Equal([1.0, 4, 2, 5, 3, 6], x.T().Reshape([6]).ToDoubles());
        Assert.Equal([3, 1, 2], x.Unsqueeze(0).Permute(2, 0, 1).Shape.ToArray());
        Assert.Same(x, x.Contiguous());
        Assert.Same(x, x.To(DType.Float64));
    }

    [Fact]
    public void Pieces_put_together_are_the_whole()
    {
        var x = Tensor.Create([.. Enumerable.Range(0, 10).Select(i => (double)i)], [5, 2]);
        Assert.Equal(x.ToDoubles(), Tensor.Cat(x.Split(2)).ToDoubles());
        Assert.Equal(x.ToDoubles(), Tensor.Stack(x.Unbind(1), 1).ToDoubles());
        Assert.Equal([2, 2, 1], x.Chunk(3).Select(c => c.Size(0)));
        Assert.Equal([1, 1, 1, 1, 1], x.Chunk(int.MaxValue).Select(c => c.Size(0)));
        Assert.Equal(x.ToDoubles(), Tensor.Cat([Tensor.Zeros([0]), x]).ToDoubles());
    }

    /// <summary>A row for each element, in which it is left out, would be as many elements as the square of their number.</summary>
    [Theory]
    [InlineData(70_000)]
    [InlineData(5_001)]
    public void A_long_product_with_zeros_has_derivatives_of_two_orders(int n)
    {
        var numbers = Enumerable.Repeat(1.0, n).ToArray();
        (numbers[5], numbers[n - 1]) = (0, 2);
        var x = Tensor.Create(numbers, requiresGrad: true);
        var first = Autograd.Grad([x.Prod()], [x])[0]!.ToDoubles();
        Assert.Equal(2, first[5]);
        Assert.Equal(2, first.Sum(Math.Abs));

        numbers[7] = 0;
        var y = Tensor.Create([.. numbers, .. numbers], [2, n], requiresGrad: true);
        var gradient = Autograd.Grad([y.Prod(1).Sum()], [y], createGraph: true)[0]!;
        Assert.Equal(0, gradient.Abs().Sum().Item());
        var second = Autograd.Grad([gradient.Select(0, 1).Sum()], [y])[0]!.ToDoubles();
        Assert.Equal((2.0, 2.0, 4.0), (second[n + 5], second[n + 7], second.Sum(Math.Abs)));
    }

    public static TheoryData<string, Attributes, int[], int[]?, long> OperandsThatDoNotFit => new()
    {
        { "max_pool2d_backward", Attributes.Of("input_size", new[] { 1, 2, 2 }), [1, 1, 1], [1, 1, 1], 4 },
        { "max_pool2d_backward", Attributes.Of("input_size", new[] { 1, 2, 2 }), [1, 1, 1], [1, 1, 1], -1 },
        { "max_pool2d_backward", Attributes.Of("input_size", new[] { 1, 2, 2 }), [1, 1, 2], [1, 1, 1], 0 },
        { "max_pool2d_backward", Attributes.Of("input_size", new[] { 1, 2, 2 }), [2, 1, 1], [2, 1, 1], 0 },
        { "avg_pool2d_backward", Attributes.Of("input_size", new[] { 1, 8, 8 }, "kernel_size", 1), [1, 1, 1], null, 0 },
        { "adaptive_avg_pool2d_backward", Attributes.Of("input_size", new[] { 1, 8, 8 }, "output_size", new[] { 8, 8 }), [1, 1, 1], null, 0 },
        { "interpolate_backward", Attributes.Of("input_size", new[] { 1, 1, 8 }, "size", new[] { 8 }), [1, 1, 1], null, 0 },
        { "softmax_backward", Attributes.Of("dim", 0), [2], [4], 0 },
        { "log_softmax_backward", Attributes.Of("dim", 0), [2], [4], 0 },
        { "slice_backward", Attributes.Of(("input_sizes", new[] { 8 }), ("dim", 0), ("start", 1), ("step", 4)), [3], null, 0 },
        { "slice_backward", Attributes.Of(("input_sizes", new[] { 8 }), ("dim", 0), ("start", -1), ("step", 1)), [2], null, 0 },
        { "_unsafe_view", Attributes.Of("size", new[] { 40 }), [4], null, 0 },
        { "as_strided", Attributes.Of("size", new[] { -1 }, "stride", new[] { 1 }), [4], null, 0 },
    };

    /// <summary>Derivatives are operators, too, that a program can name: what does not fit is refused, and nothing outside of it is read or written.</summary>
    [Theory]
    [MemberData(nameof(OperandsThatDoNotFit))]
    public void An_operator_of_the_tape_that_is_called_by_name_refuses_operands_that_do_not_fit(string name, Attributes attributes, int[] shape, int[]? second, long value)
    {
        var first = Tensor.Ones(shape);
        Tensor[] inputs = second is null ? [first] : [first, name[0] == 'm' ? Tensor.Full(second, value, DType.Int64) : Tensor.Ones(second)];
        Assert.Throws<AutogradException>(() => OperatorRegistry.Default.Invoke(name, new OperatorCall(inputs, attributes)));
    }

    [Fact]
    public void A_window_of_nothing_may_be_as_wide_as_it_likes()
    {
        var nothing = OperatorRegistry.Default.Invoke("as_strided", new OperatorCall([Tensor.Ones([4])], Attributes.Of("size", new[] { 0, 100 }, "stride", new[] { 100, 1 })))[0];
        Assert.Equal([0, 100], nothing.Shape.ToArray());
    }

    [Fact]
    public void More_dimensions_than_the_stack_holds_are_refused_and_many_are_not()
    {
        var x = Tensor.Scalar(2);
        var many = Enumerable.Repeat(1, 1000).ToArray();
        Assert.Equal(6, (x.View(many) + x.View([1, .. many]).Sum(0) * 2).Sum().Item());
        var more = Enumerable.Repeat(1, 1_000_000).ToArray();
        Assert.Equal(ErrorKind.Shape, Assert.Throws<AutogradException>(() => x.View(more).Exp()).Kind);
        Assert.Throws<AutogradException>(() => x.View(more).Sum());
        Assert.Throws<AutogradException>(() => x.View(more).Gather(0, Tensor.Zeros([], DType.Int64).View(more)));
    }

    [Fact]
    public void Stacks_of_matrices_broadcast()
    {
        var a = Tensor.Create([.. Enumerable.Range(0, 12).Select(i => (double)i)], [2, 2, 3]);
        var b = Tensor.Create([1.0, 0, 0, 1, 1, 1], [3, 2]);
        var product = a.Matmul(b);
        Assert.Equal([2, 2, 2], product.Shape.ToArray());
        for (var i = 0; i < 2; i++) Assert.Equal(a[i].Matmul(b).ToDoubles(), product[i].ToDoubles());
        Assert.Equal(product.ToDoubles(), a.Matmul(b.Unsqueeze(0)).ToDoubles());
        Assert.Equal([2, 3], Tensor.Ones([2], DType.Float64).Matmul(a).Shape.ToArray());
    }

    [Fact]
    public void The_tape_can_be_walked_without_being_changed()
    {
        var x = Tensor.Create([1.0, 2.0], requiresGrad: true);
        var y = (x * 3).Exp().Sum([0], keepdim: true);
        var nodes = Tape.Nodes(y);
        Assert.Equal(["torch::autograd::AccumulateGrad", "MulBackward0", "ExpBackward0", "SumBackward1"], nodes.Select(n => n.Name));
        Assert.Same(x, Tape.LeafOf(nodes[0]));
        Assert.Same(nodes[1], nodes[2].Input(0).Node);
        Assert.Equal("dim", nodes[3].Attributes!.First().Key);
        Assert.True(Tape.SavedOf(nodes[2]).Single().IsOutput);
        y.Backward();
        Assert.Empty(Tape.SavedOf(nodes[2]));
        Assert.Equal(4, Tape.Nodes(y).Count);
    }
}
