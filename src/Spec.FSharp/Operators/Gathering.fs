namespace Verified.Spec.Operators

open Verified.Spec

/// gather and index_select: elements and slices that an index names along one dimension.
module Gathering =
    let private atLeastOne (shape: int[]) = if shape.Length = 0 then [| 1 |] else shape

    /// For each element of the index, its position in a tensor of this shape.
    let private gatherPositions (shape: int[]) dim (index: Value<'S>) =
        let shape = atLeastOne shape
        let own = atLeastOne index.Shape

        result {
            // An index of nothing may have any shape.
            let isEmpty = Shape.count own = 0

            do!
                Complain.unlessShape (isEmpty || shape.Length = own.Length) (fun () ->
                    "Index tensor must have the same number of dimensions as input tensor")

            do!
                if isEmpty then
                    Ok()
                else
                    match Seq.tryFind (fun d -> d <> dim && own[d] > shape[d]) (seq { 0 .. shape.Length - 1 }) with
                    | Some d ->
                        Complain.shape
                            $"Size does not match at dimension {d} expected index {Shape.show index.Shape} to be no larger than self {Shape.show shape} apart from dimension {dim}"
                    | None -> Ok()

            let elements, decided = Value.asInts Int64 index
            let size = shape[dim]

            match elements |> Array.tryFind (fun i -> i < 0L || i >= int64 size) with
            | Some i when decided || size = 0 -> return! Complain.index $"index {i} is out of bounds for dimension {dim} with size {size}"
            | _ ->
                let strides = Shape.strides shape
                // As if the index were 0 everywhere, and then moved along the dimension.
                let still = Array.mapi (fun d stride -> if d = dim then 0 else stride) strides

                return
                    (if isEmpty then
                         [||]
                     else
                         (Positions.ofView own still 0, elements)
                         ||> Array.map2 (fun p i -> p + int (max 0L (min i (int64 size - 1L))) * strides[dim])),
                    decided
        }

    let private indexOf (call: Call<'S>) i name =
        result {
            let! index = Argument.tensor call i
            do! Complain.unlessDType (index.DType = Int64 || Value.count index = 0) (fun () -> $"{name}(): Expected dtype int64 for index")
            return index
        }

    let private gatherShapes =
        [ [ [| 3 |]; [| 2 |] ]
          [ [| 2; 3 |]; [| 2; 2 |] ]
          [ [| 2; 3 |]; [| 1; 3 |] ]
          [ [||]; [||] ]
          [ [| 2; 2 |]; [| 0; 2 |] ]
          [ [| 4; 2 |]; [| 2; 2 |] ] ]

    let gather =
        { Define.computes
              "gather"
              "y[i] = x[i with index[i] along dim]"
              [ ArgKind.Float; ArgKind.Index ]
              [ Define.required "dim" AttrKind.Dim ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! dim = Read.dim call.Attrs "dim" x.Shape.Length
                          let! index = indexOf call 1 "gather"
                          let! positions = gatherPositions x.Shape dim index
                          return [ Pick.at index.Shape positions x ]
                      } } with
            Spelling = Define.ofTensor |> Define.byKeyword [ "index" ]
            Shapes = gatherShapes
            Saves = fun _ _ -> [ Input 0; Input 1 ]
            Derivative =
                Indices.toFirst (fun d g -> Derive.apply "scatter_sum" [ g; d.Input 1 ] [ "dim", d.Attrs["dim"]; Indices.sizeOfFirst d ]) }

    let scatterSum =
        { Define.computes
              "scatter_sum"
              "zeros of `size`, with x[i] added at i with index[i] along dim: the transpose of gather"
              [ ArgKind.Float; ArgKind.Index ]
              [ Define.required "dim" AttrKind.Dim; Define.required "size" AttrKind.Size ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! index = indexOf call 1 "scatter_sum"
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let! dim = Read.dim call.Attrs "dim" size.Length
                          let! positions = gatherPositions size dim index
                          return [ Pick.sumAt size positions x ]
                      } } with
            Internal = true
            Saves = fun _ _ -> [ Input 1 ]
            Derivative = Indices.toFirst (fun d g -> Derive.apply "gather" [ g; d.Input 1 ] [ "dim", d.Attrs["dim"] ]) }

    let private nulls (count: int) : Term option list = List.replicate count None

    let private dimOfRule (d: IDerivation) =
        match Read.dim d.Attrs "dim" (d.ShapeOf 0).Length with
        | Ok dim -> dim
        | Error complaint -> invalidOp complaint.Message

    let indexSelect =
        { Define.computes
              "index_select"
              "y = the slices of x along dim that the index names"
              [ ArgKind.Float; ArgKind.Index ]
              [ Define.required "dim" AttrKind.Dim ]
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! index = Argument.tensor call 1
                          let! dim = Read.dim call.Attrs "dim" x.Shape.Length

                          do! Complain.unlessShape (index.Shape.Length <= 1) (fun () -> "index_select(): Index is supposed to be a vector")

                          do!
                              Complain.unlessShape (x.Shape.Length > 0 || Value.count index = 1) (fun () ->
                                  $"index_select(): Index to scalar can have only 1 value, got {Value.count index} value(s)")

                          do!
                              Complain.unlessDType (index.DType = Int64) (fun () ->
                                  "index_select(): Expected dtype int32 or int64 for index")

                          let elements, decided = Value.asInts Int64 index
                          let shape = atLeastOne x.Shape

                          if decided && elements |> Array.exists (fun i -> i < 0L || i >= int64 shape[dim]) then
                              return! Complain.index "index out of range in self"
                          else
                              let index: Value<'S> = Value.ints Int64 [| elements.Length |] elements decided
                              let! found, positions = Indices.resolve shape (List.replicate dim None @ [ Some index ])
                              return [ Pick.at (if x.Shape.Length = 0 then [||] else found) positions x ]
                      } } with
            Spelling = Define.ofTensor |> Define.byKeyword [ "index" ]
            Shapes =
                [ [ [| 3 |]; [| 2 |] ]
                  [ [| 2; 3 |]; [| 4 |] ]
                  [ [| 2; 2; 3 |]; [| 2 |] ]
                  [ [||]; [| 1 |] ]
                  [ [| 3 |]; [| 0 |] ] ]
            Saves = fun _ _ -> [ Input 1 ]
            // index_add keeps what is added, for its shape.
            Fused =
                Define.fusedBy "IndexAddBackward" (fun a ->
                    let index = a.First.Input 1

                    let index =
                        if a.Arriving.Shape.Length = 0 && index.Shape.Length = 1 then
                            Shaping.squeeze 0 index
                        else
                            index

                    let added = Derive.apply "index_select" [ a.Arriving; index ] (Map.toList a.First.Attrs)

                    if a.Arriving.Shape.Length = 0 then
                        added
                    else
                        Derive.apply "expand" [ added ] [ "size", Derive.sizeAttr added.Shape ])
            Derivative =
                Indices.toFirst (fun d g ->
                    if (d.ShapeOf 0).Length = 0 then
                        g
                    else
                        let index = d.Input 1 |> Shaping.reshape [| Shape.count (d.ShapeOf 1) |]

                        Derive.applyTo
                            "index_sum"
                            (Some g :: nulls (dimOfRule d) @ [ Some index ])
                            [ Indices.sizeOfFirst d; "of_select", Attr.Flag true ]) }

    let all = [ gather; scatterSum; indexSelect ]
