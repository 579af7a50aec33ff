namespace Verified.Spec

/// PyTorch's type promotion.
[<RequireQualifiedAccess>]
module Promotion =
    /// What takes part: a tensor with its rank, or a number attribute.
    type Operand =
        | Tensor of DType * rank: int
        | Number of Attr

    let private order dtype =
        match dtype with
        | Bool -> 0
        | Int64 -> 1
        | Float32 -> 2
        | Float64 -> 3

    /// The wider of two dtypes.
    let wider a b = if order a >= order b then a else b

    let private join a b =
        match a, b with
        | None, other
        | other, None -> other
        | Some a, Some b -> Some(wider a b)

    // A lower group counts only where it is of a higher category.
    let private over higher lower =
        match higher, lower with
        | None, other
        | other, None -> other
        | Some(h: DType), Some(l: DType) ->
            if h.IsFloat then Some h
            elif h = Bool || l.IsFloat then Some(wider h l)
            else Some h

    /// The dtype of a number: integers are int64, floats are of the default dtype.
    let ofNumber number =
        match number with
        | Attr.Flag _ -> Bool
        | Attr.Integer _ -> Int64
        | _ -> Float32

    /// The dtype of a result: tensors with dimensions count before zero-dimensional ones, these before numbers.
    let result (operands: Operand list) =
        let among choose = operands |> List.choose choose |> List.fold (fun found t -> join found (Some t)) None

        let dimensioned =
            among (function
                | Tensor(t, rank) when rank > 0 -> Some t
                | _ -> None)

        let zeroDimensional =
            among (function
                | Tensor(t, 0) -> Some t
                | _ -> None)

        let numbers =
            among (function
                | Number n -> Some(ofNumber n)
                | _ -> None)

        over dimensioned (over zeroDimensional numbers) |> Option.defaultValue Float32

    /// The same, for functions that have no integer results (exp, div): integers give the default dtype.
    let toFloat (dtype: DType) = if dtype.IsFloat then dtype else Float32

    /// The name that PyTorch's messages have for it.
    let messageName dtype =
        match dtype with
        | Float32 -> "Float"
        | Float64 -> "Double"
        | Int64 -> "Long"
        | Bool -> "Bool"

    /// Whether an in-place result of this dtype may be written to a tensor of that: its category must not be lower.
    let canCast (from: DType) (target: DType) = not (from.IsFloat && not target.IsFloat) && not (from = Int64 && target = Bool)
