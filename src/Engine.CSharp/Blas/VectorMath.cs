using System.Runtime.InteropServices;

namespace Verified.Engine.Blas;

/// <summary>The functions of MKL's vector mathematics that the engine binds.</summary>
public enum VectorFunction
{
    /// <summary>e^x.</summary>
    Exp,

    /// <summary>e^x - 1.</summary>
    Expm1,

    /// <summary>The natural logarithm.</summary>
    Ln,

    /// <summary>ln(1 + x).</summary>
    Log1p,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>The error function.</summary>
    Erf,

    /// <summary>The sine of radians.</summary>
    Sin,

    /// <summary>The cosine of radians.</summary>
    Cos,
}

/// <summary>
/// MKL's vector functions in their high-accuracy mode (below 1 ulp). Runs on the calling thread alone; an element's bits may depend
/// on its place in the call, so callers split arrays at borders that depend on the shape alone.
/// </summary>
public sealed unsafe class VectorMath
{
    // VML_HA, with errors ignored and denormals kept: results alone are wanted.
    private const long Mode = 0x2 | 0x100 | 0x140000;
    private const int Functions = 8;

    private static readonly Lazy<VectorMath?> Loaded = new(() => Libraries.Get(Backend.Mkl) is { } library ? TryBind(library) : null);

    private readonly nint[] _single = new nint[Functions];
    private readonly nint[] _real = new nint[Functions];

    private VectorMath()
    {
    }

    /// <summary>MKL's functions, or null where MKL is not there.</summary>
    public static VectorMath? Mkl => Loaded.Value;

    /// <summary>y[i] = f(x[i]) for n elements; x and y may be the same memory.</summary>
    /// <exception cref="ArgumentOutOfRangeException">n is negative.</exception>
    public void Apply<T>(VectorFunction function, nint n, T* x, T* y)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        const nint most = 1 << 30;
        for (; n > 0; n -= most, x += most, y += most)
        {
            var count = (int)Math.Min(n, most);
            if (typeof(T) == typeof(float))
                ((delegate* unmanaged<int, float*, float*, long, void>)_single[(int)function])(count, (float*)x, (float*)y, Mode);
            else if (typeof(T) == typeof(double))
                ((delegate* unmanaged<int, double*, double*, long, void>)_real[(int)function])(count, (double*)x, (double*)y, Mode);
            else
                throw new NotSupportedException($"{function}: element type {typeof(T).Name} is neither float nor double");
        }
    }

    /// <summary>Null where the library has not all of the functions.</summary>
    internal static VectorMath? TryBind(CblasLibrary library)
    {
        var functions = new VectorMath();
        for (var i = 0; i < Functions; i++)
        {
            if (!NativeLibrary.TryGetExport(library.Handle, $"vms{(VectorFunction)i}", out functions._single[i]) ||
                !NativeLibrary.TryGetExport(library.Handle, $"vmd{(VectorFunction)i}", out functions._real[i]))
            {
                return null;
            }
        }

        // The first call of a function binds it to the processor, and two first calls at once race: one element of each, here.
        lock (Loaded)
            functions.Works();
        return functions;
    }

    /// <summary>Calls every function once; false where a value is not even roughly right.</summary>
    internal bool Works()
    {
        var works = true;
        for (var i = 0; i < Functions; i++)
        {
            var function = (VectorFunction)i;
            float single = 0.5f;
            double real = 0.5;
            Apply(function, 1, &single, &single);
            Apply(function, 1, &real, &real);
            var expected = function switch
            {
                VectorFunction.Exp => Math.Exp(0.5),
                VectorFunction.Expm1 => Math.Exp(0.5) - 1,
                VectorFunction.Ln => Math.Log(0.5),
                VectorFunction.Log1p => Math.Log(1.5),
                VectorFunction.Tanh => Math.Tanh(0.5),
                VectorFunction.Erf => 0.5204998778130465,
                VectorFunction.Sin => Math.Sin(0.5),
                _ => Math.Cos(0.5),
            };
            works &= Math.Abs(single - expected) < 1e-6 && Math.Abs(real - expected) < 1e-14;
        }

        return works;
    }
}
