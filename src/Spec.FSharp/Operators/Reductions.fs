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

    let expand (shape: int[]) (t: Term) =
        if t.Shape = shape then
            t
        else
            Derive.apply "expand" [ t ] [ "size", Derive.sizeAttr shape ]

    let transpose (a: int) (b: int) (t: Term) =
        Derive.apply "transpose" [ t ] [ "dim0", Derive.integerAttr a; "dim1", Derive.integerAttr b ]

    /// The last two dimensions swapped.
    let matrixTranspose (t: Term) = transpose -2 -1 t

    let unsqueeze (dim: int) (t: Term) =
        Derive.apply "unsqueeze" [ t ] [ "dim", Derive.integerAttr dim ]

    /// Summed over these dimensions; over none, the term itself.
    let sumOver (dims: int list) keepdim (t: Term) =
        if List.isEmpty dims then
            t
        else
            Derive.apply "sum" [ t ] [ "dim", Derive.dimsAttr dims; "keepdim", Attr.Flag keepdim ]

    /// Where a mask holds the term, elsewhere exactly 0 (whatever stands there, NaN too).
    let whereMask (mask: Term) (t: Term) =
        let not = mask.Apply("eq", [], [ "other", Attr.Integer 0L ])
        Derive.apply "masked_fill" [ t; not ] [ "value", Attr.Float 0.0 ]

/// How a reduction walks its input: element o of its result is made of the elements outer[o] + inner[i] of the input.
type internal Groups =
    { /// The dimensions that are reduced, ascending.
      Dims: int list
      /// The shape of the result with the reduced dimensions kept as 1.
      Kept: int[]
      /// The shape of the result.
      Result: int[]
      Outer: int[]
      Inner: int[] }

    /// The number of elements that make one of the result.
    member g.Size = g.Inner.Length

    /// The elements of each group.
    member g.Of(elements: 'a[]) =
        g.Outer |> Array.map (fun o -> g.Inner |> Array.map (fun i -> elements[o + i]))

[<RequireQualifiedAccess>]
module internal Groups =
    /// The groups over some dimensions; over all where none is named, as PyTorch has it.
    let over (shape: int[]) (dims: int list) keepdim =
        let all = [ 0 .. shape.Length - 1 ]
        let dims = if List.isEmpty dims then all else dims |> List.filter (fun d -> d < shape.Length) |> List.sort
        let rest = List.except dims all
        let strides = Shape.strides shape
        let walk chosen = Positions.ofView (chosen |> List.map (fun d -> shape[d]) |> List.toArray) (chosen |> List.map (fun d -> strides[d]) |> List.toArray) 0
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

    /// The same in a derivative rule, where the attributes have been read before.
    let ofRule (d: IDerivation) =
        match read d.Attrs (d.ShapeOf 0) with
        | Ok groups -> groups
        | Error complaint -> invalidOp complaint.Message

    /// A gradient of the result, with the reduced dimensions as 1 and expanded to the input's shape.
    let spread (d: IDerivation) (groups: Groups) (g: Term) =
        g |> Shaping.reshape groups.Kept |> Shaping.expand (d.ShapeOf 0)

/// The formulas of reductions, over any number system.
module internal Reduce =
    let private reciprocal (count: float) = 1.0 / count

    open Scalar

    /// The sum of the terms; of none, 0 of this dtype.
    let total<'S when 'S :> IScalar<'S>> dtype (terms: 'S[]) : 'S =
        if terms.Length = 0 then Value.exact dtype 0.0 else sum terms

    /// A quantity over a count: divided by it, or times its reciprocal; both are in use.
    let over<'S when 'S :> IScalar<'S>> (count: float) (x: 'S) : 'S =
        'S.Permitted [| x / num count; x * num (reciprocal count) |]

