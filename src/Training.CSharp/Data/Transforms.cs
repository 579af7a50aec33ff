using Verified.Engine;

namespace Verified.Training;

/// <summary>From a tensor to a tensor, drawing from a generator what is left to chance.</summary>
/// <param name="x">An image (channels, height, width), unless the transform says otherwise.</param>
/// <param name="random">The loader gives each batch a generator of its own.</param>
public delegate Tensor Transform(Tensor x, Generator random);

/// <summary>
/// Normalising and augmenting, by torchvision's names and definitions. Chance comes from the generator handed in, drawn in torchvision's order.
/// <c>ToTensor</c> is <see cref="Image.ToTensor"/>; the data sets here give tensors already.
/// </summary>
public static class Transforms
{
    /// <summary>One transform after the other.</summary>
    public static Transform Compose(params Transform[] transforms)
    {
        ArgumentNullException.ThrowIfNull(transforms);
        Transform[] all = [.. transforms];
        return (x, random) =>
        {
            foreach (var transform in all) x = transform(x, random);
            return x;
        };
    }

    /// <summary>(x - mean) / std per channel.</summary>
    /// <param name="mean">One number per channel, or one for all.</param>
    /// <param name="std">As many, none of them 0.</param>
    /// <exception cref="ArgumentException">There are no channels, not as many of both, or a 0 among the divisors. The transform throws it, too: for an image of another number of channels.</exception>
    public static Transform Normalize(double[] mean, double[] std)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(std);
        if (mean.Length == 0 || mean.Length != std.Length)
            throw new ArgumentException($"mean has {mean.Length} channels and std {std.Length}");
        if (std.Contains(0)) throw new ArgumentException("std is 0 in a channel, which leads to division by zero", nameof(std));
        var means = Constants(mean);
        var stds = Constants(std);
        return (x, _) =>
        {
            MustBeImage(x, "Normalize");
            if (mean.Length != 1 && mean.Length != x.Size(0))
                throw new ArgumentException($"Normalize was given {mean.Length} channels, the image {ShapeText.Of(x)} has {x.Size(0)}");
            return (x - means) / stds;
        };
    }

    /// <summary>A part of the given size at a random place, after padding with zeros.</summary>
    /// <param name="size">Height and width of the result.</param>
    /// <param name="padding">Zeros added at each edge first.</param>
    /// <exception cref="ArgumentException">Thrown by the transform: the padded image is smaller than the part.</exception>
    public static Transform RandomCrop(int size, int padding = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(padding);
        return (x, random) =>
        {
            MustBeImage(x, "RandomCrop");
            if (padding > 0) x = x.Pad([padding, padding, padding, padding]);
            var (height, width) = (x.Size(1), x.Size(2));
            if (height < size || width < size)
                throw new ArgumentException($"Required crop size {(size, size)} is larger than input image size {(height, width)}");
            // torchvision draws nothing where there is no choice.
            if (height == size && width == size) return x;
            var top = (int)Rng.Randint(0, height - size + 1, [1], random).Item();
            var left = (int)Rng.Randint(0, width - size + 1, [1], random).Item();
            return x.Narrow(1, top, size).Narrow(2, left, size);
        };
    }

    /// <summary>Mirrors left and right with probability <paramref name="p"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not in 0 to 1.</exception>
    public static Transform RandomHorizontalFlip(double p = 0.5)
    {
        if (p is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(p), $"a probability lies in 0 to 1, not {p}");
        return (x, random) =>
        {
            MustBeImage(x, "RandomHorizontalFlip");
            return Rng.Rand([1], generator: random).Item() < p ? x.Flip(-1) : x;
        };
    }

    /// <summary>
    /// The same chance for an image and its mask: both pass through <paramref name="transform"/> with generators of one seed, drawn from the loader's.
    /// </summary>
    /// <param name="transform">A transform of images; a mask (height, width) is given to it as (1, height, width).</param>
    public static Func<Sample, Generator, Sample> Jointly(Transform transform)
    {
        ArgumentNullException.ThrowIfNull(transform);
        return (sample, random) =>
            {
                var seed = Rng.RandomLong(random);
                var flat = sample.Target.Rank == 2;
                var mask = transform(flat ? sample.Target.Unsqueeze(0) : sample.Target, new Generator(seed));
                return new Sample(transform(sample.Input, new Generator(seed)), flat ? mask.Squeeze(0) : mask);
            };
    }

    private static Tensor Constants(double[] values) => Tensor.Create(Array.ConvertAll(values, v => (float)v), [values.Length, 1, 1]);

    private static void MustBeImage(Tensor x, string what)
    {
        if (x.Rank != 3) throw new ArgumentException($"{what} takes an image (channels, height, width), not {ShapeText.Of(x)}");
    }
}
