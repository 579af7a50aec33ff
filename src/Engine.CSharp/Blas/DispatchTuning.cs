using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Verified.Engine.Blas;

/// <summary>How fast each backend is in one class of products.</summary>
/// <param name="Shape">The class.</param>
/// <param name="DType">"float32" or "float64".</param>
/// <param name="Speeds">GFLOP/s of one thread, the geometric mean over the class's products, in the order in which a rule should take the backends.</param>
public sealed record TunedProducts(ProductShape Shape, string DType, IReadOnlyList<(Backend Backend, double Speed)> Speeds);

/// <summary>How thoroughly is measured.</summary>
/// <param name="Rounds">Samples of each backend on each product; the fastest counts, since whatever else the machine does only slows down.</param>
/// <param name="Seconds">The least length of a sample.</param>
public sealed record TuningEffort(int Rounds, double Seconds)
{
    /// <summary>About half a minute.</summary>
    public static TuningEffort Full { get; } = new(9, 0.02);

    /// <summary>A few seconds: enough to see which backend is far behind, not which of two close ones is ahead.</summary>
    public static TuningEffort Quick { get; } = new(3, 0.002);
}

/// <summary>Measures which backend computes which class of products best on this processor, and writes that as a dispatch rule.</summary>
public static unsafe class DispatchTuning
{
    /// <summary>Backends whose speeds differ by less are taken as equally fast, and the managed kernel, which is always there, comes first.</summary>
    private const double Margin = 0.02;

    /// <summary>The products (m, n, k) that stand for each class: squares, layers, convolutions unfolded.</summary>
    internal static IReadOnlyDictionary<ProductShape, (int M, int N, int K)[]> Products { get; } = new Dictionary<ProductShape, (int, int, int)[]>
    {
        [ProductShape.Vector] = [(1, 256, 256), (256, 1, 256), (1, 1000, 1024)],
        [ProductShape.Tiny] = [(4, 4, 4), (8, 8, 8), (16, 16, 16), (10, 16, 64)],
        [ProductShape.Thin] = [(10, 256, 64), (64, 10, 784), (16, 2048, 75)],
        [ProductShape.Small] = [(32, 32, 32), (64, 64, 64), (96, 96, 96)],
        [ProductShape.Large] = [(128, 128, 128), (64, 256, 784), (256, 256, 256), (512, 512, 512)],
    };

    /// <summary>Measures every backend that a rule can name and that is there, one thread each, in turns.</summary>
    /// <param name="effort">How thoroughly.</param>
    /// <param name="progress">Told how many products are done, and of how many.</param>
    /// <param name="cancel">Ends it early with an <see cref="OperationCanceledException"/>.</param>
    public static IReadOnlyList<TunedProducts> Measure(TuningEffort effort, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(effort);
        Backend[] backends = [.. new[] { Backend.Managed, Backend.Mkl, Backend.OpenBlas }.Where(MatrixProducts.IsAvailable)];
        var (done, all) = (0, 2 * Products.Values.Sum(products => products.Length));
        var threads = Parallelism.Threads;
        Parallelism.Threads = 1;
        try
        {
            return [.. Products.Keys.SelectMany(shape => new[] { Class<float>(shape, "float32"), Class<double>(shape, "float64") })];
        }
        finally
        {
            Parallelism.Threads = threads;
        }

        TunedProducts Class<T>(ProductShape shape, string dtype)
            where T : unmanaged
        {
            var logarithms = new double[backends.Length];
            foreach (var (m, n, k) in Products[shape])
            {
                var seconds = Seconds<T>(backends, m, n, k, effort, cancel);
                for (var i = 0; i < backends.Length; i++) logarithms[i] += Math.Log(2.0 * m * n * k / seconds[i] / 1e9) / Products[shape].Length;
                progress?.Invoke(++done, all);
            }

            return new TunedProducts(shape, dtype, Ranked(backends.Select((backend, i) => (backend, Math.Exp(logarithms[i])))));
        }
    }

