namespace Verified.Engine;

/// <summary>A function, run and recorded once at a point of its own, to be pulled back and pushed forward through.</summary>
internal sealed class Differentiation
{
    [ThreadStatic]
    private static int depth;

    private readonly Tensor[] given;
    private readonly Tensor[] at;
    private readonly Tensor[] inputs;
    private readonly Tensor y;
    private readonly bool joined;

    /// <summary>Runs the function. The point is joined to the tensors that were given where the results are to be differentiable.</summary>
    public Differentiation(Func<Tensor[], Tensor> f, Tensor[] x, bool? createGraph)
    {
        given = x;
        joined = createGraph ?? depth > 0;
        using var recording = Recording();
        at = Array.ConvertAll(x, Fresh);
        inputs = Array.FindAll(at, t => t.DType.IsFloat());
        depth++;
        try
        {
            y = f(at);
        }
        finally
        {
            depth--;
        }
    }

    /// <summary>The function's value.</summary>
    public Tensor Value => joined ? y : y.Detach();

    /// <summary>The gradients of all tensors from that of the value; null for a value of one element, whose gradient is then one.</summary>
    public Tensor[] Pull(Tensor? v) => Pull(v, joined);

    /// <summary>The derivative of the value along vectors.</summary>
    public Tensor Push(Tensor[] vectors)
    {
        // A rule is linear in what arrives, so that its derivative by that does not depend on it: ones serve as well as anything.
        var dual = Tensor.Ones(y.Sizes, y.DType, requiresGrad: true);
        using var recording = Recording();
        var pulled = Pull(dual, createGraph: true);
        var (roots, seeds) = (new List<Tensor>(), new List<Tensor?>());
        for (var i = 0; i < pulled.Length; i++)
        {
            if (pulled[i].RequiresGrad)
            {
                roots.Add(pulled[i]);
                seeds.Add(vectors[i]);
            }
            else if (pulled[i].DType.IsFloat() && Array.Exists(pulled[i].ToDoubles(), d => d != 0))
            {
                throw new AutogradException(ErrorKind.Unsupported, "a derivative that is not itself recorded gives no forward rule");
            }
        }
        var product = roots.Count == 0 ? null : Autograd.Grad(roots, [dual], seeds, retainGraph: true, joined, allowUnused: true)[0];
        return product ?? Tensor.Zeros(y.Sizes, y.DType);
    }

    /// <summary>The derivatives of each element of the value, stacked.</summary>
    public Tensor[] Jacobian()
    {
        var rows = new Tensor[y.Count][];
        for (var i = 0; i < rows.Length; i++)
        {
            var unit = Tensor.Zeros([rows.Length], y.DType);
            unit.SetItemInPlace([(long)i], 1);
            rows[i] = Pull(unit.View(y.Sizes));
        }
        var result = new Tensor[given.Length];
        for (var k = 0; k < result.Length; k++)
        {
            int[] shape = [.. y.Sizes, .. given[k].Sizes];
            result[k] = rows.Length == 0 ? Tensor.Zeros(shape, given[k].DType) : Stacked(Array.ConvertAll(rows, row => row[k]), shape);
        }
        return result;
    }

    private Tensor[] Pull(Tensor? v, bool createGraph)
    {
        using var recording = Recording();
        // A function that does not depend on its argument has the derivative zero.
        var pulled = y.RequiresGrad && inputs.Length > 0 ? Autograd.Grad([y], inputs, [v], retainGraph: true, createGraph, allowUnused: true) : new Tensor?[inputs.Length];
        var next = 0;
        return Array.ConvertAll(at, t => (t.DType.IsFloat() ? pulled[next++] : null) ?? Tensor.Zeros(t.Sizes, t.DType));
    }

    private Tensor Stacked(Tensor[] rows, int[] shape)
    {
        using var mode = joined ? Recording() : Autograd.NoGrad();
        return Tensor.Stack(rows).Reshape(shape);
    }

    private Tensor Fresh(Tensor x)
    {
        if (!x.DType.IsFloat()) return x;
        if (joined && x.RequiresGrad) return x.View(x.Sizes);
        return (x.IsInference ? x.Clone() : x).Detach().RequiresGradInPlace();
    }

    /// <summary>A derivative is recorded whatever the mode around it.</summary>
    private static GradScope Recording() => Autograd.InferenceMode(enabled: false);
}
