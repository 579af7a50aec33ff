namespace Verified.Engine;

/// <summary>The element types of a tensor. Only the two floating-point ones can require gradients.</summary>
public enum DType : byte
{
    /// <summary>Truth values, one byte each.</summary>
    Bool,

    /// <summary>64-bit signed integers.</summary>
    Int64,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,
}

/// <summary>What the engine and its messages need to know about a <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType dtype) => dtype switch { DType.Bool => 1, DType.Float32 => 4, _ => 8 };

    /// <summary>Whether the type is a floating-point one.</summary>
    public static bool IsFloat(this DType dtype) => dtype >= DType.Float32;

    /// <summary>The name in programs and in PyTorch's <c>torch.NAME</c>: <c>float32</c>, <c>float64</c>, <c>int64</c>, <c>bool</c>.</summary>
    public static string Name(this DType dtype) => dtype switch
    {
        DType.Bool => "bool",
        DType.Int64 => "int64",
        DType.Float32 => "float32",
        _ => "float64",
    };

    /// <summary>The dtype of a program's name for it: <c>float32</c>, <c>float64</c>, <c>int64</c> or <c>bool</c>.</summary>
    /// <exception cref="AutogradException">There is none of that name.</exception>
    public static DType Parse(string name) => name switch
    {
        "float32" or "float" => DType.Float32,
        "float64" or "double" => DType.Float64,
        "int64" or "long" => DType.Int64,
        "bool" => DType.Bool,
        _ => throw new AutogradException(ErrorKind.Value, $"'{name}' is not a dtype of this engine (float32, float64, int64, bool)"),
    };

    /// <summary>The scalar type's name in PyTorch's messages about casts: <c>Float</c>, <c>Double</c>, <c>Long</c>, <c>Bool</c>.</summary>
    internal static string ScalarType(this DType dtype) => dtype switch
    {
        DType.Bool => "Bool",
        DType.Int64 => "Long",
        DType.Float32 => "Float",
        _ => "Double",
    };

    /// <summary>The C name in PyTorch's messages about operands: <c>float</c>, <c>double</c>, <c>long int</c>, <c>bool</c>.</summary>
    internal static string CName(this DType dtype) => dtype switch
    {
        DType.Bool => "bool",
        DType.Int64 => "long int",
        DType.Float32 => "float",
        _ => "double",
    };

    /// <summary>The order of kinds in promotion: bool, integer, floating point.</summary>
    private static int Category(this DType dtype) => dtype >= DType.Float32 ? 2 : (int)dtype;

    /// <summary>Whether a result of type <paramref name="from"/> may be written into a tensor of type <paramref name="to"/>: never down a kind.</summary>
    internal static bool CanCast(DType from, DType to) => from.Category() <= to.Category();

    /// <summary>
    /// PyTorch's promotion: the widest of the tensors with dimensions; a 0-dim tensor counts only if it is of a higher kind,
    /// a number only if it is of a higher kind than both.
    /// </summary>
    internal static DType Promote(Tensor a, Tensor b)
    {
        if (a.DType == b.DType && !a.IsWrappedNumber && !b.IsWrappedNumber) return a.DType;
        var rankA = Priority(a);
        var rankB = Priority(b);
        var typeA = PromotionType(a);
        var typeB = PromotionType(b);
        if (rankA == rankB) return Max(typeA, typeB);
        var (high, low) = rankA > rankB ? (typeA, typeB) : (typeB, typeA);
        return low.Category() > high.Category() ? low : high;
    }

    /// <summary>The same of three.</summary>
    internal static DType Promote(Tensor a, Tensor b, Tensor c)
    {
        if (a.DType == b.DType && b.DType == c.DType && !a.IsWrappedNumber) return a.DType;
        DType? result = null;
        for (var priority = 2; priority >= 0; priority--)
        {
            DType? widest = null;
            foreach (var t in new ReadOnlySpan<Tensor>([a, b, c]))
                if (Priority(t) == priority) widest = widest is { } known ? Max(known, PromotionType(t)) : PromotionType(t);
            if (widest is { } found && (result is not { } high || found.Category() > high.Category())) result = found;
        }
        return result!.Value;
    }

    private static int Priority(Tensor t) => t.IsWrappedNumber ? 0 : t.Rank == 0 ? 1 : 2;

    /// <summary>The wider of two types of one priority.</summary>
    internal static DType Max(DType a, DType b) => a >= b ? a : b;

    private static DType PromotionType(Tensor t) => t.IsWrappedNumber && t.DType == DType.Float64 ? DType.Float32 : t.DType;
}
