using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Derivatives of functions of records, tuples and arrays of tensors, and derivatives inside functions that are differentiated.</summary>
public class AutogradNesting
{
    [Fact]
    public void A_derivative_inside_a_differentiated_function_is_by_its_own_argument_alone()
    {
        // d/dx (x * d/dy (x + y)) at x = 1, y = 1 is 1; whoever confuses the two perturbations gets 2.
        var one = Scalar(1);
        Assert.Equal(1.0, Functional.Grad(x => x * Functional.Grad(y => x + y, one), one).Item());
        // d/dx (x * d/dy (x * y)) = d/dx x^2
        Assert.Equal(6.0, Functional.Grad(x => x * Functional.Grad(y => x * y, one), Scalar(3)).Item());
        // The inner derivative is taken at the outer variable: d/dx (x * d/dy y^3 at y = x) = d/dx 3 x^3
        Assert.Equal(36.0, Functional.Grad(x => x * Functional.Grad(y => y * y * y, x), Scalar(2)).Item());
        // Three deep: d/dx d/dy d/dz x^2 y^3 z^4 at z = y, at y = x, is d/dx of 4 x^2 * 6 y^5 at y = x, so of 24 x^7.
        Assert.Equal(
            24.0 * 7 * 64,
            Functional.Grad(x => Functional.Grad(y => Functional.Grad(z => x * x * y * y * y * z * z * z * z, y), x), Scalar(2)).Item(),
            6);
    }

    [Fact]
    public void The_same_holds_in_forward_mode_and_mixed()
    {
        var one = Scalar(1);
        Tensor D(Func<Tensor, Tensor> f, Tensor x) => Functional.Jvp(f, x, Tensor.Ones([], DType.Float64)).Product;
        Assert.Equal(1.0, D(x => x * D(y => x + y, one), one).Item());
        Assert.Equal(6.0, D(x => x * D(y => x * y, one), Scalar(3)).Item());
        Assert.Equal(36.0, D(x => x * Functional.Grad(y => y * y * y, x), Scalar(2)).Item());
        Assert.Equal(36.0, Functional.Grad(x => x * D(y => y * y * y, x), Scalar(2)).Item());
    }

    [Fact]
    public void Results_are_differentiable_inside_and_constants_outside()
    {
        var x = Tensor.Create([1.0, 2.0], requiresGrad: true);
        Assert.False(Functional.Grad(t => (t * t).Sum(), x).RequiresGrad);
        var joined = Functional.Grad(t => (t * t * t).Sum(), x, createGraph: true);
        joined.Sum().Backward();
        Assert.Equal([6.0, 12.0], x.Grad!.ToDoubles());
        bool? inside = null;
        _ = Functional.Grad(
            t =>
            {
                var g = Functional.Grad(u => (u * u).Sum(), t);
                inside = g.RequiresGrad;
                return g.Sum();
            },
            x);
        Assert.True(inside);
    }

    [Fact]
    public void Two_and_three_tensors()
    {
        var (value, (da, db)) = Functional.ValueAndGrad((a, b) => (a * a * b).Sum(), Scalar(2), Scalar(5));
        Assert.Equal((20.0, 20.0, 4.0), (value.Item(), da.Item(), db.Item()));
        var (x, y, z) = Functional.Grad((a, b, c) => a * b * c, Scalar(2), Scalar(3), Scalar(5));
        Assert.Equal((15.0, 10.0, 6.0), (x.Item(), y.Item(), z.Item()));
    }

    [Fact]
    public void A_record_is_differentiated_by_all_its_tensors()
    {
        var tree = TensorTree.Of<Line>();
        var line = new Line(Tensor.Create([2.0, 3.0]), Scalar(1), Tensor.Create([7L]));
        static Tensor Loss(Line at) => (at.Slope * at.Slope * at.Offset).Sum();
        var (value, gradient) = tree.ValueAndGrad(Loss, line);
        Assert.Equal(13.0, value.Item());
        Assert.Equal([4.0, 6.0], gradient.Slope.ToDoubles());
        Assert.Equal(13.0, gradient.Offset.Item());
        Assert.Equal([0L], gradient.Label.ToLongs());
        Assert.False(line.Slope.RequiresGrad);

        var hessian = tree.Hessian(Loss, line);
        Assert.Equal([2.0, 0, 0, 2], hessian[0][0].ToDoubles());
        Assert.Equal([4.0, 6.0], hessian[0][1].ToDoubles());
        Assert.Equal([4.0, 6.0], hessian[1][0].ToDoubles());
        Assert.Equal([0.0], hessian[1][1].ToDoubles());

        var v = new Line(Tensor.Create([1.0, 10.0]), Scalar(100), Tensor.Create([0L]));
        var product = tree.Hvp(Loss, line, v);
        Assert.Equal([2.0 + 400, 20.0 + 600], product.Slope.ToDoubles());
        Assert.Equal(64.0, product.Offset.Item());
        Assert.Equal(4.0 + 60 + 1300, tree.Jvp(Loss, line, v).Product.Item());
    }

