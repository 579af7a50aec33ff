namespace Verified.Engine.Blas;

/// <summary>
/// Matrix products C[m,n] (+)= A[m,k] B[k,n] in float and double, by the backend that the dispatch rule or a pin names. The same
/// call gives the same bits on every run and for every number of threads, per rule, library and instruction set.
/// </summary>
/// <remarks>
/// C must share no memory with A or B. Without accumulation C is written and never read, whatever it holds; k = 0 gives zeros.
/// NaN and infinity in A and B propagate as sums of products do.
/// </remarks>
public static unsafe class MatrixProducts
{
    /// <summary>The variable that pins a backend for the process.</summary>
    public const string Variable = "VERIFIED_BLAS";

    private const long BatchParallelFrom = 1 << 19;
    private static readonly Lazy<DispatchRule> LoadedRule = new(DispatchRule.Load);
    private static readonly Choice?[] Choices = new Choice?[2 * 5];
    private static Backend? s_used;
    private static bool s_variableRead;

    [ThreadStatic]
    private static Backend? t_pinned;

    /// <summary>The rule in force where nothing is pinned.</summary>
    public static DispatchRule Rule => LoadedRule.Value;

    /// <summary>The backend pinned for this thread or for the process, or null where the rule decides.</summary>
    public static Backend? Pinned => t_pinned ?? (s_variableRead ? s_used : ReadVariable());

    /// <summary>Pins a backend for the whole process, or, with null, lets the rule decide again.</summary>
    /// <exception cref="InvalidOperationException">The backend is not there.</exception>
    public static void Use(Backend? backend)
    {
        if (backend is { } wanted)
            Require(wanted);
        s_used = backend;
        s_variableRead = true;
    }

    /// <summary>Pins a backend for what this thread calls until the result is disposed.</summary>
    /// <exception cref="InvalidOperationException">The backend is not there.</exception>
    public static IDisposable Pin(Backend backend)
    {
        Require(backend);
        return new Scope(backend);
    }

    /// <summary>Whether a backend can be used here; looks for its library if that was not done yet.</summary>
    public static bool IsAvailable(Backend backend) => backend is Backend.Managed or Backend.MathNet || Libraries.Get(backend) is not null;

    /// <summary>C (+)= A B. C is row-major, rows <paramref name="cRow"/> elements apart (at least n).</summary>
    /// <exception cref="ArgumentException">A size is negative, or rows of C overlap.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void Multiply<T>(int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, bool accumulate = false)
        where T : unmanaged
    {
        Check<T>(m, n, k, cRow);
        Multiply(Choose<T>(m, n, k), m, n, k, a, b, c, cRow, accumulate, parallel: true);
    }

