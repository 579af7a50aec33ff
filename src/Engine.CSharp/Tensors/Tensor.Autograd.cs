using System.Runtime.CompilerServices;

namespace Verified.Engine;

public sealed partial class Tensor
{
    private Node? node;
    private int outputNumber;
    private bool leafRequiresGrad;
    private LeafState? leaf;

    /// <summary>
    /// Whether gradients flow to this tensor. Setting it is for leaves of a floating-point type. A view that was made with recording off of a tensor that requires a gradient
    /// reports true although none reaches its base (pytorch#11390).
    /// </summary>
    public bool RequiresGrad
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => leafRequiresGrad || node is not null || (ViewOf is { } view && view.Base.RequiresGrad);
        set => SetRequiresGrad(value, "only Tensors of floating point and complex dtype can require gradients");
    }

    /// <summary>Whether nothing was recorded for this tensor: it was given, or computed without a gradient.</summary>
    public bool IsLeaf => GradNode is null;

    /// <summary>The node that made this tensor, or null for a leaf.</summary>
    public Node? GradFn => GradNode;

    /// <summary>Which of <see cref="GradFn"/>'s outputs this is.</summary>
    public int OutputNumber => outputNumber;

    /// <summary>Whether this is a view of another tensor.</summary>
    public bool IsView => ViewOf is not null;

    /// <summary>
    /// The accumulated gradient of a leaf, or of a tensor that retains its own; null where none has arrived. It has this tensor's shape and type;
    /// assigning it checks that, and null forgets it.
    /// </summary>
    public Tensor? Grad
    {
        get => leaf?.Grad;
        set
        {
            if (value is null)
            {
                if (leaf is not null) leaf.Grad = null;
                return;
            }
            if (ReferenceEquals(value, this)) throw new AutogradException(ErrorKind.Other, "can't assign Variable as its own grad");
            if (value.DType != dtype)
            {
                throw new AutogradException(
                    ErrorKind.Dtype,
                    $"attempting to assign a gradient with dtype '{value.DType.CName()}' to a tensor with dtype '{dtype.CName()}'. "
                    + "Please ensure that the gradient and the tensor have the same dtype");
            }
            if (!Shapes.Same(value.Sizes, Sizes))
            {
                throw new AutogradException(
                    ErrorKind.GradientShape,
                    $"attempting to assign a gradient of size '{Shapes.Text(value.Sizes)}' to a tensor of size '{Shapes.Text(Sizes)}'. "
                    + "Please ensure that the gradient and the tensor are the same size");
            }
            State.Grad = value;
        }
    }

    /// <summary>Whether <see cref="RetainGrad"/> was called on a computed tensor.</summary>
    public bool RetainsGrad => leaf is { Retains: true };

    /// <summary>What this view remembers; null for a tensor that is no view.</summary>
    internal ViewInfo? ViewOf { get; set; }

    /// <summary>The node as it was last set, which for a view of written memory may be out of date.</summary>
    internal Node? NodeWithoutChecks => node;

    /// <summary>The node, made anew for a view of memory that was written to since.</summary>
    internal Node? GradNode
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ViewOf is null ? node : Views.CurrentNode(this, ViewOf);
    }

    /// <summary>Where a gradient of this tensor flows to.</summary>
    internal Edge GradEdge
    {
        get
        {
            if (GradNode is { } made) return new Edge(made, outputNumber);
            return leafRequiresGrad ? new Edge(Accumulator, 0) : default;
        }
    }

    /// <summary>Complains where an operator that records could not tell this tensor's history.</summary>
    internal void AskHistory()
    {
        if (GradMode.Records && RequiresGrad) _ = GradEdge;
    }

    /// <summary>Where a gradient flows to, where that exists already; a leaf's may not.</summary>
    internal Edge KnownGradEdge => node is { } made ? new Edge(made, outputNumber) : new Edge(leaf?.Accumulator, 0);

    /// <summary>The state of the handle that only leaves and retained tensors have.</summary>
    internal LeafState State => leaf ?? Interlocked.CompareExchange(ref leaf, new LeafState(), null) ?? leaf;

    private Node Accumulator
    {
        get
        {
            var state = State;
            if (state.Accumulator is { } known) return known;
            var made = new Node(Engine.Accumulation.Definition, null, [], [new OutputForm(Sizes, dtype)], null, this);
            return Interlocked.CompareExchange(ref state.Accumulator, made, null) ?? made;
        }
    }

    /// <summary>Sets <see cref="RequiresGrad"/> and gives the tensor back, as PyTorch's <c>requires_grad_</c>.</summary>
    public Tensor RequiresGradInPlace(bool requiresGrad = true)
    {
        SetRequiresGrad(requiresGrad, "only Tensors of floating point dtype can require gradients");
        return this;
    }

    /// <summary>
    /// The same memory as a leaf that requires no gradient; a write to either is a write to both, and counted as such. A tensor of inference
    /// mode has no count to share: outside of that mode its alias begins one.
    /// </summary>
    public Tensor Detach() => Calls.Heard ? Heard("detach", Attributes.None, t => t.Detached()) : Detached();

    private Tensor Detached() => IsInference && !GradMode.Inference ? WithOwnVersion() : Alias(Sizes, Steps, Offset);

    /// <summary>Makes this tensor a leaf that requires no gradient. Not for views. Inference mode knows no histories, and leaves them alone.</summary>
    public Tensor DetachInPlace() => Calls.Heard ? Heard("detach_", Attributes.None, t => t.CutInPlace()) : CutInPlace();

    private Tensor CutInPlace()
    {
        if (GradMode.Inference) return this;
        if (ViewOf is not null)
        {
            throw new AutogradException(
                ErrorKind.DetachView,
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, "
                + "gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the "
                + "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.");
        }
        if (node is not null) HookTable.KeepForLeaf(node, outputNumber, this);
        node = null;
        outputNumber = 0;
        leafRequiresGrad = false;
        if (leaf is not null) leaf.Retains = false;
        return this;
    }

    /// <summary>The same memory as a leaf with a version count of its own: writes to it are not noticed by what was saved, as with PyTorch's <c>.data</c>.</summary>
    public Tensor Data => Calls.Heard ? Heard("data", Attributes.None, t => t.WithOwnVersion()) : WithOwnVersion();

    private Tensor WithOwnVersion() => new(Storage.WithOwnVersion(), dtype, Sizes, Steps, Offset) { IsInference = IsInference && GradMode.Inference };

    /// <summary>Collects the gradient of a computed tensor in <see cref="Grad"/>; does nothing for a leaf.</summary>
    public void RetainGrad()
    {
        if (Calls.Heard)
        {
            _ = Heard("retain_grad", Attributes.None, t => t.Retaining());
            return;
        }
        _ = Retaining();
    }

    private Tensor Retaining()
    {
        if (!RequiresGrad)
            throw new AutogradException(ErrorKind.RetainGradWithoutGrad, "can't retain_grad on Tensor that has requires_grad=False");
        // A view that must not be used any more and never had a history has no gradient to retain.
        if (RetainsGrad || (node is null && ViewOf is { Origin: not ViewOrigin.Default })) return this;
        if (GradNode is not { } made) return this;
        State.Retains = true;
        HookTable.For(made).Retain(outputNumber, this);
        return this;
    }

    /// <summary>Calls a function with the gradient of this tensor whenever one was computed; what it returns, if not null, takes the gradient's place.</summary>
    /// <exception cref="AutogradException">This tensor requires no gradient.</exception>
    public HookHandle RegisterHook(Func<Tensor, Tensor?> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        if (!RequiresGrad)
            throw new AutogradException(ErrorKind.Other, "cannot register a hook on a tensor that doesn't require gradient");
        if (Calls.Heard) _ = Heard("register_hook", Attributes.None, t => t);
        // A view made with recording off requires a gradient by its base alone, and leads nowhere: its hook waits for it to become a leaf.
        return GradNode is { } made ? HookTable.For(made).Add(outputNumber, hook) : HookTable.For(this).Add(0, hook);
    }

    /// <summary>Calls a function with this leaf whenever a gradient has just been added to its <see cref="Grad"/>.</summary>
    /// <exception cref="AutogradException">This tensor requires no gradient, or is no leaf.</exception>
    public HookHandle RegisterPostAccumulateGradHook(Action<Tensor> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        if (!RequiresGrad)
            throw new AutogradException(ErrorKind.Other, "cannot register a hook on a tensor that doesn't require gradient");
        if (!IsLeaf) throw new AutogradException(ErrorKind.Other, "post accumulate grad hooks cannot be registered on non-leaf tensors");
        var handle = new HookHandle(hook);
        var state = State;
        lock (state) state.AfterAccumulation = [.. state.AfterAccumulation.Where(h => !h.Removed), handle];
        return handle;
    }

    /// <summary>Forgets the gradient or, with <paramref name="setToNone"/> false, detaches it and fills it with zeros in place.</summary>
    public void ZeroGrad(bool setToNone = true)
    {
        if (Calls.Heard) _ = Heard("zero_grad", Attributes.Of("set_to_none", setToNone), t => t.Zeroing(setToNone));
        else _ = Zeroing(setToNone);
    }

    private Tensor Zeroing(bool setToNone)
    {
        if (leaf?.Grad is not { } grad) return this;
        if (setToNone)
        {
            leaf.Grad = null;
            return this;
        }
        if (grad.GradNode is not null) grad.DetachInPlace();
        else grad.leafRequiresGrad = false;
        grad.ZeroInPlace();
        return this;
    }

    /// <summary>Computes the gradients of this tensor's leaves and adds them to their <see cref="Grad"/>: see <see cref="Autograd.Backward(IReadOnlyList{Tensor}, IReadOnlyList{Tensor}, IReadOnlyList{Tensor}, bool?, bool)"/>.</summary>
    public void Backward(Tensor? gradient = null, bool? retainGraph = null, bool createGraph = false, IReadOnlyList<Tensor>? inputs = null) =>
        Autograd.Backward([this], gradient is null ? null : [gradient], inputs, retainGraph, createGraph);

    internal void SetNode(Node made, int output)
    {
        node = made;
        outputNumber = output;
    }

    /// <summary>A structural step where somebody listens.</summary>
    private Tensor Heard(string name, Attributes attributes, Func<Tensor, Tensor> make) =>
        Calls.Run(new MadeCall(name, new OperatorCall([this], attributes)), () => new[] { make(this) })[0];

    private void SetRequiresGrad(bool requiresGrad, string wrongType)
    {
        if (Calls.Heard) _ = Heard("requires_grad_", Attributes.Of("requires_grad", requiresGrad), t => t.Requiring(requiresGrad, wrongType));
        else _ = Requiring(requiresGrad, wrongType);
    }

    private Tensor Requiring(bool requiresGrad, string wrongType)
    {
        if (requiresGrad && !dtype.IsFloat()) throw new AutogradException(ErrorKind.RequiresGradDtype, wrongType);
        if (requiresGrad && IsInference && !GradMode.Inference)
            throw new AutogradException(ErrorKind.Other, "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
        // As the history was last set: asking for it could find that this view must not be used any more.
        if (node is not null)
        {
            if (requiresGrad) return this;
            throw new AutogradException(
                ErrorKind.NonleafRequiresGrad,
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation "
                + "use var_no_grad = var.detach().");
        }
        leafRequiresGrad = requiresGrad;
        return this;
    }
}

/// <summary>What only leaves and retained tensors have.</summary>
internal sealed class LeafState
{
    public Tensor? Grad;
    public Node? Accumulator;
    public bool Retains;
    public HookHandle[] AfterAccumulation = [];
}