/// Sums, means, products, extremes and norms: n elements make one.
module Reductions =
    open Reduce

    let private dimOrDims = [ Define.attr "dim" AttrKind.Dims; Define.attr "keepdim" AttrKind.Flag ]
    let private oneDim = [ Define.attr "dim" AttrKind.Dim; Define.attr "keepdim" AttrKind.Flag ]
    let private asDType = [ Define.attr "dtype" AttrKind.DType ]

    let private shapesWorthTrying =
        [ [ [| 3 |] ]; [ [| 2; 3 |] ]; [ [||] ]; [ [| 1 |] ]; [ [| 2; 1; 3 |] ]; [ [| 0 |] ]; [ [| 2; 0 |] ]; [ [| 2; 2; 2 |] ]; [ [| 9 |] ] ]

    /// The input in the dtype that the attribute `dtype` names, or in `otherwise`.
    let private converted<'S when 'S :> IScalar<'S>> otherwise (call: Call<'S>) =
        result {
            let! x = Argument.tensor call 0
            let! dtype = Read.tryDType call.Attrs "dtype"
            return Value.cast (dtype |> Option.defaultWith (fun () -> otherwise x.DType)) x
        }

    let private integersAsInt64 (t: DType) = if t.IsFloat then t else Int64

    let internal floatOnly name (x: Value<'S>) =
        Complain.unlessDType x.DType.IsFloat (fun () ->
            $"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {Promotion.messageName x.DType}")

    // ---- sum and mean ----

    let sum =
        { Define.computes
              "sum"
              "y = sum of x over dim"
              [ ArgKind.Any ]
              (dimOrDims @ asDType)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = converted integersAsInt64 call
                          let! groups = Groups.read call.Attrs x.Shape

                          match x.Elements with
                          | Elements.Floats elements ->
                              return [ groups.Of elements |> Array.map (total x.DType) |> Value.floats x.DType groups.Result ]
                          | Elements.Ints(elements, decided) ->
                              return [ Value.ints x.DType groups.Result (groups.Of elements |> Array.map Array.sum) decided ]
                      } } with
            Shapes = shapesWorthTrying
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Groups.spread d (Groups.ofRule d) g) ])) }

    /// A term over a count, in both permitted ways.
    let internal overCount (count: int) (t: Term) =
        Derive.apply "over_count" [ t ] [ "count", Derive.integerAttr count ]

    let overCount' =
        { Define.computes
              "over_count"
              "y = x / count"
              [ ArgKind.Float ]
              [ Define.required "count" (AttrKind.Integer [ 1L; 3L; 6L ]) ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! count = Read.integer call.Attrs "count"
                          return [ Value.asFloats x.DType x |> Array.map (over (float count)) |> Value.floats x.DType x.Shape ]
                      } } with
            Internal = true
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "over_count" [ g ] [ "count", d.Attrs["count"] ]) ])
                ) }

    let mean =
        { Define.computes
              "mean"
              "y = (sum of x over dim) / n"
              [ ArgKind.Float ]
              (dimOrDims @ asDType)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = converted id call
                          do! floatOnly "mean" x
                          let! groups = Groups.read call.Attrs x.Shape

                          return
                              [ groups.Of(Value.asFloats x.DType x)
                                |> Array.map (fun terms -> over (float groups.Size) (total x.DType terms))
                                |> Value.floats x.DType groups.Result ]
                      } } with
            Shapes = shapesWorthTrying
            Kinks = Some "the mean of nothing is 0/0 = NaN (PyTorch; its gradient is empty)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let groups = Groups.ofRule d
                              Groups.spread d groups (overCount groups.Size g)) ])
                ) }

    // ---- extremes ----

    /// The extreme of some numbers (the largest for sign 1, the smallest for -1): its value, the first place where it is attained, and
    /// whether that place is certain. Where the order is undecided the value lies between the candidates. A NaN comes before all.
    let internal extreme<'S when 'S :> IScalar<'S>> sign (xs: 'S[]) : struct ('S * int * bool) =
        let order i j = if sign > 0 then 'S.Compare(xs[i], xs[j]) else 'S.Compare(xs[j], xs[i])
        let isNaN i = System.Double.IsNaN('S.Value xs[i])
        let mutable best = 0
        let mutable contested = false

        for i in 1 .. xs.Length - 1 do
            match order i best with
            | Greater -> best <- i
            | Unordered -> if isNaN i && not (isNaN best) then best <- i
            | Undecided ->
                contested <- true
                if float sign * 'S.Value xs[i] > float sign * 'S.Value xs[best] then best <- i
            | Less
            | Equal -> ()

        let rivals =
            if contested then
                [| for i in 0 .. xs.Length - 1 do
                       if i <> best && order i best = Undecided then
                           i |]
            else
                [||]

        if rivals.Length = 0 then
            struct (xs[best], best, true)
        else
            struct ('S.Permitted(Array.append [| xs[best] |] (rivals |> Array.map (fun i -> xs[i]))), best, false)

    /// The extreme of integers and where it is attained first.
    let internal extremeInt sign (xs: int64[]) =
        let mutable best = 0

        for i in 1 .. xs.Length - 1 do
            if (if sign > 0 then xs[i] > xs[best] else xs[i] < xs[best]) then
                best <- i

        struct (xs[best], best)

    /// Where some numbers are equal to their extreme `value`, found first at `best`; where it is NaN, all that are.
    let private attained<'S when 'S :> IScalar<'S>> (xs: 'S[]) (best: int) =
        let isNaN (x: 'S) = System.Double.IsNaN('S.Value x)

        xs
        |> Array.mapi (fun i x ->
            if i = best || (if isNaN xs[best] then isNaN x else 'S.Compare(x, xs[best]) = Equal) then 1L else 0L)

    /// An extreme of nothing: there is none.
    let internal refuseNothing name (named: bool) (shape: int[]) (groups: Groups) =
        if not named then
            Complain.unlessShape (Shape.count shape > 0) (fun () ->
                $"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.")
        else
            match groups.Dims |> List.tryFind (fun d -> shape[d] = 0) with
            | Some d -> Complain.shape $"{name}(): Expected reduction dim {d} to have non-zero size."
            | None -> Ok()

    let private namesDims (attrs: Attrs) =
        match Read.optional attrs "dim" with
        | None
        | Some(Attr.Items []) -> false
        | Some _ -> true

    /// The extremes of the groups, with the mask of the places where they are attained, of the input's shape.
    let private extremesWithMask<'S when 'S :> IScalar<'S>> sign (groups: Groups) (x: Value<'S>) =
        let mask = Array.zeroCreate<int64> (Value.count x)

        let place (g: int) (here: int64[]) =
            here |> Array.iteri (fun i held -> mask[groups.Outer[g] + groups.Inner[i]] <- held)

        match x.Elements with
        | Elements.Floats elements ->
            let mutable decided = true

            let values =
                groups.Of elements
                |> Array.mapi (fun g xs ->
                    let struct (value, best, certain) = extreme sign xs
                    decided <- decided && certain
                    place g (attained xs best)
                    value)

            [ Value.floats x.DType groups.Result values; Value.ints Bool x.Shape mask decided ]
        | Elements.Ints(elements, decided) ->
            let values =
                groups.Of elements
                |> Array.mapi (fun g xs ->
                    let struct (value, _) = extremeInt sign xs
                    place g (xs |> Array.map (fun v -> if v = value then 1L else 0L))
                    value)

            [ Value.ints x.DType groups.Result values decided; Value.ints Bool x.Shape mask decided ]

    /// The extremes along one dimension, and the first places where they are attained.
    let private extremesWithIndices<'S when 'S :> IScalar<'S>> sign (groups: Groups) (x: Value<'S>) =
        match x.Elements with
        | Elements.Floats elements ->
            let found = groups.Of elements |> Array.map (extreme sign)
            let decided = found |> Array.forall (fun struct (_, _, certain) -> certain)

            [ found |> Array.map (fun struct (value, _, _) -> value) |> Value.floats x.DType groups.Result
              Value.ints Int64 groups.Result (found |> Array.map (fun struct (_, best, _) -> int64 best)) decided ]
        | Elements.Ints(elements, decided) ->
            let found = groups.Of elements |> Array.map (extremeInt sign)

            [ Value.ints x.DType groups.Result (found |> Array.map (fun struct (value, _) -> value)) decided
              Value.ints Int64 groups.Result (found |> Array.map (fun struct (_, best) -> int64 best)) decided ]

    let private readOneDim (attrs: Attrs) (shape: int[]) =
        result {
            let! dim = Read.tryDim attrs "dim" shape.Length
            let! keepdim = Read.flagOr false attrs "keepdim"
            return Groups.over shape (Option.toList dim) keepdim
        }

    let private extremeForward name sign =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let! groups = readOneDim call.Attrs x.Shape
                    do! refuseNothing name (namesDims call.Attrs) x.Shape groups

                    return
                        if namesDims call.Attrs then
                            extremesWithIndices sign groups x
                        else
                            extremesWithMask sign groups x
                } }

    /// The gradient goes to the one place that was chosen along the dimension.
    let private toChosen (d: IDerivation) (g: Term) =
        let groups = Groups.ofRule d

        Derive.apply
            "scatter_sum"
            [ Shaping.reshape groups.Kept g; Shaping.reshape groups.Kept (d.Output 1) ]
            [ "dim", d.Attrs["dim"]; "size", Derive.sizeAttr (d.ShapeOf 0) ]

    /// `max` and `min`. Without `dim` the second output is the mask of the places where the extreme is attained; PyTorch finds it again in
    /// backward, by comparing the saved input and result.
    let private maxOrMin name sign formula =
        { Define.computes name formula [ ArgKind.Any ] oneDim (extremeForward name sign) with
            Shapes = shapesWorthTrying
            Saves =
                fun _ attrs ->
                    if namesDims attrs then
                        [ Output 1 ]
                    else
                        [ Input 0; Output 0; Output 1 ]
            Kinks =
                Some
                    "ties: without dim the gradient is shared evenly, with dim it goes to the first (measured; evenly_distribute_backward and value_selecting_reduction_backward); NaN comes before all"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              if namesDims d.Attrs then
                                  toChosen d g
                              else
                                  let mask = d.Output 1
                                  let count = mask.Apply("sum", [], [])
                                  (g / count) |> Shaping.expand (d.ShapeOf 0) |> Shaping.whereMask mask) ])
                ) }

    let max' = maxOrMin "max" 1 "y = the largest of x; with dim also where, the first"
    let min' = maxOrMin "min" -1 "y = the smallest of x; with dim also where, the first"

    let private amaxOrAmin name sign formula =
        { Define.computes
              name
              formula
              [ ArgKind.Any ]
              dimOrDims
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! groups = Groups.read call.Attrs x.Shape
                          do! refuseNothing name (namesDims call.Attrs) x.Shape groups

                          return
                              match extremesWithMask sign groups x, x.Elements with
                              | [ values; mask ], Elements.Floats elements ->
                                  // A group with a NaN attains its extreme nowhere, since a NaN equals nothing.
                                  let attained, decided = Value.asInts Bool mask

                                  let held =
                                      attained
                                      |> Array.mapi (fun i m -> if System.Double.IsNaN('S.Value elements[i]) then 0L else m)

                                  [ values; Value.ints Bool x.Shape held decided ]
                              | found, _ -> found
                      } } with
            Shapes = shapesWorthTrying
            Saves = fun _ _ -> [ Input 0; Output 0; Output 1 ]
            Kinks =
                Some
                    "ties share the gradient evenly; a NaN spreads over its whole group, since it equals nothing (scale_grad_by_count; measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let groups = Groups.ofRule d
                              let mask = d.Output 1
                              let count = Shaping.sumOver groups.Dims true mask
                              Groups.spread d groups g * mask / count) ])
                ) }

    let amax = amaxOrAmin "amax" 1 "y = the largest of x over dim"
    let amin = amaxOrAmin "amin" -1 "y = the smallest of x over dim"

    let argmax =
        { Define.computes
              "argmax"
              "y = where x is largest, the first"
              [ ArgKind.Any ]
              oneDim
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          do! Complain.unlessDType (x.DType <> Bool) (fun () -> "\"argmax_cpu\" not implemented for 'Bool'")
                          let! groups = readOneDim call.Attrs x.Shape
                          do! refuseNothing "argmax" (namesDims call.Attrs) x.Shape groups
                          return extremesWithIndices 1 groups x |> List.tail
                      } } with
            Kinks = Some "not differentiable; ties: the first; NaN comes before all"
            Shapes = shapesWorthTrying }

    let all = [ sum; overCount'; mean; max'; min'; amax; amin; argmax ]
