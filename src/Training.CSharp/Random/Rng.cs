using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// PyTorch's random tensors. From the same seed, uniform draws, permutations, integers and truth values are those of PyTorch 2.6 on the processor bit for
/// bit, and normal draws lie within 1e-6 of its.
/// </summary>
/// <remarks>
/// Truth values (<see cref="Bernoulli(int[], double, DType, Generator?)"/>, dropout) are those of PyTorch built without Intel's MKL; a build with MKL draws
/// them from another generator.
/// </remarks>
public static class Rng
{
    /// <summary>Seeds the default generator, as <c>torch.manual_seed</c>, and returns it.</summary>
    public static Generator ManualSeed(long seed) => Generator.Default.ManualSeed(seed);

    /// <summary>Uniform in [0, 1), as <c>torch.rand</c>.</summary>
    /// <param name="shape">The shape; <c>[]</c> for one number.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="generator">What to draw from; the default one where null.</param>
    public static Tensor Rand(int[] shape, DType dtype = DType.Float32, Generator? generator = null) => Uniform(shape, 0, 1, dtype, generator);

    /// <summary>Uniform in [from, to), as <c>torch.empty(shape).uniform_(from, to)</c>.</summary>
    /// <inheritdoc cref="Rand"/>
    /// <exception cref="ArgumentException"><paramref name="from"/> is not at most <paramref name="to"/>.</exception>
    public static Tensor Uniform(int[] shape, double from, double to, DType dtype = DType.Float32, Generator? generator = null)
    {
        if (!(from <= to)) throw new ArgumentException($"uniform draws need from <= to, not [{from}, {to})");
        return Fill(
            shape,
            dtype,
            generator,
            (g, data) =>
            {
                float low = (float)from, width = (float)to - low;
                // One rounding, as the compiler of PyTorch's kernel has it.
                for (var i = 0; i < data.Length; i++) data[i] = MathF.FusedMultiplyAdd(g.DrawSingle(), width, low);
            },
            (g, data) =>
            {
                for (var i = 0; i < data.Length; i++) data[i] = Math.FusedMultiplyAdd(g.DrawDouble(), to - from, from);
            });
    }

    /// <summary>Normal with mean 0 and standard deviation 1, as <c>torch.randn</c>.</summary>
    /// <inheritdoc cref="Rand"/>
    public static Tensor Randn(int[] shape, DType dtype = DType.Float32, Generator? generator = null) => Normal(0, 1, shape, dtype, generator);

    /// <summary>Normal draws, as <c>torch.normal(mean, std, size)</c>.</summary>
    /// <param name="mean">The mean.</param>
    /// <param name="std">The standard deviation, not negative.</param>
    /// <param name="shape">The shape; <c>[]</c> for one number.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="generator">What to draw from; the default one where null.</param>
    /// <exception cref="ArgumentException">The standard deviation is negative, or the type is not float32 or float64.</exception>
    public static Tensor Normal(double mean, double std, int[] shape, DType dtype = DType.Float32, Generator? generator = null)
    {
        if (!(std >= 0)) throw new ArgumentException($"normal expects std >= 0.0, but found std {std}");
        return Fill(shape, dtype, generator, (g, data) => NormalDraws.Fill(data, mean, std, g), (g, data) => NormalDraws.Fill(data, mean, std, g));
    }

    /// <summary>Integers in [low, high), int64, as <c>torch.randint(low, high, size)</c>.</summary>
    /// <exception cref="ArgumentException"><paramref name="low"/> is not below <paramref name="high"/>.</exception>
    public static Tensor Randint(long low, long high, int[] shape, Generator? generator = null)
    {
        if (low >= high) throw new ArgumentException($"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}");
        var range = (ulong)high - (ulong)low;
        return Integers(shape, generator, g => low + (long)((range >> 32 != 0 ? g.Draw64() : g.Draw32()) % range));
    }

    /// <summary>A whole number in [0, 2^63), as <c>torch.empty((), dtype=torch.int64).random_()</c>: the seed that PyTorch's loaders draw.</summary>
    public static long RandomLong(Generator? generator = null)
    {
        var g = generator ?? Generator.Default;
        lock (g.Gate) return (long)(g.Draw64() & long.MaxValue);
    }

