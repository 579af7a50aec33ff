namespace Verified.Spec.Operators

open Verified.Spec

/// Sums, means, products, variances and norms: n elements make one (or, for cumsum, n).
module Reductions =
    open Reduce

    let private floatOnly name (x: Value<'S>) =
        Complain.unlessDType x.DType.IsFloat (fun () ->
            $"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {Promotion.messageName x.DType}")

    // ---- sum and mean ----

    let sum =
        { Define.computes
              "sum"
              "y = sum of x over dim"
              [ ArgKind.Any ]
              (Reduction.dims @ Reduction.dtype)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Reduction.converted Reduction.integersAsInt64 call
                          let! groups = Groups.readAll call.Attrs x.Shape

                          match x.Elements with
                          | Elements.Floats elements ->
                              return [ groups.Of elements |> Array.map (total x.DType) |> Value.floats x.DType groups.Result ]
                          | Elements.Ints(elements, decided) ->
                              return
                                  [ Value.ints
                                        x.DType
                                        groups.Result
                                        (groups.Of elements |> Array.map (Array.fold (+) 0L >> Reduction.element x.DType))
                                        decided ]
                      } } with
            Node = Reduction.node "Sum"
            Shapes = Reduction.shapes
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Groups.spread d (Groups.ofRule d) g) ])) }

    /// A term over a count, in both permitted ways.
    let internal overCount (count: int) (t: Term) = Derive.apply "over_count" [ t ] [ "count", Derive.integerAttr count ]

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
            Arrangement = fun _ -> Arrangement.Ordered
            Internal = true
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "over_count" [ g ] [ "count", d.Attrs["count"] ]) ])) }

    let mean =
        { Define.computes
              "mean"
              "y = (sum of x over dim) / n"
              [ ArgKind.Float ]
              (Reduction.dims @ Reduction.dtype)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Reduction.converted id call
                          do! floatOnly "mean" x
                          let! groups = Groups.readAll call.Attrs x.Shape

                          return
                              [ groups.Of(Value.asFloats x.DType x)
                                |> Array.map (fun terms -> over (float groups.Size) (total x.DType terms))
                                |> Value.floats x.DType groups.Result ]
                      } } with
            Node = Reduction.node "Mean"
            Shapes = Reduction.shapes
            Kinks = Some "the mean of nothing is 0/0 = NaN (PyTorch; its gradient is empty)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let groups = Groups.ofRule d
                              Groups.spread d groups g |> overCount groups.Size) ])
                ) }

    // ---- products ----

    let prod =
        { Define.computes
              "prod"
              "y = product of x over dim"
              [ ArgKind.Any ]
              (Reduction.oneDim @ Reduction.dtype)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          do!
                              Complain.unlessValue (Groups.namesDims call.Attrs || not (call.Attrs.ContainsKey "keepdim")) (fun () ->
                                  "prod() has 'keepdim' only together with 'dim'")

                          let! x = Reduction.converted Reduction.integersAsInt64 call
                          let! groups = Groups.readOne call.Attrs x.Shape

                          match x.Elements with
                          | Elements.Floats elements ->
                              return [ groups.Of elements |> Array.map (product x.DType) |> Value.floats x.DType groups.Result ]
                          | Elements.Ints(elements, decided) ->
                              let products = groups.Of elements |> Array.map (Array.fold (*) 1L >> Reduction.element x.DType)
                              return [ Value.ints x.DType groups.Result products decided ]
                      } } with
            Node = Reduction.node "Prod"
            Shapes = Reduction.shapes
            Saves = fun _ _ -> [ Input 0; Output 0 ]
            Kinks = Some "smooth: the gradient is the product of the others, also where some are zero"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let groups = Groups.ofRule d
                              let shape = d.ShapeOf 0
                              let x = Derive.cast g.DType (d.Input 0)
                              let others t = Derive.apply "prod_others" [ t ] []
                              // They are of a copy, as PyTorch's running products are: a write to x goes unnoticed.
                              let copy = Shaping.apart
                              let g = Groups.restore d groups g

                              match groups.Dims with
                              | _ when shape.Length = 0 -> g
                              // As PyTorch has it: of second order this rounds otherwise than the product of the others does.
                              | _ when not (d.HasZero 0) -> g * (Groups.restore d groups (d.Output 0) / x)
                              | dims when dims |> List.forall (fun dim -> shape[dim] = 1) -> Shaping.reshape shape g
                              | [ dim ] when shape.Length > 1 ->
                                  g * (x |> copy |> Shaping.transpose dim -1 |> others |> Shaping.transpose dim -1)
                              | _ -> g * (x |> Shaping.seenAs [| Shape.count shape |] |> copy |> others |> Shaping.reshape shape)) ])
                ) }

    /// The last dimension taken apart into lines.
    let private lines (shape: int[]) = Groups.over shape [ shape.Length - 1 ] true

    let prodOthers =
        { Define.computes
              "prod_others"
              "y[..,i] = product of x[..,j] over j other than i"
              [ ArgKind.Float ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let elements = (lines x.Shape).Of(Value.asFloats x.DType x) |> Array.collect (productOfOthers x.DType)
                          return [ Value.floats x.DType x.Shape elements ]
                      } } with
            Internal = true
            Shapes = [ [ [| 3 |] ]; [ [| 2; 2 |] ]; [ [| 4 |] ] ]
            Saves = fun _ _ -> [ Input 0 ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "prod_others_backward" [ g; d.Input 0 ] []) ])) }

    let prodOthersBackward =
        { Define.computes
              "prod_others_backward"
              "y[..,k] = sum over i other than k of g[..,i] times the product of x[..,j] over j other than i and k"
              [ ArgKind.Float; ArgKind.Float ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! g = Argument.floats call 0
                          let! x = Argument.floats call 1
                          let read (v: Value<'S>) = (lines x.Shape).Of(Value.asFloats x.DType v)
                          let elements = Array.map2 (productOfOthersBackward x.DType) (read g) (read x) |> Array.concat
                          return [ Value.floats x.DType x.Shape elements ]
                      } } with
            Internal = true
            Shapes = [ [ [| 3 |]; [| 3 |] ]; [ [| 2; 2 |]; [| 2; 2 |] ] ]
            Saves = fun _ _ -> [ Input 0; Input 1 ]
            // The product of row i of the matrix whose rows are x, with 1 in place of x[i], is that of the others than i.
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "prod_others_backward" [ g; d.Input 1 ] [])
                          Some(fun () ->
                              let x = d.Input 1
                              let diagonal = Derive.apply "diagonal_mask" [ x ] []
                              let instead (number: float) (t: Term) = Derive.apply "where" [ diagonal; t ] [ "self", Attr.Float number ]
                              let rows (t: Term) = t |> Shaping.unsqueeze -2 |> Shaping.expand diagonal.Shape
                              let arriving = Shaping.unsqueeze -1 (d.Input 0) * (g |> rows |> instead 0.0)
                              let toRows = Derive.apply "prod_others_backward" [ arriving; x |> rows |> instead 1.0 ] []
                              toRows |> instead 0.0 |> Shaping.sumOver [ -2 ] false) ])
                ) }

    let diagonalMask =
        { Define.computes
              "diagonal_mask"
              "y[..,i,j] = whether i = j, for i and j along the last dimension of x"
              [ ArgKind.Float ]
              []
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let n = Array.last x.Shape
                          let shape = Array.append x.Shape [| n |]
                          let onDiagonal at = if at / n % n = at % n then 1L else 0L
                          return [ Value.ints Bool shape (Array.init (Shape.count shape) onDiagonal) true ]
                      } } with
            Internal = true
            Shapes = [ [ [| 3 |] ]; [ [| 2; 2 |] ] ] }

    // ---- cumsum ----

    let cumsum =
        { Define.computes
              "cumsum"
              "y[i] = sum of x[j] over j up to i, along dim"
              [ ArgKind.Any ]
              (Define.required "dim" AttrKind.Dim :: Reduction.dtype)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Reduction.converted Reduction.integersAsInt64 call
                          let! dim = Read.dim call.Attrs "dim" x.Shape.Length

                          do!
                              Complain.unlessDType (x.DType <> Bool || x.Shape.Length = 0 || Shape.count x.Shape = 0) (fun () ->
                                  "\"cumsum_out_cpu\" not implemented for 'Bool'")

                          let groups = Groups.over x.Shape [ dim ] true

                          let along (sums: 'a[] -> 'a[]) (elements: 'a[]) =
                              let found = Array.copy elements

                              for o in groups.Outer do
                                  groups.Inner
                                  |> Array.map (fun i -> elements[o + i])
                                  |> sums
                                  |> Array.iteri (fun n y -> found[o + groups.Inner[n]] <- y)

                              found

                          match x.Elements with
                          | Elements.Floats elements ->
                              // Each is a sum of its own: an engine may sum in blocks.
                              let sums (line: 'S[]) = line |> Array.mapi (fun n _ -> total x.DType line[..n])
                              return [ along sums elements |> Value.floats x.DType x.Shape ]
                          | Elements.Ints(elements, decided) ->
                              let sums (line: int64[]) = Array.scan (+) 0L line |> Array.tail
                              return [ Value.ints x.DType x.Shape (along sums elements) decided ]
                      } } with
            Shapes = Reduction.shapes
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              // In the dtype of x, as PyTorch.
                              let g = Derive.cast (d.DTypeOf 0) g

                              let dim = Read.dim d.Attrs "dim" g.Shape.Length |> Complaints.orFail

                              // What no sum changes is passed on, as in PyTorch.
                              if Shape.count g.Shape <= 1 || g.Shape[dim] = 1 then
                                  g
                              else
                                  let back (t: Term) = Derive.apply "flip" [ t ] [ "dims", Attr.Items [ d.Attrs["dim"] ] ]
                                  g |> back |> fun t -> Derive.apply "cumsum" [ t ] [ "dim", d.Attrs["dim"] ] |> back) ])
                ) }

    // ---- variance ----

    /// Bessel's correction, 1 unless given; `unbiased` is its older name.
    let private readCorrection attrs =
        match Read.optional attrs "unbiased", Read.optional attrs "correction" with
        | Some _, Some _ -> Complain.value "only one of unbiased and correction can be given"
        // No signature of PyTorch's takes these without dim.
        | Some _, None when attrs.ContainsKey "keepdim" && not (attrs.ContainsKey "dim") ->
            Complain.value "unbiased and keepdim go together only with dim"
        | Some _, None -> Read.flagOr true attrs "unbiased" |> Result.map (fun unbiased -> if unbiased then 1.0 else 0.0)
        | None, _ -> Read.numberOr 1.0 attrs "correction"

    let private ofRule reading =
        match reading with
        | Ok value -> value
        | Error(complaint: Complaint) -> invalidOp complaint.Message

    /// The gradient of the variance, 2 (x - mean) / (n - correction), times g.
    let private varianceGradient (d: IDerivation) (groups: Groups) (g: Term) =
        let x = d.Input 0
        let freedom = float groups.Size - ofRule (readCorrection d.Attrs)
        let mean = Derive.apply "mean" [ x ] [ "dim", Derive.dimsAttr groups.Dims; "keepdim", Attr.Flag true ]
        let distance = if List.isEmpty groups.Dims then x - x else x - mean

        // As var_backward: of all elements and none free, infinite unless x is its mean; along dimensions, what the formula gives.
        if freedom <= 0.0 && (x.Shape.Length = 0 || not (Groups.namesDims d.Attrs)) then
            // A choice between two constants: nothing flows back through it.
            let isAway = Shaping.compareWith "ne" 0.0 distance |> Derive.cast g.DType
            Groups.spread d groups g * (isAway * infinity)
        else
            Groups.restore d groups g * (2.0 / freedom) * distance

    let private varOrStd name formula saves (formulaOf: float -> Transform) rule =
        { Define.computes
              name
              formula
              [ ArgKind.Float ]
              (Reduction.dims
               @ [ Define.attr "correction" (AttrKind.Integer [ 0L; 1L; 2L ]); Define.attr "unbiased" AttrKind.Flag ])
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! correction = readCorrection call.Attrs
                          do! Complain.unlessDType x.DType.IsFloat (fun () -> "std and var only support floating point and complex dtypes")
                          let! groups = Groups.read call.Attrs x.Shape
                          let transform = formulaOf correction
                          let elements = groups.Of(Value.asFloats x.DType x) |> Array.collect (fun xs -> transform.Of(x.DType, xs))
                          return [ Value.floats x.DType groups.Result elements ]
                      } } with
            Shapes = Reduction.shapes
            Saves = fun _ _ -> saves
            Kinks =
                Some
                    "n - correction below 0 counts as 0: 0/0 = NaN for one element (measured); std of equal elements is 0 and so is its gradient (std_backward)"
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> rule d (Groups.ofRule d) g) ])) }

    let var =
        varOrStd
            "var"
            "y = (sum of (x - mean)^2 over dim) / (n - correction)"
            [ Input 0 ]
            (fun correction ->
                { new Transform with
                    member _.Of(dtype, xs) = [| variance dtype correction xs |] })
            varianceGradient

    let std =
        varOrStd
            "std"
            "y = sqrt(var(x))"
            [ Input 0; Output 0 ]
            (fun correction ->
                { new Transform with
                    member _.Of(dtype, xs) = [| Scalar.sqrt (variance dtype correction xs) |] })
            (fun d groups g ->
                let y = d.Output 0
                varianceGradient d groups (Shaping.whereMask (Shaping.compareWith "ne" 0.0 y) (g / (y * 2.0))))

    // ---- logsumexp and norm ----

    let logsumexp =
        { Define.computes
              "logsumexp"
              "y = log(sum of exp(x) over dim)"
              [ ArgKind.Float ]
              [ Define.required "dim" AttrKind.Dims; Define.attr "keepdim" AttrKind.Flag ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let x = Value.cast (Promotion.toFloat x.DType) x
                          let! _ = Read.integers call.Attrs "dim"
                          let! groups = Groups.readAll call.Attrs x.Shape

                          return
                              [ groups.Of(Value.asFloats x.DType x) |> Array.map (logSumExp x.DType) |> Value.floats x.DType groups.Result ]
                      } } with
            Shapes = Reduction.shapes
            Saves = fun _ _ -> [ Input 0; Output 0 ]
            Kinks = Some "the gradient is exp(x - y) also where that is inf - inf: NaN where all of x is -inf (measured)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let groups = Groups.ofRule d
                              let y = Groups.restore d groups (d.Output 0)
                              Groups.restore d groups g * Shaping.unary "exp" (d.Input 0 - y)) ])
                ) }

    /// The order of a norm; 2 unless given, and "fro" is 2.
    let private readOrder attrs =
        match Read.optional attrs "p" with
        | Some(Attr.Text "fro") -> Ok 2.0
        | _ -> Read.numberOr 2.0 attrs "p"

    let private showOrder (p: float) =
        if System.Double.IsPositiveInfinity p then "inf"
        elif System.Double.IsNegativeInfinity p then "-inf"
        else p.ToString("R", System.Globalization.CultureInfo.InvariantCulture)

    let private refuseNoIdentity (attrs: Attrs) p (shape: int[]) (groups: Groups) =
        if Shape.count shape > 0 || not (p < 0.0 || p = infinity) then
            Ok()
        elif not (Groups.namesDims attrs) then
            Complain.shape
                $"linalg.vector_norm cannot compute the {showOrder p} norm on an empty tensor because the operation does not have an identity"
        else
            match groups.Dims |> List.tryFind (fun dim -> shape[dim] = 0) with
            | Some dim ->
                Complain.shape
                    $"linalg.vector_norm cannot compute the {showOrder p} norm on the dimension {dim} because this dimension is empty and the operation does not have an identity"
            | None -> Ok()

    /// The gradient of a norm, as linalg_vector_norm_backward has it: what is 0/0 at zero is 0.
    let private normGradient p (d: IDerivation) (groups: Groups) (g: Term) =
        let x = d.Input 0
        let g = Groups.restore d groups g
        let norm = Groups.restore d groups (d.Output 0)
        let sign () = Shaping.unary "sgn" x
        let size () = Shaping.unary "abs" x
        let unlessZero (t: Term) = Shaping.whereMask (Shaping.compareWith "ne" 0.0 norm) t
        let scale () = unlessZero (g / Shaping.pow (p - 1.0) norm)

        if p = 1.0 then
            sign () * g
        elif p = 2.0 then
            g
            * Derive.apply
                "masked_fill"
                [ x / norm; Shaping.compareWith "eq" 0.0 norm ]
                [ "value", Attr.Float 0.0; Derive.inPlace, Attr.Flag true ]
        elif System.Double.IsInfinity p then
            // Of what is kept, as it is by then.
            let mask = Derive.apply "attains" [ size (); norm; d.Output 1 ] [ "nan", Attr.Text "always" ]
            sign () * (g / Shaping.sumOver groups.Dims true mask * mask)
        elif p < 1.0 then
            let slope = sign () * Shaping.pow (p - 1.0) (size ())
            Shaping.whereMask (Shaping.compareWith "ne" 0.0 x) slope * g * Shaping.pow (1.0 - p) norm
        elif p < 2.0 then
            sign () * Shaping.pow (p - 1.0) (size ()) * scale ()
        else
            x * Shaping.pow (p - 2.0) (size ()) * scale ()

    let norm =
        { Define.computes
              "norm"
              "y = (sum of |x|^p over dim)^(1/p); the largest of |x| for p = inf, the smallest for -inf, how many are not zero for 0"
              [ ArgKind.Float ]
              (Define.attr "p" (AttrKind.Number [ 2.0; 1.0; 3.0; 0.0; infinity; -infinity; 1.5; 0.5 ]) :: Reduction.dims)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  $"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {Promotion.messageName x.DType}")

                          // Without an order PyTorch takes more than two dimensions for those of a matrix.
                          do!
                              match Map.tryFind "p" call.Attrs, Map.tryFind "dim" call.Attrs with
                              | None, Some(Attr.Items dims) when dims.Length > 2 ->
                                  Complain.value "linalg.matrix_norm: dim must be a 2-tuple."
                              | _ -> Ok()

                          let! p = readOrder call.Attrs
                          let! groups = Groups.read call.Attrs x.Shape
                          do! refuseNoIdentity call.Attrs p x.Shape groups
                          let elements = Value.asFloats x.DType x

                          if System.Double.IsInfinity p then
                              let sizes = elements |> Array.map Scalar.abs |> Value.floats x.DType x.Shape
                              return Extreme.withMask (sign p) groups sizes
                          else
                              return [ groups.Of elements |> Array.map (Reduce.norm x.DType p) |> Value.floats x.DType groups.Result ]
                      } } with
            Node = Define.node "LinalgVectorNorm"
            Shapes = Reduction.shapes
            Saves =
                fun _ attrs ->
                    match readOrder attrs with
                    | Ok p when System.Double.IsInfinity p -> [ Input 0; Output 0; Output 1 ]
                    | _ -> [ Input 0; Output 0 ]
            Kinks =
                Some
                    "at zero the gradient is 0 for p = 1, 2 and others (measured); p = inf and -inf share it evenly among ties; p = 0 has none (linalg_vector_norm_backward)"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let p = ofRule (readOrder d.Attrs)

                        if p = 0.0 then
                            [ None ]
                        else
                            [ Some(fun () -> normGradient p d (Groups.ofRule d) g) ])
                ) }

    let all =
        [ sum
          overCount'
          mean
          prod
          prodOthers
          prodOthersBackward
          diagonalMask
          cumsum
          var
          std
          logsumexp
          norm ]
