using System.Runtime.InteropServices;
using Verified.Benchmarks.Measuring;
using Verified.Engine;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Pointwise;

/// <summary>Pointwise operators on tensors beside MKL's vector functions on preallocated memory.</summary>
internal static unsafe class PointwiseTable
{
    // High accuracy, errors ignored, denormals kept: as the engine's own bound asks.
    private const long Mode = 0x2 | 0x100 | 0x140000;

    /// <summary>An operator, and MKL's function: the same one, or the costly part of it where MKL has none.</summary>
    private static readonly (string Name, string Mkl, Func<Tensor, Tensor, Tensor> Apply)[] Functions =
    [
        ("exp", "Exp", (x, _) => x.Exp()),
        ("expm1", "Expm1", (x, _) => x.Expm1()),
        ("log", "Ln", (_, p) => p.Log()),
        ("log1p", "Log1p", (_, p) => p.Log1p()),
        ("tanh", "Tanh", (x, _) => x.Tanh()),
        ("sin", "Sin", (x, _) => x.Sin()),
        ("cos", "Cos", (x, _) => x.Cos()),
        ("sqrt", "Sqrt", (_, p) => p.Sqrt()),
        ("sigmoid (MKL: exp alone)", "Exp", (x, _) => x.Sigmoid()),
        ("gelu (MKL: erf alone)", "Erf", (x, _) => x.Gelu()),
        ("relu (MKL has none)", "", (x, _) => x.Relu()),
        ("add", "Add", (x, p) => x + p),
        ("mul", "Mul", (x, p) => x * p),
        ("div", "Div", (x, p) => x / p),
    ];

    public static void Write(Report report, Options options)
    {
        Parallelism.Threads = 1;
        report.Section(
            "Pointwise functions, 1 thread",
            "Nanoseconds an element, medians; inputs in -5 to 5, positive for log, log1p and sqrt. Engine: the tensor's method, allocation included; MKL: its function in the high-accuracy mode into preallocated memory.");
        report.Head("function", "elements", "dtype", "MKL", "engine", "to MKL", "spread");
        foreach (var function in Functions)
        {
            foreach (var n in options.Quick ? new[] { 100_000 } : [1_000, 100_000, 1_000_000])
            {
                Row<float>(report, options, function, n, DType.Float32, "vms");
                Row<double>(report, options, function, n, DType.Float64, "vmd");
            }
        }
        Parallelism.Threads = Environment.ProcessorCount;
    }

    private static void Row<T>(Report report, Options options, (string Name, string Mkl, Func<Tensor, Tensor, Tensor> Apply) function, int n, DType dtype, string prefix)
        where T : unmanaged
    {
        var random = new Random(n);
        var x = Tensor.Create([.. Enumerable.Range(0, n).Select(_ => (random.NextDouble() * 10) - 5)]).To(dtype);
        var p = Tensor.Create([.. Enumerable.Range(0, n).Select(_ => (random.NextDouble() * 5) + 0.001)]).To(dtype);
        var contenders = new List<Contender> { Contender.Here("engine", () => function.Apply(x, p)) };
        var bytes = (nuint)(n * sizeof(T));
        T* px = (T*)NativeMemory.AlignedAlloc(bytes, 64), pp = (T*)NativeMemory.AlignedAlloc(bytes, 64), py = (T*)NativeMemory.AlignedAlloc(bytes, 64);
        Copy(x, px);
        Copy(p, pp);
        Copy(p, py);
        if (Libraries.Get(Backend.Mkl) is { } library && NativeLibrary.TryGetExport(library.Handle, prefix + function.Mkl, out var entry) && function.Mkl.Length > 0)
        {
            var positive = function.Mkl is "Ln" or "Log1p" or "Sqrt";
            var unary = (delegate* unmanaged<int, T*, T*, long, void>)entry;
            var binary = (delegate* unmanaged<int, T*, T*, T*, long, void>)entry;
            contenders.Add(Contender.Here("MKL", function.Mkl is "Add" or "Mul" or "Div" ? () => binary(n, px, pp, py, Mode) : () => unary(n, positive ? pp : px, py, Mode)));
        }
        var times = Contest.Run(contenders, 1, options.Quick ? 5 : 9, options.Quick ? 0.005 : 0.01, options.Quick ? 0.05 : 0.1);
        var ours = times["engine"];
        var ratio = "-";
        if (times.TryGetValue("MKL", out var theirs))
        {
            ratio = Report.Number(ours.RatioTo(theirs));
            report.Compare($"{function.Name}, {n} elements, {dtype.Name()}", "MKL", ours.RatioTo(theirs), ours.Spread());
        }
        report.Row(
            function.Name, n.ToString("N0"), dtype.Name(), theirs is null ? "-" : Report.Number(theirs.Median() / n * 1e9), Report.Number(ours.Median() / n * 1e9), ratio, $"{ours.Spread() * 100:0} %");
        NativeMemory.AlignedFree(px);
        NativeMemory.AlignedFree(pp);
        NativeMemory.AlignedFree(py);
    }

    private static void Copy<T>(Tensor from, T* to)
        where T : unmanaged
    {
        for (var i = 0; i < from.Count; i++) to[i] = System.Runtime.CompilerServices.Unsafe.Add(ref from.Origin<T>(), i);
        GC.KeepAlive(from);
    }
}
