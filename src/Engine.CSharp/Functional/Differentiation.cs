namespace Verified.Engine;

/// <summary>A function, run and recorded once at a point of its own, to be pulled back and pushed forward through.</summary>
internal sealed class Differentiation
{
    private readonly Tensor[] given;
    private readonly Tensor[] at;
    private readonly Tensor[] inputs;
    private readonly Tensor[] outputs;
    private readonly bool joined;

    /// <summary>Runs the function. The point is joined to the tensors that were given where the results are to be differentiable.</summary>
    public Differentiation(Func<Tensor[], Tensor[]> f, Tensor[] x, bool? createGraph)
    {
        if (Array.Exists(x, t => t is null)) throw new AutogradException(ErrorKind.Value, "the point to differentiate at has null in the place of a tensor");
        given = x;
        joined = createGraph ?? GradMode.IsDifferentiating;
        using var recording = Recording();
        at = Array.ConvertAll(x, Fresh);
        inputs = Array.FindAll(at, t => t.DType.IsFloat());
        using var inside = new GradScope(GradMode.Current | Modes.Differentiating);
        outputs = f(at);
        if (Array.Exists(outputs, y => y is null)) throw new AutogradException(ErrorKind.Value, "the function to differentiate gives null in the place of a tensor");
    }

    /// <summary>The function's values.</summary>
    public Tensor[] Values => joined ? outputs : Array.ConvertAll(outputs, y => y.Detach());

    /// <summary>The gradients of all tensors from those of the values; null for a value of one element, whose gradient is then one.</summary>
    public Tensor[] Pull(params Tensor?[] v) => Pull(v, joined);

    /// <summary>The derivatives of the values along vectors.</summary>
    public Tensor[] Push(Tensor[] vectors)
    {
        CheckVectors(given, vectors);
        // A rule is linear in what arrives, so that its derivative by that does not depend on it: ones serve as well as anything.
        var duals = Array.ConvertAll(outputs, y => Tensor.Ones(y.Sizes, y.DType, requiresGrad: y.DType.IsFloat()));
        using var recording = Recording();
        var pulled = Pull(duals, createGraph: true);
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
        var by = Array.FindAll(duals, dual => dual.RequiresGrad);
        var products = roots.Count == 0 || by.Length == 0 ? new Tensor?[by.Length] : Autograd.Grad(roots, by, seeds, retainGraph: true, joined, allowUnused: true);
        var next = 0;
        return Array.ConvertAll(outputs, y => (y.DType.IsFloat() ? products[next++] : null) ?? Tensor.Zeros(y.Sizes, y.DType));
    }

    /// <summary>Raises unless the vectors have the number and the shapes of the points.</summary>
    public static void CheckVectors(Tensor[] points, Tensor[] vectors)
    {
        if (points.Length != vectors.Length)
            throw new AutogradException(ErrorKind.GradientShape, $"the vector has {vectors.Length} tensors, but the point has {points.Length}");
        for (var i = 0; i < points.Length; i++)
        {
            if (points[i] is null || vectors[i] is null)
                throw new AutogradException(ErrorKind.Value, $"the {(points[i] is null ? "point" : "vector")} has null in the place of a tensor");
            if (Shapes.Same(points[i].Sizes, vectors[i].Sizes)) continue;
            throw new AutogradException(ErrorKind.GradientShape, $"the vector has the shape {Shapes.Text(vectors[i].Sizes)}, but the point has {Shapes.Text(points[i].Sizes)}");
        }
    }

    /// <summary>The derivatives of each element of the first value, stacked.</summary>
    public Tensor[] Jacobian()
    {
        var y = outputs[0];
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

    private Tensor[] Pull(Tensor?[] v, bool createGraph)
    {
        using var recording = Recording();
        // Checked whether or not the value depends on the argument: what is wrong is wrong at every point.
        if (v.Length != outputs.Length) throw new AutogradException(ErrorKind.GradientShape, $"got {v.Length} gradients for a function of {outputs.Length} values");
        for (var i = 0; i < v.Length; i++)
        {
            var shape = outputs[i].Sizes;
            if (v[i] is null && outputs[i].Count != 1) throw new AutogradException(ErrorKind.NonScalarBackward, "grad can be implicitly created only for scalar outputs");
            if (v[i] is { } g && !Shapes.Same(g.Sizes, shape))
                throw new AutogradException(ErrorKind.GradientShape, $"the gradient has the shape {Shapes.Text(g.Sizes)}, but the function's value has {Shapes.Text(shape)}");
        }
        // A function that does not depend on its argument has the derivative zero.
        int[] reached = [.. Enumerable.Range(0, outputs.Length).Where(i => outputs[i].RequiresGrad)];
        var pulled = reached.Length == 0 || inputs.Length == 0
            ? new Tensor?[inputs.Length]
            : Autograd.Grad([.. reached.Select(i => outputs[i])], inputs, [.. reached.Select(i => v[i])], retainGraph: true, createGraph, allowUnused: true);
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
