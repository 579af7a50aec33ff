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

    /// The quotient rounded down, as Python's // has it: of an infinite number NaN, and of a finite one by an infinite one of
    /// the other sign -1, since a remainder has the sign of the divisor (div_floor_floating, c10/util/generic_math.h).
    let quotientFloor =
        { new Binary with
            member _.Of<'S when 'S :> IScalar<'S>>(a: 'S, b: 'S) : 'S =
                let x, y = 'S.Value a, 'S.Value b

                if System.Double.IsInfinity x && y <> 0.0 then
                    num nan
                elif System.Double.IsInfinity y && System.Double.IsFinite x then
                    let negative, positive = if y < 0.0 then a / b, num -1.0 else num -1.0, a / b
                    choose a (num 0.0) (fun () -> negative) (fun () -> a / b) (fun () -> positive) (fun () -> a / b)
                else
                    'S.Floor(a / b) }

    /// The quotient rounded towards zero.
    let quotientTrunc =
        { new Binary with
            member _.Of<'S when 'S :> IScalar<'S>>(a: 'S, b: 'S) : 'S =
                let q = a / b

                choose q (num 0.0) (fun () -> neg ('S.Floor(neg q))) (fun () -> q) (fun () -> 'S.Floor q) (fun () -> q) }

    let negative =
        { new Unary with
            member _.Of x = neg x }

    let magnitude =
        { new Unary with
            member _.Of x = abs x }

    let square =
        { new Unary with
            member _.Of x = x * x }

    let reciprocal =
        { new Unary with
            member _.Of x = num 1.0 / x }

    let power =
        { new Binary with
            member _.Of(x, e) = pow x e }

    /// A power with a number as its exponent: small ones are honestly computed by products and roots as well.
    let powerOf (exponent: float) =
        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) =
                let general: 'S = pow x (num exponent)
                let orElse formula = 'S.Permitted [| formula; general |]

                match exponent with
                | 0.0 -> num 1.0
                | 1.0 -> x
                | 2.0 -> orElse (x * x)
                | 3.0 -> orElse (x * x * x)
                | 0.5 -> orElse (sqrt x)
                | -0.5 -> orElse (apply Elementary.Rsqrt x)
                | -1.0 -> orElse (num 1.0 / x)
                | -2.0 -> orElse (num 1.0 / (x * x))
                | _ -> general }

    let elementary f =
        { new Unary with
            member _.Of x = apply f x }

    /// A logarithm to another base than e: the natural one times 1 / ln base.
    let logarithm (factor: float) =
        { new Unary with
            member _.Of x = apply Elementary.Log x * num factor }

