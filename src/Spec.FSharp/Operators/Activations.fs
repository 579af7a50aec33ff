namespace Verified.Spec.Operators

open Verified.Spec

/// The functions of numbers behind the operators of `Activations`.
module private ActivationFunctions =
    open Scalar

    let relu =
        { new Unary with
            member _.Of x = Elementwise.larger x (num 0.0) }

/// Piecewise functions and activations, element by element.
module Activations =
    let internal zero = Attr.Float 0.0

    /// g where the condition holds, else 0.
    let internal whereElseZero (condition: Term) (g: Term) =
        Derive.apply "where" [ condition; g ] [ "other", zero ]

    /// 0 where the condition holds, else g.
    let internal zeroWhere (condition: Term) (g: Term) =
        Derive.applyTo "where" [ Some condition; None; Some g ] [ "input", zero ]

    let internal compared op (x: Term) (c: float) =
        Derive.apply op [ x ] [ "other", Attr.Float c ]

    let relu =
        { Define.computes
              "relu"
              "max(x, 0)"
              [ ArgKind.Float ]
              []
              (Elementwise.keeping
                  (Elementwise.always ActivationFunctions.relu)
                  (fun dtype ->
                      if dtype = Bool then
                          Complain.dtype "Boolean inputs not supported for relu"
                      else
                          Ok(max 0L))) with
            InPlace = true
            Saves = fun _ _ -> [ Output 0 ]
            Kinks = Some "relu'(0) = 0, relu'(NaN) = 1: zero where the result is not above 0 (pytorch-kinks: relu)"
            Derivative =
                Some(Derive.rule (fun d g -> [ Some(fun () -> zeroWhere (compared "le" (d.Output 0) 0.0) g) ])) }

    let where =
        let operands (call: Call<'S>) =
            result {
                let! condition = Argument.tensor call 0

                do!
                    Complain.unlessDType (condition.DType = Bool) (fun () ->
                        $"where expected condition to be a boolean tensor, but got a tensor with dtype {Promotion.messageName condition.DType}")

                // A number in the middle is left out of the tensors, or null among them.
                let inputIsNumber = (Argument.tryTensor call 1).IsNone || (Read.optional call.Attrs "input").IsSome
                let! input = if inputIsNumber then Operand.read { call with In = [||] } 0 "input" else Operand.read call 1 "input"
                let! other = if inputIsNumber && call.In.Length = 2 then Operand.read call 1 "other" else Operand.read call 2 "other"
                return condition, input, other
            }

        { Define.computes
              "where"
              "input where the condition holds, else other"
              [ ArgKind.Mask; ArgKind.Optional ArgKind.Any; ArgKind.Optional ArgKind.Any ]
              [ Define.attr "input" (AttrKind.Number [ 0.0; 1.5 ])
                Define.attr "other" (AttrKind.Number [ 0.0; -2.0 ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! condition, input, other = operands call
                          let dtype = Promotion.result [ Operand.promotion input; Operand.promotion other ]
                          let! shape = Broadcast.all [ condition.Shape; Operand.shape input; Operand.shape other ]
                          let holds, decided = Operand.ints Bool shape (Whole condition)

                          if dtype.IsFloat then
                              let input, other = Operand.floats dtype shape input, Operand.floats dtype shape other

                              let chosen =
                                  Array.init holds.Length (fun i ->
                                      let chosen = if holds[i] <> 0L then input[i] else other[i]
                                      let chosen = 'S.Cast(Value.format dtype, chosen)
                                      if decided then chosen else 'S.Unknown chosen)

                              return [ Value.floats dtype shape chosen ]
                          else
                              let input, knownInput = Operand.ints dtype shape input
                              let other, knownOther = Operand.ints dtype shape other
                              let chosen = Array.init holds.Length (fun i -> if holds[i] <> 0L then input[i] else other[i])
                              return [ Value.ints dtype shape chosen (decided && knownInput && knownOther) ]
                      } } with
            Saves = fun _ _ -> [ Input 0 ]
            Kinks = Some "the gradient of the side not taken is 0, also where that side is NaN or infinite (pytorch-kinks: where nan-safe)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let toInput () = whereElseZero (d.Input 0) g
                        let toOther () = zeroWhere (d.Input 0) g

                        // With a number in the middle left out, the second tensor is `other`.
                        if d.Inputs = 2 && (Read.optional d.Attrs "input").IsSome then
                            [ None; Some toOther ]
                        else
                            [ None; Some toInput; Some toOther ])
                ) }

    let all = [ relu; where ]
