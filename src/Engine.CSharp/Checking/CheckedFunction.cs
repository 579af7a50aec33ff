namespace Verified.Engine;

/// <summary>A function under examination at one point: its inputs and results laid out as vectors. It is always handed copies that lie in memory as the inputs do.</summary>
internal sealed class CheckedFunction
{
    private readonly Func<Tensor[], Tensor[]> f;
    private readonly Tensor[] inputs;
    private readonly bool[] differentiated;

    /// <summary>The function at a point.</summary>
    /// <param name="f">The function.</param>
    /// <param name="inputs">The point.</param>
    /// <param name="differentiated">Which inputs it is differentiated by.</param>
    /// <param name="widened">Whether inputs of floating point are handed over in float64.</param>
    public CheckedFunction(Func<Tensor[], Tensor[]> f, Tensor[] inputs, bool[] differentiated, bool widened)
    {
        this.f = f;
        this.differentiated = differentiated;
        this.inputs = Array.ConvertAll(inputs, t => Copy(t, widened && t.DType.IsFloat() ? DType.Float64 : t.DType));
        Point = [.. Enumerable.Range(0, inputs.Length).Where(i => differentiated[i]).SelectMany(i => this.inputs[i].ToDoubles())];
        Forms = Array.ConvertAll(Record().Outputs, t => new OutputForm(t.Sizes, t.DType));
    }

    /// <summary>All elements of the inputs that it is differentiated by.</summary>
    public double[] Point { get; }

    /// <summary>Shape and type of its results, those of floating point.</summary>
    public OutputForm[] Forms { get; }

    /// <summary>The number of elements of all results.</summary>
    public int ValueCount => Forms.Sum(form => Shapes.Count(form.Shape));

    /// <summary>The relative rounding of the least exact number that takes part.</summary>
    public double Epsilon =>
        Forms.Any(form => form.DType == DType.Float32) || inputs.Where((_, i) => differentiated[i]).Any(t => t.DType == DType.Float32) ? Math.ScaleB(1, -24) : Math.ScaleB(1, -53);

    /// <summary>Runs and records the function on fresh leaves.</summary>
    public Recording Record() => Record(Leaves(Point));

    /// <summary>The same at another point.</summary>
    public Recording RecordAt(double[] point) => Record(Leaves(point));

    /// <summary>The values at another point.</summary>
    public double[] Values(double[] point)
    {
        var run = Record(Leaves(point));
        if (!run.Outputs.Select(t => (Shapes.Text(t.Sizes), t.DType)).SequenceEqual(Forms.Select(form => (Shapes.Text(form.Shape), form.DType)))) throw new FormChangedException();
        return [.. run.Outputs.SelectMany(t => t.ToDoubles())];
    }

    /// <summary>The input and the element that a place of <see cref="Point"/> belongs to.</summary>
    public (int Tensor, int[] Element) InputAt(int place)
    {
        var which = Enumerable.Range(0, inputs.Length).Where(i => differentiated[i]).ToArray();
        var (index, element) = Locate(place, [.. which.Select(i => inputs[i].Sizes)]);
        return (which[index], element);
    }

    /// <summary>The input that the gradient with a number belongs to, and the element that a place in it is.</summary>
    public (int Tensor, int[] Element) InputAt(int gradient, int place)
    {
        var which = Enumerable.Range(0, inputs.Length).Where(i => differentiated[i]).ToArray();
        return (which[gradient], Locate(place, [inputs[which[gradient]].Sizes]).Element);
    }

    /// <summary>The result and the element that a place among the values belongs to.</summary>
    public (int Tensor, int[] Element) OutputAt(int place) => Locate(place, Array.ConvertAll(Forms, form => form.Shape));

    /// <summary>A tensor with the same elements in memory of its own, with the same strides.</summary>
    public static Tensor Copy(Tensor x, DType dtype) => Copy(x, dtype, x.Steps);

    /// <summary>A tensor with the same elements in memory of its own, with other strides.</summary>
    public static Tensor Copy(Tensor x, DType dtype, int[] steps)
    {
        var last = 1L;
        for (var i = 0; i < x.Rank; i++) last += Math.Max(0L, x.Sizes[i] - 1) * steps[i];
        var copy = new Tensor(Storage.CreateZeroed(last * dtype.Size()), dtype, x.Sizes, steps, 0);
        Copying.Copy(x, copy);
        return copy;
    }

    private static (int Tensor, int[] Element) Locate(int place, int[][] shapes)
    {
        var tensor = 0;
        for (; place >= Shapes.Count(shapes[tensor]); tensor++) place -= Shapes.Count(shapes[tensor]);
        var element = new int[shapes[tensor].Length];
        for (var d = element.Length - 1; d >= 0; d--)
        {
            element[d] = place % shapes[tensor][d];
            place /= shapes[tensor][d];
        }
        return (tensor, element);
    }

    private Tensor[] Leaves(double[] point)
    {
        var next = 0;
        return Array.ConvertAll(Enumerable.Range(0, inputs.Length).ToArray(), i =>
        {
            if (!differentiated[i]) return Copy(inputs[i], inputs[i].DType);
            var size = inputs[i].Count;
            var leaf = Copy(inputs[i], inputs[i].DType);
            Copying.Copy(Tensor.Create(point.AsSpan(next, size), inputs[i].Sizes), leaf);
            next += size;
            return leaf.RequiresGradInPlace();
        });
    }

    private Recording Record(Tensor[] leaves)
    {
        var before = Array.ConvertAll(leaves, t => t.ToDoubles());
        Tensor[] results;
        using (Autograd.InferenceMode(enabled: false)) results = f(leaves);
        var changed = Array.FindIndex(leaves, t => t.Version != 0);
        if (changed < 0) changed = Array.FindIndex([.. Enumerable.Range(0, leaves.Length)], i => !before[i].AsSpan().SequenceEqual(leaves[i].ToDoubles()));
        return new Recording([.. leaves.Where((_, i) => differentiated[i])], Array.FindAll(results, t => t.DType.IsFloat()), changed);
    }

    /// <summary>One recorded run.</summary>
    /// <param name="Leaves">The inputs that it is differentiated by.</param>
    /// <param name="Outputs">The results of floating point.</param>
    /// <param name="Changed">Which input the function wrote to, or -1.</param>
    internal sealed record Recording(Tensor[] Leaves, Tensor[] Outputs, int Changed)
    {
        /// <summary>Pulls gradients back; a null one does not arrive.</summary>
        public double[][] Pull(Tensor?[] gradients)
        {
            var roots = Enumerable.Range(0, Outputs.Length).Where(i => Outputs[i].RequiresGrad && gradients[i] is not null).ToArray();
            var pulled = roots.Length == 0
                ? new Tensor?[Leaves.Length]
                : Autograd.Grad([.. roots.Select(i => Outputs[i])], Leaves, [.. roots.Select(i => gradients[i])], retainGraph: true, allowUnused: true);
            return [.. pulled.Select((g, i) => g?.ToDoubles() ?? new double[Leaves[i].Count])];
        }
    }

    internal sealed class FormChangedException : Exception;
}
