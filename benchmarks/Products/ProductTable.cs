using System.Globalization;
using Verified.Benchmarks.Measuring;
using Verified.Engine;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Products;

/// <summary>The engine's matrix products beside raw MKL, raw OpenBLAS and the managed kernel alone.</summary>
internal static class ProductTable
{
    /// <summary>(m, k, n): squares, and shapes of fully connected layers, convolutions unfolded, and attention.</summary>
    public static readonly (int M, int K, int N)[] Shapes =
    [
        (8, 8, 8), (16, 16, 16), (32, 32, 32), (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048),
        (64, 784, 256), (64, 256, 10), (256, 784, 10), (1024, 256, 1024), (16, 75, 25088), (64, 576, 12544), (784, 64, 256),
    ];

    private const string Mkl = "MKL", OpenBlas = "OpenBLAS", Managed = "managed", Ours = "engine", Tensors = "tensors";

    public static void Write(Report report, Options options)
    {
        foreach (var threads in options.Threads)
        {
            Parallelism.Threads = threads;
            using var mkl = threads > 1 ? StartMkl(report, threads) : null;
            if (threads == options.Threads[0]) Warm(options);
            Write<float>(report, options, threads, "float32", mkl);
            Write<double>(report, options, threads, "float64", mkl);
        }
        Parallelism.Threads = Environment.ProcessorCount;
    }

    /// <summary>The process that measures MKL with several threads.</summary>
    public static void ServeMkl(string path, int threads)
    {
        var mkl = Cblas.ThreadedMkl(path, threads);
        using (var first = new Matrices<float>(64, 64, 64)) mkl.Multiply(first);
        Worker.Serve($"MKL, {threads} threads", work =>
        {
            var words = work.Split(' ');
            var (m, k, n) = (int.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture), int.Parse(words[3], CultureInfo.InvariantCulture));
            if (words[0] == "float32")
            {
                var single = new Matrices<float>(m, k, n);
                return () => mkl.Multiply(single);
            }
            var real = new Matrices<double>(m, k, n);
            return () => mkl.Multiply(real);
        });
    }

    private static Worker? StartMkl(Report report, int threads)
    {
        if (Libraries.Get(Backend.Mkl) is not { } library) return null;
        try
        {
            return Worker.Start(Worker.Itself("--mkl-worker", library.Path, threads.ToString(CultureInfo.InvariantCulture)));
        }
        catch (InvalidOperationException e)
        {
            report.Line($"\nMKL with {threads} threads was not measured: {e.Message}");
            return null;
        }
    }

    /// <summary>.NET compiles what runs often a second time, in the background: that is over before the first sample.</summary>
    private static void Warm(Options options)
    {
        foreach (var (m, k, n) in Shapes.Where(s => (long)s.M * s.K * s.N < 1L << 24))
        {
            One<float>(m, k, n);
            One<double>(m, k, n);
        }

        void One<T>(int m, int k, int n)
            where T : unmanaged
        {
            using var x = new Matrices<T>(m, k, n);
            Contest.Run(Contenders(x, 1, null, ""), 1, 1, 0.001, options.Quick ? 0.05 : 0.1);
        }
    }

    private static void Write<T>(Report report, Options options, int threads, string dtype, Worker? worker)
        where T : unmanaged
    {
        var limit = Limit.OneThread<T>(options.Quick ? 5 : 20) * threads;
        report.Section(
            $"Products, {dtype}, {threads} thread{(threads > 1 ? "s" : "")}",
            $"GFLOP/s of C = A B, medians. Limit: {Report.Number(limit)} GFLOP/s of fused multiply-adds from registers alone{(threads > 1 ? $" (one thread's, {threads} times)" : "")}, measured just before. "
            + (threads > 1 ? "MKL with threads of its own, in its own process; OpenBLAS under the engine's tiles. " : "MKL and OpenBLAS: `cblas_?gemm` called directly. ")
            + "Engine: `MatrixProducts.Multiply` as the rule chooses; tensors: `Mm` on tensors, allocation included. \"to best\": the engine's time over the best library's.");
        report.Head("m x k x n", "MKL", "OpenBLAS", "managed", "engine", "tensors", "of limit", "to MKL", "to best", "spread");
        foreach (var (m, k, n) in Shapes)
            if (!options.Quick || (long)m * k * n <= 1L << 30) Row<T>(report, options, threads, dtype, worker, limit, m, k, n);
    }

    private static unsafe List<Contender> Contenders<T>(Matrices<T> x, int threads, Worker? worker, string dtype)
        where T : unmanaged
    {
        var (m, k, n) = (x.M, x.K, x.N);
        void Multiply() => MatrixProducts.Multiply(m, n, k, new Operand<T>(x.A, k, 1), new Operand<T>(x.B, n, 1), x.C, n);
        Contender Pinned(string name, Backend backend) => new(name, calls =>
        {
            using var pin = MatrixProducts.Pin(backend);
            return Elapsed.Of(Multiply, calls);
        });
        var type = typeof(T) == typeof(float) ? DType.Float32 : DType.Float64;
        Tensor a = Tensor.Ones([m, k], type), b = Tensor.Ones([k, n], type);
        var contenders = new List<Contender> { Contender.Here(Ours, Multiply), Pinned(Managed, Backend.Managed), Contender.Here(Tensors, () => a.Mm(b)) };
        if (worker is not null) contenders.Add(worker.Contender(Mkl, $"{dtype} {m} {k} {n}"));
        else if (threads == 1 && Cblas.Of(Backend.Mkl) is { } mkl) contenders.Add(Contender.Here(Mkl, () => mkl.Multiply(x)));
        if (Cblas.Of(Backend.OpenBlas) is { } open) contenders.Add(threads == 1 ? Contender.Here(OpenBlas, () => open.Multiply(x)) : Pinned(OpenBlas, Backend.OpenBlas));
        return contenders;
    }

    private static void Row<T>(Report report, Options options, int threads, string dtype, Worker? worker, double limit, int m, int k, int n)
        where T : unmanaged
    {
        // The last row's tensors must not fill the pool.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var x = new Matrices<T>(m, k, n);
        var contenders = Contenders(x, threads, worker, dtype);
        var times = Contest.Run(contenders, threads, options.Quick ? 5 : 9, options.Quick ? 0.003 : 0.006);
        var work = 2.0 * m * n * k / 1e9;
        string Speed(string name) => times.TryGetValue(name, out var t) ? Report.Number(work / t.Median()) : "-";
        string Ratio(string name) => times.TryGetValue(name, out var t) ? Report.Number(times[Ours].RatioTo(t)) : "-";
        var rivals = new[] { Mkl, OpenBlas }.Where(times.ContainsKey).ToArray();
        var best = rivals.MinBy(name => times[name].Median());
        if (best is not null) report.Compare($"{dtype} {m}x{k}x{n}, {threads} thread{(threads > 1 ? "s" : "")}", best, times[Ours].RatioTo(times[best]), times[Ours].Spread());
        report.Row(
            $"{m} x {k} x {n}", Speed(Mkl), Speed(OpenBlas), Speed(Managed), Speed(Ours), Speed(Tensors),
            Report.Number(work / times[Ours].Median() / limit), Ratio(Mkl), best is null ? "-" : Ratio(best), $"{times[Ours].Spread() * 100:0} %");
    }
}
