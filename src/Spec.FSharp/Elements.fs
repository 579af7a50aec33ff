namespace Verified.Spec

/// Reading and writing elements through a geometry.
[<RequireQualifiedAccess>]
module Elements =
    /// The elements of a storage that a geometry names, in row-major order.
    let gather (g: Geometry) (storage: Elements<'S>) : Elements<'S> =
        match storage with
        | Elements.Floats x -> Elements.Floats(Strides.gather g x)
        | Elements.Ints(x, decided) -> Elements.Ints(Strides.gather g x, decided)

    /// The storage that a geometry fills, from the elements in row-major order.
    let arrange (g: Geometry) (elements: Elements<'S>) : Elements<'S> =
        match elements with
        | _ when Layout.isContiguous g -> elements
        | Elements.Floats x -> Elements.Floats(Strides.replace g x (Array.zeroCreate x.Length))
        | Elements.Ints(x, decided) -> Elements.Ints(Strides.replace g x (Array.zeroCreate x.Length), decided)

    /// A storage with the elements that a geometry names replaced; both of one kind.
    let replace (g: Geometry) (elements: Elements<'S>) (storage: Elements<'S>) : Elements<'S> =
        match elements, storage with
        | Elements.Floats x, Elements.Floats s -> Elements.Floats(Strides.replace g x s)
        | Elements.Ints(x, decided), Elements.Ints(s, before) -> Elements.Ints(Strides.replace g x s, decided && before)
        | _ -> invalidOp "a storage of floats cannot hold integers, nor one of integers floats"

/// Tensors as they are written down, and as values of a number system.
[<RequireQualifiedAccess>]
module Literals =
    /// As a value: every number is held exactly.
    let toValue<'S when 'S :> IScalar<'S>> (literal: Literal) : Value<'S> =
        { DType = literal.DType
          Shape = literal.Shape
          Elements =
            match literal.Data with
            | Data.Floats x -> Elements.Floats(Array.map (Value.exact literal.DType) x)
            | Data.Ints x -> Elements.Ints(x, true) }

    /// A value written down: each number rounded once to its dtype.
    let ofValue<'S when 'S :> IScalar<'S>> (value: Value<'S>) : Literal =
        let round (v: float) = if value.DType = DType.Float32 then float (float32 v) else v

        { DType = value.DType
          Shape = value.Shape
          Data =
            match value.Elements with
            | Elements.Floats x -> Data.Floats(Array.map (fun s -> round ('S.Value s)) x)
            | Elements.Ints(x, _) -> Data.Ints x }
