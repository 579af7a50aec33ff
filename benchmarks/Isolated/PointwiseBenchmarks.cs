using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Verified.Engine;
using Verified.Engine.Blas;

namespace Verified.Benchmarks.Isolated;

/// <summary>A pointwise function of 100,000 float32 elements on one thread; MKL's vector function on preallocated memory is the baseline.</summary>
public unsafe class PointwiseBenchmarks
{
    private const int Count = 100_000;
    private float* source;
    private float* result;
    private Tensor x = null!;

    [Params(VectorFunction.Exp, VectorFunction.Tanh, VectorFunction.Sin)]
    public VectorFunction Function { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        Parallelism.Threads = 1;
        source = (float*)NativeMemory.AlignedAlloc(Count * sizeof(float), 64);
        result = (float*)NativeMemory.AlignedAlloc(Count * sizeof(float), 64);
        var random = new Random(1);
        for (var i = 0; i < Count; i++) source[i] = (float)((random.NextDouble() * 10) - 5);
        x = Tensor.Create(new ReadOnlySpan<float>(source, Count), [Count]);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        NativeMemory.AlignedFree(source);
        NativeMemory.AlignedFree(result);
    }

    [Benchmark(Baseline = true)]
    public void Mkl() => (VectorMath.Mkl ?? throw new InvalidOperationException("MKL is not there; ./setup fetches it")).Apply(Function, Count, source, result);

    [Benchmark]
    public Tensor Engine() => Function switch { VectorFunction.Exp => x.Exp(), VectorFunction.Tanh => x.Tanh(), _ => x.Sin() };
}