/// Arithmetic and elementary functions, element by element.
module Pointwise =
    let private numberOther = Define.operand "other" 1 [ 2.0; 0.5; -1.5; 3.0; 0.0 ]
    let private alpha = Define.attr "alpha" (AttrKind.Number [ 2.0; -0.5 ])
    let private arithmetic = [ ArgKind.Any; ArgKind.Optional ArgKind.Any ]

    let private truth n = if n <> 0L then 1L else 0L

    /// The number that scales the second operand of floats, and that of integers and booleans (native::alpha_check).
    let private floatAlpha attrs =
        match Read.optional attrs "alpha" with
        | Some(Attr.Flag _) -> Complain.dtype "Boolean alpha only supported for Boolean results."
        | _ -> Read.numberOr 1.0 attrs "alpha"

    let private integerAlpha (attrs: Attrs) dtype =
        match Read.optional attrs "alpha" with
        | Some(Attr.Float _) -> Complain.dtype "For integral input tensors, argument alpha must not be a floating point number."
        | Some(Attr.Flag _) when dtype <> Bool -> Complain.dtype "Boolean alpha only supported for Boolean results."
        | Some(Attr.Integer n) -> Ok n
        | Some(Attr.Flag flag) -> Ok(if flag then 1L else 0L)
        | _ -> Ok 1L

    let private timesAlpha (attrs: Attrs) (g: Term) =
        match Read.optional attrs "alpha" with
        | Some number when number <> Attr.Integer 1L && number <> Attr.Float 1.0 -> Derive.apply "mul" [ g ] [ "other", number ]
        | _ -> g

    /// g times (or over) the second operand, which is a saved tensor or the number attribute `other`.
    let private withOther op (d: IDerivation) (g: Term) =
        match Read.optional d.Attrs "other" with
        | Some number -> Derive.apply op [ g ] [ "other", number; Derive.ofTheProgram, Attr.Flag true ]
        | None -> Derive.apply op [ g; d.Input 1 ] []

    let add =
        { Define.elementwise
              "add"
              "self + alpha * other"
              arithmetic
              [ numberOther; alpha ]
              (Elementwise.binary (fun attrs -> floatAlpha attrs |> Result.map Functions.sumScaled) (fun attrs dtype ->
                  integerAlpha attrs dtype
                  |> Result.map (fun alpha ->
                      if dtype = Bool then
                          fun a b -> truth (a ||| (truth alpha &&& b))
                      else
                          fun a b -> a + alpha * b))) with
            InPlace = true
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> g); Some(fun () -> timesAlpha d.Attrs g) ])) }

    /// Two bools are refused with a text of their own; one is refused beside anything of another dtype. True and False as numbers are bools, too.
    let private refuseBools (call: Call<'S>) =
        let bools = call.In |> Array.choose id |> Array.filter (fun t -> t.DType = Bool) |> Array.length

        Operand.read call 1 "other"
        |> Result.bind (fun other ->
            let isTruth =
                match other with
                | Number(Attr.Flag _) -> 1
                | _ -> 0

            match bools + isTruth with
            | 0 -> Ok()
            | 1 ->
                Complain.dtype
                    "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
            | _ ->
                Complain.dtype
                    "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.")

    let private takesNoBools =
        { new Admission with
            member _.Of call = refuseBools call }

    let private refusingBools (forward: Forward) =
        { new Forward with
            member _.Of(call: Call<'S>) = refuseBools call |> Result.bind (fun () -> forward.Of call) }

    let sub =
        { Define.elementwise
              "sub"
              "self - alpha * other"
              arithmetic
              [ numberOther; alpha ]
              (refusingBools (
                  Elementwise.binary (fun attrs -> floatAlpha attrs |> Result.map Functions.differenceScaled) (fun attrs dtype ->
                      integerAlpha attrs dtype |> Result.map (fun alpha -> fun a b -> a - alpha * b))
              )) with
            // It is asked before it is seen whether the tensor can be written to.
            Admits = takesNoBools
            InPlace = true
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> g); Some(fun () -> timesAlpha d.Attrs (-g)) ])) }

    let mul =
        { Define.elementwise
              "mul"
              "self * other"
              arithmetic
              [ numberOther ]
              (Elementwise.binary (Elementwise.always Functions.product) (fun _ _ -> Ok(fun a b -> a * b))) with
            InPlace = true
            // Each factor is kept for the other's gradient alone; a number is kept as a tensor is.
            Saves =
                fun needs _ ->
                    [ if needs 0 then Input 1
                      if needs 1 then Input 0 ]
            Derivative = Some(Derive.ruleFromLast (fun d g -> [ Some(fun () -> withOther "mul" d g); Some(fun () -> g * d.Input 0) ])) }

    let private division =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    match call.Attrs |> Map.tryFind "rounding_mode" with
                    | None
                    | Some Attr.Null -> return! (Elementwise.binaryToFloats Functions.quotient).Of call
                    | Some(Attr.Text mode) when mode = "floor" || mode = "trunc" ->
                        let! self = Argument.tensor call 0

                        do!
                            if self.DType.IsFloat then
                                Ok()
                            else
                                Error
                                    { Kind = Unsupported
                                      Message = "div with rounding_mode of integers" }

                        let rounded = if mode = "floor" then Functions.quotientFloor else Functions.quotientTrunc

                        return!
                            (Elementwise.binaryToFloats rounded).Of
                                { call with
                                    In = Array.append [| Some self |] call.In[1..] }
                    | Some(Attr.Text mode) ->
                        return! Complain.value $"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{mode}'"
                    | Some _ -> return! Complain.value "div: rounding_mode is a text"
                } }

    let div =
        { Define.elementwise
              "div"
              "self / other, rounded down (floor) or towards zero (trunc) where rounding_mode says so"
              arithmetic
              [ numberOther; Define.attr "rounding_mode" (AttrKind.Choice [ "floor"; "trunc" ]) ]
              division with
            InPlace = true
            Saves = fun needs _ -> [ Input 1; if needs 1 then Input 0 ]
            Domain = NonZero
            Kinks = Some "x / 0 is infinite or NaN, and so are its gradients g / b and -g * (a / b) / b (pytorch-kinks: div 0)"
            Derivative =
                Some(
                    Derive.ruleFromLast (fun d g ->
                        // A rounded quotient is flat between its steps.
                        let flat =
                            match Map.tryFind "rounding_mode" d.Attrs with
                            | Some(Attr.Text _) -> true
                            | _ -> false

                        [ Some(fun () -> if flat then Derive.apply "zeros_like" [ g ] [] else withOther "div" d g)
                          Some(fun () ->
                              if flat then
                                  Derive.apply "zeros_like" [ g ] []
                              else
                                  -g * ((d.Input 0 / d.Input 1) / d.Input 1)) ])
                ) }

    let neg =
        { Define.elementwise
              "neg"
              "-x"
              [ ArgKind.Any ]
              []
              (Elementwise.keeping Functions.negative (fun dtype ->
                  if dtype = Bool then
                      Complain.dtype
                          "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
                  else
                      Ok(dtype, (fun n -> -n)))) with
            InPlace = true
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> -g) ])) }

    /// A float function of one tensor: integers give float32.
    let private elementary name formula f saved (gradient: IDerivation -> Term -> Term) =
        { Define.elementwise name formula [ ArgKind.Float ] [] (Elementwise.toFloats (Elementwise.always (Functions.elementary f))) with
            Saves = fun _ _ -> [ saved ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> gradient d g) ])) }

    let private on domain (op: Operator) = { op with Domain = domain }

    let exp =
        { elementary "exp" "e^x" Elementary.Exp (Output 0) (fun d g -> g * d.Output 0) with
            InPlace = true }

    let sigmoid =
        { elementary "sigmoid" "1 / (1 + exp(-x))" Elementary.Sigmoid (Output 0) (fun d g -> g * ((1.0 - d.Output 0) * d.Output 0)) with
            Fused =
                Define.fusedSymmetric "SigmoidBackward" (fun a -> a.Arriving * a.First.Gradient(0).Value * (1.0 - 2.0 * a.First.Output 0))
            InPlace = true }

    let expm1 = elementary "expm1" "e^x - 1" Elementary.Expm1 (Output 0) (fun d g -> g * (d.Output 0 + 1.0))

    let log = elementary "log" "ln x" Elementary.Log (Input 0) (fun d g -> g / d.Input 0) |> on Positive

    let log1p =
        elementary "log1p" "ln(1 + x)" Elementary.Log1p (Input 0) (fun d g -> g / (d.Input 0 + 1.0))
        |> on (Above -1.0)

    let private logarithm name formula factor (ofBase: float) =
        { Define.elementwise name formula [ ArgKind.Float ] [] (Elementwise.toFloats (Elementwise.always (Functions.logarithm factor))) with
            Saves = fun _ _ -> [ Input 0 ]
            Domain = Positive
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> g / (d.Input 0 * ofBase)) ])) }

    let log2 = logarithm "log2" "ln x / ln 2" 1.4426950408889634 0.6931471805599453

    let sqrt =
        { elementary "sqrt" "x^(1/2)" Elementary.Sqrt (Output 0) (fun d g -> g / (2.0 * d.Output 0)) with
            InPlace = true
            Domain = Positive
            Kinks = Some "sqrt'(0) is infinite, by continuity; sqrt'(-0) = -inf (pytorch-kinks: sqrt)" }

    let rsqrt =
        elementary "rsqrt" "x^(-1/2)" Elementary.Rsqrt (Output 0) (fun d g ->
            (-0.5 * g) * Derive.apply "pow" [ d.Output 0 ] [ "exponent", Attr.Integer 3L ])
        |> on Positive

    let sin = elementary "sin" "sin x" Elementary.Sin (Input 0) (fun d g -> g * Derive.apply "cos" [ d.Input 0 ] [])

    let cos = elementary "cos" "cos x" Elementary.Cos (Input 0) (fun d g -> g * -(Derive.apply "sin" [ d.Input 0 ] []))

    let tanh =
        { elementary "tanh" "tanh x" Elementary.Tanh (Output 0) (fun d g -> g * (1.0 - d.Output 0 * d.Output 0)) with
            Fused = Define.fusedSymmetric "TanhBackward" (fun a -> a.Arriving * (-2.0 * a.First.Output 0 * a.First.Gradient(0).Value))
            InPlace = true }

    let reciprocal =
        { Define.elementwise "reciprocal" "1 / x" [ ArgKind.Float ] [] (Elementwise.toFloats (Elementwise.always Functions.reciprocal)) with
            Saves = fun _ _ -> [ Output 0 ]
            Domain = NonZero
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> -g * (d.Output 0 * d.Output 0)) ])) }

    let abs =
        { Define.elementwise
              "abs"
              "|x|"
              [ ArgKind.Any ]
              []
              (Elementwise.keeping Functions.magnitude (Elementwise.ofInt64 "abs_cpu" (fun n -> if n < 0L then -n else n))) with
            Saves = fun _ _ -> [ Input 0 ]
            Kinks = Some "abs'(0) = 0 and abs'(NaN) = 0, as sign's (pytorch-kinks: abs)"
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> g * Derive.apply "sgn" [ d.Input 0 ] []) ])) }

    /// g times the derivative e x^(e - 1) of x^e, for a number e.
    let private powerRule (x: Term) (exponent: Attr) (g: Term) =
        match exponent with
        | Attr.Integer 0L
        | Attr.Float 0.0
        | Attr.Flag false -> Derive.apply "zeros_like" [ g ] []
        | _ ->
            let less =
                match exponent with
                | Attr.Integer n -> Attr.Integer(n - 1L)
                | Attr.Float e -> Attr.Float(e - 1.0)
                | _ -> Attr.Integer 0L

            let slope = Derive.apply "pow" [ x ] [ "exponent", less ]
            g * Derive.apply "mul" [ slope ] [ "other", exponent ]

    let square =
        { Define.elementwise "square" "x^2" [ ArgKind.Any ] [] (Elementwise.keeping Functions.square (fun _ -> Ok(Int64, (fun n -> n * n)))) with
            Node = Define.node "Pow"
            Saves = fun _ _ -> [ Input 0 ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> powerRule (d.Input 0) (Attr.Integer 2L) g) ])) }

    /// Exact modulo 2^64; a negative power of an integer is 0, except of 1 and -1.
    let private integerPower (b: int64) (e: int64) =
        let rec raised product b e =
            if e = 0L then
                product
            else
                raised (if e &&& 1L = 1L then product * b else product) (b * b) (e >>> 1)

        if e >= 0L then raised 1L b e
        elif b = 1L then 1L
        elif b = -1L then (if e &&& 1L = 0L then 1L else -1L)
        else 0L

    let private isNumberBase (attrs: Attrs) = (Read.optional attrs "self").IsSome

    let private powerForward =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! b =
                        if isNumberBase call.Attrs then
                            Read.scalar call.Attrs "self" |> Result.map Number
                        else
                            Argument.tensor call 0 |> Result.map Operand.ofValue

                    let! e =
                        if isNumberBase call.Attrs then
                            Argument.tensor call 0 |> Result.map Operand.ofValue
                        else
                            Operand.read call 1 "exponent"

                    do!
                        Complain.unlessValue
                            (not (isNumberBase call.Attrs) || call.In.Length = 1 && (Read.optional call.Attrs "exponent").IsNone)
                            (fun () -> "pow with a number for a base takes one tensor, the exponent")

                    let! dtype, shape = Operand.result [ b; e ]

                    match e with
                    | Number _ when dtype.IsFloat ->
                        let! exponent = Read.number call.Attrs "exponent"
                        let f = Functions.powerOf exponent
                        let power = Operand.floats dtype shape b |> Array.map (fun x -> Elementwise.inFormat dtype (f.Of x))
                        return [ Value.floats dtype shape power ]
                    | Number(Attr.Integer n) when n < 0L -> return! Complain.value "Integers to negative integer powers are not allowed."
                    | _ when dtype.IsFloat -> return [ Elementwise.floatResult Functions.power dtype shape b e ]
                    // By a number that is 0 or 1 nothing is computed (TORCH_IMPL_FUNC(pow_Tensor_Scalar_out)).
                    | Whole _ when dtype = Bool -> return! Complain.dtype "\"pow\" not implemented for 'Bool'"
                    | _ ->
                        let b, knownBase = Operand.ints dtype shape b
                        let e, knownExponent = Operand.ints dtype shape e
                        return [ Value.ints dtype shape (Array.map2 integerPower b e) (knownBase && knownExponent) ]
                } }

    let pow =
        // g times x^e ln x; where x is 0 and e is not negative the power is constant in e, or the convention says so.
        let inExponent (d: IDerivation) e logarithm isZeroBase (g: Term) =
            let slope: Term = logarithm (d.Output 0)

            let flat =
                isZeroBase
                |> Option.map (fun zero ->
                    let notNegative = Derive.apply "ge" [ e ] [ "other", Attr.Float 0.0 ]

                    match zero with
                    | None -> notNegative
                    | Some zero -> Derive.apply "mul" [ zero; notNegative ] [])

            match flat with
            | None -> g * slope
            | Some flat -> g * Derive.zeroWhere flat slope

        { Define.elementwise
              "pow"
              "self^exponent"
              [ ArgKind.Any; ArgKind.Optional ArgKind.Any ]
              [ Define.operand "exponent" 1 [ 2.0; 3.0; 0.5; -1.0; 1.0; 0.0; 1.7 ]; Define.operand "self" 0 [ 2.5; 0.0 ] ]
              powerForward with
            // A number to the power of a tensor is laid out anew.
            Arrangement = fun attrs -> if isNumberBase attrs then Arrangement.RowMajor else Arrangement.Ordered
            Node =
                Define.nodeByOverload "Pow" (fun call ->
                    if isNumberBase call.Attrs then 2
                    elif call.Inputs = 2 then 1
                    else 0)
            Saves =
                fun _ attrs ->
                    if isNumberBase attrs then [ Input 0; Output 0 ]
                    elif (Read.optional attrs "exponent").IsSome then [ Input 0 ]
                    else [ Input 1; Input 0; Output 0 ]
            Domain = Positive
            Kinks =
                Some
                    "the slope in the base is 0 where the exponent is 0; in the exponent it is 0 where the base is 0 and the exponent is not negative (pytorch-kinks: pow)"
            Derivative =
                Some(
                    Derive.ruleFromLast (fun d g ->
                        match Read.optional d.Attrs "self", Read.optional d.Attrs "exponent" with
                        | Some _, _ ->
                            let b = Read.numberOr nan d.Attrs "self" |> Result.defaultValue nan
                            let times (y: Term) = y * Operators.log b
                            [ Some(fun () -> inExponent d (d.Input 0) times (if b = 0.0 then Some None else None) g) ]
                        | None, Some exponent -> [ Some(fun () -> powerRule (d.Input 0) exponent g) ]
                        | None, None ->
                            let inBase () =
                                let x, e = d.Input 0, d.Input 1
                                // By `sub`, which like PyTorch's takes no bool exponent.
                                let less = Derive.apply "sub" [ e ] [ "other", Attr.Integer 1L ]
                                let slope = e * Derive.apply "pow" [ x; less ] []
                                Derive.zeroWhere (Derive.compared "eq" e 0.0) (g * slope)

                            let inExponent () =
                                let x = d.Input 0
                                let times y = y * Derive.apply "log" [ x ] []
                                inExponent d (d.Input 1) times (Some(Some(Derive.compared "eq" x 0.0))) g

                            [ Some inBase; Some inExponent ])
                ) }

    let all =
        [ add
          sub
          mul
          div
          pow
          neg
          abs
          exp
          log
          log1p
          log2
          expm1
          sqrt
          rsqrt
          reciprocal
          square
          sin
          cos
          tanh
          sigmoid ]
