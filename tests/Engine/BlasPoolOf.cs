using Verified.Engine.Blas;

namespace Verified.Engine.Tests;

/// <summary>Sets the number of threads until disposed; harmless beside other tests, since results do not depend on it.</summary>
internal sealed class PoolOf : IDisposable
{
    private readonly int _before = Parallelism.Threads;

    public PoolOf(int threads) => Parallelism.Threads = threads;

    public void Dispose() => Parallelism.Threads = _before;
}
