namespace Verified.Spec

/// Dense values in a number system.
[<RequireQualifiedAccess>]
module Value =
    open Scalar

    /// The floating-point format of a float dtype.
    let format dtype =
        match dtype with
        | Float32 -> Single
        | _ -> Double

    let count (v: Value<'S>) = Shape.count v.Shape

    let floats dtype shape (elements: 'S[]) : Value<'S> =
        { DType = dtype
          Shape = shape
          Elements = Elements.Floats elements }

    let ints dtype shape elements decided : Value<'S> =
        { DType = dtype
          Shape = shape
          Elements = Elements.Ints(elements, decided) }

    /// A number held exactly in a float dtype.
    let exact<'S when 'S :> IScalar<'S>> dtype (x: float) : 'S = 'S.Input(format dtype, x)

    /// A float tensor of one number, which the dtype holds exactly.
    let full<'S when 'S :> IScalar<'S>> dtype shape (x: float) : Value<'S> =
        floats dtype shape (Array.create (Shape.count shape) (exact dtype x))

    let private whole<'S when 'S :> IScalar<'S>> dtype (n: int64) : 'S =
        exact dtype (if dtype = Float32 then float (float32 n) else float n)

    /// The elements as numbers of a float dtype. Integers are rounded to it; undecided ones are unknown.
    let asFloats<'S when 'S :> IScalar<'S>> dtype (v: Value<'S>) : 'S[] =
        match v.Elements with
        | Elements.Floats elements when v.DType = dtype -> elements
        | Elements.Floats elements -> elements |> Array.map (fun x -> 'S.Cast(format dtype, x))
        | Elements.Ints(elements, true) -> elements |> Array.map (whole dtype)
        | Elements.Ints(elements, false) -> elements |> Array.map (fun n -> 'S.Unknown(whole dtype n))

    /// Whether a number has a place among the int64s.
    let isAmongIntegers (x: float) = x >= -9223372036854775808.0 && x < 9223372036854775808.0

    // Towards zero. Decided where the bound holds no integer boundary; what no int64 is near, C++ leaves to the processor.
    let private truncated<'S when 'S :> IScalar<'S>> (x: 'S) =
        let towards = System.Math.Truncate('S.Value x)
        let size = 'S.Floor('S.Abs x)

        if not (isAmongIntegers towards) then
            System.Int64.MinValue, false
        else
            int64 towards, 'S.Compare(size, 'S.Constant(System.Math.Abs towards)) = Equal

    let private truth<'S when 'S :> IScalar<'S>> (x: 'S) =
        match 'S.Compare(x, 'S.Constant 0.0) with
        | Equal -> 0L, true
        | Undecided -> 1L, false
        | _ -> 1L, true

    /// The elements as int64 (towards zero) or as booleans (not zero), and whether they are decided.
    let asInts<'S when 'S :> IScalar<'S>> dtype (v: Value<'S>) : int64[] * bool =
        match v.Elements with
        | Elements.Ints(elements, decided) when dtype = Bool && v.DType <> Bool ->
            elements |> Array.map (fun n -> if n = 0L then 0L else 1L), decided
        | Elements.Ints(elements, decided) -> elements, decided
        | Elements.Floats elements ->
            let converted = elements |> Array.map (if dtype = Bool then truth else truncated)
            Array.map fst converted, Array.forall snd converted

    /// The value in another dtype.
    let cast<'S when 'S :> IScalar<'S>> (dtype: DType) (v: Value<'S>) : Value<'S> =
        if v.DType = dtype then
            v
        elif dtype.IsFloat then
            floats dtype v.Shape (asFloats dtype v)
        else
            let elements, decided = asInts dtype v
            ints dtype v.Shape elements decided

    /// A value of a new shape whose elements are those of `v` at these positions.
    let pick shape (positions: int[]) (v: Value<'S>) : Value<'S> =
        { DType = v.DType
          Shape = shape
          Elements =
            match v.Elements with
            | Elements.Floats elements -> Elements.Floats(positions |> Array.map (fun p -> elements[p]))
            | Elements.Ints(elements, decided) -> Elements.Ints((positions |> Array.map (fun p -> elements[p])), decided) }

    /// The same elements under another shape of the same count.
    let reshape shape (v: Value<'S>) : Value<'S> = { v with Shape = shape }

    /// The value broadcast to a shape that it reaches.
    let expand (shape: int[]) (v: Value<'S>) : Value<'S> = if v.Shape = shape then v else pick shape (Broadcast.positions v.Shape shape) v

    let operand (v: Value<'S>) = Promotion.Tensor(v.DType, v.Shape.Length)

/// Reading an operator's tensor arguments.
[<RequireQualifiedAccess>]
module Argument =
    /// Argument i, which must be there.
    let tensor (call: Call<'S>) i : Result<Value<'S>, Complaint> =
        match Array.tryItem i call.In with
        | Some(Some v) -> Ok v
        | _ -> Complain.value $"tensor argument {i + 1} is missing"

    let tryTensor (call: Call<'S>) i : Value<'S> option = Array.tryItem i call.In |> Option.flatten

    /// Argument i, which must be a float tensor.
    let floats (call: Call<'S>) i : Result<Value<'S>, Complaint> =
        result {
            let! v = tensor call i

            if v.DType.IsFloat then
                return v
            else
                return! Complain.dtype $"tensor argument {i + 1} must be of a float dtype, but is {v.DType.Name}"
        }

    /// All arguments of a list, all of which must be there.
    let list (call: Call<'S>) : Result<Value<'S> list, Complaint> =
        if Array.isEmpty call.In then
            Complain.shape "expected a non-empty list of Tensors"
        else
            Array.foldBack
                (fun (item: Value<'S> option) rest ->
                    match item, rest with
                    | Some v, Ok found -> Ok(v :: found)
                    | None, Ok _ -> Complain.value "a tensor of the list is missing"
                    | _, complaint -> complaint)
                call.In
                (Ok [])
