using Verified.Engine;

namespace Verified.Training;

/// <summary>One record of a data set.</summary>
/// <param name="Input">What the model is given, without a batch dimension: an image is (channels, height, width).</param>
/// <param name="Target">What it is to answer: a class as an int64 scalar, a mask, a number.</param>
public readonly record struct Sample(Tensor Input, Tensor Target);

/// <summary>Several records, stacked along a new first dimension.</summary>
/// <param name="Input">(batch, ...) of the records' inputs.</param>
/// <param name="Target">(batch, ...) of the records' targets.</param>
public readonly record struct Batch(Tensor Input, Tensor Target)
{
    /// <summary>The number of records.</summary>
    public int Count => Input.Size(0);
}
