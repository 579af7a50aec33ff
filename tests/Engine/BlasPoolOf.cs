using Verified.Engine.Blas;

namespace Verified.Engine.Tests;

/// <summary>Sets the number of threads, and whether the least work is shared, until disposed; harmless beside other tests, since results do not depend on it.</summary>
internal sealed class PoolOf : IDisposable
{
    private readonly (int Threads, bool Shared) _before = (Parallelism.Threads, Parallelism.SharesEverything);

    public PoolOf(int threads, bool shared = false) => (Parallelism.Threads, Parallelism.SharesEverything) = (threads, shared);

    public void Dispose() => (Parallelism.Threads, Parallelism.SharesEverything) = _before;
}
