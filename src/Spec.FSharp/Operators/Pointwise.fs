namespace Verified.Spec.Operators

open Verified.Spec

/// The functions of numbers behind the operators of `Pointwise`.
module private Functions =
    open Scalar

    let sumScaled alpha =
        { new Binary with
            member _.Of(a, b) = a + Elementwise.scaled alpha b }

    let differenceScaled alpha =
        { new Binary with
            member _.Of(a, b) = a - Elementwise.scaled alpha b }

    let product =
        { new Binary with
            member _.Of(a, b) = a * b }

    let quotient =
        { new Binary with
            member _.Of(a, b) = a / b }

    let negative =
        { new Unary with
            member _.Of x = neg x }

    let elementary f =
        { new Unary with
            member _.Of x = apply f x }

/// Arithmetic and elementary functions, element by element.
module Pointwise =
    let private numberOther = Define.attr "other" (AttrKind.Number [ 2.0; 0.5; -1.5; 3.0; 0.0 ])
    let private alpha = Define.attr "alpha" (AttrKind.Number [ 2.0; -0.5 ])
    let private arithmetic = [ ArgKind.Any; ArgKind.Optional ArgKind.Any ]

    let private truth n = if n <> 0L then 1L else 0L

    let private integerAlpha (attrs: Attrs) dtype =
        match Read.optional attrs "alpha" with
        | Some(Attr.Float _) ->
            Complain.value "For integral input tensors, argument alpha must not be a floating point number."
        | Some(Attr.Flag _) when dtype <> Bool -> Complain.value "Boolean alpha only supported for Boolean results."
        | Some(Attr.Integer n) -> Ok n
        | Some(Attr.Flag flag) -> Ok(if flag then 1L else 0L)
        | _ -> Ok 1L

    let private timesAlpha (attrs: Attrs) (g: Term) =
        match Read.optional attrs "alpha" with
        | Some number when number <> Attr.Integer 1L && number <> Attr.Float 1.0 ->
            Derive.apply "mul" [ g ] [ "other", number ]
        | _ -> g

    /// g times (or over) the second operand, which is a saved tensor or the number attribute `other`.
    let private withOther op (d: IDerivation) (g: Term) =
        match Read.optional d.Attrs "other" with
        | Some number when d.Inputs = 1 -> Derive.apply op [ g ] [ "other", number ]
        | _ -> Derive.apply op [ g; d.Input 1 ] []

    let add =
        { Define.computes
              "add"
              "self + alpha * other"
              arithmetic
              [ numberOther; alpha ]
              (Elementwise.binary
                  (fun attrs -> Read.numberOr 1.0 attrs "alpha" |> Result.map Functions.sumScaled)
                  (fun attrs dtype ->
                      integerAlpha attrs dtype
                      |> Result.map (fun alpha ->
                          if dtype = Bool then
                              fun a b -> truth (a ||| (alpha &&& b))
                          else
                              fun a b -> a + alpha * b))) with
            InPlace = true
            Derivative =
                Some(Derive.rule (fun d g -> [ Some(fun () -> g); Some(fun () -> timesAlpha d.Attrs g) ])) }

    let sub =
        { Define.computes
              "sub"
              "self - alpha * other"
              arithmetic
              [ numberOther; alpha ]
              (Elementwise.binary
                  (fun attrs -> Read.numberOr 1.0 attrs "alpha" |> Result.map Functions.differenceScaled)
                  (fun attrs dtype ->
                      if dtype = Bool then
                          Complain.dtype
                              "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
                      else
                          integerAlpha attrs dtype |> Result.map (fun alpha -> fun a b -> a - alpha * b))) with
            InPlace = true
            Derivative =
                Some(Derive.rule (fun d g -> [ Some(fun () -> g); Some(fun () -> timesAlpha d.Attrs (-g)) ])) }

    let mul =
        { Define.computes
              "mul"
              "self * other"
              arithmetic
              [ numberOther ]
              (Elementwise.binary (Elementwise.always Functions.product) (fun _ _ -> Ok(fun a b -> a * b))) with
            InPlace = true
            // Each factor is kept for the other's gradient alone; a number is kept as a tensor is.
            Saves =
                fun needs _ ->
                    [ if needs 1 then
                          Input 0
                      if needs 0 then
                          Input 1 ]
            Derivative =
                Some(
                    Derive.rule (fun d g -> [ Some(fun () -> withOther "mul" d g); Some(fun () -> g * d.Input 0) ])
                ) }

    let div =
        { Define.computes "div" "self / other" arithmetic [ numberOther ] (Elementwise.binaryToFloats Functions.quotient) with
            InPlace = true
            Saves =
                fun needs _ ->
                    [ if needs 1 then
                          Input 0
                      Input 1 ]
            Domain = NonZero
            Kinks =
                Some "x / 0 is infinite or NaN, and so are its gradients g / b and -g * (a / b) / b (pytorch-kinks: div 0)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> withOther "div" d g)
                          Some(fun () -> -g * ((d.Input 0 / d.Input 1) / d.Input 1)) ])
                ) }

    let neg =
        { Define.computes
              "neg"
              "-x"
              [ ArgKind.Any ]
              []
              (Elementwise.keeping (Elementwise.always Functions.negative) (fun dtype ->
                  if dtype = Bool then
                      Complain.dtype
                          "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
                  else
                      Ok(fun n -> -n))) with
            InPlace = true
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> -g) ])) }

    /// A float function of one tensor: integers give float32.
    let private elementary name formula f saved (gradient: IDerivation -> Term -> Term) =
        { Define.computes
              name
              formula
              [ ArgKind.Float ]
              []
              (Elementwise.toFloats (Elementwise.always (Functions.elementary f))) with
            Saves = fun _ _ -> [ saved ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> gradient d g) ])) }

    let exp =
        { elementary "exp" "e^x" Elementary.Exp (Output 0) (fun d g -> g * d.Output 0) with
            InPlace = true }

    let sigmoid =
        { elementary "sigmoid" "1 / (1 + exp(-x))" Elementary.Sigmoid (Output 0) (fun d g ->
              g * ((1.0 - d.Output 0) * d.Output 0)) with
            InPlace = true }

    let all = [ add; sub; mul; div; neg; exp; sigmoid ]
