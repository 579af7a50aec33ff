namespace Verified.Engine;

/// <summary>A view operator's in-place twin, which changes the tensor's own shape and strides and moves no data: <c>t_</c>. PyTorch counts it as a write.</summary>
public sealed class InPlaceMetadata : Operator
{
    private readonly ViewOperator view;

    /// <summary>The in-place twin of a view.</summary>
    public InPlaceMetadata(ViewOperator view)
        : base((view ?? throw new ArgumentNullException(nameof(view))).Name + "_", view.NodeName[..^1] + "1")
    {
        this.view = view;
        Keywords = view.Keywords;
    }

    /// <inheritdoc/>
    public override Tensor[] Invoke(OperatorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        CheckKeywords(this, call.Attributes);
        return [Apply(call.Tensor(0), call.Attributes)];
    }

    /// <summary>Changes the tensor's shape and strides and gives it back.</summary>
    public Tensor Apply(Tensor self, Attributes? attributes = null)
    {
        ArgumentNullException.ThrowIfNull(self);
        return Calls.Heard ? Heard(self, attributes) : Write(self, attributes);
    }

    private Tensor Heard(Tensor self, Attributes? attributes) => Heard(true, [self], attributes, () => [Write(self, attributes)])[0];

    private Tensor Write(Tensor self, Attributes? attributes)
    {
        var write = new InPlaceWrite(this, self, self.RequiresGrad);
        var edge = write.Records ? self.GradEdge : default;
        Tensor window;
        try
        {
            using (Autograd.NoGrad()) window = view.Apply(self, attributes);
        }
        catch (AutogradException e) when (e.Message.StartsWith(view.Name + "()", StringComparison.Ordinal))
        {
            throw new AutogradException(e.Kind, Name + e.Message[view.Name.Length..]);
        }
        self.Sizes = window.Sizes;
        self.Steps = window.Steps;
        self.Offset = window.Offset;
        Views.CountWrite(self);
        if (!write.Records)
        {
            if ((self.ViewOf is null || self.NodeWithoutChecks is null) && self.KnownGradEdge is { Node: not null } known) UnrecordedShapes.Add(known, self.Sizes);
            return self;
        }
        var node = new EdgeList(edge).Record(this, attributes, self, null);
        if (self.ViewOf is { } info)
        {
            // A view stays a view: its own node is the write's, and the base's history does not change.
            info.Version = self.Storage.Version;
            HookTable.Move(self, self.NodeWithoutChecks, node);
            self.SetNode(node, 0);
        }
        else
        {
            Views.Rebase(self, node);
        }
        return self;
    }

    /// <inheritdoc/>
    internal override void Backward(BackwardContext context) => view.Backward(context);
}
