namespace Verified.Engine;

/// <summary>
/// A view as a window on its base: the node that a view gets when the memory under it was written to. Its derivative puts the gradient into zeros of the base's shape;
/// several elements of the window on one place add.
/// </summary>
internal static class AsStrided
{
    /// <summary>The operator <c>as_strided</c>.</summary>
    public static readonly Operator Definition = new StridedOperator();

    public static Attributes Describe(Tensor view) =>
        Attributes.Of(("size", view.Sizes), ("stride", view.Steps), ("storage_offset", (long)view.Offset));

    /// <summary>A window on a tensor's memory, recorded.</summary>
    public static Tensor Apply(Tensor of, Window window)
    {
        var view = of.Alias(window.Sizes, window.Steps, of.Offset + window.Offset);
        if (GradMode.Records && of.RequiresGrad)
            view.SetNode(new Node(Definition, Describe(view), [of.GradEdge], [new OutputForm(view.Sizes, view.DType)], null, window), 0);
        Views.Register(view, of, multiple: false);
        return view;
    }

    /// <summary>Where a view lies relative to its base. A gradient of the base is laid out with the base's own strides, also where these repeat elements.</summary>
    internal sealed class Window
    {
        public Window(Tensor view, Tensor @base)
        {
            Sizes = view.Sizes;
            Steps = view.Steps;
            Offset = view.Offset - @base.Offset;
            BaseSizes = @base.Sizes;
            BaseSteps = @base.Steps;
        }

        public int[] Sizes { get; }

        public int[] Steps { get; }

        public int Offset { get; }

        public int[] BaseSizes { get; }

        public int[] BaseSteps { get; }

        /// <summary>A tensor of zeros that lies as the base does.</summary>
        public Tensor BaseLike(DType dtype)
        {
            var last = 1L;
            for (var i = 0; i < BaseSizes.Length; i++) last += Math.Max(0L, BaseSizes[i] - 1) * BaseSteps[i];
            return new Tensor(Storage.CreateZeroed(Math.Max(last, 1) * dtype.Size()), dtype, BaseSizes, BaseSteps, 0);
        }
    }

    private sealed class StridedOperator : Operator
    {
        public StridedOperator()
            : base("as_strided", null) => Keywords = ["size", "stride", "storage_offset"];

        public override Tensor[] Invoke(OperatorCall call)
        {
            CheckKeywords(this, call.Attributes);
            var x = call.Tensor(0);
            var size = call.Attributes.Ints("size") ?? throw new AutogradException(ErrorKind.Value, "as_strided() needs 'size'");
            var stride = call.Attributes.Ints("stride") ?? throw new AutogradException(ErrorKind.Value, "as_strided() needs 'stride'");
            var offset = call.Attributes.Int("storage_offset", x.Offset);
            if (Array.Exists(stride, step => step < 0))
                throw new AutogradException(ErrorKind.Value, $"as_strided: Negative strides are not supported at the moment, got strides: {Shapes.Text(stride)}");
            if (size.Length != stride.Length || Array.Exists(size, n => n < 0) || offset < 0 || Last() >= x.Storage.ByteLength / x.DType.Size())
                throw new AutogradException(ErrorKind.Shape, $"as_strided(): size {Shapes.Text(size)}, stride {Shapes.Text(stride)} and offset {offset} reach beyond the storage");
            return [AsStrided.Apply(x, new Window(x.Alias(size, stride, offset), x))];

            // The place of the last element; of none, what lies before the first.
            long Last()
            {
                if (Array.IndexOf(size, 0) >= 0) return -1;
                var last = (long)offset;
                for (var i = 0; i < size.Length; i++) last += (size[i] - 1L) * stride[i];
                return last;
            }
        }

        internal override void Backward(BackwardContext context)
        {
            if (context.Gradient(0) is not { } g || !context.Needs(0)) return;
            var window = (Window)context.Node.State!;
            if (g.Count == 0)
            {
                // Zeros that no gradient is part of, as PyTorch's.
                context.Set(0, Tensor.Zeros(window.BaseSizes, g.DType));
                return;
            }
            var whole = window.BaseLike(g.DType);
            var part = Apply(whole, window);
            if (Overlap.IsNonOverlappingAndDense(part) || !HasRepeats(part)) part.CopyInPlace(g);
            else AddRepeated(whole, window, g);
            // PyTorch's is a view of the memory that it was put together in (as_strided_backward). Elements of the base that are one place share its gradient.
            var gradient = whole.Expand(whole.Sizes);
            context.Set(0, HasRepeats(gradient) ? gradient / Tensor.Number((double)Repeats(gradient)) : gradient);
        }

        private static bool HasRepeats(Tensor part)
        {
            for (var i = 0; i < part.Rank; i++)
                if (part.Steps[i] == 0 && part.Sizes[i] > 1) return true;
            return false;
        }

        // How many elements each place is.
        private static long Repeats(Tensor of)
        {
            var count = 1L;
            for (var i = 0; i < of.Rank; i++) count *= of.Steps[i] == 0 ? of.Sizes[i] : 1;
            return count;
        }

        /// <summary>Repeated elements come from dimensions of stride zero: the gradient is summed over them first.</summary>
        private static void AddRepeated(Tensor whole, Window window, Tensor g)
        {
            var repeated = new List<int>();
            var sizes = (int[])window.Sizes.Clone();
            for (var i = 0; i < sizes.Length; i++)
            {
                if (window.Steps[i] != 0 || sizes[i] <= 1) continue;
                repeated.Add(i);
                sizes[i] = 1;
            }
            var once = new Window(whole.Alias(sizes, window.Steps, whole.Offset + window.Offset), whole);
            Apply(whole, once).CopyInPlace(g.Sum([.. repeated], keepdim: true));
        }
    }
}
