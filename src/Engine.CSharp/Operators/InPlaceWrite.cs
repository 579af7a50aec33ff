namespace Verified.Engine;

/// <summary>The edges of a node about to be made: one, two, or a list.</summary>
internal readonly struct EdgeList
{
    private readonly Edge first;
    private readonly Edge second;
    private readonly Edge[]? all;
    private readonly int count;

    public EdgeList(Edge only)
    {
        first = only;
        count = 1;
    }

    public EdgeList(Edge first, Edge second)
    {
        this.first = first;
        this.second = second;
        count = 2;
    }

    public EdgeList(Edge[] all)
    {
        this.all = all;
        count = all.Length;
    }

    /// <summary>A node of one output with these edges.</summary>
    public Node Record(Operator op, Attributes? attributes, Tensor output, SavedValues? saved)
    {
        var form = new OutputForm(output.Sizes, output.DType);
        return all is null ? new Node(op, attributes, first, second, count, form, saved) : new Node(op, attributes, all, [form], saved);
    }
}

/// <summary>What every in-place operation does around its kernel: the checks before, the version and the rewritten history after.</summary>
internal readonly struct InPlaceWrite
{
    private readonly Operator op;
    private readonly Tensor self;

    /// <summary>Checks that autograd allows the write; <paramref name="differentiable"/> tells whether the tensor or an operand requires a gradient.</summary>
    public InPlaceWrite(Operator op, Tensor self, bool differentiable)
    {
        this.op = op;
        this.self = self;
        Views.CheckInPlace(self, differentiable);
        Records = differentiable && GradMode.Records && self.DType.IsFloat();
    }

    /// <summary>Whether the write is recorded.</summary>
    public bool Records { get; }

    /// <summary>Counts the write and records it.</summary>
    public Tensor Finish(EdgeList edges, Attributes? attributes, SavedValues? saved, bool savesOutput)
    {
        Views.CountWrite(self);
        if (!Records) return self;
        var node = edges.Record(op, attributes, self, saved);
        Views.Rebase(self, node);
        if (savesOutput && saved is not null)
        {
            if (self.IsView) saved.SaveOutput(0, self, self.NodeWithoutChecks, self.OutputNumber);
            else saved.SaveOutput(0, self);
        }
        return self;
    }
}
