namespace Verified.Spec

/// `result { ... }`: computations that stop at the first complaint.
type ResultBuilder() =
    member inline _.Bind(value: Result<'a, 'e>, [<InlineIfLambda>] next: 'a -> Result<'b, 'e>) = Result.bind next value
    member inline _.Return value : Result<'a, 'e> = Ok value
    member inline _.ReturnFrom(value: Result<'a, 'e>) = value
    member inline _.Zero() : Result<unit, 'e> = Ok()

    member inline _.Combine(first: Result<unit, 'e>, [<InlineIfLambda>] next: unit -> Result<'a, 'e>) = Result.bind next first

    member inline _.Delay([<InlineIfLambda>] body: unit -> Result<'a, 'e>) = body
    member inline _.Run([<InlineIfLambda>] body: unit -> Result<'a, 'e>) = body ()

[<AutoOpen>]
module ResultBuilding =
    let result = ResultBuilder()

/// Complaints by kind, with the text that PyTorch has for them where it has one.
[<RequireQualifiedAccess>]
module Complain =
    let private because kind message : Result<'a, Complaint> = Error { Kind = kind; Message = message }

    let shape message : Result<'a, Complaint> = because ShapeError message
    let dtype message : Result<'a, Complaint> = because DTypeError message
    let index message : Result<'a, Complaint> = because IndexError message
    let value message : Result<'a, Complaint> = because ValueError message

    /// `shape` unless the condition holds.
    let unlessShape condition message = if condition then Ok() else shape (message ())

    let unlessDType condition message = if condition then Ok() else dtype (message ())

    let unlessValue condition message = if condition then Ok() else value (message ())

/// Dimensions as PyTorch counts them.
[<RequireQualifiedAccess>]
module Dim =
    /// A dimension of a tensor of this rank, counted from the end where negative. A zero-dimensional tensor has dimension 0 (and -1).
    let normalise (rank: int) (dim: int) =
        let count = max rank 1

        if dim >= -count && dim < count then
            Ok(if dim < 0 then dim + count else dim)
        else
            Complain.index $"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {dim})"

    /// Several dimensions, none of them twice.
    let normaliseAll (rank: int) (dims: int list) =
        let step found dim =
            result {
                let! found = found
                let! dim = normalise rank dim

                if List.contains dim found then
                    return! Complain.value $"dim {dim} appears multiple times in the list of dims"
                else
                    return dim :: found
            }

        dims |> List.fold step (Ok []) |> Result.map List.rev

/// Reading a step's attributes. What is missing, or of another type, is a complaint that names the attribute.
[<RequireQualifiedAccess>]
module Read =
    let rec private show attr =
        match attr with
        | Attr.Null -> "null"
        | Attr.Flag true -> "true"
        | Attr.Flag false -> "false"
        | Attr.Integer n -> string n
        | Attr.Float x -> x.ToString("R", System.Globalization.CultureInfo.InvariantCulture)
        | Attr.Text text -> $"\"{text}\""
        | Attr.Items items -> "[" + System.String.Join(", ", List.map show items) + "]"

    let private wrong name expected attr = Complain.value $"attribute '{name}' must be {expected}, but got {show attr}"

    /// An attribute that is there and not null.
    let optional (attrs: Attrs) name =
        match Map.tryFind name attrs with
        | None
        | Some Attr.Null -> None
        | found -> found

    let private required name expected read attrs =
        match optional attrs name with
        | Some attr -> read name attr
        | None -> Complain.value $"attribute '{name}' is missing: it must be {expected}"

    let private orElse read fallback (attrs: Attrs) name =
        match optional attrs name with
        | Some attr -> read name attr
        | None -> Ok fallback

    let private asInteger name attr =
        match attr with
        | Attr.Integer n when n >= -2147483648L && n <= 2147483647L -> Ok(int n)
        | other -> wrong name "an integer" other

    let private asFlag name attr =
        match attr with
        | Attr.Flag flag -> Ok flag
        | other -> wrong name "true or false" other

    let private asText name attr =
        match attr with
        | Attr.Text text -> Ok text
        | other -> wrong name "a text" other

    let private asNumber name attr =
        match attr with
        | Attr.Integer n -> Ok(float n)
        | Attr.Float x -> Ok x
        | Attr.Flag flag -> Ok(if flag then 1.0 else 0.0)
        | Attr.Text "inf" -> Ok infinity
        | Attr.Text "-inf" -> Ok -infinity
        | Attr.Text "nan" -> Ok nan
        | other -> wrong name "a number" other

    /// A number as an operand, which keeps whether it is an integer, a float or a boolean.
    let private asScalar name attr =
        match attr with
        | Attr.Integer _
        | Attr.Float _
        | Attr.Flag _ -> Ok attr
        | other -> asNumber name other |> Result.map Attr.Float

    let private asIntegers name attr =
        match attr with
        | Attr.Integer _ -> asInteger name attr |> Result.map List.singleton
        | Attr.Items items ->
            List.foldBack
                (fun item rest ->
                    result {
                        let! rest = rest
                        let! n = asInteger name item
                        return n :: rest
                    })
                items
                (Ok [])
        | other -> wrong name "a list of integers" other

    let private asDType name attr =
        match attr with
        | Attr.Text "float32" -> Ok Float32
        | Attr.Text "float64" -> Ok Float64
        | Attr.Text "int64" -> Ok Int64
        | Attr.Text "bool" -> Ok Bool
        | other -> wrong name "one of float32, float64, int64, bool" other

    let private someOf read (attrs: Attrs) name =
        match optional attrs name with
        | Some attr -> read name attr |> Result.map Some
        | None -> Ok None

    let integer attrs name = required name "an integer" asInteger attrs
    let integerOr fallback attrs name = orElse asInteger fallback attrs name
    let tryInteger attrs name = someOf asInteger attrs name
    let flagOr fallback attrs name = orElse asFlag fallback attrs name
    let text attrs name = required name "a text" asText attrs
    let textOr fallback attrs name = orElse asText fallback attrs name
    let number attrs name = required name "a number" asNumber attrs
    let numberOr fallback attrs name = orElse asNumber fallback attrs name
    let tryNumber attrs name = someOf asNumber attrs name
    /// A number with its kind: Attr.Integer, Attr.Float or Attr.Flag.
    let scalar attrs name = required name "a number" asScalar attrs
    let tryScalar attrs name = someOf asScalar attrs name
    /// One integer counts as a list of one.
    let integers attrs name = required name "a list of integers" asIntegers attrs
    let tryIntegers attrs name = someOf asIntegers attrs name
    let dtype attrs name = required name "a dtype" asDType attrs
    let tryDType attrs name = someOf asDType attrs name

    /// A dimension of a tensor of this rank.
    let dim attrs name rank = integer attrs name |> Result.bind (Dim.normalise rank)
    let dimOr fallback attrs name rank = integerOr fallback attrs name |> Result.bind (Dim.normalise rank)

    let tryDim attrs name rank =
        result {
            match! tryInteger attrs name with
            | None -> return None
            | Some dim -> return! Dim.normalise rank dim |> Result.map Some
        }

    /// One or several dimensions, in the order given; None where the attribute is missing or null.
    let tryDims attrs name rank =
        result {
            match! tryIntegers attrs name with
            | None -> return None
            | Some dims -> return! Dim.normaliseAll rank dims |> Result.map Some
        }

    /// One integer for each of two spatial dimensions: a pair, or one for both.
    let pairOr (fallback: int * int) attrs name =
        result {
            match! tryIntegers attrs name with
            | None
            | Some [] -> return fallback
            | Some [ both ] -> return both, both
            | Some [ first; second ] -> return first, second
            | Some _ -> return! Complain.value $"attribute '{name}' must be one integer or two"
        }

/// Row-major positions, and those of views.
[<RequireQualifiedAccess>]
module Positions =
    /// For each element of a view of this shape, in row-major order, its position under these strides and offset.
    let ofView (shape: int[]) (strides: int[]) (offset: int) =
        let positions = Array.zeroCreate (Shape.count shape)
        let at = Array.zeroCreate<int> shape.Length
        let mutable position = offset

        for flat in 0 .. positions.Length - 1 do
            positions[flat] <- position
            let mutable d = shape.Length - 1

            // The odometer: the last dimension turns first, a full turn carries into the one before.
            while d >= 0 do
                at[d] <- at[d] + 1
                position <- position + strides[d]

                if at[d] = shape[d] then
                    position <- position - at[d] * strides[d]
                    at[d] <- 0
                    d <- d - 1
                else
                    d <- -1

        positions

    let ofGeometry (geometry: Geometry) = ofView geometry.Shape geometry.Strides geometry.Offset

    /// The indices of the flat element of a shape.
    let unflatten (shape: int[]) (flat: int) =
        let at = Array.zeroCreate<int> shape.Length
        let mutable rest = flat

        for d in shape.Length - 1 .. -1 .. 0 do
            at[d] <- rest % shape[d]
            rest <- rest / shape[d]

        at

    /// The flat element of a shape at these indices.
    let flatten (shape: int[]) (at: int[]) = Array.fold2 (fun flat size i -> flat * size + i) 0 shape at

    /// The shape as a product of what is before a dimension, the dimension, and what is behind it: element (o, i, n) is
    /// at (o * size + i) * inner + n.
    let around (shape: int[]) (dim: int) =
        if shape.Length = 0 then
            1, 1, 1
        else
            Shape.count shape[.. dim - 1], shape[dim], Shape.count shape[dim + 1 ..]

/// Geometries of dense tensors.
[<RequireQualifiedAccess>]
module Layout =
    /// A row-major tensor of this shape.
    let dense (shape: int[]) : Geometry =
        { Shape = shape
          Strides = Shape.strides shape
          Offset = 0 }

    /// Row-major without gaps, as PyTorch's `is_contiguous`: dimensions of size 1 may have any stride, and an empty tensor is.
    let isContiguous (g: Geometry) =
        let mutable expected = 1
        let mutable holds = true

        for d in g.Shape.Length - 1 .. -1 .. 0 do
            if g.Shape[d] <> 1 then
                holds <- holds && g.Strides[d] = expected
                expected <- expected * g.Shape[d]

        holds || Array.contains 0 g.Shape

/// Broadcasting.
[<RequireQualifiedAccess>]
module Broadcast =
    /// The shape that two shapes broadcast to.
    let shapes (a: int[]) (b: int[]) =
        if a = b then
            Ok a
        else
            let rank = max a.Length b.Length

            let size (shape: int[]) d =
                let d = d - (rank - shape.Length)
                if d < 0 then 1 else shape[d]

            let clash = seq { rank - 1 .. -1 .. 0 } |> Seq.tryFind (fun d -> size a d <> size b d && size a d <> 1 && size b d <> 1)

            match clash with
            | Some d ->
                Complain.shape
                    $"The size of tensor a ({size a d}) must match the size of tensor b ({size b d}) at non-singleton dimension {d}"
            | None -> Ok(Array.init rank (fun d -> if size a d = 1 then size b d else size a d))

    /// The shape that all of them broadcast to.
    let all (several: int[] list) = List.fold (fun found next -> Result.bind (fun shape -> shapes shape next) found) (Ok [||]) several

    /// The strides under which a row-major tensor of shape `from` is read as one of shape `target`.
    let strides (from: int[]) (target: int[]) =
        let own = Shape.strides from
        let missing = target.Length - from.Length

        Array.init target.Length (fun d ->
            if d < missing || from[d - missing] = 1 && target[d] <> 1 then
                0
            else
                own[d - missing])

    /// For each element of the broadcast shape, the element of the original.
    let positions (from: int[]) (target: int[]) = Positions.ofView target (strides from target) 0

    /// Whether a tensor of the first shape can be expanded to the second.
    let reaches (from: int[]) (target: int[]) = shapes from target = Ok target

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

    // Towards zero. Decided where the bound holds no integer boundary; what is not finite has no integer.
    let private truncated<'S when 'S :> IScalar<'S>> (x: 'S) =
        let towards = System.Math.Truncate('S.Value x)
        let size = 'S.Floor('S.Abs x)

        if not (System.Double.IsFinite towards) then
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

/// What derivative rules share.
[<RequireQualifiedAccess>]
module Derive =
    /// An operator with one result applied to tensors, all of them there.
    let apply op (args: Term list) attrs : Term = (List.head args).Calculus.Apply(op, List.map Some args, attrs) |> List.head

    /// The same where some arguments may be missing; one must be there.
    let applyTo op (args: Term option list) attrs : Term = (List.pick id args).Calculus.Apply(op, args, attrs) |> List.head

    let sizeAttr (shape: int[]) = shape |> Array.map (int64 >> Attr.Integer) |> Array.toList |> Attr.Items

    let dimsAttr (dims: int seq) = dims |> Seq.map (int64 >> Attr.Integer) |> Seq.toList |> Attr.Items

    let integerAttr (n: int) = Attr.Integer(int64 n)

    /// Compared with a number: `compared "gt" x 0.0`.
    let compared op (x: Term) (c: float) = apply op [ x ] [ "other", Attr.Float c ]

    /// g where the condition holds, else 0.
    let whereElseZero (condition: Term) (g: Term) = apply "where" [ condition; g ] [ "other", Attr.Float 0.0 ]

    /// 0 where the condition holds, else g.
    let zeroWhere (condition: Term) (g: Term) = apply "where" [ condition; g ] [ "self", Attr.Float 0.0 ]

    /// Summed over broadcast dimensions to a shape.
    let sumTo (shape: int[]) (g: Term) = if g.Shape = shape then g else apply "sum_to" [ g ] [ "size", sizeAttr shape ]

    /// In another dtype.
    let cast (dtype: DType) (g: Term) =
        if g.DType = dtype then
            g
        else
            apply "to" [ g ] [ "dtype", Attr.Text dtype.Name ]

    /// A gradient as that of input i: its dtype, and un-broadcast to its shape.
    let fit (d: IDerivation) i (g: Term) = g |> sumTo (d.ShapeOf i) |> cast (d.DTypeOf i)

    /// The gradient of input i, computed only if it is needed and then fitted to it.
    let wanted (d: IDerivation) i (gradient: unit -> Term) = if d.Needs i then Some(fit d i (gradient ())) else None

    /// The rule of an operator with one output: nothing where no gradient arrives; a gradient for each of its inputs, fitted.
    let rule (gradients: IDerivation -> Term -> (unit -> Term) option list) : Rule =
        fun d ->
            match d.Gradient 0 with
            | None -> List.replicate d.Inputs None
            | Some g ->
                let found = gradients d g |> List.mapi (fun i gradient -> gradient |> Option.bind (wanted d i))
                found @ List.replicate (max 0 (d.Inputs - found.Length)) None

/// What most operators' records share.
[<RequireQualifiedAccess>]
module Define =
    let private nothing =
        { new Forward with
            member _.Of(_: Call<'S>) = Complain.value "the operator has no definition" }

    /// "leaky_relu" is "LeakyRelu" in the names of nodes.
    let nodeName (name: string) =
        name.Split '_'
        |> Array.map (fun word ->
            if word = "" then
                ""
            else
                word.Substring(0, 1).ToUpperInvariant() + word.Substring 1)
        |> System.String.Concat

    let private anything =
        { new Admission with
            member _.Of _ = Ok() }

    /// An operator that computes its result.
    let computes name formula args attrs (forward: Forward) : Operator =
        { Name = name
          Formula = formula
          Args = args
          Attrs = attrs
          Behaviour = Computes forward
          Results = fun _ -> 1
          Node = nodeName name
          Saves = fun _ _ -> []
          Folds = false
          Derivative = None
          Fused = None
          Refuses = fun _ -> []
          Updates = []
          Admits = anything
          InPlace = false
          OnlyInPlace = false
          Internal = false
          Kinks = None
          Domain = Everywhere
          Shapes = [] }

    /// An operator that PyTorch composes of others.
    let composes name formula args attrs composition : Operator =
        { computes name formula args attrs nothing with
            Behaviour = Composes composition }

    /// An operator that returns views of its first argument (or, as PyTorch does, copies).
    let views name formula args attrs aliases : Operator =
        { computes name formula args attrs nothing with
            Behaviour = Aliases aliases }

    let private fusion node =
        { Node = node
          Constants = []
          Apart = false
          Derivative = None
          Unread = [] }

    /// A gradient that is one node, which does not read some of what the operator kept.
    let fused node unread = Some { fusion node with Unread = unread }

    /// A gradient that is one node, with its derivative by what had arrived; it has no other.
    let fusedBy node (derivative: Again -> Term) =
        Some
            { fusion node with
                Derivative = Some(fun again -> [ Some(fun () -> derivative again) ]) }

    /// A gradient that is one node and symmetric, as of all functions of one number: its derivative by what arrives is the same function of
    /// what arrives there. That by the operator's input is given.
    let fusedSymmetric node (second: Again -> Term) =
        Some
            { fusion node with
                Derivative = Some(fun again -> [ Some(fun () -> again.Of again.Arriving); Some(fun () -> second again) ]) }

    /// Gradients that are one node each, with the derivative of each.
    let fusedApart node derivative =
        Some
            { fusion node with
                Apart = true
                Derivative = Some derivative }

    /// A gradient that is one node, and linear in what arrives: by the operator's first input its derivative is zeros.
    let fusedLinear node =
        Some
            { fusion node with
                Constants = [ Input 0 ] }

    /// The same with the derivative by what arrives given.
    let fusedLinearBy node (derivative: Again -> Term) =
        Some
            { fusion node with
                Constants = [ Input 0 ]
                Derivative =
                    Some(fun again -> [ Some(fun () -> derivative again); Some(fun () -> Derive.apply "zeros_like" [ again.Arriving ] []) ]) }

    let attr name kind : AttrSpec =
        { Name = name
          Kind = kind
          Required = false }

    let required name kind : AttrSpec =
        { Name = name
          Kind = kind
          Required = true }
