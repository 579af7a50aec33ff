namespace Verified.Engine;

/// <summary>
/// Derivatives of functions: nothing accumulates anywhere and no saved value is released, so the same tape may be pulled back again, by several threads too. Here functions of
/// one, two or three tensors; <see cref="TensorTree"/> has the same for records, tuples and arrays of tensors.
/// </summary>
/// <remarks>
/// <c>createGraph</c> says whether results may themselves be differentiated. Left out it holds inside a function that is itself being differentiated here, so that derivatives
/// nest, and not elsewhere.
/// </remarks>
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
    public static (Tensor Value, Tensor Gradient) ValueAndGrad(Func<Tensor, Tensor> f, Tensor x, bool? createGraph = null) =>
        TensorTree.Single.ValueAndGrad(f, x, createGraph);

    /// <summary>The value and the gradients of a function of two tensors with a value of one element.</summary>
    public static (Tensor Value, (Tensor First, Tensor Second) Gradient) ValueAndGrad(Func<Tensor, Tensor, Tensor> f, Tensor a, Tensor b, bool? createGraph = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        return TensorTree.Pair.ValueAndGrad(x => f(x.First, x.Second), (a, b), createGraph);
    }

    /// <summary>The value and the gradients of a function of three tensors with a value of one element.</summary>
    public static (Tensor Value, (Tensor First, Tensor Second, Tensor Third) Gradient) ValueAndGrad(
        Func<Tensor, Tensor, Tensor, Tensor> f, Tensor a, Tensor b, Tensor c, bool? createGraph = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        return TensorTree.Triple.ValueAndGrad(x => f(x.First, x.Second, x.Third), (a, b, c), createGraph);
    }

    /// <summary>The gradient of a function of one element at a point.</summary>
    public static Tensor Grad(Func<Tensor, Tensor> f, Tensor x, bool? createGraph = null) => TensorTree.Single.Grad(f, x, createGraph);

    /// <summary>The gradients of a function of two tensors with a value of one element.</summary>
    public static (Tensor First, Tensor Second) Grad(Func<Tensor, Tensor, Tensor> f, Tensor a, Tensor b, bool? createGraph = null) =>
        ValueAndGrad(f, a, b, createGraph).Gradient;

    /// <summary>The gradients of a function of three tensors with a value of one element.</summary>
    public static (Tensor First, Tensor Second, Tensor Third) Grad(Func<Tensor, Tensor, Tensor, Tensor> f, Tensor a, Tensor b, Tensor c, bool? createGraph = null) =>
        ValueAndGrad(f, a, b, c, createGraph).Gradient;

    /// <inheritdoc cref="TensorTree{T}.Vjp"/>
    public static (Tensor Value, Tensor Product) Vjp(Func<Tensor, Tensor> f, Tensor x, Tensor v, bool? createGraph = null) => TensorTree.Single.Vjp(f, x, v, createGraph);

    /// <inheritdoc cref="TensorTree{T}.Jvp"/>
    public static (Tensor Value, Tensor Product) Jvp(Func<Tensor, Tensor> f, Tensor x, Tensor v, bool? createGraph = null) => TensorTree.Single.Jvp(f, x, v, createGraph);

    /// <summary>The Jacobian, of the value's shape followed by the point's.</summary>
    public static Tensor Jacobian(Func<Tensor, Tensor> f, Tensor x, bool? createGraph = null) => TensorTree.Single.Jacobian(f, x, createGraph);

    /// <summary>The matrix of second derivatives of a function of one element, of the point's shape twice over.</summary>
    public static Tensor Hessian(Func<Tensor, Tensor> f, Tensor x, bool? createGraph = null) => TensorTree.Single.Hessian(f, x, createGraph)[0][0];

    /// <summary>The product of the second derivatives of a function of one element with a vector of the point's shape.</summary>
    public static Tensor Hvp(Func<Tensor, Tensor> f, Tensor x, Tensor v, bool? createGraph = null) => TensorTree.Single.Hvp(f, x, v, createGraph);
}
