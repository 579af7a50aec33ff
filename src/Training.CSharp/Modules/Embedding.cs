using Verified.Engine;

namespace Verified.Training;

/// <summary>The rows of a table that indices (int64, any shape) name: [..] to [.., width].</summary>
/// <remarks>Initial values are PyTorch's: normal; the row of the padding index is zero and gets no gradient.</remarks>
public sealed class Embedding : Module
{
    private readonly Parameter weight;
    private readonly int? paddingIdx;

    /// <summary>A table with initial values from the default generator.</summary>
    /// <param name="numEmbeddings">The number of rows.</param>
    /// <param name="embeddingDim">The width of a row.</param>
    /// <param name="paddingIdx">The row that stands for nothing, counted from either end.</param>
    /// <param name="dtype">The type of the table.</param>
    /// <exception cref="ArgumentException">The padding index is no row.</exception>
    public Embedding(int numEmbeddings, int embeddingDim, int? paddingIdx = null, DType dtype = DType.Float32)
    {
        if (paddingIdx is { } row)
        {
            if (row < -numEmbeddings || row >= numEmbeddings) throw new ArgumentException("Padding_idx must be within num_embeddings");
            this.paddingIdx = row < 0 ? row + numEmbeddings : row;
        }
        weight = new Parameter(Rng.Randn([numEmbeddings, embeddingDim], dtype));
        if (this.paddingIdx is not { } padding) return;
        using var off = Autograd.NoGrad();
        weight.Value.Select(0, padding).ZeroInPlace();
    }

    /// <summary>[rows, width].</summary>
    public Tensor Weight => weight.Value;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => input.Embedding(Weight, paddingIdx);

    /// <inheritdoc/>
    protected override string ExtraRepr() => $"{Weight.Size(0)}, {Weight.Size(1)}{(paddingIdx is { } row ? $", padding_idx={row}" : "")}";
}
