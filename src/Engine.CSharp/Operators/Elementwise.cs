using System.Runtime.CompilerServices;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>
/// Runs pointwise kernels over tensors: promotion, broadcasting, the destination's type and memory order. Nothing here is recorded. A kernel is given once per element type;
/// integers without a kernel of their own are computed in float32. An operand that shares memory with the destination, but lies there
/// otherwise, is read as it was before anything is written.
/// </summary>
internal static class Elementwise
{
    /// <summary>A function of one tensor; integers become float32.</summary>
    public static Tensor Unary<TSingle, TDouble>(Tensor x, Tensor? into, TSingle single, TDouble @double)
        where TSingle : struct, IUnary<float>
        where TDouble : struct, IUnary<double>
    {
        var dtype = x.DType.IsFloat() ? x.DType : DType.Float32;
        var result = Destination(into, dtype, x);
        x = Copying.Cast(x, dtype);
        if (dtype == DType.Float32) Map<float, TSingle>(single, x, result);
        else Map<double, TDouble>(@double, x, result);
        return Deliver(result, into);
    }

    /// <summary>A function of one tensor that keeps integers.</summary>
    public static Tensor Unary<TSingle, TDouble, TLong>(Tensor x, Tensor? into, TSingle single, TDouble @double, TLong @long)
        where TSingle : struct, IUnary<float>
        where TDouble : struct, IUnary<double>
        where TLong : struct, IUnary<long>
    {
        if (x.DType.IsFloat()) return Unary(x, into, single, @double);
        var result = Destination(into, DType.Int64, x);
        Map<long, TLong>(@long, Copying.Cast(x, DType.Int64), result);
        return Deliver(result, into);
    }

    /// <summary>A function of two tensors that broadcast, in their promoted type; integers become float32.</summary>
    public static Tensor Binary<TSingle, TDouble>(Tensor a, Tensor b, Tensor? into, TSingle single, TDouble @double)
        where TSingle : struct, IBinary<float>
        where TDouble : struct, IBinary<double>
    {
        if (into is null && a.DType == b.DType && a.DType.IsFloat() && AreAlikeAndFlat(a, b))
            return a.DType == DType.Float32 ? Flat<float, TSingle>(single, a, b) : Flat<double, TDouble>(@double, a, b);
        var dtype = DTypes.Promote(a, b);
        if (!dtype.IsFloat()) dtype = DType.Float32;
        var result = Operands(ref a, ref b, dtype, into);
        if (dtype == DType.Float32) Map<float, TSingle>(single, a, b, result);
        else Map<double, TDouble>(@double, a, b, result);
        return Deliver(result, into);
    }

    /// <summary>A function of two tensors that broadcast, in their promoted type, integers included.</summary>
    public static Tensor Binary<TSingle, TDouble, TLong>(Tensor a, Tensor b, Tensor? into, TSingle single, TDouble @double, TLong @long)
        where TSingle : struct, IBinary<float>
        where TDouble : struct, IBinary<double>
        where TLong : struct, IBinary<long>
    {
        if (a.DType.IsFloat() || b.DType.IsFloat()) return Binary(a, b, into, single, @double);
        var dtype = DTypes.Promote(a, b);
        var result = Operands(ref a, ref b, DType.Int64, dtype == DType.Int64 ? into : null);
        Map<long, TLong>(@long, a, b, result);
        if (dtype == DType.Int64) return Deliver(result, into);
        // Truth values: computed as integers, true where the result is not zero.
        if (into is not null) return Deliver(result, into);
        return Copying.Cast(result, DType.Bool);
    }

    /// <summary>A test of two tensors that broadcast, in their promoted type; gives truth values.</summary>
    public static Tensor Compare<TSingle, TDouble, TLong>(Tensor a, Tensor b, TSingle single, TDouble @double, TLong @long)
        where TSingle : struct, IComparison<float>
        where TDouble : struct, IComparison<double>
        where TLong : struct, IComparison<long>
    {
        var dtype = DTypes.Promote(a, b);
        if (dtype == DType.Bool) dtype = DType.Int64;
        var sizes = Shapes.Broadcast(a.Sizes, b.Sizes);
        var result = Tensor.EmptyFor(sizes, DType.Bool, a, b);
        a = Copying.Cast(a, dtype);
        b = Copying.Cast(b, dtype);
        switch (dtype)
        {
            case DType.Float32: Test<float, TSingle>(single, a, b, result); break;
            case DType.Float64: Test<double, TDouble>(@double, a, b, result); break;
            default: Test<long, TLong>(@long, a, b, result); break;
        }
        return result;
    }