    [Fact]
    public void Tuples_and_arrays_of_records_nest()
    {
        var tree = TensorTree.PairOf(TensorTree.ArrayOf(TensorTree.Of<Line>()), TensorTree.Single);
        var at = (new[] { new Line(Scalar(2), Scalar(3), Scalar(0)), new Line(Scalar(5), Scalar(7), Scalar(0)) }, Tensor.Create([1.0, 2.0]));
        var (lines, x) = tree.Grad(p => (p.First[0].Slope * p.Second + p.First[1].Offset * p.Second * p.Second).Sum(), at);
        Assert.Equal(3.0, lines[0].Slope.Item());
        Assert.Equal(0.0, lines[0].Offset.Item());
        Assert.Equal(5.0, lines[1].Offset.Item());
        Assert.Equal([2.0 + 14, 2.0 + 28], x.ToDoubles());
        Assert.Equal(6, tree.Leaves(at).Length - 1);
    }

    [Fact]
    public void A_jacobian_of_a_pair_has_a_block_for_each()
    {
        var (first, second) = TensorTree.Pair.Jacobian(p => p.First * p.Second, (Tensor.Create([1.0, 2.0]), Scalar(5)));
        Assert.Equal([5.0, 0, 0, 5], first.ToDoubles());
        Assert.Equal([2, 2], first.Shape.ToArray());
        Assert.Equal([1.0, 2.0], second.ToDoubles());
        var (value, (da, db)) = TensorTree.Pair.Vjp(p => p.First * p.Second, (Tensor.Create([1.0, 2.0]), Scalar(5)), Tensor.Create([1.0, 10.0]));
        Assert.Equal([5.0, 10.0], value.ToDoubles());
        Assert.Equal([5.0, 50.0], da.ToDoubles());
        Assert.Equal(21.0, db.Item());
    }

    [Fact]
    public void The_mode_around_it_does_not_matter()
    {
        var x = Tensor.Create([1.0, 2.0]);
        using (Autograd.NoGrad()) Assert.Equal([2.0, 4.0], Functional.Grad(t => (t * t).Sum(), x).ToDoubles());
        using (Autograd.InferenceMode()) Assert.Equal([2.0, 4.0], Functional.Grad(t => (t * t).Sum(), x * 1).ToDoubles());
        Tensor made;
        using (Autograd.InferenceMode()) made = x * 1;
        Assert.Equal([2.0, 0, 0, 2], Functional.Hessian(t => (t * t).Sum(), made).ToDoubles());
    }

    [Fact]
    public void A_custom_function_is_pushed_through_where_its_rule_is_recorded_and_refused_where_it_is_not()
    {
        var cube = Function.Create("Cube", (context, x) =>
        {
            context.SaveForBackward(x);
            return x * x * x;
        }, (context, g) => g * 3 * context.Saved(0).Square());
        Assert.Equal(12.0, Functional.Jvp(t => cube.Apply(t), Scalar(2), Scalar(1)).Product.Item());
        var cut = Function.Create("Cut", (_, x) => x * 2, (_, g) => g.Detach() * 2);
        var error = Assert.Throws<AutogradException>(() => Functional.Jvp(t => cut.Apply(t), Scalar(2), Scalar(1)));
        Assert.Equal("a derivative that is not itself recorded gives no forward rule", error.Message);
    }

    [Fact]
    public void A_vector_of_another_shape_is_refused()
    {
        var error = Assert.Throws<AutogradException>(() => Functional.Jvp(t => t * 2, Scalar(2), Tensor.Ones([3])));
        Assert.Equal("the vector has the shape [3], but the point has []", error.Message);
    }

    private static Tensor Scalar(double value) => Tensor.Scalar(value, DType.Float64);

    private sealed record Line(Tensor Slope, Tensor Offset, Tensor Label) : ITensorTree<Line>
    {
        public Line Map(Func<Tensor, Tensor> f) => new(f(Slope), f(Offset), f(Label));
    }
}
