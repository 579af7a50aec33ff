using MathNet.Numerics.Providers.LinearAlgebra;

namespace Verified.Engine.Blas;

/// <summary>
/// A product by whatever linear algebra provider MathNet.Numerics has active: its managed one, or MKL's where the application brings
/// MathNet's package. Operands and result are copied, since the provider takes arrays; MathNet's own threading applies.
/// </summary>
internal static unsafe class MathNetProduct
{
    /// <summary>The active provider's name.</summary>
    public static string ProviderName => LinearAlgebraControl.Provider.ToString() ?? "unnamed";

    /// <summary>C (+)= A B with m, n, k above 0; C row-major with rows <paramref name="cRow"/> apart.</summary>
    public static void Multiply<T>(int m, int n, int k, Operand<T> a, Operand<T> b, T* c, nint cRow, bool accumulate)
        where T : unmanaged
    {
        var x = Copy(a, m, k);
        var y = Copy(b, k, n);
        var z = accumulate ? Copy(new Operand<T>(c, cRow, 1), m, n) : new T[(nint)m * n];

        // The provider is column-major: our row-major arrays are its transposes, and C' = B' A'.
        var provider = LinearAlgebraControl.Provider;
        if (typeof(T) == typeof(float))
            provider.MatrixMultiplyWithUpdate(Transpose.DontTranspose, Transpose.DontTranspose, 1f, (float[])(object)y, n, k, (float[])(object)x, k, m, accumulate ? 1f : 0f, (float[])(object)z);
        else
            provider.MatrixMultiplyWithUpdate(Transpose.DontTranspose, Transpose.DontTranspose, 1.0, (double[])(object)y, n, k, (double[])(object)x, k, m, accumulate ? 1.0 : 0.0, (double[])(object)z);

        for (nint i = 0; i < m; i++)
            z.AsSpan((int)(i * n), n).CopyTo(new Span<T>(c + i * cRow, n));
    }

    private static T[] Copy<T>(Operand<T> source, int rows, int columns)
        where T : unmanaged
    {
        var target = new T[checked(rows * columns)];
        fixed (T* t = target)
            Packing.Copy(source, rows, columns, t);
        return target;
    }
}