    /// <summary>A function of three floating-point tensors that broadcast, in their promoted type.</summary>
    public static Tensor Ternary<TSingle, TDouble>(Tensor a, Tensor b, Tensor c, Tensor? into, TSingle single, TDouble @double)
        where TSingle : struct, ITernary<float>
        where TDouble : struct, ITernary<double>
    {
        var dtype = DTypes.Promote(a, b, c);
        if (!dtype.IsFloat()) dtype = DType.Float32;
        var sizes = Shapes.Broadcast(Shapes.Broadcast(a.Sizes, b.Sizes), c.Sizes);
        var result = Destination(into, dtype, sizes, a, b, c);
        a = Copying.Before(Copying.Cast(a, dtype), result);
        b = Copying.Before(Copying.Cast(b, dtype), result);
        c = Copying.Before(Copying.Cast(c, dtype), result);
        if (dtype == DType.Float32) Map<float, TSingle>(single, a, b, c, result);
        else Map<double, TDouble>(@double, a, b, c, result);
        return Deliver(result, into);
    }

    /// <summary>The first where the condition holds, else the second; all three broadcast, the two are promoted.</summary>
    public static Tensor Where(Tensor condition, Tensor a, Tensor b)
    {
        var dtype = DTypes.Promote(a, b);
        var sizes = Shapes.Broadcast(Shapes.Broadcast(condition.Sizes, a.Sizes), b.Sizes);
        var result = Tensor.EmptyFor(sizes, dtype, condition, a, b);
        condition = Copying.Cast(condition, DType.Bool);
        a = Copying.Cast(a, dtype);
        b = Copying.Cast(b, dtype);
        switch (dtype)
        {
            case DType.Float32: Choose<float>(condition, a, b, result); break;
            case DType.Float64: Choose<double>(condition, a, b, result); break;
            case DType.Int64: Choose<long>(condition, a, b, result); break;
            default: Choose<byte>(condition, a, b, result); break;
        }
        return result;
    }

    /// <summary>Adds a tensor of the same shape and type into another.</summary>
    public static void AddInto(Tensor sum, Tensor term)
    {
        term = Copying.Before(term, sum);
        if (sum.DType == DType.Float32) Map<float, Op.Add<float>>(default, sum, term, sum);
        else Map<double, Op.Add<double>>(default, sum, term, sum);
    }

    /// <summary>Whether both are scalars, or vectors of one length without gaps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreAlikeAndFlat(Tensor a, Tensor b)
    {
        var rank = a.Sizes.Length;
        return rank == b.Sizes.Length && (rank == 0 || (rank == 1 && a.Sizes[0] == b.Sizes[0] && a.Steps[0] == 1 && b.Steps[0] == 1));
    }

    /// <summary>Three tensors in their promoted type.</summary>
    public static (Tensor A, Tensor B, Tensor C) Promoted(Tensor a, Tensor b, Tensor c)
    {
        var dtype = DTypes.Promote(a, b, c);
        return (Copying.Cast(a, dtype), Copying.Cast(b, dtype), Copying.Cast(c, dtype));
    }

    /// <summary>The two operands in the type of the computation, and the destination.</summary>
    private static Tensor Operands(ref Tensor a, ref Tensor b, DType dtype, Tensor? into)
    {
        var result = Destination(into, dtype, Shapes.Broadcast(a.Sizes, b.Sizes), a, b);
        a = Copying.Before(Copying.Cast(a, dtype), result);
        b = Copying.Before(Copying.Cast(b, dtype), result);
        return result;
    }

    private static Tensor Destination(Tensor? into, DType dtype, Tensor x) => into is null ? Tensor.EmptyFor(dtype, x) : Given(into, dtype, x.Sizes);

    private static Tensor Destination(Tensor? into, DType dtype, int[] sizes, params ReadOnlySpan<Tensor> operands) =>
        into is null ? Tensor.EmptyFor(sizes, dtype, operands) : Given(into, dtype, sizes);

