namespace Verified.Spec.Operators

open Verified.Spec

/// How a reduction walks its input: element o of its result is made of the elements outer[o] + inner[i] of the input.
type internal Groups =
    {
        /// The dimensions that are reduced, ascending.
        Dims: int list
        /// The shape of the result with the reduced dimensions kept as 1.
        Kept: int[]
        /// The shape of the result.
        Result: int[]
        Outer: int[]
        Inner: int[]
    }

    /// The number of elements that make one of the result.
    member g.Size = g.Inner.Length

    /// The elements of each group.
    member g.Of(elements: 'a[]) = g.Outer |> Array.map (fun o -> g.Inner |> Array.map (fun i -> elements[o + i]))

[<RequireQualifiedAccess>]
module internal Groups =
    /// The groups over some dimensions; over all where none is named, as PyTorch has it.
    let over (shape: int[]) (dims: int list) keepdim =
        let all = [ 0 .. shape.Length - 1 ]

        let dims =
            if List.isEmpty dims then
                all
            else
                dims |> List.filter (fun d -> d < shape.Length) |> List.sort

        let rest = List.except dims all
        let strides = Shape.strides shape

        let walk chosen =
            Positions.ofView
                (chosen |> List.map (fun d -> shape[d]) |> List.toArray)
                (chosen |> List.map (fun d -> strides[d]) |> List.toArray)
                0

        let kept = shape |> Array.mapi (fun d size -> if List.contains d dims then 1 else size)

        { Dims = dims
          Kept = kept
          Result = if keepdim then kept else rest |> List.map (fun d -> shape[d]) |> List.toArray
          Outer = walk rest
          Inner = walk dims }

    /// The groups that the attributes `dim` and `keepdim` name.
    let read (attrs: Attrs) (shape: int[]) =
        result {
            let! dims = Read.tryDims attrs "dim" shape.Length
            let! keepdim = Read.flagOr false attrs "keepdim"
            return over shape (Option.defaultValue [] dims) keepdim
        }

    let private areThere (attrs: Attrs) rank =
        match Read.optional attrs "dim" with
        | Some(Attr.Items dims) ->
            dims
            |> List.choose (function
                | Attr.Integer dim -> Some(int dim)
                | _ -> None)
            |> List.fold (fun found dim -> found |> Result.bind (fun () -> Dim.normalise rank dim |> Result.map ignore)) (Ok())
        | _ -> Ok()

    /// The same where all dimensions are looked for before one is found to be named twice (maybe_wrap_dims, make_dim_mask).
    let readAll (attrs: Attrs) (shape: int[]) = areThere attrs shape.Length |> Result.bind (fun () -> read attrs shape)

    /// The same in a derivative rule, where the attributes have been read before.
    let ofRule (d: IDerivation) =
        match read d.Attrs (d.ShapeOf 0) with
        | Ok groups -> groups
        | Error complaint -> invalidOp complaint.Message

    /// Whether dimensions are named; an empty list names none.
    let namesDims (attrs: Attrs) =
        match Read.optional attrs "dim" with
        | None
        | Some(Attr.Items []) -> false
        | Some _ -> true

    /// A term of the result's shape, with the reduced dimensions as 1, where dimensions are named; else as it is, as PyTorch leaves it.
    let restore (d: IDerivation) (groups: Groups) (t: Term) = if namesDims d.Attrs then Shaping.reshape groups.Kept t else t

    /// A gradient of the result, restored and expanded to the input's shape.
    let spread (d: IDerivation) (groups: Groups) (g: Term) =
        Derive.apply "expand" [ restore d groups g ] [ "size", Derive.sizeAttr (d.ShapeOf 0) ]

    /// The groups along the one dimension that `dim` names, or over all.
    let readOne (attrs: Attrs) (shape: int[]) =
        result {
            let! dim = Read.tryDim attrs "dim" shape.Length
            let! keepdim = Read.flagOr false attrs "keepdim"
            return over shape (Option.toList dim) keepdim
        }

/// What the attributes of reductions may be, and the shapes worth trying.
[<RequireQualifiedAccess>]
module internal Reduction =
    let dims = [ Define.attr "dim" AttrKind.Dims; Define.attr "keepdim" AttrKind.Flag ]
    let oneDim = [ Define.attr "dim" AttrKind.Dim; Define.attr "keepdim" AttrKind.Flag ]
    let dtype = [ Define.attr "dtype" AttrKind.DType ]

    let shapes =
        [ [ [| 3 |] ]
          [ [| 2; 3 |] ]
          [ [||] ]
          [ [| 1 |] ]
          [ [| 2; 1; 3 |] ]
          [ [| 0 |] ]
          [ [| 2; 0 |] ]
          [ [| 2; 2; 2 |] ]
          [ [| 9 |] ] ]

    /// The name of the node: the overload that takes dimensions comes behind the one that takes none.
    let node name : Recorded -> string = Define.nodeByOverload name (fun call -> if (Read.optional call.Attrs "dim").IsSome then 1 else 0)

    /// The input in the dtype that the attribute `dtype` names, or in `otherwise`.
    let converted<'S when 'S :> IScalar<'S>> otherwise (call: Call<'S>) =
        result {
            let! x = Argument.tensor call 0
            let! dtype = Read.tryDType call.Attrs "dtype"
            return Value.cast (dtype |> Option.defaultWith (fun () -> otherwise x.DType)) x
        }

    /// An integer as an element of a dtype: of truth values there are two.
    let element dtype (n: int64) = if dtype = Bool then min 1L (abs n) else n

    let integersAsInt64 (t: DType) = if t.IsFloat then t else Int64

