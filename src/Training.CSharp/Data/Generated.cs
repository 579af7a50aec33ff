using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Data made from a seed, for where the real files are not at hand: of the same shapes, and such that a linear model cannot do what the examples' models do.
/// The same seed gives the same data; different seeds, different records of the same classes.
/// </summary>
public static class Generated
{
    private const int Classes = 10;

    /// <summary>The seed of what the classes look like, the same for training and test data.</summary>
    private const long LooksSeed = 20_26;

    /// <summary>
    /// Features and labels of a linear model with noise: X of standard normal draws, y = X w + b and normal noise of deviation 0.01.
    /// </summary>
    /// <param name="w">The weights.</param>
    /// <param name="b">The offset.</param>
    /// <param name="count">How many records.</param>
    /// <param name="generator">What is drawn from; the default generator where left out.</param>
    /// <returns>Features (count, weights) and labels (count, 1), float32.</returns>
    /// <remarks>Source: Dive into Deep Learning, synthetic_data.</remarks>
    public static (Tensor Features, Tensor Labels) LinearData(double[] w, double b, int count, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(w);
        var features = Rng.Normal(0, 1, [count, w.Length], generator: generator);
        var weights = Tensor.Create(Array.ConvertAll(w, v => (float)v), [w.Length, 1]);
        var labels = features.Matmul(weights) + b;
        return (features, labels + Rng.Normal(0, 0.01, [count, 1], generator: generator));
    }

    /// <summary>
    /// Colour images of 32 x 32 in ten classes, in the shape of <see cref="Cifar10"/>. A class is the direction and the width of stripes; where they start, which
    /// colours they have and which is the brighter is left to chance, so that the mean image of every class is the same and a linear model is mostly wrong.
    /// </summary>
    public static ImageDataset CifarLike(int count, long seed)
    {
        const int size = 32;
        var random = new Generator(seed);
        var planes = new byte[count * 3 * size * size];
        var labels = new byte[count];
        Span<double> low = stackalloc double[3], high = stackalloc double[3];
        for (var i = 0; i < count; i++)
        {
            var label = (int)(random.Draw32() % Classes);
            labels[i] = (byte)label;
            // Five directions, two widths.
            var angle = ((label % 5 * 0.2) + ((random.DrawSingle() - 0.5) * 0.06)) * Math.PI;
            var wave = 2 * Math.PI / ((label < 5 ? 4 : 8) * (0.9 + (0.2 * random.DrawSingle())));
            var start = 2 * Math.PI * random.DrawSingle();
            for (var c = 0; c < 3; c++) (low[c], high[c]) = (random.DrawSingle(), random.DrawSingle());
            var (dx, dy) = (Math.Cos(angle) * wave, Math.Sin(angle) * wave);
            for (var y = 0; y < size; y++)
            {
                for (var x = 0; x < size; x++)
                {
                    var mix = 0.5 + (0.5 * Math.Sin((dx * x) + (dy * y) + start));
                    for (var c = 0; c < 3; c++)
                        planes[(((i * 3) + c) * size * size) + (y * size) + x] = Byte(low[c] + (mix * (high[c] - low[c])) + Noise(random, 0.15));
                }
            }
        }

        return new ImageDataset(planes, labels, [3, size, size], Cifar10.ClassNames);
    }

    /// <summary>
    /// Grey images of 28 x 28 in ten classes, in the shape of <see cref="FashionMnist"/>. A class is a smooth pattern, close to that of another class, moved by
    /// up to ten pixels and under noise. A linear model tells most of them apart; that a pattern may be anywhere takes a further layer.
    /// </summary>
    public static ImageDataset FashionLike(int count, long seed)
    {
        const int size = 28, moves = 10;
        var patterns = Patterns(size + moves);
        var random = new Generator(seed);
        var planes = new byte[count * size * size];
        var labels = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var label = (int)(random.Draw32() % Classes);
            labels[i] = (byte)label;
            var (left, top) = ((int)(random.Draw32() % (moves + 1)), (int)(random.Draw32() % (moves + 1)));
            var strength = 0.6 + (0.4 * random.DrawSingle());
            for (var y = 0; y < size; y++)
            {
                for (var x = 0; x < size; x++)
                {
                    var value = patterns[label][((y + top) * (size + moves)) + x + left] * strength;
                    planes[(i * size * size) + (y * size) + x] = Byte(value + Noise(random, 0.45));
                }
            }
        }

