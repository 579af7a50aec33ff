namespace Verified.Spec.Operators

open Verified.Spec

/// nll_loss.
module NllLoss =
    open LossReduction
    open ClassIndices

    /// The shape of the classes' indices, from that of the log-probabilities, with PyTorch's texts, which depend on the rank.
    let private checkTarget (x: int[]) (target: int[]) (groups: Groups) =
        if x.Length = 0 then
            Complain.shape "Expected 1 or more dimensions (got 0)"
        elif x.Length = 1 && target.Length > 0 then
            Complain.shape $"size mismatch (got input: {Shape.show x}, target: {Shape.show target})"
        elif x.Length > 1 && target.Length > 0 && target[0] <> x[0] then
            Complain.shape $"Expected input batch_size ({x[0]}) to match target batch_size ({target[0]})."
        elif target.Length <> groups.Result.Length then
            Complain.shape $"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.Length}"
        elif target <> groups.Result && x.Length = 4 then
            Complain.shape $"size mismatch (got input: {Shape.show x} , target: {Shape.show target}"
        elif target <> groups.Result then
            Complain.shape $"Expected target size {Shape.show groups.Result}, got {Shape.show target}"
        else
            Ok()

    let nllLoss =
        { Define.computes
              "nll_loss"
              "y = -weight[target] x[target], averaged by weight"
              [ ArgKind.Float; ArgKind.Index; ArgKind.Optional ArgKind.Float ]
              [ reductionAttr; Define.attr "ignore_index" (AttrKind.Integer [ -100L; 0L; 1L ]) ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! target = Argument.tensor call 1
                          let weight = Argument.tryTensor call 2
                          let! settings = readSettings call.Attrs
                          let groups = Groups.over x.Shape [ classDim x.Shape ] false
                          do! checkTarget x.Shape target.Shape groups
                          do! checkWeight groups.Size weight

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  $"\"nll_loss_out_frame\" not implemented for '{Promotion.messageName x.DType}'")

                          do! checkIndices x target weight
                          let! targets, decided = indicesOf groups.Size settings target
                          let weights = weightsOf x groups.Size weight
                          let logs = groups.Of(Value.asFloats x.DType x)
                          let loss, counts = ofClasses x.DType settings groups logs weights weight.IsSome targets
                          let counts = layOut groups (Value.count x) counts |> Value.floats x.DType x.Shape
                          return [ unknown decided (signless loss); unknown decided counts ]
                      } } with
            Spelling = Define.functional |> Define.byKeyword [ ""; "weight" ]
            Refuses = fun _ -> [ 2, "weight" ]
            Shapes =
                [ [ [| 2; 3 |]; [| 2 |] ]
                  [ [| 3; 3 |]; [| 3 |]; [| 3 |] ]
                  [ [| 3 |]; [||] ]
                  [ [| 2; 3; 2 |]; [| 2; 2 |] ]
                  [ [| 2; 3; 2; 2 |]; [| 2; 2; 2 |]; [| 3 |] ]
                  [ [| 1; 1 |]; [| 1 |] ] ]
            Fused =
                Define.fusedLinearBy "NllLossBackward" (fun a ->
                    Derive.applyTo
                        "nll_loss"
                        [ Some a.Arriving; Some(a.First.Input 1); optionalInput a.First 2 ]
                        (Map.toList a.First.Attrs))
            Saves = fun _ _ -> [ Input 0; Input 1; Input 2; Output 1 ]
            Kinks = Some "all targets ignored: the mean is 0/0 = NaN and the gradient 0 (measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let shape = d.ShapeOf 0
                        let dim = classDim shape

                        let each =
                            match (ofRule (readSettings d.Attrs)).Reduction with
                            | Elementwise -> g |> Shaping.reshape (shape |> Array.mapi (fun k size -> if k = dim then 1 else size))
                            | _ -> g

                        [ Some(fun () -> -(each * d.Output 1)) ])
                ) }

    let all = [ nllLoss ]
