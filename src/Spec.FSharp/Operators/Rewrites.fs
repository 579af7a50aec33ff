namespace Verified.Spec.Operators

open Verified.Spec

/// Writes to a part of a tensor.
module Rewrites =
    let private part (attrs: Attrs) : Result<Geometry, Complaint> =
        result {
            let! size = Read.integers attrs "size"
            let! stride = Read.integers attrs "stride"
            let! offset = Read.integer attrs "storage_offset"

            return
                { Geometry.Shape = Array.ofList size
                  Strides = Array.ofList stride
                  Offset = offset }
        }

    let private replaced (g: Geometry) (elements: Elements<'S>) (x: Value<'S>) =
        { x with
            Elements = Elements.replace g elements x.Elements }

    /// What a write through a view does to its base: the derivative of every in-place step on a view is made of it.
    let stridedWrite =
        { Define.computes
              "strided_write"
              "x with x.flat[offset + sum i * stride] = v[i]; zeros where v is left out"
              [ ArgKind.Float; ArgKind.Optional ArgKind.Float ]
              [ Define.required "size" AttrKind.Size
                Define.required "stride" AttrKind.Size
                Define.required "storage_offset" (AttrKind.Integer [ 0L ]) ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! g = part call.Attrs

                          let v =
                              match Argument.tryTensor call 1 with
                              | Some v -> v
                              | None -> Value.full x.DType g.Shape 0.0

                          return [ replaced g v.Elements x ]
                      } } with
            Internal = true
            Node = Define.node "AsStridedWrite"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        let attrs = Map.toList d.Attrs

                        [ Some(fun () -> Derive.apply "strided_write" [ g ] attrs)
                          Some(fun () -> Derive.apply "strided" [ g ] attrs) ])
                ) }

    /// The interpreter makes the write of a view and of `copy_` (of `fill_` for a zero-dimensional source); this record says
    /// what it amounts to.
    let setitem =
        { Define.computes
              "setitem"
              "x with x[index] = v"
              [ ArgKind.Any; ArgKind.Any ]
              [ Define.required "index" AttrKind.Index ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! v = Argument.tensor call 1
                          let! g = Slicing.indexed (Layout.dense x.Shape) call.Attrs

                          do!
                              Complain.unlessShape (Broadcast.reaches v.Shape g.Shape) (fun () ->
                                  $"shape mismatch: value tensor of shape {Shape.show v.Shape} cannot be broadcast to indexing result of shape {Shape.show g.Shape}")

                          return [ replaced g (Value.expand g.Shape (Value.cast x.DType v)).Elements x ]
                      } } with
            Node = Define.node "CopySlices"
            OnlyInPlace = true
            InPlace = true }

    let all = [ stridedWrite; setitem ]
