using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Writing and adding at indices.</summary>
internal static class Scattering
{
    /// <summary>
    /// Writes values at the elements that indices name, or adds them. Of several values for one element the last stays, and only that one has a gradient (PyTorch
    /// gives one to all).
    /// </summary>
    public static readonly FunctionOperator IndexPut = new(
        "index_put",
        (inputs, attributes) => Put(inputs[0]!, inputs[1..^1], inputs[^1]!, attributes.Bool("accumulate", false)),
        [new Rule(Gathering.AllIndices, (_, _) => null)])
    {
        Keywords = ["accumulate"],
        HasInPlaceTwin = true,
        Bind = call => [call.Tensor(0), .. call.Tensors(1), call.Tensor(2)],
        Unbind = inputs => [inputs[0], inputs[1..^1], inputs[^1]],
        NeverSaved = 1,
        BackwardAll = IndexPutBackward,
        CheckArguments = CheckIndexPut,
    };

    public static IEnumerable<Operator> All => [IndexPut];

    // With a mask and one value it is masked_fill, which reads the value first; otherwise it writes while it reads.
    private static void CheckIndexPut(Tensor?[] inputs, Attributes attributes)
    {
        var self = inputs[0]!;
        TensorIndex.CheckCount(self.Sizes, inputs.Length - 2);
        var indices = inputs[1..^1].OfType<Tensor>().ToList();
        if (indices is [{ DType: DType.Bool } mask] && inputs[^1]!.Count == 1 && !attributes.Bool("accumulate", false))
        {
            Overlap.CheckReadable(self, mask);
            return;
        }
        foreach (var index in indices) Overlap.CheckApart(self, index);
        Overlap.CheckApart(self, inputs[^1]!);
    }

    private static Tensor Put(Tensor x, Tensor?[] indices, Tensor values, bool accumulate)
    {
        // PyTorch looks whether the values fit before it looks the indices up.
        void Accept(int[] chosen)
        {
            CheckFits(values.Sizes, chosen);
            if (values.DType != x.DType)
            {
                throw new AutogradException(
                    ErrorKind.Dtype,
                    $"Index put requires the source and destination dtypes match, got {x.DType.ScalarType()} for the destination and {values.DType.ScalarType()} for the source.");
            }
        }

        var (flat, shape) = TensorIndex.Places(x.Sizes, indices, Accept);
        var spread = Tensor.Empty(shape, x.DType);
        Copying.Copy(values, spread);
        var y = Tensor.Empty(x.Sizes, x.DType);
        Copying.Copy(x, y);
        if (flat.Count == 0) return Rearranged(x, y);
        switch (x.DType)
        {
            case DType.Float32 when accumulate: Add<float>(); break;
            case DType.Float64 when accumulate: Add<double>(); break;
            case DType.Int64 when accumulate: Add<long>(); break;
            case DType.Float32: Write<float>(); break;
            case DType.Float64: Write<double>(); break;
            case DType.Int64: Write<long>(); break;
            default:
                // Of truth values a sum is "or": only what is true is written.
                if (accumulate) (spread, flat) = WhereTrue(spread, flat);
                if (flat.Count > 0) Write<byte>();
                break;
        }
        GC.KeepAlive(flat);
        GC.KeepAlive(spread);
        GC.KeepAlive(y);
        return Rearranged(x, y);

        void Add<T>()
            where T : unmanaged, System.Numerics.INumber<T> =>
            Indexing.Add(ref spread.Origin<T>(), ref flat.Origin<long>(), ref y.Origin<T>(), 1, y.Count, flat.Count, 1);

        void Write<T>()
            where T : unmanaged => Indexing.Write(ref spread.Origin<T>(), ref flat.Origin<long>(), ref y.Origin<T>(), flat.Count);
    }

    /// <summary>Refuses values that cannot be broadcast to what indices choose.</summary>
    public static void CheckFits(int[] values, int[] chosen)
    {
        if (Shapes.CanExpand(values, chosen)) return;
        throw new AutogradException(
            ErrorKind.Shape, $"shape mismatch: value tensor of shape {Shapes.Text(values)} cannot be broadcast to indexing result of shape {Shapes.Text(chosen)}");
    }

    // A result that was made in row-major order, copied into the memory order of another.
    private static Tensor Rearranged(Tensor like, Tensor made)
    {
        if (like.IsContiguous) return made;
        var laid = Tensor.EmptyLike(like, made.DType);
        Copying.Copy(made, laid);
        return laid;
    }