    /// <summary>The rule as the text of a file: this processor's lines, then the built-in rule for others.</summary>
    /// <param name="tuned">What was measured.</param>
    /// <param name="made">When, as it stands in the file.</param>
    public static string Rule(IReadOnlyList<TunedProducts> tuned, DateTime made)
    {
        ArgumentNullException.ThrowIfNull(tuned);
        var processor = Processor.Current;
        var vendor = processor.Family == 0 ? processor.Vendor : $"{processor.Vendor}/{processor.Family}";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Written by `verify tune` on {made:yyyy-MM-dd} on {processor}.\n");
        text.Append(CultureInfo.InvariantCulture, $"# In force where {DispatchRule.Variable} names this file; without that variable the built-in rule is. Speeds in GFLOP/s of one thread.\n\n");
        foreach (var (shape, dtype, speeds) in tuned)
        {
            var names = speeds.Select(speed => Named(speed.Backend));
            var numbers = speeds.Select(speed => speed.Speed.ToString("0.0", CultureInfo.InvariantCulture));
            text.Append(CultureInfo.InvariantCulture, $"{vendor} {processor.Isa} {dtype} {shape.ToString().ToLowerInvariant(),-6} {string.Join(' ', names)}   # {string.Join(", ", numbers)}\n");
        }

        text.Append("\n# For other processors, the built-in rule:\n\n").Append(DispatchRule.BuiltInText());
        return text.ToString();
    }

    /// <summary>The fastest first; of those within the margin of it the managed kernel.</summary>
    internal static IReadOnlyList<(Backend Backend, double Speed)> Ranked(IEnumerable<(Backend Backend, double Speed)> speeds)
    {
        var sorted = speeds.OrderByDescending(speed => speed.Speed).ToList();
        var managed = sorted.FindIndex(speed => speed.Backend == Backend.Managed);
        if (managed <= 0 || sorted[managed].Speed < sorted[0].Speed * (1 - Margin)) return sorted;
        var first = sorted[managed];
        sorted.RemoveAt(managed);
        return [first, .. sorted];
    }

    /// <summary>A backend as a rule names it: a library from the version on that was measured.</summary>
    private static string Named(Backend backend) => backend == Backend.Managed
        ? "managed"
        : $"{backend.ToString().ToLowerInvariant()}>={Libraries.Get(backend)!.Version}";

    private static double[] Seconds<T>(Backend[] backends, int m, int n, int k, TuningEffort effort, CancellationToken cancel)
        where T : unmanaged
    {
        T* Filled(long count)
        {
            var memory = (T*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(T)), 64);
            new Span<T>(memory, (int)count).Fill(typeof(T) == typeof(float) ? (T)(object)0.5f : (T)(object)0.5);
            return memory;
        }

        T* a = Filled((long)m * k), b = Filled((long)k * n), c = Filled((long)m * n);
        try
        {
            var best = new double[backends.Length];
            Array.Fill(best, double.PositiveInfinity);
            var calls = new int[backends.Length];
            for (var round = -1; round < effort.Rounds; round++)
            {
                for (var i = 0; i < backends.Length; i++)
                {
                    cancel.ThrowIfCancellationRequested();
                    using var pin = MatrixProducts.Pin(backends[i]);
                    if (round < 0) calls[i] = Calls(effort.Seconds);
                    else best[i] = Math.Min(best[i], Sample(calls[i]) / calls[i]);
                }
            }

            return best;
        }
        finally
        {
            NativeMemory.AlignedFree(a);
            NativeMemory.AlignedFree(b);
            NativeMemory.AlignedFree(c);
        }

        double Sample(int calls)
        {
            var since = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++) MatrixProducts.Multiply(m, n, k, new Operand<T>(a, k, 1), new Operand<T>(b, n, 1), c, n);
            return Stopwatch.GetElapsedTime(since).TotalSeconds;
        }

        // Warms up, so that the second compilation is over, and finds how many calls a sample needs.
        int Calls(double seconds)
        {
            for (var calls = 1; ; calls *= 2)
                if (Sample(calls) is var spent && (spent >= seconds || calls >= 1 << 24)) return calls;
        }
    }
}