    /// <summary>
    /// As <see cref="Multiply{T}(int, int, int, Operand{T}, Operand{T}, T*, nint, bool)"/> for each of <paramref name="batch"/> products,
    /// whose operands lie <paramref name="aBatch"/>, <paramref name="bBatch"/> (any strides) and <paramref name="cBatch"/> elements apart.
    /// </summary>
    /// <exception cref="ArgumentException">A size is negative, or rows or products of C overlap.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void MultiplyBatch<T>(
        int batch, int m, int n, int k, Operand<T> a, nint aBatch, Operand<T> b, nint bBatch, T* c, nint cRow, nint cBatch, bool accumulate = false)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        Check<T>(m, n, k, cRow);
        if (batch > 1 && m > 0 && n > 0 && Math.Abs(cBatch) < n)
            throw new ArgumentException($"matrix products: {batch} results of {m}x{n} lie {cBatch} elements apart and overlap", nameof(cBatch));
        var body = new Batch<T>(Choose<T>(m, n, k), m, n, k, a, aBatch, b, bBatch, c, cRow, cBatch, accumulate);
        var each = (long)m * n * k;
        if (each < BatchParallelFrom && (each * batch >= BatchParallelFrom || Parallelism.SharesEverything))
        {
            body.PerItem = Parallelism.SharesEverything ? 1 : (int)Math.Clamp(BatchParallelFrom / 4 / Math.Max(each, 1), 1, batch);
            body.Count = batch;
            Parallelism.For((batch + body.PerItem - 1) / body.PerItem, body);
            return;
        }

        for (var i = 0; i < batch; i++)
            body.One(i, parallel: true);
    }

    /// <summary>Which backend computes such a product, and why, in one sentence.</summary>
    public static string Explain<T>(int m, int n, int k)
        where T : unmanaged
    {
        var what = $"{m}x{k} by {k}x{n} {(typeof(T) == typeof(float) ? "float32" : "float64")} ({ProductShapes.Of(m, n, k).ToString().ToLowerInvariant()})";
        if (Pinned is { } pinned)
            return $"{what}: {pinned}, which is pinned";
        var (backend, why) = ByRule<T>(ProductShapes.Of(m, n, k));
        return $"{what}: {backend}, by the rule {why}";
    }

    /// <summary>The backend of the rule or the pin for a shape.</summary>
    internal static Backend Choose<T>(int m, int n, int k)
        where T : unmanaged => Pinned ?? ByRule<T>(ProductShapes.Of(m, n, k)).Backend;

    /// <summary>The rule's backend for a class of shapes, and its reason.</summary>
    internal static (Backend Backend, string Why) ByRule<T>(ProductShape shape)
        where T : unmanaged
    {
        ref var choice = ref Choices[(int)shape * 2 + (typeof(T) == typeof(float) ? 0 : 1)];
        if (choice is { } made)
            return made.Made;
        lock (Choices)
        {
            choice ??= new Choice(LoadedRule.Value.Choose(
                Processor.Current, typeof(T) == typeof(float) ? "float32" : "float64", shape, backend => Libraries.Get(backend) is { KnowsProcessor: true } library ? library.Version : null));
            return choice.Made;
        }
    }

    private static void Multiply<T>(Backend backend, int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, bool accumulate, bool parallel)
        where T : unmanaged
    {
        if (backend != Backend.Managed && m > 0 && n > 0 && k > 0)
        {
            if (backend == Backend.MathNet)
            {
                MathNetProduct.Multiply(m, n, k, a, b, c, cRow, accumulate);
                return;
            }

            if (cRow <= int.MaxValue)
            {
                NativeProduct.Multiply(Libraries.Get(backend)!, m, n, k, a, b, c, cRow, accumulate, parallel);
                return;
            }
        }

        ManagedProduct.Multiply(KernelSet<T>.Best, m, n, k, a, b, c, cRow, 1, accumulate, parallel);
    }

    private static void Check<T>(int m, int n, int k, nint cRow)
        where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
            throw new NotSupportedException($"matrix product: element type {typeof(T).Name} is neither float nor double");
        if (m < 0 || n < 0 || k < 0)
            throw new ArgumentException($"matrix product: negative size in {m}x{k} by {k}x{n}");
        if (m > 1 && cRow < n)
            throw new ArgumentException($"matrix product: rows of {n} elements lie {cRow} apart in the result of {m}x{k} by {k}x{n}", nameof(cRow));
    }

    private static void Require(Backend backend)
    {
        if (!IsAvailable(backend))
            throw new InvalidOperationException($"{backend} is not there or did not pass its check; ./setup fetches it where it can, ./verify doctor says why not");
    }

    private static Backend? ReadVariable()
    {
        var value = Environment.GetEnvironmentVariable(Variable);
        Backend? backend = null;
        if (!string.IsNullOrEmpty(value))
        {
            if (!Enum.TryParse<Backend>(value, ignoreCase: true, out var named) || !Enum.IsDefined(named))
                throw new InvalidOperationException($"{Variable} is '{value}'; it can be managed, mkl, openblas or mathnet");
            Require(named);
            backend = named;
        }

        s_used = backend;
        s_variableRead = true;
        return backend;
    }

    // An object, so that who finds it without the lock finds all of it.
    private sealed record Choice((Backend Backend, string Why) Made);

    private sealed class Scope : IDisposable
    {
        private readonly Backend? _before = t_pinned;

        public Scope(Backend backend) => t_pinned = backend;

        public void Dispose() => t_pinned = _before;
    }

    private struct Batch<T>(
        Backend backend, int m, int n, int k, Operand<T> a, nint aBatch, Operand<T> b, nint bBatch, T* c, nint cRow, nint cBatch, bool accumulate) : IParallelBody
        where T : unmanaged
    {
        public int PerItem;
        public int Count;

        public readonly void Invoke(int index)
        {
            for (var i = index * PerItem; i < Math.Min(Count, (index + 1) * PerItem); i++)
                One(i, parallel: false);
        }

        public readonly void One(nint i, bool parallel) =>
            Multiply(
                backend,
                m,
                n,
                k,
                new Operand<T>(a.Data + i * aBatch, a.RowStride, a.ColumnStride),
                new Operand<T>(b.Data + i * bBatch, b.RowStride, b.ColumnStride),
                c + i * cBatch,
                cRow,
                accumulate,
                parallel);
    }
}