    /// <summary>The numbers 0 to n - 1 in random order, int64, as <c>torch.randperm(n)</c>.</summary>
    public static Tensor Randperm(int n, Generator? generator = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        var g = generator ?? Generator.Default;
        var order = new long[n];
        for (var i = 0; i < n; i++) order[i] = i;
        lock (g.Gate)
        {
            for (var i = 0; i < n - 1; i++)
            {
                var j = i + (int)(g.Draw32() % (uint)(n - i));
                (order[i], order[j]) = (order[j], order[i]);
            }
        }
        return Tensor.Create(order);
    }

    /// <summary>Ones with probability p and zeros, as <c>torch.empty(shape).bernoulli_(p)</c>.</summary>
    /// <inheritdoc cref="Rand"/>
    public static Tensor Bernoulli(int[] shape, double p, DType dtype = DType.Float32, Generator? generator = null)
    {
        if (!(p is >= 0 and <= 1)) throw new ArgumentException($"bernoulli_ expects p to be in [0, 1], but got p={p}");
        if (dtype == DType.Bool)
        {
            var truths = new bool[Count(shape)];
            Locked(generator, g =>
            {
                for (var i = 0; i < truths.Length; i++) truths[i] = g.DrawDouble() < p;
            });
            return Tensor.Create(truths, shape);
        }
        return Fill(
            shape,
            dtype,
            generator,
            (g, data) =>
            {
                for (var i = 0; i < data.Length; i++) data[i] = g.DrawDouble() < p ? 1 : 0;
            },
            (g, data) =>
            {
                for (var i = 0; i < data.Length; i++) data[i] = g.DrawDouble() < p ? 1 : 0;
            });
    }

    /// <summary>Ones and zeros, each one with the probability at its place, as <c>torch.bernoulli(p)</c>; of p's shape and type.</summary>
    /// <exception cref="ArgumentException">A probability is not in 0 to 1, or the type is not float32 or float64.</exception>
    public static Tensor Bernoulli(Tensor p, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(p);
        ArgumentNullException.ThrowIfNull(p);
        var chances = p.ToDoubles();
        foreach (var chance in chances)
            if (!(chance is >= 0 and <= 1)) throw new ArgumentException($"Expected p_in >= 0 && p_in <= 1 to be true, but got {chance}");
        return Fill(
            p.Shape.ToArray(),
            p.DType,
            generator,
            (g, data) =>
            {
                for (var i = 0; i < data.Length; i++) data[i] = g.DrawSingle() < (float)chances[i] ? 1 : 0;
            },
            (g, data) =>
            {
                for (var i = 0; i < data.Length; i++) data[i] = g.DrawDouble() < chances[i] ? 1 : 0;
            });
    }

    private static Tensor Integers(int[] shape, Generator? generator, Func<Generator, long> draw)
    {
        var data = new long[Count(shape)];
        Locked(generator, g =>
        {
            for (var i = 0; i < data.Length; i++) data[i] = draw(g);
        });
        return Tensor.Create(data, shape);
    }

    private static Tensor Fill(int[] shape, DType dtype, Generator? generator, Action<Generator, float[]> singles, Action<Generator, double[]> doubles)
    {
        if (dtype == DType.Float32)
        {
            var data = new float[Count(shape)];
            Locked(generator, g => singles(g, data));
            return Tensor.Create(data, shape);
        }
        if (dtype == DType.Float64)
        {
            var data = new double[Count(shape)];
            Locked(generator, g => doubles(g, data));
            return Tensor.Create(data, shape);
        }
        throw new ArgumentException($"random numbers of this kind are float32 or float64, not {dtype.Name()}");
    }

    private static void Locked(Generator? generator, Action<Generator> draw)
    {
        var g = generator ?? Generator.Default;
        lock (g.Gate) draw(g);
    }

    private static int Count(int[] shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var count = 1;
        foreach (var size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            count = checked(count * size);
        }
        return count;
    }
}
