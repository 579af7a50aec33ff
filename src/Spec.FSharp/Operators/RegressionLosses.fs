namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas, over any number system.
module internal Regression =
    open Scalar

    let squaredDistance<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S =
        let d = a - b
        d * d

    let distance<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = a - b

    /// Half the square up to a distance of `knee`, a straight line beyond, all over `scale`. Both agree at the knee.
    let rounded<'S when 'S :> IScalar<'S>> (knee: float) (scale: float) (d: 'S) : 'S =
        let size = abs d
        let over (y: 'S) = if scale = 1.0 then y else y / num scale

        // In three honest orders.
        let square () = 'S.Permitted [| over (num 0.5 * d * d); over (num 0.5 * (d * d)); num 0.5 * over (d * d) |]

        let line () =
            if scale = knee then
                size - num 0.5 * num knee
            else
                num knee * (size - num 0.5 * num knee)

        match 'S.Compare(size, num knee) with
        | Less
        | Unordered -> square ()
        | Equal
        | Greater -> line ()
        | Undecided -> 'S.Permitted [| square (); line () |]

/// mse_loss, l1_loss, smooth_l1_loss, huber_loss.
module RegressionLosses =
    open LossReduction

    let private shapesOfDistance =
        [ [ [| 3 |]; [| 3 |] ]
          [ [| 2; 3 |]; [| 2; 3 |] ]
          [ [||]; [||] ]
          [ [| 2; 3 |]; [| 3 |] ]
          [ [| 0 |]; [| 0 |] ] ]

    /// Input and target, each expanded to what both broadcast to where it is not of that shape, as torch.nn.functional does first.
    let private expanded (terms: Term option list) =
        result {
            let a, b = terms[0].Value, terms[1].Value
            let! shape = Broadcast.shapes a.Shape b.Shape
            return Shaping.expand shape a, Shaping.expand shape b
        }

    /// A loss of input and target of one shape, which programs name without "_of_alike". Its `slope`, of the distance, is that of an element
    /// for g of 1, and takes its share before or afterwards; `second` is the slope's, for what arrives.
    let private ofAlike name node kernel formula attrs check (loss: Attrs -> Binary) slope second opposite =
        let attrs = reductionAttr :: attrs

        { Define.computes
              (name + "_of_alike")
              formula
              [ ArgKind.Float; ArgKind.Float ]
              attrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! a = Argument.tensor call 0
                          let! b = Argument.tensor call 1
                          let! reduction = readReduction call.Attrs
                          do! check call.Attrs
                          let dtype = dtypeOf [ a; b ]

                          do!
                              Complain.unlessDType dtype.IsFloat (fun () ->
                                  $"\"{kernel}\" not implemented for '{Promotion.messageName dtype}'")

                          let loss = loss call.Attrs

                          let losses = Array.map2 (fun (x: 'S) (y: 'S) -> loss.Of(x, y)) (Value.asFloats dtype a) (Value.asFloats dtype b)

                          return [ reduced dtype a.Shape reduction losses ]
                      } } with
            Internal = true
            Arrangement = fun _ -> Arrangement.Ordered
            Node = Define.node node
            Shapes = shapesOfDistance |> List.filter (fun shapes -> shapes[0] = shapes[1])
            Saves = fun _ _ -> [ Input 0; Input 1 ]
            Fused =
                Define.arranged Arrangement.RowMajor
                <| Define.fusedApart (node + "Backward") (fun a ->
                    let attrs, shape = a.First.Attrs, a.First.ShapeOf 0
                    let g = a.First.Gradient(0).Value

                    let curve () = a.Arriving * g |> second attrs (fun () -> a.First.Input 0 - a.First.Input 1) |> share attrs shape

                    let by input = Some(fun () -> if a.Towards = input then curve () else -(curve ()))
                    [ Some(fun () -> opposite a); by 0; by 1 ])
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        // The kernel takes truth values for numbers, which the subtraction of the next derivative does not.
                        let number input other =
                            if d.DTypeOf input = DType.Bool then
                                Derive.cast (d.DTypeOf other) (d.Input input)
                            else
                                d.Input input

                        let slope () =
                            slope d.Attrs (share d.Attrs (d.ShapeOf 0)) (number 0 1 - number 1 0) (Shaping.expand (d.ShapeOf 0) g)

                        [ Some slope; Some(fun () -> -(slope ())) ])
                ) }

    /// The loss of its name, by that of input and target of one shape.
    let private ofDistance name (alike: Operator) kinks =
        { Define.composes name alike.Formula alike.Args alike.Attrs (fun attrs terms ->
              expanded terms |> Result.map (fun (a, b) -> [ Derive.apply alike.Name [ a; b ] (Map.toList attrs) ])) with
            Spelling = Define.functional
            Shapes = shapesOfDistance
            Kinks = kinks }

    let private sameOf (a: Again) = a.Of a.Arriving

    // ---- mse_loss ----

    let mseLossOfAlike =
        ofAlike
            "mse_loss"
            "MseLoss"
            "mse_cpu"
            "y = mean (or sum) of (input - target)^2"
            []
            (fun _ -> Ok())
            (fun _ ->
                { new Binary with
                    member _.Of(x, y) = Regression.squaredDistance x y })
            // Of its share: twice the distance may overflow where that does not.
            (fun _ share distance g -> share distance * 2.0 * g)
            (fun _ _ t -> 2.0 * t)
            sameOf

    let mseLoss = ofDistance "mse_loss" mseLossOfAlike None

    // ---- l1_loss ----

    let private meanDistance attrs (terms: Term option list) =
        result {
            let! a, b = expanded terms
            let! reduction = readReduction attrs
            let distances = a - b |> Shaping.unary "abs"

            return
                match reduction with
                | Mean -> [ Shaping.unary "mean" distances ]
                | Sum -> [ Shaping.unary "sum" distances ]
                | Elementwise -> [ distances ]
        }

    let l1Loss =
        { Define.composes "l1_loss" "y = mean (or sum) of |input - target|" [ ArgKind.Float; ArgKind.Float ] [ reductionAttr ] meanDistance with
            Spelling = Define.functional
            Shapes = shapesOfDistance
            Kinks = Some "input = target: 0, as abs (measured)" }

    // ---- smooth_l1_loss, huber_loss ----

    /// A loss that is a square up to a knee and a line beyond; `knee` and `scale` are read from the attributes.
    let private rounded name node kernel attr formula (shape: Attrs -> Result<float * float, Complaint>) opposite =
        let shapeOf attrs = ofRule (shape attrs)

        ofAlike
            name
            node
            kernel
            formula
            [ attr ]
            (shape >> Result.map ignore)
            (fun attrs ->
                let knee, scale = shapeOf attrs

                { new Binary with
                    member _.Of(x, y) = Regression.distance x y |> Regression.rounded knee scale })
            (fun attrs share distance g ->
                let knee, scale = shapeOf attrs
                let beyond = Shaping.compareWith "ge" knee (Shaping.unary "abs" distance)
                let sign = Shaping.unary "sign" distance
                let line = if scale = knee then sign else sign * knee

                let curve =
                    if scale = 1.0 then
                        distance
                    else
                        Derive.apply "div" [ distance ] [ "other", Attr.Float scale ]

                Derive.apply "where" [ beyond; line; curve ] [] * share g)
            (fun attrs distance t ->
                let knee, scale = shapeOf attrs
                let curved = Shaping.compareWith "lt" knee (Shaping.unary "abs" (distance ()))
                let t = t * Derive.cast t.DType curved

                if scale = 1.0 then
                    t
                else
                    Derive.apply "div" [ t ] [ "other", Attr.Float scale ])
            opposite

    let private atTheKnee = Some "at the knee the slope is the line's, and its derivative 0 (measured)"

    let private beta = Define.attr "beta" (AttrKind.Number [ 1.0; 0.5; 2.0; 0.0 ])

    let smoothL1LossOfAlike =
        rounded
            "smooth_l1_loss"
            "SmoothL1Loss"
            "smooth_l1_cpu"
            beta
            "y = mean (or sum) of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, with d = input - target"
            (fun attrs ->
                result {
                    let! beta = Read.numberOr 1.0 attrs "beta"

                    do! Complain.unlessValue (beta >= 0.0) (fun () -> "smooth_l1_loss does not support negative values for beta.")

                    return beta, beta
                })
            sameOf

    let smoothL1Loss =
        let rounded = ofDistance "smooth_l1_loss" smoothL1LossOfAlike atTheKnee

        { rounded with
            Behaviour =
                // Without a knee it is l1_loss.
                Composes(fun attrs terms ->
                    match Read.numberOr 1.0 attrs "beta", rounded.Behaviour with
                    | Ok beta, Composes parts when beta <> 0.0 -> parts attrs terms
                    | Error complaint, _ -> Error complaint
                    | _ -> meanDistance attrs terms) }

    let huberLossOfAlike =
        rounded
            "huber_loss"
            "HuberLoss"
            "huber_cpu"
            (Define.attr "delta" (AttrKind.Number [ 1.0; 0.5; 2.0 ]))
            "y = mean (or sum) of d^2 / 2 where |d| < delta, else delta (|d| - delta / 2), with d = input - target"
            (fun attrs ->
                result {
                    let! delta = Read.numberOr 1.0 attrs "delta"

                    do! Complain.unlessValue (delta > 0.0) (fun () -> "huber_loss does not support non-positive values for delta.")

                    return delta, 1.0
                })
            (fun a ->
                match ofRule (readReduction a.First.Attrs) with
                | Elementwise -> sameOf a
                | _ ->
                    let one = Derive.apply "zeros_like" [ a.First.Gradient(0).Value ] [] + 1.0
                    a.Of one * a.Arriving |> Shaping.unary "sum")

    let huberLoss = ofDistance "huber_loss" huberLossOfAlike atTheKnee

    let all = [ mseLossOfAlike; mseLoss; l1Loss; smoothL1LossOfAlike; smoothL1Loss; huberLossOfAlike; huberLoss ]
