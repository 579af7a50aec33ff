namespace Verified.Engine;

/// <summary>
/// Derivatives of functions of a value that holds tensors. Nothing accumulates anywhere and the function's argument is a copy of its own, so that derivatives nest without
/// confusion: each is by its own argument alone.
/// </summary>
/// <remarks>
/// <c>createGraph</c> says whether results may themselves be differentiated. Left out it holds inside a function that is itself being differentiated here, and not elsewhere.
/// Tensors that are not of floating point are constants; their derivatives are zeros.
/// </remarks>
/// <typeparam name="T">A tensor, or a record, tuple or array of tensors: see <see cref="TensorTree"/>.</typeparam>
public sealed class TensorTree<T>
{
    private readonly Func<T, Func<Tensor, Tensor>, T> map;

    internal TensorTree(Func<T, Func<Tensor, Tensor>, T> map) => this.map = map;

    /// <summary>The value with each tensor replaced.</summary>
    public T Map(T value, Func<Tensor, Tensor> f)
    {
        ArgumentNullException.ThrowIfNull(f);
        return map(value, f);
    }

    /// <summary>The tensors, in their order.</summary>
    public Tensor[] Leaves(T value)
    {
        var leaves = new List<Tensor>();
        _ = map(value, leaf =>
        {
            leaves.Add(leaf);
            return leaf;
        });
        return [.. leaves];
    }

    /// <summary>A value of another's structure with the given tensors.</summary>
    public T Rebuild(T like, IReadOnlyList<Tensor> leaves)
    {
        ArgumentNullException.ThrowIfNull(leaves);
        var next = 0;
        return map(like, _ => leaves[next++]);
    }

    /// <summary>The value and the gradient of a function of one element.</summary>
    public (Tensor Value, T Gradient) ValueAndGrad(Func<T, Tensor> f, T x, bool? createGraph = null)
    {
        var run = Differentiated(f, x, createGraph);
        return (run.Values[0], Rebuild(x, run.Pull([null])));
    }

    /// <summary>The gradient of a function of one element.</summary>
    public T Grad(Func<T, Tensor> f, T x, bool? createGraph = null) => ValueAndGrad(f, x, createGraph).Gradient;

    /// <summary>The value, and the product of a row vector (of the value's shape) with the Jacobian.</summary>
    public (Tensor Value, T Product) Vjp(Func<T, Tensor> f, T x, Tensor v, bool? createGraph = null)
    {
        ArgumentNullException.ThrowIfNull(v);
        var run = Differentiated(f, x, createGraph);
        return (run.Values[0], Rebuild(x, run.Pull(v)));
    }

    /// <summary>
    /// The value, and the product of the Jacobian with a vector of the point's structure and shapes: forward mode. Each operator's forward rule is derived from its recorded
    /// derivative: that is linear in the gradient that arrives, and its derivative by that gradient is the forward rule.
    /// </summary>
    public (Tensor Value, Tensor Product) Jvp(Func<T, Tensor> f, T x, T v, bool? createGraph = null)
    {
        var run = Differentiated(f, x, createGraph);
        return (run.Values[0], run.Push(Leaves(v))[0]);
    }

    /// <summary>The Jacobian: for each tensor of the point one of the value's shape followed by the tensor's.</summary>
    public T Jacobian(Func<T, Tensor> f, T x, bool? createGraph = null) => Rebuild(x, Differentiated(f, x, createGraph).Jacobian());

    /// <summary>The second derivatives of a function of one element: for each two tensors of the point one of the first one's shape followed by the second's.</summary>
    public Tensor[][] Hessian(Func<T, Tensor> f, T x, bool? createGraph = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        var count = Leaves(x).Length;
        var rows = new Tensor[count][];
        for (var i = 0; i < count; i++)
        {
            var leaf = i;
            rows[i] = Differentiated(p => Leaves(Grad(f, p, createGraph: true))[leaf], x, createGraph).Jacobian();
        }
        return rows;
    }

    /// <summary>The product of the second derivatives of a function of one element with a vector of the point's structure and shapes.</summary>
    public T Hvp(Func<T, Tensor> f, T x, T v, bool? createGraph = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        var along = Leaves(v);
        Differentiation.CheckVectors(Leaves(x), along);
        Tensor Slope(T p)
        {
            var gradient = Leaves(Grad(f, p, createGraph: true));
            Tensor? sum = null;
            for (var i = 0; i < gradient.Length; i++)
            {
                if (!gradient[i].DType.IsFloat()) continue;
                var term = (gradient[i] * along[i]).Sum();
                sum = sum is null ? term : sum + term;
            }
            return sum ?? Tensor.Scalar(0);
        }
        return Grad(Slope, x, createGraph);
    }

    private Differentiation Differentiated(Func<T, Tensor> f, T x, bool? createGraph)
    {
        ArgumentNullException.ThrowIfNull(f);
        return new(leaves => [f(Rebuild(x, leaves))], Leaves(x), createGraph);
    }
}
