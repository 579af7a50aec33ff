namespace Verified.Engine.Kernels;

/// <summary>A pointwise operator of one argument: its body, over any register. Parameters are fields.</summary>
internal interface IUnary<T>
    where T : unmanaged
{
    /// <summary>Whether the body goes through doubles: floats then pass in half registers, which widen to full ones.</summary>
    static virtual bool IsWide => false;

    V Invoke<V>(V x)
        where V : struct, ISimd<V, T>;
}

/// <summary>A pointwise operator of two arguments.</summary>
internal interface IBinary<T>
    where T : unmanaged
{
    /// <summary>Whether the body goes through doubles: floats then pass in half registers, which widen to full ones.</summary>
    static virtual bool IsWide => false;

    V Invoke<V>(V x, V y)
        where V : struct, ISimd<V, T>;
}

/// <summary>A pointwise operator of three arguments.</summary>
internal interface ITernary<T>
    where T : unmanaged
{
    /// <summary>Whether the body goes through doubles: floats then pass in half registers, which widen to full ones.</summary>
    static virtual bool IsWide => false;

    V Invoke<V>(V x, V y, V z)
        where V : struct, ISimd<V, T>;
}

/// <summary>A pointwise test of two arguments: gives a mask.</summary>
internal interface IComparison<T>
    where T : unmanaged
{
    V Invoke<V>(V x, V y)
        where V : struct, ISimd<V, T>;
}
