namespace Verified.Engine.Kernels;

/// <summary>
/// A register of <see cref="Count"/> lanes of <typeparamref name="T"/>: what a kernel's body is written over, once, for every width.
/// Implementations are the three hardware widths and a single lane; all give the same bits per lane.
/// Comparisons return masks: all bits of a lane set, or none.
/// </summary>
internal unsafe interface ISimd<TSelf, T>
    where TSelf : struct, ISimd<TSelf, T>
    where T : unmanaged
{
    static abstract int Count { get; }

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a);

    static abstract TSelf operator &(TSelf a, TSelf b);

    static abstract TSelf operator |(TSelf a, TSelf b);

    static abstract TSelf operator ^(TSelf a, TSelf b);

    static abstract TSelf operator ~(TSelf a);

    static abstract TSelf Create(T value);

    static abstract TSelf Load(T* source);

    static abstract void Store(TSelf a, T* destination);

    /// <summary>Writes one byte, 0 or 1, per lane of a mask.</summary>
    static abstract void StoreMask(TSelf mask, byte* destination);

    /// <summary>Whether some lane of a mask is set.</summary>
    static abstract bool Any(TSelf mask);

    /// <summary>One lane.</summary>
    static abstract T Lane(TSelf a, int index);

    /// <summary>a * b + c with one rounding.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    /// <summary>p * x + c with one rounding: a step of a polynomial.</summary>
    static abstract TSelf Next(TSelf p, TSelf x, T c);

    static abstract TSelf Sqrt(TSelf a);

    static abstract TSelf Abs(TSelf a);

    static abstract TSelf Floor(TSelf a);

    /// <summary>The nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>The lesser; NaN where either is, and -0 below +0.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>The greater; NaN where either is, and -0 below +0.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    static abstract TSelf Equal(TSelf a, TSelf b);

    static abstract TSelf Less(TSelf a, TSelf b);

    static abstract TSelf LessOrEqual(TSelf a, TSelf b);

    /// <summary>Lane by lane: the mask's set lanes from <paramref name="a"/>, the others from <paramref name="b"/>.</summary>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);

    /// <summary>The lanes' bits shifted left.</summary>
    static abstract TSelf ShiftLeft(TSelf a, int bits);

    /// <summary>The lanes' bits shifted right, zeros entering.</summary>
    static abstract TSelf ShiftRight(TSelf a, int bits);

    /// <summary>The lanes' bits added as integers of the lane's size.</summary>
    static abstract TSelf AddBits(TSelf a, TSelf b);

    /// <summary>The lanes' bits subtracted as integers of the lane's size.</summary>
    static abstract TSelf SubtractBits(TSelf a, TSelf b);

    /// <summary>
    /// Evaluates a function in double precision: directly on doubles, and for floats on the widened halves with one rounding at the end.
    /// So a float's result is the double's, rounded; subnormals, overflow and underflow come out of that rounding.
    /// </summary>
    static abstract TSelf Wide<F>(F f, TSelf x)
        where F : struct, IWide1;

    /// <inheritdoc cref="Wide{F}(F, TSelf)"/>
    static abstract TSelf Wide<F>(F f, TSelf x, TSelf y)
        where F : struct, IWide2;

    /// <inheritdoc cref="Wide{F}(F, TSelf)"/>
    static abstract TSelf Wide<F>(F f, TSelf x, TSelf y, TSelf z)
        where F : struct, IWide3;
}

/// <summary>
/// A function of one argument over doubles. Its second type parameter says how exact the result must be: shorter series do where it is
/// rounded to a float afterwards.
/// </summary>
internal interface IWide1
{
    V Invoke<V, P>(V x)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision;
}

/// <summary>A function of two arguments over doubles; see <see cref="IWide1"/>.</summary>
internal interface IWide2
{
    V Invoke<V, P>(V x, V y)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision;
}

/// <summary>A function of three arguments over doubles; see <see cref="IWide1"/>.</summary>
internal interface IWide3
{
    V Invoke<V, P>(V x, V y, V z)
        where V : struct, ISimd<V, double>
        where P : struct, IPrecision;
}

/// <summary>How exact a function over doubles must be.</summary>
internal interface IPrecision
{
    /// <summary>Whether the result is rounded to a float, so that a relative error of 1e-11 cannot be seen.</summary>
    static abstract bool ForSingle { get; }
}

/// <summary>The result is a double.</summary>
internal readonly struct ForDouble : IPrecision
{
    public static bool ForSingle => false;
}

/// <summary>The result will be rounded to a float.</summary>
internal readonly struct ForFloat : IPrecision
{
    public static bool ForSingle => true;
}
