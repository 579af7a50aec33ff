using System.Text;
using Verified.Engine;

namespace Verified.Training;

/// <summary>The rows of a table that indices (int64, any shape) name: [..] to [.., width].</summary>
/// <remarks>Initial values are PyTorch's: normal; the row of the padding index is zero and gets no gradient.</remarks>
public sealed class Embedding : Module
{
    private readonly Parameter weight;
    private readonly int? paddingIdx;
    private readonly double? maxNorm;
    private readonly double normType;
    private readonly bool scaleGradByFreq;

    /// <summary>A table with initial values from the default generator.</summary>
    /// <param name="numEmbeddings">The number of rows.</param>
    /// <param name="embeddingDim">The width of a row.</param>
    /// <param name="paddingIdx">The row that stands for nothing, counted from either end.</param>
    /// <param name="maxNorm">The largest norm of a row: a longer one is made as short in the table itself, when it is looked up. Null for any.</param>
    /// <param name="normType">Which norm: 2 is the Euclidean one.</param>
    /// <param name="scaleGradByFreq">Whether a row's gradient is divided by how often the row is looked up in the batch.</param>
    /// <param name="dtype">The type of the table.</param>
    /// <exception cref="ArgumentException">The padding index is no row.</exception>
    public Embedding(
        int numEmbeddings,
        int embeddingDim,
        int? paddingIdx = null,
        double? maxNorm = null,
        double normType = 2,
        bool scaleGradByFreq = false,
        DType dtype = DType.Float32)
    {
        (this.maxNorm, this.normType, this.scaleGradByFreq) = (maxNorm, normType, scaleGradByFreq);
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
    public override Tensor Forward(Tensor input)
    {
        if (maxNorm is { } most) Shorten(input, most);
        return input.Embedding(Weight, paddingIdx, scaleGradByFreq);
    }

    /// <summary>As PyTorch's <c>embedding_renorm_</c>: only the rows that are looked up, in the table.</summary>
    private void Shorten(Tensor input, double most)
    {
        using var off = Autograd.NoGrad();
        foreach (var index in input.ToLongs().Distinct().Order())
        {
            var row = Weight.Select(0, (int)index);
            var norm = row.Norm(normType).Item();
            if (norm > most) row.MulInPlace(most / (norm + 1e-7));
        }
    }

    /// <inheritdoc/>
    protected override string ExtraRepr()
    {
        var text = new StringBuilder($"{Weight.Size(0)}, {Weight.Size(1)}");
        if (paddingIdx is { } row) text.Append($", padding_idx={row}");
        if (maxNorm is { } most) text.Append($", max_norm={PythonText.Of(most)}");
        if (normType != 2) text.Append($", norm_type={PythonText.Of(normType)}");
        if (scaleGradByFreq) text.Append(", scale_grad_by_freq=True");
        return text.ToString();
    }
}
