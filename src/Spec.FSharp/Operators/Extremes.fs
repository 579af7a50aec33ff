namespace Verified.Spec.Operators

open Verified.Spec

/// Finding the largest or smallest of some numbers.
[<RequireQualifiedAccess>]
module internal Extreme =
    /// The extreme of some numbers (the largest for sign 1, the smallest for -1): its value, the first place where it is attained, and
    /// whether that place is certain. Where the order is undecided the value lies between the candidates. A NaN comes before all.
    let find<'S when 'S :> IScalar<'S>> sign (xs: 'S[]) : struct ('S * int * bool) =
        let order i j = if sign > 0 then 'S.Compare(xs[i], xs[j]) else 'S.Compare(xs[j], xs[i])
        let isNaN i = Reduce.isNaN xs[i]
        let mutable best = 0
        let mutable contested = false

        for i in 1 .. xs.Length - 1 do
            match order i best with
            | Greater -> best <- i
            | Unordered -> if isNaN i && not (isNaN best) then best <- i
            | Undecided ->
                contested <- true

                if float sign * 'S.Value xs[i] > float sign * 'S.Value xs[best] then
                    best <- i
            | Less
            | Equal -> ()

        let rivals =
            if contested then
                [| for i in 0 .. xs.Length - 1 do
                       if i <> best && order i best = Undecided then i |]
            else
                [||]

        if rivals.Length = 0 then
            struct (xs[best], best, true)
        else
            struct ('S.Permitted(Array.append [| xs[best] |] (rivals |> Array.map (fun i -> xs[i]))), best, false)

    /// Of zeros of both signs a reduction may give either: in which order it goes over them is nobody's promise.
    let private orOtherZero<'S when 'S :> IScalar<'S>> (xs: 'S[]) (extreme: 'S) =
        let isNegative x = System.Double.IsNegative('S.Value x)

        if 'S.Value extreme <> 0.0 then
            extreme
        else
            match xs |> Array.tryFind (fun x -> 'S.Compare(x, extreme) = Equal && isNegative x <> isNegative extreme) with
            | Some other -> 'S.Permitted [| extreme; other |]
            | None -> extreme

    /// The extreme of integers and where it is attained first.
    let findInt sign (xs: int64[]) =
        let mutable best = 0

        for i in 1 .. xs.Length - 1 do
            if (if sign > 0 then xs[i] > xs[best] else xs[i] < xs[best]) then
                best <- i

        struct (xs[best], best)

    /// Where some numbers are equal to their extreme `value`, found first at `best`; where it is NaN, all that are.
    let private attained<'S when 'S :> IScalar<'S>> (xs: 'S[]) (best: int) =
        xs
        |> Array.mapi (fun i x ->
            if
                i = best
                || (if Reduce.isNaN xs[best] then
                        Reduce.isNaN x
                    else
                        'S.Compare(x, xs[best]) = Equal)
            then
                1L
            else
                0L)

    /// An extreme of nothing: there is none.
    let refuseNothing name (named: bool) (shape: int[]) (groups: Groups) =
        if not named then
            Complain.unlessShape (Shape.count shape > 0) (fun () ->
                let advice =
                    if name = "argmax" then
                        ""
                    else
                        " Specify the reduction dim with the 'dim' argument."

                $"{name}(): Expected reduction dim to be specified for input.numel() == 0.{advice}")
        else
            match groups.Dims |> List.tryFind (fun d -> shape[d] = 0) with
            | Some d -> Complain.shape $"{name}(): Expected reduction dim {d} to have non-zero size."
            | None -> Ok()

    /// The extremes of the groups, with the mask of the places where they are attained, of the input's shape.
    let withMask<'S when 'S :> IScalar<'S>> sign (groups: Groups) (x: Value<'S>) =
        let mask = Array.zeroCreate<int64>(Value.count x)

        let place (g: int) (here: int64[]) = here |> Array.iteri (fun i held -> mask[groups.Outer[g] + groups.Inner[i]] <- held)

        match x.Elements with
        | Elements.Floats elements ->
            let mutable decided = true

            let values =
                groups.Of elements
                |> Array.mapi (fun g xs ->
                    let struct (value, best, certain) = find sign xs
                    decided <- decided && certain
                    place g (attained xs best)
                    orOtherZero xs value)

            [ Value.floats x.DType groups.Result values; Value.ints Bool x.Shape mask decided ]
        | Elements.Ints(elements, decided) ->
            let values =
                groups.Of elements
                |> Array.mapi (fun g xs ->
                    let struct (value, _) = findInt sign xs
                    place g (xs |> Array.map (fun v -> if v = value then 1L else 0L))
                    value)

            [ Value.ints x.DType groups.Result values decided; Value.ints Bool x.Shape mask decided ]

    /// The extremes along one dimension, and the first places where they are attained.
    let withIndices<'S when 'S :> IScalar<'S>> sign (groups: Groups) (x: Value<'S>) =
        match x.Elements with
        | Elements.Floats elements ->
            let found = groups.Of elements |> Array.map (find sign)
            let decided = found |> Array.forall (fun struct (_, _, certain) -> certain)

            [ found |> Array.map (fun struct (value, _, _) -> value) |> Value.floats x.DType groups.Result
              Value.ints Int64 groups.Result (found |> Array.map (fun struct (_, best, _) -> int64 best)) decided ]
        | Elements.Ints(elements, decided) ->
            let found = groups.Of elements |> Array.map (findInt sign)

            [ Value.ints x.DType groups.Result (found |> Array.map (fun struct (value, _) -> value)) decided
              Value.ints Int64 groups.Result (found |> Array.map (fun struct (_, best) -> int64 best)) decided ]

/// The largest and the smallest: max, min, amax, amin, argmax.
module Extremes =
    let private extremeForward name sign =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    // max() of everything has no keepdim.
                    do!
                        Complain.unlessValue (Groups.namesDims call.Attrs || not (call.Attrs.ContainsKey "keepdim")) (fun () ->
                            $"{name}() has 'keepdim' only together with 'dim'")

                    let! groups = Groups.readOne call.Attrs x.Shape
                    do! Extreme.refuseNothing name (Groups.namesDims call.Attrs) x.Shape groups

                    return
                        if Groups.namesDims call.Attrs then
                            Extreme.withIndices sign groups x
                        else
                            Extreme.withMask sign groups x
                } }

    /// Where elements still are what the extreme was: PyTorch compares the saved input and result again, and either may have been written to
    /// since through `data`. Where the bounds cannot tell, the mask of then holds. A NaN never attains anything for `amax`, what is NaN too
    /// for `max`, and whatever the extreme is for `norm`.
    let attains =
        { Define.computes
              "attains"
              "x = y, by the mask where that is undecided; whether a NaN of x does is the operator's"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Mask ]
              [ Define.attr "nan" (AttrKind.Choice [ "never"; "both"; "always" ]) ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! extreme = Argument.tensor call 1
                          let! mask = Argument.tensor call 2
                          let held, decided = Value.asInts Bool mask

                          let attainedByNaN =
                              match Read.optional call.Attrs "nan" with
                              | Some(Attr.Text "always") -> fun x _ -> Reduce.isNaN x
                              | Some(Attr.Text "both") -> fun x y -> Reduce.isNaN x && Reduce.isNaN y
                              | _ -> fun _ _ -> false

                          let stillHeld held (x: 'S) (y: 'S) =
                              match 'S.Compare(x, y) with
                              | Equal -> 1L
                              | Undecided -> held
                              | Unordered -> if attainedByNaN x y then 1L else 0L
                              | _ -> 0L

                          let now =
                              Array.map3 stillHeld held (Value.asFloats x.DType x) (Value.expand x.Shape extreme |> Value.asFloats x.DType)

                          return [ Value.ints Bool x.Shape now decided ]
                      } } with
            Arrangement = fun _ -> Arrangement.Ordered
            Internal = true
            Shapes = [ [ [| 2 |]; [| 2 |]; [| 2 |] ] ] }

    let private attained nan (d: IDerivation) (groups: Groups) =
        Derive.apply "attains" [ d.Input 0; Shaping.reshape groups.Kept (d.Output 0); d.Output 1 ] [ "nan", Attr.Text nan ]

    /// The gradient goes to the one place that was chosen along the dimension.
    let private toChosen (d: IDerivation) (g: Term) =
        let groups = Groups.ofRule d

        Derive.apply
            "scatter_sum"
            [ Shaping.reshape groups.Kept g; Shaping.reshape groups.Kept (d.Output 1) ]
            [ "dim", d.Attrs["dim"]; "size", Derive.sizeAttr (d.ShapeOf 0) ]

    /// `max` and `min`. Without `dim` the second output is the mask of the places where the extreme is attained.
    let private maxOrMin name sign formula =
        { Define.computes name formula [ ArgKind.Any ] Reduction.oneDim (extremeForward name sign) with
            Node = Define.nodeByOverload (Define.nodeName name) (fun call -> if (Read.optional call.Attrs "dim").IsSome then 0 else 1)
            Shapes = Reduction.shapes
            Results = fun attrs -> if Groups.namesDims attrs then 2 else 1
            Saves = fun _ attrs -> if Groups.namesDims attrs then [ Output 1 ] else [ Input 0; Output 0; Output 1 ]
            Kinks =
                Some
                    "ties: without dim the gradient is shared evenly, with dim it goes to the first (measured; evenly_distribute_backward and value_selecting_reduction_backward); NaN comes before all"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              if Groups.namesDims d.Attrs then
                                  toChosen d g
                              else
                                  let mask = attained "both" d (Groups.ofRule d)
                                  let count = mask.Apply("sum", [], [])
                                  Derive.apply "masked_fill" [ Shaping.unary "zeros_like" (d.Input 0); mask; g / count ] []) ])
                ) }

    let max' = maxOrMin "max" 1 "y = the largest of x; with dim also where, the first"
    let min' = maxOrMin "min" -1 "y = the smallest of x; with dim also where, the first"

    let private amaxOrAmin name sign formula =
        { Define.computes
              name
              formula
              [ ArgKind.Any ]
              Reduction.dims
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! groups = Groups.readAll call.Attrs x.Shape
                          do! Extreme.refuseNothing name (Groups.namesDims call.Attrs) x.Shape groups

                          return
                              match Extreme.withMask sign groups x, x.Elements with
                              | [ values; mask ], Elements.Floats elements ->
                                  // A group with a NaN attains its extreme nowhere, since a NaN equals nothing.
                                  let attained, decided = Value.asInts Bool mask

                                  let held = attained |> Array.mapi (fun i m -> if Reduce.isNaN elements[i] then 0L else m)

                                  [ values; Value.ints Bool x.Shape held decided ]
                              | found, _ -> found
                      } } with
            Shapes = Reduction.shapes
            Saves = fun _ _ -> [ Input 0; Output 0; Output 1 ]
            Kinks =
                Some
                    "ties share the gradient evenly; a NaN spreads over its whole group, since it equals nothing (scale_grad_by_count; measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let groups = Groups.ofRule d
                              let mask = attained "never" d groups
                              let count = Shaping.sumOver groups.Dims true mask
                              // PyTorch restores the dimensions that are named, and calls it so where none is.
                              let shape = if Groups.namesDims d.Attrs then groups.Kept else g.Shape

                              let g =
                                  if Read.flagOr false d.Attrs "keepdim" = Ok true then
                                      g
                                  else
                                      Shaping.seenAs shape g

                              g * mask / count) ])
                ) }

    let amax = amaxOrAmin "amax" 1 "y = the largest of x over dim"
    let amin = amaxOrAmin "amin" -1 "y = the smallest of x over dim"

    let argmax =
        { Define.computes
              "argmax"
              "y = where x is largest, the first"
              [ ArgKind.Any ]
              Reduction.oneDim
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! groups = Groups.readOne call.Attrs x.Shape
                          do! Extreme.refuseNothing "argmax" (Groups.namesDims call.Attrs) x.Shape groups

                          // Where there is nothing to choose from, PyTorch looks at no element.
                          let isChoice =
                              Shape.count groups.Result > 0 && not (x.Shape.Length > 0 && Groups.namesDims call.Attrs && groups.Size = 1)

                          do! Complain.unlessDType (x.DType <> Bool || not isChoice) (fun () -> "\"argmax_cpu\" not implemented for 'Bool'")

                          return Extreme.withIndices 1 groups x |> List.tail
                      } } with
            Kinks = Some "not differentiable; ties: the first; NaN comes before all"
            Shapes = Reduction.shapes }

    let all = [ attains; max'; min'; amax; amin; argmax ]