    private static Tensor Given(Tensor into, DType dtype, int[] sizes)
    {
        InPlaceChecks.DType(into, dtype);
        return into.DType == dtype ? into : Tensor.Empty(sizes, dtype);
    }

    private static Tensor Deliver(Tensor result, Tensor? into)
    {
        if (into is null || ReferenceEquals(result, into)) return result;
        Copying.Copy(result, into);
        return into;
    }

    /// <summary>Two vectors or scalars of one shape and type: the shortest way, since scalars come in great numbers.</summary>
    private static Tensor Flat<T, TOp>(TOp op, Tensor a, Tensor b)
        where T : unmanaged
        where TOp : struct, IBinary<T>
    {
        var count = a.Sizes.Length == 0 ? 1 : a.Sizes[0];
        var result = new Tensor(Storage.Create(count * (long)Unsafe.SizeOf<T>()), a.DType, a.Sizes, a.Steps, 0);
        if (count == 1) result.Origin<T>() = V1<T>.Lane(op.Invoke(V1<T>.Create(a.Origin<T>()), V1<T>.Create(b.Origin<T>())), 0);
        else Pointwise.Binary(op, ref a.Origin<T>(), ref b.Origin<T>(), ref result.Origin<T>(), count);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        return result;
    }

    private static void Map<T, TOp>(TOp op, Tensor x, Tensor y)
        where T : unmanaged
        where TOp : struct, IUnary<T>
    {
        if (x.Sizes.Length == 0) y.Origin<T>() = V1<T>.Lane(op.Invoke(V1<T>.Create(x.Origin<T>())), 0);
        else Pointwise.Unary(op, y.Sizes, ref x.Origin<T>(), x.Steps, ref y.Origin<T>(), y.Steps);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    private static void Map<T, TOp>(TOp op, Tensor a, Tensor b, Tensor y)
        where T : unmanaged
        where TOp : struct, IBinary<T>
    {
        if (y.Sizes.Length == 0)
        {
            y.Origin<T>() = V1<T>.Lane(op.Invoke(V1<T>.Create(a.Origin<T>()), V1<T>.Create(b.Origin<T>())), 0);
        }
        else
        {
            Pointwise.Binary(
                op, y.Sizes, ref a.Origin<T>(), Shapes.ExpandStrides(a.Sizes, a.Steps, y.Sizes), ref b.Origin<T>(), Shapes.ExpandStrides(b.Sizes, b.Steps, y.Sizes),
                ref y.Origin<T>(), y.Steps);
        }
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(y);
    }

    private static void Map<T, TOp>(TOp op, Tensor a, Tensor b, Tensor c, Tensor y)
        where T : unmanaged
        where TOp : struct, ITernary<T>
    {
        Pointwise.Ternary(
            op, y.Sizes, ref a.Origin<T>(), Shapes.ExpandStrides(a.Sizes, a.Steps, y.Sizes), ref b.Origin<T>(), Shapes.ExpandStrides(b.Sizes, b.Steps, y.Sizes),
            ref c.Origin<T>(), Shapes.ExpandStrides(c.Sizes, c.Steps, y.Sizes), ref y.Origin<T>(), y.Steps);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
        GC.KeepAlive(y);
    }

    private static void Test<T, TOp>(TOp op, Tensor a, Tensor b, Tensor y)
        where T : unmanaged
        where TOp : struct, IComparison<T>
    {
        Pointwise.Compare(
            op, y.Sizes, ref a.Origin<T>(), Shapes.ExpandStrides(a.Sizes, a.Steps, y.Sizes), ref b.Origin<T>(), Shapes.ExpandStrides(b.Sizes, b.Steps, y.Sizes),
            ref y.Origin<byte>(), y.Steps);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(y);
    }

    private static void Choose<T>(Tensor condition, Tensor a, Tensor b, Tensor y)
        where T : unmanaged
    {
        Pointwise.Where(
            y.Sizes, ref condition.Origin<byte>(), Shapes.ExpandStrides(condition.Sizes, condition.Steps, y.Sizes),
            ref a.Origin<T>(), Shapes.ExpandStrides(a.Sizes, a.Steps, y.Sizes), ref b.Origin<T>(), Shapes.ExpandStrides(b.Sizes, b.Steps, y.Sizes), ref y.Origin<T>(), y.Steps);
        GC.KeepAlive(condition);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(y);
    }
}
