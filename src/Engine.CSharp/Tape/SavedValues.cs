namespace Verified.Engine;

/// <summary>
/// The lease on what a node's derivative needs: a slot for each input and, behind them, for each output. A value knows the version that its memory had when it was
/// saved. <see cref="End"/> lets go of all of them; after that reading is PyTorch's freed-graph error.
/// </summary>
internal sealed class SavedValues
{
    private const string Freed =
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
        + "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
        + "through the graph a second time or if you need to access saved tensors after calling backward.";

    private const string Detached =
        "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_()."
        + "This is not supported, please use out-of-place `.detach()` instead";

    private const string Hint =
        "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True).";

    private const string HintWithTrace =
        "Hint: the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed in there or anywhere later. Good luck!";

    private static Slot nothing;

    private readonly int inputs;
    private Slot slot0;
    private Slot slot1;
    private Slot slot2;
    private Slot[]? more;
    private volatile bool ended;
    private bool numbers;
    private bool others;

    /// <summary>A lease for a node with this many inputs; outputs take the slots behind them.</summary>
    /// <param name="inputs">The number of inputs.</param>
    /// <param name="outputs">How many outputs there will be, where that is known.</param>
    public SavedValues(int inputs, int outputs = 0)
    {
        this.inputs = inputs;
        if (inputs + outputs > 3) more = new Slot[inputs + outputs - 3];
    }

    /// <summary>Whether nothing is checked before a value is read: a custom function may leave unread what it saved.</summary>
    public bool IsLazy { get; init; }

    /// <summary>Whether <see cref="End"/> was called.</summary>
    public bool Ended => ended;

    /// <summary>Holds an input as it is now.</summary>
    public void SaveInput(int index, Tensor value)
    {
        if (value.IsInference)
        {
            throw new AutogradException(
                ErrorKind.Other,
                "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd.");
        }
        if (value.IsDerivedNumber) numbers = true;
        else others = true;
        Reserved(index) = new Slot(value, value.Storage.Version, value.IsLeaf ? Slot.Leaf : Slot.Computed, null, 0);
    }

    /// <summary>Holds an output as it is now. <paramref name="maker"/> names its node where that is not the node that saves it, after an in-place operation on a view.</summary>
    public void SaveOutput(int index, Tensor value, Node? maker = null, int output = 0)
    {
        others = true;
        Reserved(inputs + index) = new Slot(value, value.Storage.Version, Slot.Output, maker, output);
    }

    /// <summary>The saved input, checked.</summary>
    public Tensor? Input(int index, Node owner) => At(index).Unpack(owner, index, this);

    /// <summary>The saved output, checked, as a tensor made by its node.</summary>
    public Tensor? Output(int index, Node owner) => At(inputs + index).Unpack(owner, index, this);

    /// <summary>Raises the error that reading any of the values would raise; PyTorch unpacks all of them, needed or not.</summary>
    public void Check(Node owner)
    {
        if (IsLazy) return;
        CheckLease();
        var order = (CopySlices.Inner(owner) ?? owner).Operator.KeptOrder;
        for (var i = 0; i < order.Length; i++) At(order[i]).Check(owner, 0, this);
        slot0.Check(owner, 0, this);
        slot1.Check(owner, 0, this);
        slot2.Check(owner, 0, this);
        if (more is not { } rest) return;
        for (var i = 0; i < rest.Length; i++) rest[i].Check(owner, Math.Max(0, i + 3 - inputs), this);
    }

    /// <summary>Raises PyTorch's error where an earlier backward released the values.</summary>
    public void CheckLease()
    {
        if (ended) throw new AutogradException(ErrorKind.FreedGraph, Freed);
    }

    /// <summary>Lets go of the values; of a derivative rule's numbers alone nobody has to.</summary>
    public void End()
    {
        if (numbers && !others) return;
        ended = true;
        // Whoever on another thread finds a slot cleared then finds this too.
        Volatile.WriteBarrier();
        slot0 = slot1 = slot2 = default;
        more = null;
    }

    /// <summary>Which slots hold a value: those of inputs first, then those of outputs.</summary>
    public IEnumerable<(bool IsOutput, int Index, Tensor Value)> All()
    {
        for (var i = 0; i < 3 + (more?.Length ?? 0); i++)
            if (At(i).Value is { } value) yield return (i >= inputs, i >= inputs ? i - inputs : i, value);
    }

    private ref Slot Reserved(int index)
    {
        if (index >= 3 && (more?.Length ?? 0) < index - 2) Array.Resize(ref more, index - 2);
        return ref At(index);
    }

    private ref Slot At(int index)
    {
        switch (index)
        {
            case 0: return ref slot0;
            case 1: return ref slot1;
            case 2: return ref slot2;
            default:
                if (more is { } rest && index - 3 < rest.Length) return ref rest[index - 3];
                // Nothing was saved there, or another thread has ended the lease since.
                CheckLease();
                return ref nothing;
        }
    }

    private readonly struct Slot(Tensor value, int version, byte role, Node? maker, int output)
    {
        public const byte Leaf = 0;
        public const byte Computed = 1;
        public const byte Output = 2;

        public readonly Tensor? Value = value;
        private readonly Node? maker = maker;
        private readonly int version = version;
        private readonly int output = output;
        private readonly byte role = role;

        public Tensor? Unpack(Node owner, int index, SavedValues lease)
        {
            var (value, by, number, use) = (Value, maker, output, role);
            // Another thread may clear the slot while it is read: what was read counts only if the lease had not ended by then.
            Volatile.ReadBarrier();
            lease.CheckLease();
            if (value is null) return null;
            Check(owner, index, lease);
            // Places are data, which nothing leads back from.
            if (use != Output || !value.DType.IsFloat()) return value;
            var alias = value.Alias(value.Sizes, value.Steps, value.Offset);
            if (by is null) alias.SetNode(owner, index);
            else alias.SetNode(by, number);
            return alias;
        }

        public void Check(Node owner, int index, SavedValues lease)
        {
            if (Value is not { } value) return;
            if (role == Computed && value.NodeWithoutChecks is null && !value.IsView) throw new AutogradException(ErrorKind.Other, Detached);
            if (value.Storage.Version != version) throw Modified(value, owner, index, lease);
        }

        private AutogradException Modified(Tensor value, Node owner, int index, SavedValues lease)
        {
            var (saved, by, number, use) = (version, maker, output, role);
            Volatile.ReadBarrier();
            lease.CheckLease();
            var (node, place) = use == Output ? (by ?? owner, by is null ? index : number) : (value.GradNode, value.OutputNumber);
            // A result that was transposed in place is named as it was made.
            var sizes = use == Output ? node!.Form(place).Shape : value.Sizes;
            // A result of integers has no history to name.
            var origin = node is null || !value.DType.IsFloat() ? "" : $", which is output {place} of {node.Name},";
            return new AutogradException(
                ErrorKind.ModifiedInPlace,
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                + $"[{TypeName(value.DType)} {Shapes.Text(sizes)}]{origin} is at version {value.Storage.Version}; expected version {saved} instead. "
                + (GradMode.DetectsAnomalies ? HintWithTrace : Hint));
        }

        /// <summary>PyTorch's name of a tensor's type; that of truth values is the C++ one.</summary>
        private static string TypeName(DType dtype) => dtype == DType.Bool ? "CPUBoolType" : $"torch.{dtype.ScalarType()}Tensor";
    }
}
