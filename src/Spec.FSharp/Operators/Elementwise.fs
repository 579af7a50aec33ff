namespace Verified.Spec.Operators

open Verified.Spec
open Scalar

/// A function of one number, over any number system.
type Unary =
    abstract Of<'S when 'S :> IScalar<'S>> : 'S -> 'S

/// A function of two numbers, over any number system.
type Binary =
    abstract Of<'S when 'S :> IScalar<'S>> : 'S * 'S -> 'S

/// An operand that is a tensor or a number attribute.
type Operand<'S> =
    | Whole of Value<'S>
    | Number of Attr

[<RequireQualifiedAccess>]
module Operand =
    let ofValue v = Whole v

    /// Tensor argument i, or else the number attribute of this name; None where both are missing.
    let tryRead (call: Call<'S>) i name : Result<Operand<'S> option, Complaint> =
        match Argument.tryTensor call i, Read.optional call.Attrs name with
        | Some v, None -> Ok(Some(Whole v))
        | None, Some _ -> Read.scalar call.Attrs name |> Result.map (Number >> Some)
        | None, None -> Ok None
        | Some _, Some _ -> Complain.value $"'{name}' is given both as a tensor and as a number"

    /// The same where one must be there.
    let read (call: Call<'S>) i name : Result<Operand<'S>, Complaint> =
        tryRead call i name
        |> Result.bind (function
            | Some operand -> Ok operand
            | None -> Complain.value $"'{name}' is missing: it must be a tensor or a number")

    let promotion (operand: Operand<'S>) =
        match operand with
        | Whole v -> Value.operand v
        | Number n -> Promotion.Number n

    let shape (operand: Operand<'S>) =
        match operand with
        | Whole v -> v.Shape
        | Number _ -> [||]

    let private numberAsFloat number =
        match number with
        | Attr.Integer n -> float n
        | Attr.Flag true -> 1.0
        | Attr.Float x -> x
        | _ -> 0.0

    /// As numbers of a float dtype, broadcast to a shape. A number attribute is a constant, without a format of its own.
    let floats<'S when 'S :> IScalar<'S>> dtype shape (operand: Operand<'S>) : 'S[] =
        match operand with
        | Whole v -> v |> Value.expand shape |> Value.asFloats dtype
        | Number n -> Array.create (Shape.count shape) (num (numberAsFloat n))

    /// The same, with a number attribute rounded to the dtype, as comparisons take it.
    let rounded<'S when 'S :> IScalar<'S>> dtype shape (operand: Operand<'S>) : 'S[] =
        match operand with
        | Number n when dtype = Float32 -> Array.create (Shape.count shape) (Value.exact dtype (float (float32 (numberAsFloat n))))
        | Number n -> Array.create (Shape.count shape) (Value.exact dtype (numberAsFloat n))
        | Whole _ -> floats dtype shape operand

    /// As integers or booleans, broadcast to a shape, and whether they are decided.
    let ints<'S when 'S :> IScalar<'S>> dtype shape (operand: Operand<'S>) : int64[] * bool =
        match operand with
        | Whole v -> v |> Value.expand shape |> Value.asInts dtype
        | Number n ->
            let n =
                match n with
                | Attr.Integer n -> n
                | other -> int64 (numberAsFloat other)

            Array.create (Shape.count shape) (if dtype = Bool && n <> 0L then 1L else n), true

    /// The dtype and the shape of a result of these operands.
    let result (operands: Operand<'S> list) =
        Broadcast.all (List.map shape operands)
        |> Result.map (fun shape -> Promotion.result (List.map promotion operands), shape)

/// Element-by-element forwards, from functions of numbers.
[<RequireQualifiedAccess>]
module Elementwise =
    /// A function may answer with a constant, which has no format until it is cast to one.
    let inFormat<'S when 'S :> IScalar<'S>> dtype (x: 'S) : 'S = 'S.Cast(Value.format dtype, x)

    /// A zero that comes with either sign, by how a sum or a product is arranged; anything else as it is.
    let eitherZero<'S when 'S :> IScalar<'S>> (x: 'S) : 'S = if 'S.Value x = 0.0 then 'S.Permitted [| x; 'S.Neg x |] else x

    /// The larger of two, NaN if either is. Where the comparison is undecided it is one or the other.
    let larger (a: 'S) (b: 'S) : 'S :> IScalar<'S> =
        match 'S.Compare(a, b) with
        | Less -> b
        // Of zeros of two signs engines give either.
        | Equal -> if 'S.Value a = 0.0 then 'S.Permitted [| a; b |] else a
        | Greater -> a
        | Unordered -> a + b
        | Undecided -> 'S.Permitted [| a; b |]

    /// The smaller of two, NaN if either is.
    let smaller (a: 'S) (b: 'S) : 'S :> IScalar<'S> =
        match 'S.Compare(a, b) with
        | Less -> a
        | Equal -> if 'S.Value a = 0.0 then 'S.Permitted [| a; b |] else a
        | Greater -> b
        | Unordered -> a + b
        | Undecided -> 'S.Permitted [| a; b |]

    /// Multiplication by a number that is 1 is no operation, and so adds no error.
    let scaled (c: float) (x: 'S) : 'S :> IScalar<'S> = if c = 1.0 then x else num c * x

    /// A function of the attributes alone: it complains of a bad one before any element is computed.
    type Choice<'F> = Attrs -> Result<'F, Complaint>

    let always (f: 'F) : Choice<'F> = fun _ -> Ok f

    let notImplemented kernel dtype = $"\"{kernel}\" not implemented for '{Promotion.messageName dtype}'"

    /// Floats to floats of the same dtype; integers give float32.
    let toFloats (choose: Choice<Unary>) : Forward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let! f = choose call.Attrs
                    let dtype = Promotion.toFloat x.DType
                    let y = Value.asFloats dtype x |> Array.map (fun x -> inFormat dtype (f.Of x))
                    return [ Value.floats dtype x.Shape y ]
                } }

    /// Floats alone, by a function of the attributes: PyTorch has no kernel for integers.
    let floatsOnly kernel (choose: Choice<Unary>) : Forward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let! f = choose call.Attrs
                    do! Complain.unlessDType x.DType.IsFloat (fun () -> notImplemented kernel x.DType)
                    let y = Value.asFloats x.DType x |> Array.map (fun e -> inFormat x.DType (f.Of e))
                    return [ Value.floats x.DType x.Shape y ]
                } }

    /// Floats to floats; integers to integers of a dtype by a function of their own, which may complain of theirs.
    let keeping (f: Unary) (onInts: DType -> Result<DType * (int64 -> int64), Complaint>) : Forward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0

                    match x.Elements with
                    | Elements.Floats elements ->
                        let y = elements |> Array.map (fun e -> inFormat x.DType (f.Of e))
                        return [ Value.floats x.DType x.Shape y ]
                    | Elements.Ints(elements, decided) ->
                        let! dtype, f = onInts x.DType
                        return [ Value.ints dtype x.Shape (Array.map f elements) decided ]
                } }

    /// `keeping` for int64 alone.
    let ofInt64 kernel (f: int64 -> int64) dtype =
        if dtype = Bool then
            Complain.dtype (notImplemented kernel Bool)
        else
            Ok(dtype, f)

    /// A function of two operands that were promoted to a float dtype and broadcast to a shape.
    let floatResult (f: Binary) dtype shape (a: Operand<'S>) (b: Operand<'S>) =
        let y = Array.map2 (fun a b -> inFormat dtype (f.Of(a, b))) (Operand.floats dtype shape a) (Operand.floats dtype shape b)

        Value.floats dtype shape y

    /// Two operands, the second of which may be the number attribute `other`, promoted to one dtype. Integers and booleans are
    /// computed exactly, by the function for their dtype.
    let binary (choose: Choice<Binary>) (onInts: Attrs -> DType -> Result<int64 -> int64 -> int64, Complaint>) : Forward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! a = Argument.tensor call 0 |> Result.map Operand.ofValue
                    let! b = Operand.read call 1 "other"
                    let! dtype, shape = Operand.result [ a; b ]

                    if dtype.IsFloat then
                        let! f = choose call.Attrs
                        return [ floatResult f dtype shape a b ]
                    else
                        let! f = onInts call.Attrs dtype
                        let a, knownA = Operand.ints dtype shape a
                        let b, knownB = Operand.ints dtype shape b
                        return [ Value.ints dtype shape (Array.map2 f a b) (knownA && knownB) ]
                } }

    /// The same where integers give float32.
    let binaryToFloats (f: Binary) : Forward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! a = Argument.tensor call 0 |> Result.map Operand.ofValue
                    let! b = Operand.read call 1 "other"
                    let! dtype, shape = Operand.result [ a; b ]
                    return [ floatResult f (Promotion.toFloat dtype) shape a b ]
                } }
