namespace Verified.Engine;

/// <summary>
/// Derivatives of functions: nothing accumulates anywhere and no saved value is released, so the same tape may be pulled back again, by several threads too.
/// Results are differentiable where <c>createGraph</c> says so.
/// </summary>
public static class Functional
{
    /// <summary>Pulls gradients of the outputs back to the inputs; null where no path leads.</summary>
    /// <param name="outputs">Recorded tensors.</param>
    /// <param name="gradients">A gradient for each, of its shape; null for an output of one element.</param>
    /// <param name="inputs">Tensors that the outputs were computed from.</param>
    /// <param name="createGraph">Whether the result may be differentiated again.</param>
    public static Tensor?[] Pull(IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor?>? gradients, IReadOnlyList<Tensor> inputs, bool createGraph = false) =>
        Autograd.Grad(outputs, inputs, gradients, retainGraph: true, createGraph, allowUnused: true);

    /// <summary>The value and the gradient of a function of one element at a point.</summary>
    public static (Tensor Value, Tensor Gradient) ValueAndGrad(Func<Tensor, Tensor> f, Tensor x, bool createGraph = false)
    {
        var at = Fresh(x, createGraph);
        var y = Recorded(f, at);
        return (createGraph ? y : y.Detach(), Pulled(y, null, at, createGraph));
    }

    /// <summary>The gradient of a function of one element at a point.</summary>
    public static Tensor Grad(Func<Tensor, Tensor> f, Tensor x, bool createGraph = false) => ValueAndGrad(f, x, createGraph).Gradient;

    /// <summary>The value of a function, and the product of a row vector (of the value's shape) with its Jacobian.</summary>
    public static (Tensor Value, Tensor Product) Vjp(Func<Tensor, Tensor> f, Tensor x, Tensor v, bool createGraph = false)
    {
        var at = Fresh(x, createGraph);
        var y = Recorded(f, at);
        return (createGraph ? y : y.Detach(), Pulled(y, v, at, createGraph));
    }

    /// <summary>The value of a function, and the product of its Jacobian with a vector of the point's shape: the derivative of the pull-back, which is linear, by its own argument.</summary>
    public static (Tensor Value, Tensor Product) Jvp(Func<Tensor, Tensor> f, Tensor x, Tensor v, bool createGraph = false)
    {
        CheckShape(x, v);
        var at = Fresh(x, createGraph);
        var y = Recorded(f, at);
        var dual = Tensor.Zeros(y.Sizes, y.DType, requiresGrad: true);
        var pulled = Pulled(y, dual, at, createGraph: true);
        var product = pulled.RequiresGrad ? Pulled(pulled, v, dual, createGraph) : Tensor.Zeros(y.Sizes, y.DType);
        return (createGraph ? y : y.Detach(), product);
    }

    /// <summary>The Jacobian, of the value's shape followed by the point's.</summary>
    public static Tensor Jacobian(Func<Tensor, Tensor> f, Tensor x, bool createGraph = false)
    {
        var at = Fresh(x, createGraph);
        var y = Recorded(f, at);
        var rows = new Tensor[y.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var unit = Tensor.Zeros([rows.Length], y.DType);
            unit.SetItemInPlace([(long)i], 1);
            rows[i] = Pulled(y, unit.View(y.Sizes), at, createGraph);
        }
        int[] shape = [.. y.Sizes, .. x.Sizes];
        return rows.Length == 0 ? Tensor.Zeros(shape, x.DType) : Tensor.Stack(rows).Reshape(shape);
    }

    /// <summary>The matrix of second derivatives of a function of one element, of the point's shape twice over.</summary>
    public static Tensor Hessian(Func<Tensor, Tensor> f, Tensor x, bool createGraph = false) => Jacobian(p => Grad(f, p, createGraph: true), x, createGraph);

    /// <summary>The product of the second derivatives of a function of one element with a vector of the point's shape.</summary>
    public static Tensor Hvp(Func<Tensor, Tensor> f, Tensor x, Tensor v, bool createGraph = false)
    {
        CheckShape(x, v);
        return Vjp(p => Grad(f, p, createGraph: true), x, v, createGraph).Product;
    }

    /// <summary>A point of its own for the function; where the graph is created it stays joined to the one that was given.</summary>
    private static Tensor Fresh(Tensor x, bool createGraph)
    {
        if (createGraph && x.RequiresGrad) return x.View(x.Sizes);
        return x.Detach().RequiresGradInPlace();
    }

    private static Tensor Recorded(Func<Tensor, Tensor> f, Tensor at)
    {
        using (Autograd.EnableGrad()) return f(at);
    }

    private static Tensor Pulled(Tensor y, Tensor? v, Tensor at, bool createGraph)
    {
        // A function that does not depend on its argument has the derivative zero.
        if (!y.RequiresGrad) return Tensor.Zeros(at.Sizes, at.DType);
        using (Autograd.EnableGrad()) return Pull([y], [v], [at], createGraph)[0] ?? Tensor.Zeros(at.Sizes, at.DType);
    }

    private static void CheckShape(Tensor x, Tensor v)
    {
        if (!Shapes.Same(x.Sizes, v.Sizes))
            throw new AutogradException(ErrorKind.GradientShape, $"the vector has the shape {Shapes.Text(v.Sizes)}, but the point has {Shapes.Text(x.Sizes)}");
    }
}
