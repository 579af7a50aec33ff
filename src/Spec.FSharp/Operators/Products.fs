namespace Verified.Spec.Operators

open Verified.Spec

/// Products of matrices and vectors. Every element is one sum of products, so that one bound covers every order of summation.
module Products =
    /// For each pair of batches, the matrix product of `a` (m by k) and `b` (k by n): sums of k products.
    let private multiply<'S when 'S :> IScalar<'S>> (batches: (int * int)[]) m k n (a: Value<'S>) (b: Value<'S>) =
        let each element =
            [| for inA, inB in batches do
                   for i in 0 .. m - 1 do
                       for j in 0 .. n - 1 do
                           yield element ((inA * m + i) * k) (inB * k * n + j) |]

        match a.Elements, b.Elements with
        | Elements.Floats x, Elements.Floats y ->
            each (fun row column ->
                if k = 0 then
                    Value.exact a.DType 0.0
                else
                    Scalar.dot (Array.init k (fun l -> x[row + l])) (Array.init k (fun l -> y[column + l * n])))
            |> Elements.Floats
        | _ ->
            let x, decidedX = Value.asInts Int64 a
            let y, decidedY = Value.asInts Int64 b

            Elements.Ints(
                each (fun row column ->
                    let mutable sum = 0L

                    for l in 0 .. k - 1 do
                        sum <- sum + x[row + l] * y[column + l * n]

                    sum),
                decidedX && decidedY
            )

    let private value shape (a: Value<'S>) elements =
        [ { DType = a.DType
            Shape = shape
            Elements = elements } ]

    let private both (call: Call<'S>) =
        result {
            let! a = Argument.tensor call 0
            let! b = Argument.tensor call 1
            return a, b
        }

    let private lower (t: DType) = (Promotion.messageName t).ToLowerInvariant()

    /// Products want one dtype.
    let private sameDType kernel (a: Value<'S>) (b: Value<'S>) =
        if a.DType <> b.DType then
            let found, other = Promotion.messageName a.DType, Promotion.messageName b.DType

            match kernel with
            | "dot" -> Complain.dtype $"dot : expected both vectors to have same dtype, but found {found} and {other}"
            | "addmm_impl_cpu_" -> Complain.dtype $"expected m1 and m2 to have the same dtype, but got: {lower a.DType} != {lower b.DType}"
            | _ -> Complain.dtype $"expected scalar type {found} but found {other}"
        else
            Ok()

    /// They have no kernel for booleans, which shows where the shapes fit.
    let private isImplemented kernel (a: Value<'S>) =
        Complain.unlessDType (a.DType <> Bool) (fun () -> $"\"{kernel}\" not implemented for 'Bool'")

    let private rank (shape: int[]) = shape.Length

    // ---- dot, mv, mm, bmm, outer ----

    let private dotForward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! a, b = both call

                    do!
                        Complain.unlessShape (rank a.Shape = 1 && rank b.Shape = 1) (fun () ->
                            $"1D tensors expected, but got {rank a.Shape}D and {rank b.Shape}D tensors")

                    do! sameDType "dot" a b
                    let n = a.Shape[0]

                    do!
                        Complain.unlessShape (n = b.Shape[0]) (fun () ->
                            $"inconsistent tensor size, expected tensor [{n}] and src [{b.Shape[0]}] to have the same number of elements, but got {n} and {b.Shape[0]} elements respectively")

                    do! isImplemented "dot" a
                    return value [||] a (multiply [| 0, 0 |] 1 n 1 a b)
                } }

    let private mvForward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! a, b = both call

                    // The length of the result is asked for first.
                    if rank a.Shape = 0 then
                        return! Complain.index "Dimension specified as 0 but tensor has no dimensions"

                    do!
                        Complain.unlessShape (rank a.Shape = 2 && rank b.Shape = 1) (fun () ->
                            $"vector + matrix @ vector expected, got 1, {rank a.Shape}, {rank b.Shape}")

                    let m, k = a.Shape[0], a.Shape[1]

                    do!
                        Complain.unlessShape (k = b.Shape[0]) (fun () ->
                            $"size mismatch, got input ({m}), mat ({m}x{k}), vec ({b.Shape[0]})")

                    do! sameDType "addmv_impl_cpu" a b
                    do! isImplemented "addmv_impl_cpu" a
                    return value [| m |] a (multiply [| 0, 0 |] m k 1 a b)
                } }

    let private mmForward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! a, b = both call
                    do! Complain.unlessShape (rank a.Shape = 2) (fun () -> "self must be a matrix")
                    do! Complain.unlessShape (rank b.Shape = 2) (fun () -> "mat2 must be a matrix")
                    let m, k, n = a.Shape[0], a.Shape[1], b.Shape[1]

                    do!
                        Complain.unlessShape (k = b.Shape[0]) (fun () ->
                            $"mat1 and mat2 shapes cannot be multiplied ({m}x{k} and {b.Shape[0]}x{n})")

                    do! sameDType "addmm_impl_cpu_" a b
                    do! isImplemented "addmm_impl_cpu_" a
                    return value [| m; n |] a (multiply [| 0, 0 |] m k n a b)
                } }

    let private bmmForward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! a, b = both call
                    do! Complain.unlessShape (rank a.Shape = 3) (fun () -> "batch1 must be a 3D tensor")
                    do! Complain.unlessShape (rank b.Shape = 3) (fun () -> "batch2 must be a 3D tensor")
                    let batch, m, k, n = a.Shape[0], a.Shape[1], a.Shape[2], b.Shape[2]

                    do!
                        Complain.unlessShape (b.Shape[0] = batch && b.Shape[1] = k) (fun () ->
                            $"Expected size for first two dimensions of batch2 tensor to be: [{batch}, {k}] but got: [{b.Shape[0]}, {b.Shape[1]}].")

                    do! sameDType "baddbmm" a b
                    do! isImplemented "baddbmm" a
                    return value [| batch; m; n |] a (multiply (Array.init batch (fun i -> i, i)) m k n a b)
                } }

    // ---- matmul ----

    /// What the dimensions before the matrices broadcast to; whether the matrices fit is for the products to say.
    let private matmulBatch (a: int[]) (b: int[]) =
        result {
            do!
                Complain.unlessShape (rank a > 0 && rank b > 0) (fun () ->
                    $"both arguments to matmul need to be at least 1D, but they are {rank a}D and {rank b}D")

            let batchOf (shape: int[]) = shape[.. shape.Length - 3]
            return! Broadcast.shapes (batchOf a) (batchOf b)
        }

    let private product2 name (a: Term) (b: Term) = Derive.apply name [ a; b ] []
    let private size n (shape: int[]) = shape[shape.Length - n]

    /// Whether a stack of matrices times one matrix or vector is folded to a single product (aten/src/ATen/native/LinearAlgebra.cpp,
    /// should_fold). The values are the same; it decides whether the product keeps a view of the user's tensor or a copy.
    let private folds (a: Term) (b: Term) =
        let larger = rank a.Shape >= rank b.Shape
        let stack, other = if larger then a, b else b, a

        // Rows that lie one behind the other: of the larger on the left as it is, on the right transposed.
        let inOrder () =
            let last = rank stack.Shape - 1
            let order = Array.init (last + 1) (fun d -> if larger || d < last - 1 then d else 2 * last - 1 - d)
            let sizes, strides = order |> Array.map (Array.get stack.Shape), order |> Array.map (Array.get stack.Strides)
            Seq.forall (fun d -> strides[d] = strides[d + 1] * sizes[d + 1]) (seq { 0 .. last - 2 })

        rank stack.Shape >= 3
        && rank other.Shape <= 2
        && (other.RequiresGrad || rank a.Shape <> 2 && (Shape.count stack.Shape = 0 || inOrder ()))

    let private folded (a: Term) (b: Term) =
        let larger = rank a.Shape >= rank b.Shape
        let stack = if larger then a else Shaping.matrixTranspose b

        let other =
            if larger then b
            elif rank a.Shape = 2 then Shaping.unary "t" a
            else a

        let rows = stack.Shape[.. rank stack.Shape - 2]
        let matrix = Shaping.reshape [| Shape.count rows; Array.last stack.Shape |] stack

        if rank other.Shape = 1 then
            product2 "mv" matrix other |> Shaping.unsafeView rows
        else
            let y = product2 "mm" matrix other |> Shaping.unsafeView (Array.append rows [| other.Shape[1] |])
            if larger then y else Shaping.matrixTranspose y |> Shaping.unary "contiguous"

    let private stacked (batch: int[]) (a: Term) (b: Term) =
        let count = Shape.count batch
        // Views each, also where nothing changes.
        let expand shape (t: Term) = Derive.apply "expand" [ t ] [ "size", Derive.sizeAttr shape ]
        let reshape shape (t: Term) = Derive.apply "reshape" [ t ] [ "shape", Derive.sizeAttr shape ]
        let matrices n k (t: Term) = t |> expand (Array.append batch [| n; k |]) |> reshape [| count; n; k |]
        let left = a |> matrices (if rank a.Shape > 1 then size 2 a.Shape else 1) (Array.last a.Shape)

        let right =
            if rank b.Shape = 1 then
                let k = b.Shape[0]
                b |> expand (Array.append batch [| k |]) |> reshape [| count; k |] |> Shaping.unsqueeze 2
            else
                b |> matrices (size 2 b.Shape) (Array.last b.Shape)

        let y = product2 "bmm" left right

        (if rank b.Shape = 1 then Shaping.squeeze -1 y else y)
        |> Shaping.unsafeView
            [| yield! batch
               if rank a.Shape > 1 then size 2 a.Shape
               if rank b.Shape > 1 then Array.last b.Shape |]

    /// The products that PyTorch makes of it (aten/src/ATen/native/LinearAlgebra.cpp, _matmul_impl).
    let rec private multiplied batch (a: Term) (b: Term) : Term =
        match rank a.Shape, rank b.Shape with
        | 1, 1 -> product2 "dot" a b
        | 2, 1 -> product2 "mv" a b
        | 1, 2 -> Derive.apply "squeeze_" [ product2 "mm" (Shaping.unsqueeze 0 a) b ] [ "dim", Derive.integerAttr 0 ]
        | 2, 2 -> product2 "mm" a b
        | _ when folds a b -> folded a b
        | 3, 3 when a.Shape[0] <> b.Shape[0] && a.Shape[0] = 1 && a.RequiresGrad -> multiplied batch (Shaping.squeeze 0 a) b
        | 3, 3 when a.Shape[0] <> b.Shape[0] && b.Shape[0] = 1 && b.RequiresGrad -> multiplied batch a (Shaping.squeeze 0 b)
        | _ -> stacked batch a b

    let private matmulParts _ (terms: Term option list) =
        result {
            match terms with
            | [ Some a; Some b ] ->
                let! batch = matmulBatch a.Shape b.Shape
                return [ multiplied batch a b ]
            | _ -> return! Complain.value "matmul wants two tensors"
        }

    /// The adjoints of a product of stacks of as many matrices.
    let private stackRule: Rule =
        Derive.ruleFromLast (fun d g ->
            [ Some(fun () -> product2 "bmm" g (Shaping.matrixTranspose (d.Input 1)))
              Some(fun () -> product2 "bmm" (Shaping.matrixTranspose (d.Input 0)) g) ])

    /// Whether a factor of a product of matrices lay in memory column by column, as the transpose of another does.
    let private liesByColumns (d: IDerivation) i = d.StridesOf i = [| 1; (d.ShapeOf i)[0] |]

    /// The gradients of the factors of a product of matrices. That of one which lies by columns is made as a transpose, so that it does too
    /// (mm_mat1_grad and mm_mat2_grad in torch/csrc/autograd/FunctionsManual.cpp): it decides what the products keep.
    let private leftFactor (d: IDerivation) i (g: Term) (right: Term) =
        let t = Shaping.matrixTranspose

        if liesByColumns d i then
            product2 "mm" right (t g) |> t
        else
            product2 "mm" g (t right)

    let private rightFactor (d: IDerivation) i (g: Term) (left: Term) =
        let t = Shaping.matrixTranspose

        if liesByColumns d i then
            product2 "mm" (t g) left |> t
        else
            product2 "mm" (t left) g

    let private matrixRule: Rule =
        Derive.ruleFromLast (fun d g -> [ Some(fun () -> leftFactor d 0 g (d.Input 1)); Some(fun () -> rightFactor d 1 g (d.Input 0)) ])

    /// Each factor is kept where the other needs a gradient.
    let private savesTheOther (needs: int -> bool) (_: Attrs) =
        [ if needs 1 then Input 0
          if needs 0 then Input 1 ]

    /// PyTorch calls the second matrix `mat2`, which comes before `self` when it looks at what it kept; `vec` and `tensor` come behind.
    let private ofMatrices (op: Operator) =
        { op with
            Saves = fun needs attrs -> List.rev (op.Saves needs attrs) }

    let private product name formula shapes forward rule =
        { Define.computes name formula [ ArgKind.Float; ArgKind.Float ] [] forward with
            Saves = savesTheOther
            Shapes = shapes
            Derivative = Some rule }

    let matmul =
        { Define.composes
              "matmul"
              "y = a b, over broadcast batches of matrices; vectors are rows on the left and columns on the right"
              [ ArgKind.Float; ArgKind.Float ]
              []
              matmulParts with
            Shapes =
                [ [ [| 2; 3 |]; [| 3; 4 |] ]
                  [ [| 3 |]; [| 3 |] ]
                  [ [| 2; 3 |]; [| 3 |] ]
                  [ [| 3 |]; [| 3; 2 |] ]
                  [ [| 2; 2; 3 |]; [| 3; 2 |] ]
                  [ [| 2; 3 |]; [| 2; 3; 2 |] ]
                  [ [| 2; 2; 3 |]; [| 3 |] ]
                  [ [| 3 |]; [| 2; 3; 2 |] ]
                  [ [| 2; 1; 2; 3 |]; [| 2; 3; 2 |] ]
                  [ [| 1; 2; 3 |]; [| 2; 3; 1 |] ]
                  [ [| 2; 0 |]; [| 0; 3 |] ]
                  [ [| 0; 3 |]; [| 3; 2 |] ]
                  [ [| 1; 1 |]; [| 1; 1 |] ] ] }

    let mm =
        product
            "mm"
            "y[i,j] = sum over k of a[i,k] b[k,j]"
            [ [ [| 2; 3 |]; [| 3; 4 |] ]
              [ [| 1; 4 |]; [| 4; 1 |] ]
              [ [| 3; 3 |]; [| 3; 3 |] ]
              [ [| 2; 0 |]; [| 0; 3 |] ]
              [ [| 0; 2 |]; [| 2; 2 |] ] ]
            mmForward
            matrixRule
        |> ofMatrices

    let bmm =
        product
            "bmm"
            "y[b,i,j] = sum over k of a[b,i,k] c[b,k,j]"
            [ [ [| 2; 2; 3 |]; [| 2; 3; 2 |] ]
              [ [| 1; 3; 1 |]; [| 1; 1; 2 |] ]
              [ [| 0; 2; 3 |]; [| 0; 3; 2 |] ]
              [ [| 2; 2; 0 |]; [| 2; 0; 2 |] ] ]
            bmmForward
            stackRule
        |> ofMatrices

    let mv =
        product
            "mv"
            "y[i] = sum over k of a[i,k] x[k]"
            [ [ [| 2; 3 |]; [| 3 |] ]; [ [| 1; 4 |]; [| 4 |] ]; [ [| 3; 0 |]; [| 0 |] ] ]
            mvForward
            (Derive.rule (fun d g ->
                [ Some(fun () -> Derive.apply "outer" [ g; d.Input 1 ] [])
                  Some(fun () -> Derive.apply "mv" [ Shaping.matrixTranspose (d.Input 0); g ] []) ]))

    let dot =
        product
            "dot"
            "y = sum over k of a[k] b[k]"
            [ [ [| 3 |]; [| 3 |] ]; [ [| 1 |]; [| 1 |] ]; [ [| 0 |]; [| 0 |] ]; [ [| 8 |]; [| 8 |] ] ]
            dotForward
            (Derive.rule (fun d g -> [ Some(fun () -> g * d.Input 1); Some(fun () -> g * d.Input 0) ]))

    let outer =
        { Define.composes "outer" "y[i,j] = a[i] b[j]" [ ArgKind.Float; ArgKind.Float ] [] (fun _ terms ->
              result {
                  match terms with
                  | [ Some a; Some b ] ->
                      do!
                          Complain.unlessShape (rank a.Shape = 1) (fun () ->
                              $"outer: Expected 1-D argument self, but got {rank a.Shape}-D")

                      do!
                          Complain.unlessShape (rank b.Shape = 1) (fun () ->
                              $"outer: Expected 1-D argument vec2, but got {rank b.Shape}-D")

                      return [ (a |> Shaping.reshape [| a.Shape[0]; 1 |]) * b ]
                  | _ -> return! Complain.value "outer takes two tensors"
              }) with
            Spelling = Define.torch
            Shapes = [ [ [| 2 |]; [| 3 |] ]; [ [| 1 |]; [| 4 |] ]; [ [| 0 |]; [| 2 |] ] ] }

    // ---- linear ----

    let private addmmForward =
        { new Forward with
            member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                result {
                    let! added = Argument.tensor call 0
                    let! a = Argument.tensor call 1
                    let! b = Argument.tensor call 2
                    do! sameDType "addmm_impl_cpu_" added b
                    do! sameDType "addmm_impl_cpu_" a b
                    do! Complain.unlessShape (rank a.Shape = 2) (fun () -> $"mat1 must be a matrix, got {rank a.Shape}-D tensor")
                    do! Complain.unlessShape (rank b.Shape = 2) (fun () -> $"mat2 must be a matrix, got {rank b.Shape}-D tensor")
                    let m, k, n = a.Shape[0], a.Shape[1], b.Shape[1]

                    do!
                        Complain.unlessShape (Broadcast.reaches added.Shape [| m; n |]) (fun () ->
                            $"The expanded size of the tensor ({n}) must match the existing size ({Shape.count added.Shape}) at non-singleton dimension 1.  Target sizes: {Shape.show [| m; n |]}.  Tensor sizes: {Shape.show added.Shape}")

                    do!
                        Complain.unlessShape (k = b.Shape[0]) (fun () ->
                            $"mat1 and mat2 shapes cannot be multiplied ({m}x{k} and {b.Shape[0]}x{n})")

                    do! isImplemented "addmm_impl_cpu_" a
                    let added = Value.expand [| m; n |] added

                    return
                        value
                            [| m; n |]
                            a
                            (match added.Elements, a.Elements, b.Elements with
                             | Elements.Floats c, Elements.Floats x, Elements.Floats y ->
                                 // One more term of the sum, wherever an engine adds it.
                                 let one: 'S = Value.exact a.DType 1.0

                                 let element i =
                                     let row = Array.init k (fun l -> x[i / n * k + l])
                                     let column = Array.init k (fun l -> y[i % n + l * n])
                                     Scalar.dot (Array.append row [| one |]) (Array.append column [| c[i] |])

                                 Elements.Floats(Array.init (m * n) element)
                             | Elements.Ints(c, known), _, _ ->
                                 match multiply [| 0, 0 |] m k n a b with
                                 | Elements.Ints(product, decided) -> Elements.Ints(Array.map2 (+) product c, known && decided)
                                 | floats -> floats
                             | _ -> invalidOp "addmm of several dtypes")
                } }

    /// What linear is made of where it has a bias and matrices.
    let addmm =
        { Define.computes
              "addmm"
              "y[i,j] = c[i,j] + sum over k of a[i,k] b[k,j]"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Float ]
              []
              addmmForward with
            Internal = true
            Shapes = [ [ [| 4 |]; [| 2; 3 |]; [| 3; 4 |] ]; [ [| 2; 2 |]; [| 2; 1 |]; [| 1; 2 |] ] ]
            Saves =
                fun needs _ ->
                    [ if needs 2 then Input 1
                      if needs 1 then Input 2 ]
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> g)
                          Some(fun () -> leftFactor d 1 g (d.Input 2))
                          Some(fun () -> rightFactor d 2 g (d.Input 1)) ])
                ) }

    let private geometryOf (t: Term) : Geometry =
        { Shape = t.Shape
          Strides = t.Strides
          Offset = 0 }

    /// The products that PyTorch makes of it (aten/src/ATen/native/Linear.cpp, linear).
    let private linearParts _ (terms: Term option list) =
        result {
            match terms with
            | Some x :: Some w :: rest ->
                do!
                    Complain.unlessShape (rank x.Shape > 0 && rank w.Shape > 0) (fun () ->
                        $"both arguments to linear need to be at least 1D, but they are {rank x.Shape}D and {rank w.Shape}D")

                let columns = Shaping.unary "t" w

                match List.tryHead rest |> Option.flatten with
                | Some bias when rank x.Shape = 2 -> return [ Derive.apply "addmm" [ bias; x; columns ] [] ]
                | Some bias when Layout.isContiguous (geometryOf x) && (rank x.Shape = 3 || rank bias.Shape = 1) ->
                    let outer = x.Shape[.. rank x.Shape - 2]
                    let rows = x |> Shaping.reshape [| Shape.count outer; Array.last x.Shape |]
                    let y = Derive.apply "addmm" [ bias; rows; columns ] []
                    return [ Derive.apply "view" [ y ] [ "size", Derive.sizeAttr (Array.append outer [| y.Shape[1] |]) ] ]
                | bias ->
                    let! batch = matmulBatch x.Shape columns.Shape
                    let y = multiplied batch x columns

                    return
                        [ match bias with
                          | Some bias -> Derive.apply "add_" [ y; bias ] []
                          | None -> y ]
            | _ -> return! Complain.value "linear wants an input and a weight"
        }

    let linear =
        { Define.composes
              "linear"
              "y[.., o] = sum over i of x[.., i] w[o, i], plus bias[o]"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              []
              linearParts with
            Spelling = Define.functional
            Shapes =
                [ [ [| 2; 3 |]; [| 4; 3 |]; [| 4 |] ]
                  [ [| 3 |]; [| 2; 3 |]; [| 2 |] ]
                  [ [| 2; 2; 3 |]; [| 2; 3 |]; [| 2 |] ]
                  [ [| 2; 3 |]; [| 3 |] ]
                  [ [| 0; 3 |]; [| 2; 3 |]; [| 2 |] ]
                  [ [| 2; 0 |]; [| 3; 0 |]; [| 3 |] ] ] }

    let all = [ matmul; mm; bmm; mv; dot; outer; addmm; linear ]