/// What becomes of the elements along one dimension, over any number system.
type internal Transform =
    abstract Of<'S when 'S :> IScalar<'S>> : dtype: DType * 'S[] -> 'S[]

/// The formulas of reductions, over any number system.
module internal Reduce =
    let private reciprocal (count: float) = 1.0 / count
    let private next (i: int) = i + 1
    let private lessBy (correction: float) (n: int) = max 0.0 (float n - correction)
    let private toFormat dtype (x: float) = if dtype = Float32 then float (float32 x) else x
    let private finite<'S when 'S :> IScalar<'S>> (x: 'S) = System.Double.IsFinite('S.Value x)
    let private isZero<'S when 'S :> IScalar<'S>> (x: 'S) = 'S.Value x = 0.0
    let private magnitude<'S when 'S :> IScalar<'S>> (x: 'S) = System.Math.Abs('S.Value x)

    /// Whether a number is certainly NaN.
    let isNaN<'S when 'S :> IScalar<'S>> (x: 'S) = System.Double.IsNaN('S.Value x) && 'S.Compare(x, x) = Unordered

    /// The largest value, as a number that the dtype holds exactly; one that is not finite as it is.
    let largest<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S =
        let mutable best = xs[0]

        for x in xs do
            if not ('S.Value x <= 'S.Value best) && not (System.Double.IsNaN('S.Value best)) then
                best <- x

        if finite best then Value.exact dtype (toFormat dtype ('S.Value best)) else best

    open Scalar

    /// The sum of the terms; of none, 0 of this dtype.
    let total<'S when 'S :> IScalar<'S>> dtype (terms: 'S[]) : 'S = if terms.Length = 0 then Value.exact dtype 0.0 else sum terms

    /// A quantity over a count: divided by it, or times its reciprocal; both are in use.
    let over<'S when 'S :> IScalar<'S>> (count: float) (x: 'S) : 'S =
        if count = 1.0 then
            x
        else
            'S.Permitted [| x / num count; x * num (reciprocal count) |]

    /// The sum of the terms over a divisor: divided by it, times its reciprocal, or each term times the reciprocal.
    let average<'S when 'S :> IScalar<'S>> dtype (divisor: float) (terms: 'S[]) : 'S =
        if terms.Length = 0 then
            Value.exact dtype 0.0
        else
            let share: 'S = num (reciprocal divisor)
            'S.Permitted [| over divisor (sum terms); dot terms (terms |> Array.map (fun _ -> share)) |]

    /// The product of the factors. What lies between depends on the order: as they come, the large ones first, the small ones first.
    let product<'S when 'S :> IScalar<'S>> dtype (factors: 'S[]) : 'S =
        match factors.Length with
        | 0 -> Value.exact dtype 1.0
        | 1
        | 2 -> Array.reduce (fun a b -> a * b) factors
        | _ ->
            let rising = Array.sortBy magnitude factors
            'S.Permitted([| factors; rising; Array.rev rising |] |> Array.map (Array.reduce (fun a b -> a * b)))

    /// Whether a product of some of these may leave the format's range, in whatever order it is taken.
    let private mayOverflow<'S when 'S :> IScalar<'S>> dtype (factors: 'S[]) =
        let most = if dtype = Float32 then float System.Single.MaxValue else System.Double.MaxValue
        let digits = factors |> Array.sumBy (fun x -> max 0.0 (System.Math.Log(magnitude x)))
        not (digits < System.Math.Log most)

    /// For each factor the product of the others: of those before it and of those behind, or, where no factor is zero, the whole product
    /// divided by it. Where a part of a product that is zero overflows, that depends on the order.
    let productOfOthers<'S when 'S :> IScalar<'S>> dtype (factors: 'S[]) : 'S[] =
        let one: 'S = Value.exact dtype 1.0
        let before = Array.scan (fun a b -> a * b) one factors
        let behind = Array.scanBack (fun a b -> a * b) factors one
        let others = factors |> Array.mapi (fun i _ -> before[i] * behind[next i])
        let orders = factors |> Array.map (fun x -> 'S.Compare(x, num 0.0))

        if Array.contains Equal orders && mayOverflow dtype factors then
            others |> Array.mapi (fun i other -> 'S.Permitted [| other; product dtype (Array.removeAt i factors) |])
        elif Array.contains Equal orders then
            others
        else
            let whole = product dtype factors

            Array.map3
                (fun other x order ->
                    match order with
                    | Less
                    | Greater -> 'S.Permitted [| other; whole / x |]
                    | _ -> 'S.Unknown other)
                others
                factors
                orders

    /// The gradient of that: for each factor k, the sum over the others i of g[i] times the product of all but these two, which a running
    /// product has as a quotient by k; or, where no factor is zero, by the derivatives of the quotient. With an infinite factor the formulas in use disagree (inf / inf, 0 inf), and with
    /// numbers so large that the products of some are infinite.
    let productOfOthersBackward<'S when 'S :> IScalar<'S>> dtype (g: 'S[]) (factors: 'S[]) : 'S[] =
        let but i (xs: 'S[]) = Array.removeAt i xs

        let exactly =
            factors
            |> Array.mapi (fun k _ ->
                if factors.Length = 1 then
                    Value.exact dtype 0.0
                else
                    dot (but k g) (productOfOthers dtype (but k factors)))

        let orders = factors |> Array.map (fun x -> 'S.Compare(x, num 0.0))

        if not (Array.forall finite factors) || mayOverflow dtype (Array.concat [ g; factors; factors ]) then
            Array.map 'S.Unknown exactly
        elif Array.contains Equal orders then
            Array.map3
                (fun exact x order -> if order = Equal then exact else 'S.Permitted [| exact; exact * x / x |])
                exactly
                factors
                orders
        elif Array.forall (fun order -> order = Less || order = Greater) orders then
            let whole = product dtype factors
            let shares = sum (Array.map2 (fun g x -> g / x) g factors)

            Array.map3
                (fun exact g x ->
                    let quotient = whole / x
                    'S.Permitted [| exact; shares * quotient - g * (quotient / x) |])
                exactly
                g
                factors
        else
            Array.map 'S.Unknown exactly

    /// The mean of a line that is normalised: its sum over n, or moved a step towards each element in turn (Welford).
    let mean<'S when 'S :> IScalar<'S>> (xs: 'S[]) : 'S =
        let step (mean: 'S) (k, x: 'S) = mean + (x - mean) * num (reciprocal (float k))
        let moved = Array.zip [| 2 .. xs.Length |] xs[1..] |> Array.fold step xs[0]
        'S.Permitted [| over (float xs.Length) (sum xs); moved |]

    /// The sum of squared distances from the mean, over n - correction (at least 0): from the mean itself, from the first element and
    /// corrected, or from the mean of those before, one by one (Welford).
    let variance<'S when 'S :> IScalar<'S>> dtype (correction: float) (xs: 'S[]) : 'S =
        let divisor: 'S = num (lessBy correction xs.Length)

        if xs.Length = 0 then
            Value.exact dtype nan
        else
            let mean = over (float xs.Length) (sum xs)
            let fromMean = xs |> Array.map (fun x -> x - mean)
            let fromFirst = xs |> Array.map (fun x -> x - xs[0])
            let drift = sum fromFirst

            let welford =
                let step (mean: 'S, total: 'S) (k, x: 'S) =
                    let distance = x - mean
                    let next = mean + distance / num (float k)
                    next, total + distance * (x - next)

                Array.zip [| 2 .. xs.Length |] xs[1..] |> Array.fold step (xs[0], Value.exact dtype 0.0) |> snd

            'S.Permitted
                [| dot fromMean fromMean / divisor
                   welford / divisor
                   (dot fromFirst fromFirst - drift * drift / num (float xs.Length)) / divisor |]

    /// log(sum of exp(x)), with the largest subtracted first where it is finite; -inf of nothing. An error of the largest term, which is
    /// subtracted and added again, cancels: it enters as an exact number.
    let logSumExp<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S =
        if xs.Length = 0 then
            Value.exact dtype System.Double.NegativeInfinity
        else
            let largest = largest dtype xs
            let shift = if finite largest then largest else Value.exact dtype 0.0
            log (sum (xs |> Array.map (fun x -> exp (x - shift)))) + shift

    let private euclidean<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S =
        let plain = sqrt (dot xs xs)
        let scale = largest dtype (Array.map abs xs)

        if finite scale && not (isZero scale) then
            let scaled = xs |> Array.map (fun x -> x / scale)
            'S.Permitted [| plain; scale * sqrt (dot scaled scaled) |]
        else
            plain

    /// 1 where a number is not zero, else 0; between them where that is undecided.
    let private counts<'S when 'S :> IScalar<'S>> dtype (x: 'S) : 'S =
        let zero, one = Value.exact dtype 0.0, Value.exact dtype 1.0

        match 'S.Compare(x, num 0.0) with
        | Equal -> zero
        | Undecided -> 'S.Permitted [| one; zero |]
        | _ -> one

    /// The p-norm for finite p.
    let norm<'S when 'S :> IScalar<'S>> dtype (p: float) (xs: 'S[]) : 'S =
        if xs.Length = 0 then
            Value.exact dtype 0.0
        elif p = 0.0 then
            sum (Array.map (counts dtype) xs)
        elif p = 1.0 then
            sum (Array.map abs xs)
        elif p = 2.0 then
            euclidean dtype xs
        elif p > 0.0 && xs |> Array.forall (fun x -> 'S.Compare(x, num 0.0) = Equal) then
            Value.exact dtype 0.0
        else
            pow (sum (xs |> Array.map (fun x -> pow (abs x) (num p)))) (num (reciprocal p))