    private static (Tensor Values, Tensor Places) WhereTrue(Tensor values, Tensor places)
    {
        var holds = values.ToBools();
        var at = places.ToLongs();
        long[] kept = [.. at.Where((_, i) => holds[i])];
        return (Tensor.Create(Enumerable.Repeat(true, kept.Length).ToArray(), [kept.Length]), Tensor.Create(kept, [kept.Length]));
    }

    private static void IndexPutBackward(BackwardContext c)
    {
        var g = c.Gradient(0)!;
        var last = c.Node.InputCount - 1;
        Tensor?[] indices = [.. Enumerable.Range(1, last - 1).Select(c.InputOrNull)];
        var accumulate = c.Attributes.Bool("accumulate", false);
        if (c.Needs(0)) c.Set(0, accumulate ? g : IndexPut.Apply([g, .. indices, Tensor.Zeros([], g.DType)], Attributes.None)[0]);
        if (!c.Needs(last)) return;
        c.Set(last, accumulate ? g.Index(indices) : Survivors.Apply([g, .. indices], Attributes.None)[0]);
    }

    /// <summary>
    /// The elements that indices name, but zero for each that another one of the same place follows: of several values the last stays. One operator, so that its own derivative finds the
    /// indices as they were.
    /// </summary>
    private static readonly FunctionOperator Survivors = new(
        "index_survivors",
        (inputs, _) =>
        {
            using var scope = Autograd.NoGrad();
            var picked = inputs[0]!.Index(inputs[1..]);
            return Overwritten(inputs[0]!.Sizes, inputs[1..]) is { } lost ? picked.MaskedFill(lost, 0) : picked;
        },
        [new Rule(Gathering.AllIndices, (h, c) => Written!.Apply([h, .. Gathering.Indices(c)], Attributes.Of("shape", c.InputShape(0)))[0]), Rule.NotDifferentiable]);

    /// <summary>Its transpose: zeros of a shape, with elements written where the indices name their places.</summary>
    private static readonly FunctionOperator Written = new(
        "index_write",
        (inputs, a) => Put(Tensor.Zeros(a.Ints("shape")!, inputs[0]!.DType), inputs[1..], inputs[0]!, accumulate: false),
        [new Rule(Gathering.AllIndices, (g, c) => Survivors.Apply([g, .. Gathering.Indices(c)], Attributes.None)[0]), Rule.NotDifferentiable]);

    /// <summary>Which values another one for the same element follows; null where none does.</summary>
    private static Tensor? Overwritten(int[] sizes, Tensor?[] indices)
    {
        var (flat, shape) = TensorIndex.Places(sizes, indices);
        var places = flat.ToLongs();
        var seen = new HashSet<long>();
        var lost = new bool[places.Length];
        for (var i = places.Length - 1; i >= 0; i--) lost[i] = !seen.Add(places[i]);
        return seen.Count == places.Length ? null : Tensor.Create(lost, shape);
    }
}

public sealed partial class Tensor
{
    /// <summary>A copy in which the elements that indices name (see <see cref="Index"/>) are replaced by values, or have them added.</summary>
    /// <param name="indices">int64 tensors, broadcast together, or masks; null is a whole dimension.</param>
    /// <param name="values">Of this tensor's type; broadcast to the shape that the indices give.</param>
    /// <param name="accumulate">Adds. Otherwise, of several values for one element, the last stays.</param>
    /// <exception cref="AutogradException">Indices, shapes or types do not fit.</exception>
    public Tensor IndexPut(Tensor?[] indices, Tensor values, bool accumulate = false)
    {
        ArgumentNullException.ThrowIfNull(indices);
        ArgumentNullException.ThrowIfNull(values);
        return Scattering.IndexPut.Apply([this, .. indices, values], Attributes.Of("accumulate", accumulate))[0];
    }

    /// <summary>Writes values at the elements that indices name, or adds them, and gives this tensor back.</summary>
    /// <inheritdoc cref="IndexPut"/>
    public Tensor IndexPutInPlace(Tensor?[] indices, Tensor values, bool accumulate = false)
    {
        ArgumentNullException.ThrowIfNull(indices);
        ArgumentNullException.ThrowIfNull(values);
        return Scattering.IndexPut.ApplyInPlace([this, .. indices, values], Attributes.Of("accumulate", accumulate));
    }
}
