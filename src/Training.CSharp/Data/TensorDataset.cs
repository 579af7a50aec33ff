using Verified.Engine;

namespace Verified.Training;

/// <summary>Records that lie in memory as two tensors, as PyTorch's <c>TensorDataset</c>.</summary>
public sealed class TensorDataset : Dataset
{
    private readonly Tensor inputs;
    private readonly Tensor targets;

    /// <summary>A data set over tensors, which are not copied.</summary>
    /// <param name="inputs">(records, ...).</param>
    /// <param name="targets">(records, ...), as many.</param>
    /// <exception cref="ArgumentException">The two have different numbers of records, or no first dimension.</exception>
    public TensorDataset(Tensor inputs, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        if (inputs.Rank == 0 || targets.Rank == 0 || inputs.Size(0) != targets.Size(0))
            throw new ArgumentException($"inputs {ShapeText.Of(inputs)} and targets {ShapeText.Of(targets)} do not have the same number of records in their first dimension");
        this.inputs = inputs;
        this.targets = targets;
    }

    /// <inheritdoc/>
    public override int Count => inputs.Size(0);

    /// <inheritdoc/>
    public override Sample Get(int index, Generator random) => new(inputs.Select(0, index), targets.Select(0, index));

    /// <inheritdoc/>
    public override Batch GetBatch(ReadOnlySpan<int> indices, Generator random, CancellationToken cancellation = default)
    {
        var index = Tensor.Create(Array.ConvertAll(indices.ToArray(), i => (long)i));
        return new Batch(inputs.IndexSelect(0, index), targets.IndexSelect(0, index));
    }
}
