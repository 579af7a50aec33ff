namespace Verified.Spec.Operators

open Verified.Spec

/// Operators that derivatives need and programs cannot name.
module Internal =
    let private shapeAttr attrs name = Read.integers attrs name |> Result.map Array.ofList

    /// Sums what broadcasting repeated: the transpose of `expand`.
    /// As PyTorch sums (aten/src/ATen/ExpandUtils.h, sum_to): where dimensions are gone, the gradient is a view of the sum.
    let sumTo =
        { Define.composes
              "sum_to"
              "x summed over the dimensions that broadcasting from `size` repeats"
              [ ArgKind.Float ]
              [ Define.required "size" AttrKind.Size ]
              (fun attrs terms ->
                  result {
                      let x = (List.head terms).Value
                      let! size = shapeAttr attrs "size"

                      do!
                          Complain.unlessShape (Broadcast.reaches size x.Shape) (fun () ->
                              $"{Shape.show size} does not broadcast to {Shape.show x.Shape}")

                      let gone = x.Shape.Length - size.Length
                      let isSummed d = d < gone || size[d - gone] = 1 && x.Shape[d] <> 1
                      let dims = [ 0 .. x.Shape.Length - 1 ] |> List.filter isSummed

                      let kept () =
                          if dims.IsEmpty then
                              x
                          else
                              Derive.apply "sum" [ x ] [ "dim", Derive.dimsAttr dims; "keepdim", Attr.Flag true ]

                      return
                          [ if size.Length = 0 then
                                Derive.apply "sum" [ x ] []
                            elif gone > 0 then
                                Derive.apply "view" [ kept () ] [ "size", Derive.sizeAttr size ]
                            else
                                kept () ]
                  }) with
            Internal = true }

    /// A product's result in the shape that its caller asked for.
    let unsafeView =
        { Define.computes
              "unsafe_view"
              "x, of shape `size`, and no view of it"
              [ ArgKind.Float ]
              [ Define.required "size" AttrKind.Size ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! size = shapeAttr call.Attrs "size"
                          return [ { x with Shape = size } ]
                      } } with
            Internal = true
            Derivative =
                Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "reshape" [ g ] [ "shape", Derive.sizeAttr (d.ShapeOf 0) ]) ])) }

    /// What gradients that meet are added by.
    let total =
        { Define.computes
              "total"
              "x0 + x1 + ..., in any order"
              [ ArgKind.List ArgKind.Float ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! terms = Argument.list call
                          let first = terms.Head

                          do!
                              Complain.unlessShape (terms |> List.forall (fun t -> t.Shape = first.Shape)) (fun () ->
                                  $"gradients of shapes {terms |> List.map (fun t -> Shape.show t.Shape)} have no sum")

                          let elements = terms |> List.map (Value.asFloats first.DType) |> Array.ofList

                          let sum i =
                              match elements with
                              | [| x; y |] -> 'S.Add(x[i], y[i])
                              | _ -> 'S.Sum(elements |> Array.map (fun x -> x[i]))

                          return [ Value.floats first.DType first.Shape (Array.init elements[0].Length sum) ]
                      } } with
            Internal = true
            Arrangement = fun _ -> Arrangement.Ordered
            Node = Define.node "Add"
            Derivative = Some(Derive.rule (fun d g -> List.init d.Inputs (fun _ -> Some(fun () -> g)))) }

    /// What the gradients of relu, leaky_relu and elu are made by. Where the bound leaves open whether x is above 0 it covers both, and
    /// so it does for NaN where `unordered` does not say.
    /// The derivative by x is zeros, but there is one, so that under create_graph these gradients require a gradient wherever x
    /// does, as PyTorch's threshold_backward and leaky_relu_backward have it.
    let whereAbove =
        { Define.computes
              "where_above"
              "a where x > 0, else b"
              [ ArgKind.Float; ArgKind.Float; ArgKind.Float ]
              [ Define.attr "unordered" AttrKind.Flag ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! a = Argument.floats call 1
                          let! b = Argument.floats call 2
                          let! unordered = Read.tryFlag call.Attrs "unordered"
                          let zero: 'S = Value.exact x.DType 0.0

                          let choose (x: 'S) (a: 'S) (b: 'S) =
                              match 'S.Compare(x, zero) with
                              | Greater -> a
                              | Less
                              | Equal -> b
                              | Unordered when unordered.IsSome -> if unordered.Value then a else b
                              | Unordered
                              | Undecided -> 'S.Permitted [| a; b |]

                          let read v = Value.asFloats a.DType v
                          return [ Value.floats a.DType a.Shape (Array.map3 choose (Value.asFloats x.DType x) (read a) (read b)) ]
                      } } with
            Arrangement = fun _ -> Arrangement.Ordered
            Internal = true
            Saves = fun _ _ -> [ Input 0 ]
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let zeros () = Derive.apply "zeros_like" [ g ] []
                        let choose a b = Derive.apply "where_above" [ d.Input 0; a; b ] (Map.toList d.Attrs)
                        [ Some zeros; Some(fun () -> choose g (zeros ())); Some(fun () -> choose (zeros ()) g) ])
                ) }

    /// Zeros of the shape and dtype of x.
    let zeros =
        { new Forward with
            member _.Of(call: Call<'S>) =
                result {
                    let! x = Argument.tensor call 0

                    return
                        [ if x.DType.IsFloat then
                              Value.full x.DType x.Shape 0.0
                          else
                              Value.ints x.DType x.Shape (Array.zeroCreate (Value.count x)) true ]
                } }

    /// Not differentiable: what follows from it requires no gradient, as PyTorch's zeros_like.
    let zerosLike =
        { Define.computes "zeros_like" "0" [ ArgKind.Any ] [] zeros with
            Arrangement = fun _ -> Arrangement.Copied
            Internal = true }

    /// The same of another shape.
    let zerosOf =
        { Define.computes
              "zeros_of"
              "zeros of `size`, of x's dtype"
              [ ArgKind.Any ]
              [ Define.required "size" AttrKind.Size ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! size = shapeAttr call.Attrs "size"
                          return [ Value.full x.DType size 0.0 ]
                      } } with
            Internal = true }

    /// What is on one side of it keeps nothing of the other side, in either direction.
    let apart =
        { Define.computes
              "apart"
              "a copy of x, whose gradient is a copy of what arrives"
              [ ArgKind.Float ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) = Argument.tensor call 0 |> Result.map List.singleton } with
            Internal = true
            Node = Define.node "Clone"
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> Derive.apply "apart" [ g ] []) ])) }

    let private geometry attrs (prefix: string) =
        result {
            let! size = shapeAttr attrs (prefix + "size")
            let! stride = shapeAttr attrs (prefix + "stride")
            let! offset = Read.integer attrs (prefix + "storage_offset")

            do!
                Complain.unlessShape (size.Length = stride.Length && Array.forall (fun n -> n >= 0) size) (fun () ->
                    "size and stride do not match")

            return
                { Geometry.Shape = size
                  Strides = stride
                  Offset = offset }
        }

    let private inside (view: Geometry) (count: int) =
        let reach (size: int) (stride: int) = (size - 1) * stride
        let reaches = Array.map2 reach view.Shape view.Strides
        let first = view.Offset + Array.sumBy (min 0) reaches
        let last = view.Offset + Array.sumBy (max 0) reaches

        Complain.unlessShape (Shape.count view.Shape = 0 || first >= 0 && last < count) (fun () ->
            $"a view of size {Shape.show view.Shape} and stride {Shape.show view.Strides} at {view.Offset} does not lie in {count} elements")

    // The window that a view is, over the elements of a dense tensor.
    let private window =
        [ Define.required "size" AttrKind.Size
          Define.required "stride" AttrKind.Size
          Define.required "storage_offset" (AttrKind.Integer [ 0L ]) ]

    /// A view of a dense x by strides, as a value. The derivative of every view operator: what its geometry makes of a dense x.
    let strided =
        { Define.computes
              "strided"
              "y[i] = x.flat[offset + sum i * stride]"
              [ ArgKind.Float ]
              window
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! view = geometry call.Attrs ""
                          do! inside view (Value.count x)
                          return [ Value.pick view.Shape (Positions.ofGeometry view) x ]
                      } } with
            Internal = true
            Node = Define.node "AsStrided"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              Derive.apply "strided_backward" [ g ] (("input_size", Derive.sizeAttr (d.ShapeOf 0)) :: Map.toList d.Attrs)) ])
                ) }

    /// The transpose of `strided`: each element of g is added where it was taken from.
    let private stridedBackwardAs name derivative =
        { Define.computes
              name
              "x.flat[offset + sum i * stride] += g[i]"
              [ ArgKind.Float ]
              (Define.required "input_size" AttrKind.Size :: window)
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! g = Argument.floats call 0
                          let! inputSize = shapeAttr call.Attrs "input_size"
                          let! view = geometry call.Attrs ""
                          do! inside view (Shape.count inputSize)

                          do!
                              Complain.unlessShape (view.Shape = g.Shape) (fun () ->
                                  $"a gradient of shape {Shape.show g.Shape} is not one of a view of {Shape.show view.Shape}")

                          let elements = Value.asFloats g.DType g
                          let terms = Array.init (Shape.count inputSize) (fun _ -> ResizeArray<'S>(1))
                          Array.iteri (fun i (p: int) -> terms[p].Add elements[i]) (Positions.ofGeometry view)

                          let sums =
                              terms
                              |> Array.map (fun t ->
                                  match t.Count with
                                  | 0 -> Value.exact g.DType 0.0
                                  | 1 -> t[0]
                                  | _ -> 'S.Sum(t.ToArray()))

                          return [ Value.floats g.DType inputSize sums ]
                      } } with
            Internal = true
            Node = Define.node "AsStridedBackward"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply derivative [ g ] (d.Attrs |> Map.remove "input_size" |> Map.toList)) ])
                ) }

    let stridedBackward = stridedBackwardAs "strided_backward" "strided"

    /// The same for a window that is a part, made of selections and slices.
    let partBackward = stridedBackwardAs "part_backward" "part"

    /// The part of a tensor that a window over a dense one is, as a view, however the tensor lies.
    let part =
        { Define.views "part" "y[i] = x.flat[offset + sum i * stride], of selections and slices" [ ArgKind.Float ] window (fun g attrs ->
              result {
                  let! window = geometry attrs ""
                  let dense = Layout.dense g.Shape

                  // So many elements of a dense tensor further, as elements of this one.
                  let along (count: int) =
                      Array.zip dense.Strides g.Strides
                      |> Array.fold
                          (fun (left, moved) (stride, own) ->
                              if stride = 0 then left, moved else left % stride, moved + left / stride * own)
                          (count, 0)
                      |> snd

                  return
                      View
                          { Geometry.Shape = window.Shape
                            Strides = Array.map along window.Strides
                            Offset = g.Offset + along window.Offset }
              }) with
            Internal = true
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              Derive.apply "part_backward" [ g ] (("input_size", Derive.sizeAttr (d.ShapeOf 0)) :: Map.toList d.Attrs)) ])
                ) }

    let private erfFunction =
        { new Unary with
            member _.Of x = Scalar.apply Elementary.Erf x }

    let erf =
        { Define.computes
              "erf"
              "2 / sqrt(pi) * integral of exp(-t^2) from 0 to x"
              [ ArgKind.Float ]
              []
              (Elementwise.toFloats (Elementwise.always erfFunction)) with
            Internal = true }

    let all =
        [ total
          unsafeView
          whereAbove
          sumTo
          zerosLike
          zerosOf
          apart
          strided
          stridedBackward
          part
          partBackward
          erf ]
