namespace Verified.Engine;

/// <summary>What a custom function's forward leaves for its backward.</summary>
public sealed class FunctionContext
{
    private readonly Node? node;
    private readonly bool[] needs;

    internal FunctionContext(bool[] needs) => this.needs = needs;

    /// <summary>The same for one backward.</summary>
    internal FunctionContext(FunctionContext forward, Node node, bool[] needs)
        : this(needs)
    {
        this.node = node;
        MaterializeGrads = forward.MaterializeGrads;
        State = forward.State;
        ToSave = forward.ToSave;
    }

    /// <summary>Whether a backward is handed zeros for an output that no gradient arrived at, as it is by default, or null.</summary>
    public bool MaterializeGrads { get; set; } = true;

    /// <summary>Anything that is not a tensor; versions of tensors put here are not checked.</summary>
    public object? State { get; set; }

    /// <summary>For each input, whether its gradient is wanted.</summary>
    public IReadOnlyList<bool> NeedsInputGrad => needs;

    /// <summary>
    /// In a backward: what was saved, in its order, with its history. Raises PyTorch's errors where it was written to since, or where an earlier backward released it.
    /// </summary>
    public IReadOnlyList<Tensor?> SavedTensors
    {
        get
        {
            if (node is null) return ToSave;
            var saved = new Tensor?[ToSave.Length];
            node.Saved!.CheckLease();
            for (var i = 0; i < saved.Length; i++) saved[i] = node.Saved.Output(i, node);
            return saved;
        }
    }

    /// <summary>In a backward: one of the tensors that were saved, as <see cref="SavedTensors"/>.</summary>
    /// <exception cref="InvalidOperationException">Null was saved there.</exception>
    public Tensor Saved(int index)
    {
        node?.Saved!.CheckLease();
        return (node is null ? ToSave[index] : node.Saved!.Output(index, node)) ?? throw new InvalidOperationException($"null was saved as tensor {index}");
    }

    internal Tensor?[] ToSave { get; private set; } = [];

    internal Tensor[] Dirty { get; private set; } = [];

    internal Tensor[] NonDifferentiable { get; private set; } = [];

    /// <summary>Keeps inputs, outputs or intermediate values for the backward, with the version they have at the end of the forward.</summary>
    public void SaveForBackward(params Tensor?[] tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ToSave = tensors;
    }

    /// <summary>Tells which inputs the forward wrote to. They must be among its results.</summary>
    public void MarkDirty(params Tensor[] inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        Dirty = inputs;
        foreach (var input in inputs) Views.CountWrite(input);
    }

    /// <summary>Tells which results no gradient flows from.</summary>
    public void MarkNonDifferentiable(params Tensor[] outputs)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        NonDifferentiable = outputs;
    }

    /// <summary>Forgets the tensors, which the node's lease holds from here on.</summary>
    internal void LetGo()
    {
        ToSave = new Tensor?[ToSave.Length];
        Dirty = [];
        NonDifferentiable = [];
    }
}
