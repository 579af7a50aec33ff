namespace Verified.Spec.Operators

open Verified.Spec

/// Views and sums of terms, as derivative rules need them.
[<RequireQualifiedAccess>]
module internal Shaping =
    let reshape (shape: int[]) (t: Term) =
        if t.Shape = shape then
            t
        else
            Derive.apply "reshape" [ t ] [ "shape", Derive.sizeAttr shape ]

    /// The same, and a view of what has that shape already too: so are the gradients that come back through it.
    let seenAs (shape: int[]) (t: Term) = Derive.apply "reshape" [ t ] [ "shape", Derive.sizeAttr shape ]

    let expand (shape: int[]) (t: Term) =
        if t.Shape = shape then
            t
        else
            Derive.apply "expand" [ t ] [ "size", Derive.sizeAttr shape ]

    let transpose (a: int) (b: int) (t: Term) =
        Derive.apply "transpose" [ t ] [ "dim0", Derive.integerAttr a; "dim1", Derive.integerAttr b ]

    /// The last two dimensions swapped.
    let matrixTranspose (t: Term) = transpose -2 -1 t

    /// Of another shape, over the same elements, and no view of the term: its memory is the result's alone.
    let unsafeView (shape: int[]) (t: Term) = Derive.apply "unsafe_view" [ t ] [ "size", Derive.sizeAttr shape ]

    let squeeze (dim: int) (t: Term) = Derive.apply "squeeze" [ t ] [ "dim", Derive.integerAttr dim ]

    let unsqueeze (dim: int) (t: Term) = Derive.apply "unsqueeze" [ t ] [ "dim", Derive.integerAttr dim ]

    /// Summed over these dimensions; over none, the term itself.
    let sumOver (dims: int list) keepdim (t: Term) =
        if List.isEmpty dims then
            t
        else
            Derive.apply "sum" [ t ] [ "dim", Derive.dimsAttr dims; "keepdim", Attr.Flag keepdim ]

    /// Where a mask holds the term, elsewhere exactly 0 (whatever stands there, NaN too).
    let whereMask (mask: Term) (t: Term) = Derive.apply "where" [ mask; t ] [ "other", Attr.Float 0.0 ]

    let pow (exponent: float) (t: Term) = Derive.apply "pow" [ t ] [ "exponent", Attr.Float exponent ]

    let unary name (t: Term) = Derive.apply name [ t ] []

    /// A comparison of a term with a number.
    let compareWith name (number: float) (t: Term) = Derive.apply name [ t ] [ "other", Attr.Float number ]

    /// A copy, whose gradient is a copy of what arrives: neither side keeps what is on the other.
    let apart (t: Term) = unary "apart" t
