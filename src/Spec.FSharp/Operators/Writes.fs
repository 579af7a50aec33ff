namespace Verified.Spec.Operators

open Verified.Spec

/// Operators that exist in place only, and copies. The state machine writes the result into the first argument, whose dtype and
/// shape stay: a forward here gives what is to be written.
module Writes =
    /// What is written: converted to the written tensor's dtype, broadcast to its shape.
    let private fitted (self: Value<'S>) (v: Value<'S>) =
        if Broadcast.reaches v.Shape self.Shape then
            Ok [ v |> Value.expand self.Shape |> Value.cast self.DType ]
        else
            match Broadcast.shapes self.Shape v.Shape with
            | Ok shape ->
                Complain.shape
                    $"output with shape {Shape.show self.Shape} doesn't match the broadcast shape {Shape.show shape}"
            | Error complaint -> Error complaint

    let private onlyInPlace name formula args attrs forward =
        { Define.computes name formula args attrs forward with
            OnlyInPlace = true
            InPlace = true }

    let zero =
        { onlyInPlace
              "zero"
              "0"
              [ ArgKind.Any ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0

                          return
                              [ if x.DType.IsFloat then
                                    Value.full x.DType x.Shape 0.0
                                else
                                    Value.ints x.DType x.Shape (Array.zeroCreate (Value.count x)) true ]
                      } } with
            // What was there before has no influence any more: its gradient is zero, not missing.
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> Derive.apply "zeros_like" [ g ] []) ])) }

    let copy =
        { onlyInPlace
              "copy"
              "src, broadcast and converted"
              [ ArgKind.Any; ArgKind.Any ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! self = Argument.tensor call 0
                          let! source = Argument.tensor call 1
                          return! fitted self source
                      } } with
            Node = "CopyBackwards"
            Derivative =
                Some(
                    Derive.rule (fun _ g ->
                        [ Some(fun () -> Derive.apply "zeros_like" [ g ] []); Some(fun () -> g) ])
                ) }

    let clone =
        { Define.computes
              "clone"
              "a copy of x"
              [ ArgKind.Any ]
              []
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      Argument.tensor call 0 |> Result.map List.singleton } with
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> g) ])) }

    /// The tensor itself where the dtype is already that; the interpreter sees to it, since a value cannot say so.
    let toDType =
        { Define.computes
              "to"
              "x in another dtype"
              [ ArgKind.Any ]
              [ Define.required "dtype" AttrKind.DType ]
              { new Forward with
                  member _.Of(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! dtype = Read.dtype call.Attrs "dtype"
                          return [ Value.cast dtype x ]
                      } } with
            Node = "ToCopy"
            Derivative = Some(Derive.rule (fun _ g -> [ Some(fun () -> g) ])) }

    let all = [ zero; copy; clone; toDType ]
