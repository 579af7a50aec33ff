namespace Verified.Spec.Operators

open Verified.Spec

/// The formulas of softmax and its kin, over any number system.
module internal Normalise =
    open Scalar

    /// The terms less their largest. What is computed of them does not depend on the shift, so it enters as an exact number: an error
    /// in the largest term is the same in all of them and cancels.
    let private shifted<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S[] =
        let shift = Reduce.largest dtype xs
        xs |> Array.map (fun x -> x - shift)

    /// exp(x) / sum of exp(x), with the largest subtracted first.
    let softmax<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S[] =
        if xs.Length = 0 then
            xs
        else
            let es = shifted dtype xs |> Array.map exp
            let total = sum es
            es |> Array.map (fun e -> 'S.Permitted [| e / total; e * (num 1.0 / total) |])

    /// x - log(sum of exp(x)), with the largest subtracted first.
    let logSoftmax<'S when 'S :> IScalar<'S>> dtype (xs: 'S[]) : 'S[] =
        if xs.Length = 0 then
            xs
        else
            let ds = shifted dtype xs
            let logTotal = log (sum (Array.map exp ds))
            ds |> Array.map (fun d -> d - logTotal)

/// Softmax and layer normalisation.
module Normalisation =
    /// The elements along dimension `dim`, transformed together: what they become is laid out as they were.
    let private along<'S when 'S :> IScalar<'S>> (transform: 'S[] -> 'S[]) dim (x: Value<'S>) =
        let groups = Groups.over x.Shape [ dim ] false
        let elements = Value.asFloats x.DType x
        let found = Array.zeroCreate elements.Length

        for o in groups.Outer do
            groups.Inner
            |> Array.map (fun i -> elements[o + i])
            |> transform
            |> Array.iteri (fun n y -> found[o + groups.Inner[n]] <- y)

        Value.floats x.DType x.Shape found

    /// Without `dim` PyTorch takes 0 for ranks 0, 1 and 3 and 1 for others (and warns).
    let private softmaxDim (attrs: Attrs) rank =
        Read.dimOr (if rank = 0 || rank = 1 || rank = 3 then 0 else 1) attrs "dim" rank

    let private dimOfRule (d: IDerivation) =
        match softmaxDim d.Attrs (d.ShapeOf 0).Length with
        | Ok dim -> dim
        | Error complaint -> invalidOp complaint.Message

    let private attrs = [ Define.required "dim" AttrKind.Dim; Define.attr "dtype" AttrKind.DType ]

    let private shapesWorthTrying = [ [ [| 3 |] ]; [ [| 2; 3 |] ]; [ [||] ]; [ [| 1 |] ]; [ [| 2; 3; 2 |] ]; [ [| 2; 0 |] ]; [ [| 0; 3 |] ] ]

    let private alongDim name (transform: Transform) =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0
                    let! dtype = Read.tryDType call.Attrs "dtype"
                    let x = Value.cast (Option.defaultValue x.DType dtype) x

                    do!
                        Complain.unlessDType x.DType.IsFloat (fun () ->
                            $"\"{name}_lastdim_kernel_impl\" not implemented for '{Promotion.messageName x.DType}'")

                    let! dim = softmaxDim call.Attrs x.Shape.Length
                    return [ along (fun xs -> transform.Of(x.DType, xs)) dim x ]
                } }

    let softmax =
        { Define.computes
              "softmax"
              "y = exp(x) / (sum of exp(x) over dim)"
              [ ArgKind.Float ]
              attrs
              (alongDim "softmax" { new Transform with member _.Of(dtype, xs) = Normalise.softmax dtype xs }) with
            Saves = fun _ _ -> [ Output 0 ]
            Shapes = shapesWorthTrying
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let y = d.Output 0
                              y * (g - Shaping.sumOver [ dimOfRule d ] true (g * y))) ])
                ) }

    let logSoftmax =
        { Define.computes
              "log_softmax"
              "y = x - log(sum of exp(x) over dim)"
              [ ArgKind.Float ]
              attrs
              (alongDim "log_softmax" { new Transform with member _.Of(dtype, xs) = Normalise.logSoftmax dtype xs }) with
            Saves = fun _ _ -> [ Output 0 ]
            Shapes = shapesWorthTrying
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              g - Derive.apply "exp" [ d.Output 0 ] [] * Shaping.sumOver [ dimOfRule d ] true g) ])
                ) }

    let all = [ softmax; logSoftmax ]