        return new ImageDataset(planes, labels, [1, size, size], FashionMnist.ClassNames);
    }

    /// <summary>
    /// Colour images with discs on them, and a mask of two channels: discs with level stripes, discs with upright ones. Colours and where stripes start are left
    /// to chance, and the ground is as bright and as rough, so that neither a pixel nor a linear filter says what it belongs to.
    /// </summary>
    /// <param name="count">How many records.</param>
    /// <param name="size">Height and width, at least 16.</param>
    /// <param name="seed">What all is drawn from.</param>
    /// <returns>Inputs float32 (3, size, size) in 0 to 1, targets float32 (2, size, size) of zeros and ones.</returns>
    public static TensorDataset Segmentation(int count, int size, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 16);
        var random = new Generator(seed);
        var inputs = new float[count * 3 * size * size];
        var targets = new float[count * 2 * size * size];
        for (var i = 0; i < count; i++) DrawDiscs(random, size, inputs.AsSpan(i * 3 * size * size), targets.AsSpan(i * 2 * size * size));
        return new TensorDataset(Tensor.Create(inputs, [count, 3, size, size]), Tensor.Create(targets, [count, 2, size, size]));
    }

    private static void DrawDiscs(Generator random, int size, Span<float> image, Span<float> mask)
    {
        var plane = size * size;
        for (var i = 0; i < plane; i++)
            for (var c = 0; c < 3; c++) image[(c * plane) + i] = (float)Math.Clamp(0.5 + Noise(random, 0.35), 0, 1);
        var discs = 2 + (int)(random.Draw32() % 3);
        for (var d = 0; d < discs; d++)
        {
            var upright = d % 2;
            var radius = size * (0.12 + (0.12 * random.DrawSingle()));
            var (centreX, centreY) = (size * random.DrawSingle(), size * random.DrawSingle());
            var start = (int)(random.Draw32() % 4);
            var (first, second) = (random.DrawSingle(), random.DrawSingle());
            // Stripes of two colours that differ visibly, the darker or the brighter first.
            second = first < 0.5f ? 0.6f + (0.4f * second) : 0.4f * second;
            for (var y = 0; y < size; y++)
            {
                for (var x = 0; x < size; x++)
                {
                    if (Math.Pow(x - centreX, 2) + Math.Pow(y - centreY, 2) > radius * radius) continue;
                    var stripe = ((upright == 1 ? x : y) + start) / 2 % 2 == 0 ? first : second;
                    var at = (y * size) + x;
                    for (var c = 0; c < 3; c++) image[(c * plane) + at] = (float)Math.Clamp(stripe + Noise(random, 0.15), 0, 1);
                    (mask[at], mask[plane + at]) = (1 - upright, upright);
                }
            }
        }
    }

    /// <summary>A smooth pattern of values in 0 to 1 for each class; each second one is a variation of the one before it.</summary>
    private static double[][] Patterns(int size)
    {
        var random = new Generator(LooksSeed);
        var patterns = new double[Classes][];
        for (var k = 0; k < Classes; k++)
        {
            var own = Waves(random, size);
            patterns[k] = k % 2 == 0 ? own : [.. own.Select((v, i) => (0.65 * patterns[k - 1][i]) + (0.35 * v))];
        }

        return [.. patterns.Select(Stretched)];
    }

    private static double[] Waves(Generator random, int size)
    {
        var sum = new double[size * size];
        for (var w = 0; w < 6; w++)
        {
            var (dx, dy) = ((random.DrawSingle() - 0.5) * 0.7, (random.DrawSingle() - 0.5) * 0.7);
            var start = 2 * Math.PI * random.DrawSingle();
            for (var i = 0; i < sum.Length; i++) sum[i] += Math.Sin((dx * (i % size)) + (dy * (i / size)) + start);
        }

        return sum;
    }

    private static double[] Stretched(double[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        return Array.ConvertAll(values, v => (v - low) / (high - low));
    }

    private static double Noise(Generator random, double width) => (random.DrawSingle() - 0.5) * 2 * width;

    private static byte Byte(double value) => (byte)Math.Round(Math.Clamp(value, 0, 1) * 255);
}
