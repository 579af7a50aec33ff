namespace Verified.Spec.Operators

open Verified.Spec

/// The functions of numbers behind the operators of `Piecewise`.
module private PiecewiseFunctions =
    open Scalar

    let sign =
        { new Unary with
            member _.Of x = choose x (num 0.0) (fun () -> num -1.0) (fun () -> num 0.0) (fun () -> num 1.0) (fun () -> num 0.0) }

    let floor =
        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) = 'S.Floor x }

    let ceil =
        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) = neg ('S.Floor(neg x)) }

    let roundTo (decimals: int) =
        let unit: float = System.Math.Pow(10.0, float (System.Math.Abs decimals))

        { new Unary with
            member _.Of<'S when 'S :> IScalar<'S>>(x: 'S) =
                if decimals = 0 then 'S.Round x
                elif decimals > 0 then 'S.Round(x * num unit) / num unit
                else 'S.Round(x / num unit) * num unit }

    let larger =
        { new Binary with
            member _.Of(a, b) = Elementwise.larger a b }

    let smaller =
        { new Binary with
            member _.Of(a, b) = Elementwise.smaller a b }

/// Functions in pieces, and selection, element by element.
module Piecewise =
    // Their derivative is zero wherever they have one, and the convention at their jumps; zeros, not nothing.
    let private step name formula kinks forward =
        { Define.elementwise name formula [ ArgKind.Any ] [] forward with
            Kinks = Some kinks
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> Derive.apply "zeros_like" [ g ] []) ])) }

    let sign =
        step
            "sign"
            "-1, 0 or 1, as x is negative, zero or NaN, positive"
            "sign' = 0 everywhere, also at 0 (pytorch-kinks: sign)"
            (Elementwise.keeping PiecewiseFunctions.sign (fun dtype -> Ok(dtype, (fun n -> int64 (Operators.sign n)))))

    /// What abs and norms are differentiated by: sign, kept with what it was computed from, as PyTorch's sgn, which is of complex numbers too.
    let sgn =
        { sign with
            Name = "sgn"
            Args = [ ArgKind.Float ]
            Node = Define.node "Sgn"
            Internal = true
            Saves = fun _ _ -> [ Input 0; Output 0 ] }

    let floor =
        step
            "floor"
            "the largest integer not above x"
            "floor' = 0 everywhere, also at integers (pytorch-kinks: floor)"
            (Elementwise.keeping PiecewiseFunctions.floor (Elementwise.ofInt64 "floor_vml_cpu" id))

    let ceil =
        step
            "ceil"
            "the smallest integer not below x"
            "ceil' = 0 everywhere, also at integers (measured)"
            (Elementwise.keeping PiecewiseFunctions.ceil (Elementwise.ofInt64 "ceil_vml_cpu" id))

    let round =
        let forward =
            { new Forward with
                member _.Of(call: Call<'S>) =
                    result {
                        let! decimals = Read.integerOr 0 call.Attrs "decimals"

                        // Integers are whole; to a number of places they are not rounded at all, not even to none (measured).
                        let onInts =
                            if call.Attrs.ContainsKey "decimals" then
                                let kernel = if decimals = 0 then "round_vml_cpu" else "round_cpu"
                                fun dtype -> Complain.dtype (Elementwise.notImplemented kernel dtype)
                            else
                                Elementwise.ofInt64 "round_vml_cpu" id

                        return! (Elementwise.keeping (PiecewiseFunctions.roundTo decimals) onInts).Of call
                    } }

        { step
              "round"
              "the nearest integer (or number of `decimals` decimal places), ties to even"
              "round' = 0 everywhere, also at halves (pytorch-kinks: round)"
              forward with
            Attrs = [ Define.attr "decimals" (AttrKind.Integer [ 0L; 1L; -1L ]) ] }

    /// The larger or the smaller of two: `behind` is the comparison that holds where the first is not chosen.
    let private extreme name formula f onInts behind before =
        { Define.elementwise name formula [ ArgKind.Any; ArgKind.Any ] [] (Elementwise.binary (Elementwise.always f) (fun _ _ -> Ok onInts)) with
            Saves = fun _ _ -> [ Input 1; Input 0 ]
            Kinks = Some $"half of the gradient to each of two equal ones; all of it to both where one is NaN (pytorch-kinks: {name})"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let toward lost () =
                            let a, b = d.Input 0, d.Input 1
                            let shared = Derive.apply "where" [ Derive.apply "eq" [ a; b ] []; 0.5 * g; g ] []
                            Derive.zeroWhere (Derive.apply lost [ a; b ] []) shared

                        [ Some(toward behind); Some(toward before) ])
                ) }

    let maximum = extreme "maximum" "the larger of self and other; NaN if either is" PiecewiseFunctions.larger max "lt" "gt"

    let minimum = extreme "minimum" "the smaller of self and other; NaN if either is" PiecewiseFunctions.smaller min "gt" "lt"

    /// A bound of clamp, as its derivative sees it: a tensor, or a number.
    let private boundOf (d: IDerivation) i name =
        match Read.optional d.Attrs name with
        | Some number -> Some(Choice2Of2 number)
        | None when d.Has i -> Some(Choice1Of2(d.Input i))
        | None -> None

    let private comparedWith op (x: Term) bound =
        match bound with
        | Choice1Of2 tensor -> Derive.apply op [ x; tensor ] []
        | Choice2Of2 number -> Derive.apply op [ x ] [ "other", number ]

    let clamp =
        let forward =
            { new Forward with
                member _.Of(call: Call<'S>) =
                    result {
                        let! x = Argument.tensor call 0 |> Result.map Operand.ofValue
                        let! low = Operand.tryRead call 1 "min"
                        let! high = Operand.tryRead call 2 "max"

                        do!
                            match low, high with
                            | None, None -> Complain.value "torch.clamp: At least one of 'min' or 'max' must not be None"
                            | Some(Whole _), Some(Number _)
                            | Some(Number _), Some(Whole _) -> Complain.value "clamp expects min and max both as tensors or both as numbers"
                            | _ -> Ok()

                        let! dtype, shape = Operand.result (x :: List.choose id [ low; high ])

                        let isNumber =
                            function
                            | Some(Number _) -> true
                            | _ -> false

                        do!
                            Complain.unlessDType
                                (not (dtype.IsBool && (low.IsSome && high.IsSome || isNumber low || isNumber high)))
                                (fun () -> "\"clamp_cpu\" not implemented for 'Bool'")

                        if dtype.IsFloat then
                            let bounded (f: Binary) bound (x: 'S[]) =
                                match bound with
                                | None -> x
                                | Some bound ->
                                    Array.map2 (fun x b -> Elementwise.inFormat dtype (f.Of(x, b))) x (Operand.floats dtype shape bound)

                            let clamped =
                                Operand.floats dtype shape x
                                |> bounded PiecewiseFunctions.larger low
                                |> bounded PiecewiseFunctions.smaller high

                            return [ Value.floats dtype shape clamped ]
                        else
                            let bounded f bound (x, known) =
                                match bound with
                                | None -> x, known
                                | Some bound ->
                                    let b, knownBound = Operand.ints dtype shape bound
                                    Array.map2 f x b, known && knownBound

                            let clamped, known = Operand.ints dtype shape x |> bounded max low |> bounded min high
                            return [ Value.ints dtype shape clamped known ]
                    } }

        let both a b = Derive.apply "mul" [ a; b ] []
        let either a b = Derive.apply "add" [ a; b ] []

        { Define.elementwise
              "clamp"
              "min(max(x, min), max)"
              [ ArgKind.Any; ArgKind.Optional ArgKind.Any; ArgKind.Optional ArgKind.Any ]
              [ Define.oneOf (Define.operand "min" 1 [ -1.0; 0.0; -0.25 ])
                Define.oneOf (Define.operand "max" 2 [ 1.0; 0.5; -0.5 ]) ]
              forward with
            Spelling = Define.ofTensor |> Define.byKeyword [ "min"; "max" ]
            Node = Define.nodeByOverload "Clamp" (fun call -> if call.Inputs = 1 then 1 else 0)
            InPlace = true
            Saves = fun _ _ -> [ Input 2; Input 1; Input 0 ]
            Kinks =
                Some
                    "the gradient is x's on both bounds, nobody's where x is NaN; where min > max it is all max's, where min = max x's at the bound and else nobody's or max's (pytorch-kinks: clamp)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let low = boundOf d 1 "min"
                        let high = boundOf d 2 "max"

                        let toX () =
                            let x = d.Input 0

                            match low, high with
                            | Some low, Some high -> Derive.whereElseZero (both (comparedWith "ge" x low) (comparedWith "le" x high)) g
                            | Some low, None -> Derive.whereElseZero (comparedWith "ge" x low) g
                            | None, Some high -> Derive.whereElseZero (comparedWith "le" x high) g
                            | None, None -> g

                        let toLow () =
                            let x, low = d.Input 0, d.Input 1
                            let below = Derive.apply "lt" [ x; low ] []

                            match high with
                            | Some high -> Derive.whereElseZero (both below (comparedWith "lt" low high)) g
                            | None -> Derive.whereElseZero below g

                        let toHigh () =
                            let x, high = d.Input 0, d.Input 2
                            let above = Derive.apply "gt" [ x; high ] []

                            match low with
                            | Some low -> Derive.whereElseZero (either above (comparedWith "lt" high low)) g
                            | None -> Derive.whereElseZero above g

                        [ Some toX; Some toLow; Some toHigh ])
                ) }

    let private clampOf (call: Call<'S>) low high =
        match clamp.Behaviour with
        | Computes forward ->
            forward.Of
                { In = [| Argument.tryTensor call 0; low; high |]
                  Attrs = call.Attrs }
        | Composes _
        | Aliases _ -> invalidOp "clamp computes"

    /// clamp by one bound alone, which is the second argument or the attribute; `inside` compares x with it where the gradient is x's.
    let private clampBy name bound formula inside outside (forward: Forward) =
        { Define.elementwise
              name
              formula
              [ ArgKind.Any; ArgKind.Optional ArgKind.Any ]
              [ Define.attr bound (AttrKind.Number [ -1.0; 0.0; 0.5 ]) ]
              forward with
            InPlace = true
            Saves = fun _ _ -> [ Input 1; Input 0 ]
            Kinks = Some "on the bound the gradient is x's, nobody's where x is NaN (measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.whereElseZero (comparedWith inside (d.Input 0) (boundOf d 1 bound).Value) g)
                          Some(fun () -> Derive.whereElseZero (Derive.apply outside [ d.Input 0; d.Input 1 ] []) g) ])
                ) }

    let clampMin =
        clampBy
            "clamp_min"
            "min"
            "max(x, min)"
            "ge"
            "lt"
            { new Forward with
                member _.Of(call: Call<'S>) = clampOf call (Argument.tryTensor call 1) None }

    let clampMax =
        clampBy
            "clamp_max"
            "max"
            "min(x, max)"
            "le"
            "gt"
            { new Forward with
                member _.Of(call: Call<'S>) = clampOf call None (Argument.tryTensor call 1) }

    // PyTorch calls a number in the middle `self`; the tensors are then two.
    let private whereOperands (call: Call<'S>) =
        result {
            let! condition = Argument.tensor call 0

            do!
                Complain.unlessDType (condition.DType = Bool) (fun () ->
                    $"where expected condition to be a boolean tensor, but got a tensor with dtype {Promotion.messageName condition.DType}")

            match! Read.tryScalar call.Attrs "self" with
            | Some number ->
                do! Complain.unlessValue (Argument.tryTensor call 2).IsNone (fun () -> "'self' is given both as a tensor and as a number")
                let! other = Operand.read call 1 "other"
                return condition, Number number, other
            | None ->
                let! input = Argument.tensor call 1
                let! other = Operand.read call 2 "other"
                return condition, Whole input, other
        }

    let where =
        { Define.elementwise
              "where"
              "input where the condition holds, else other"
              [ ArgKind.Mask; ArgKind.Optional ArgKind.Any; ArgKind.Optional ArgKind.Any ]
              [ Define.operand "self" 1 [ 0.0; 1.5 ]; Define.operand "other" 2 [ 0.0; -2.0 ] ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! condition, input, other = whereOperands call
                          let dtype = Promotion.result [ Operand.promotion input; Operand.promotion other ]
                          let! shape = Broadcast.all [ condition.Shape; Operand.shape input; Operand.shape other ]
                          let holds, decided = Operand.ints Bool shape (Whole condition)
                          let pick (a: 'T[]) (b: 'T[]) = Array.mapi (fun i h -> if h <> 0L then a[i] else b[i]) holds

                          if dtype.IsFloat then
                              let chosen =
                                  pick (Operand.floats dtype shape input) (Operand.floats dtype shape other)
                                  |> Array.map (Elementwise.inFormat<'S> dtype)

                              return [ Value.floats dtype shape (if decided then chosen else Array.map (fun x -> 'S.Unknown x) chosen) ]
                          else
                              let input, knownInput = Operand.ints dtype shape input
                              let other, knownOther = Operand.ints dtype shape other
                              return [ Value.ints dtype shape (pick input other) (decided && knownInput && knownOther) ]
                      } } with
            Spelling = Define.torch
            Saves = fun _ _ -> [ Input 0 ]
            Kinks = Some "the gradient of the side not taken is 0, also where that side is NaN or infinite (pytorch-kinks: where nan-safe)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let toInput () = Derive.whereElseZero (d.Input 0) g
                        let toOther () = Derive.zeroWhere (d.Input 0) g

                        if (Read.optional d.Attrs "self").IsSome then
                            [ None; Some toOther ]
                        else
                            [ None; Some toInput; Some toOther ])
                ) }

    let all = [ sign; sgn; floor; ceil; round; maximum; minimum; clamp; clampMin; clampMax; where ]
