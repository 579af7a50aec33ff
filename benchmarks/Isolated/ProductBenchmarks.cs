using BenchmarkDotNet.Attributes;
using Verified.Benchmarks.Products;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Isolated;

/// <summary>A product of float32 matrices on one thread; raw MKL is the baseline.</summary>
public unsafe class ProductBenchmarks : IDisposable
{
    private Matrices<float> x = null!;
    private Cblas? mkl;
    private Cblas? openBlas;
    private IDisposable? pin;

    [ParamsSource(nameof(Sizes))]
    public string Shape { get; set; } = "";

    public static IEnumerable<string> Sizes => ProductTable.Shapes.Select(s => $"{s.M}x{s.K}x{s.N}");

    [GlobalSetup]
    public void Setup()
    {
        var sides = Shape.Split('x').Select(int.Parse).ToArray();
        x = new Matrices<float>(sides[0], sides[1], sides[2]);
        Parallelism.Threads = 1;
        mkl = Cblas.Of(Backend.Mkl);
        openBlas = Cblas.Of(Backend.OpenBlas);
    }

    [GlobalSetup(Target = nameof(Managed))]
    public void SetupManaged()
    {
        Setup();
        pin = MatrixProducts.Pin(Backend.Managed);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        pin?.Dispose();
        x.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true)]
    public void Mkl() => (mkl ?? throw new InvalidOperationException("MKL is not there; ./setup fetches it")).Multiply(x);

    [Benchmark]
    public void OpenBlas() => (openBlas ?? throw new InvalidOperationException("OpenBLAS is not there; ./setup fetches it")).Multiply(x);

    [Benchmark]
    public void Engine() => MatrixProducts.Multiply(x.M, x.N, x.K, new Operand<float>(x.A, x.K, 1), new Operand<float>(x.B, x.N, 1), x.C, x.N);

    [Benchmark]
    public void Managed() => Engine();
}
