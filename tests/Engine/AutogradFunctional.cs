using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Derivatives of functions, against derivatives worked out by hand.</summary>
public class AutogradFunctional
{
    private static readonly Tensor Point = Tensor.Create([1.0, 2.0, -1.0]);

    [Fact]
    public void Value_and_gradient_of_a_cubic()
    {
        var (value, gradient) = Functional.ValueAndGrad(x => (x * x * x).Sum(), Point);
        Assert.Equal(8.0, value.Item());
        Assert.Equal([3.0, 12.0, 3.0], gradient.ToDoubles());
        Assert.False(Point.RequiresGrad);
        Assert.Null(Point.Grad);
    }

    [Fact]
    public void Jacobian_rows_and_columns_by_vjp_and_jvp()
    {
        static Tensor F(Tensor x) => Tensor.Stack([x[0] * x[1], x[1] * x[2] * x[2]]);
        Assert.Equal([2.0, 1, 0, 0, 1, -4], Functional.Jacobian(F, Point).ToDoubles());
        Assert.Equal([2, 3], Functional.Jacobian(F, Point).Shape.ToArray());
        Assert.Equal([2.0, 11.0, -40.0], Functional.Vjp(F, Point, Tensor.Create([1.0, 10.0])).Product.ToDoubles());
        Assert.Equal([12.0, -390.0], Functional.Jvp(F, Point, Tensor.Create([1.0, 10.0, 100.0])).Product.ToDoubles());
    }

    [Fact]
    public void Hessian_is_symmetric_and_multiplies_as_hvp()
    {
        static Tensor F(Tensor x) => (x[0] * x[1] * x[2]) + (x[0] * x[0] * x[0]);
        var hessian = Functional.Hessian(F, Point);
        Assert.Equal([6.0, -1, 2, -1, 0, 1, 2, 1, 0], hessian.ToDoubles());
        var v = Tensor.Create([1.0, 10.0, 100.0]);
        Assert.Equal(hessian.Matmul(v).ToDoubles(), Functional.Hvp(F, Point, v).ToDoubles());
    }

    [Fact]
    public void Derivatives_nest_to_third_order()
    {
        Func<Tensor, Tensor> f = x => x.Sigmoid();
        for (var i = 0; i < 3; i++)
        {
            var inner = f;
            f = x => Functional.Grad(inner, x, createGraph: true);
        }
        var s = 1 / (1 + Math.Exp(-0.7));
        var expected = s * (1 - s) * (1 - (6 * s) + (6 * s * s));
        Assert.Equal(expected, f(Tensor.Scalar(0.7, DType.Float64)).Item(), 12);
    }

    [Fact]
    public void A_constant_has_zeros()
    {
        Assert.Equal([0.0, 0, 0], Functional.Grad(_ => Tensor.Scalar(3, DType.Float64), Point).ToDoubles());
        Assert.Equal([0.0, 0, 0], Functional.Jvp(x => x.Detach() * 2, Point, Point).Product.ToDoubles());
    }

    [Fact]
    public void What_is_wrong_is_wrong_where_the_value_does_not_depend_on_the_argument_too()
    {
        var x = Tensor.Ones([2]);
        Assert.Equal(ErrorKind.NonScalarBackward, Assert.Throws<AutogradException>(() => Functional.Grad(_ => Tensor.Ones([3]), x)).Kind);
        Assert.Equal(ErrorKind.GradientShape, Assert.Throws<AutogradException>(() => Functional.Vjp(_ => Tensor.Ones([3]), x, Tensor.Ones([7]))).Kind);
        Assert.Equal(ErrorKind.Value, Assert.Throws<AutogradException>(() => Functional.Grad(_ => null!, x)).Kind);
        Assert.Equal([0.0, 0], Functional.Grad(_ => Tensor.Scalar(1), x).ToDoubles());
    }

    [Fact]
    public void Pulling_back_again_gives_the_same()
    {
        var x = Tensor.Create([0.5, 0.25], requiresGrad: true);
        var y = x.Exp().Sum();
        var first = Functional.Pull([y], null, [x])[0]!.ToDoubles();
        Assert.Equal(first, Functional.Pull([y], null, [x])[0]!.ToDoubles());
        Assert.Null(x.Grad);
        y.Backward();
        Assert.Throws<AutogradException>(() => Functional.Pull([y], null, [x]));
    }
}
