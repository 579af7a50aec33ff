namespace Verified.Spec.Operators

open Verified.Spec

/// embedding: rows of a table, looked up by index.
module Embedding =
    let private outOfTable rows (index: Value<'S>) =
        let elements, decided = Value.asInts Int64 index

        if decided && elements |> Array.exists (fun i -> i < 0L || i >= int64 rows) then
            Complain.index "index out of range in self"
        else
            Ok()

    /// The row that gets no gradient, or -1.
    let private readPadding attrs rows =
        result {
            match! Read.tryInteger attrs "padding_idx" with
            | None -> return -1
            // 0 is within a table without rows (torch/nn/functional.py, embedding).
            | Some at when at > 0 && at >= rows || at < -rows -> return! Complain.value "Padding_idx must be within num_embeddings"
            | Some at -> return if at < 0 then at + rows else at
        }

    /// The padding's row is looked for in Python, before anything is recorded.
    let private hasNoRows: Complaint =
        { Kind = IndexError
          Message = "Dimension specified as 0 but tensor has no dimensions" }

    /// How much of the gradient of each looked-up row counts: none of the padding row's, and with scale_grad_by_freq a share of those
    /// that are looked up more than once.
    /// What is outside the table by now is left out (embedding_dense_backward_cpu).
    let private shares attrs rows (index: int64[]) =
        result {
            let! padding = readPadding attrs rows
            let! byFrequency = Read.flagOr false attrs "scale_grad_by_freq"
            let counts = index |> Array.countBy id |> dict

            return
                index
                |> Array.map (fun i ->
                    if int i = padding || i < 0L || i >= int64 rows then 0.0
                    elif byFrequency then float counts[i]
                    else 1.0)
        }

    let private scaled<'S when 'S :> IScalar<'S>> dtype width (shares: float[]) (elements: 'S[]) =
        elements
        |> Array.mapi (fun i x ->
            match shares[i / width] with
            | 0.0 -> Value.exact dtype 0.0
            | 1.0 -> x
            | count -> Reduce.over count x)

    let private embeddingAttrs =
        [ Define.attr "padding_idx" (AttrKind.Integer [ 0L; 1L; -1L ])
          Define.attr "scale_grad_by_freq" AttrKind.Flag ]

    /// The index and the table of an embedding, and where the index leads.
    let private lookUp (index: Value<'S>) (table: int[]) =
        result {
            do! Complain.unlessShape (table.Length = 2) (fun () -> "'weight' must be 2-D")

            do!
                Complain.unlessDType (index.DType = Int64) (fun () ->
                    $"Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.{Promotion.messageName index.DType}Tensor instead (while checking arguments for embedding)")

            do! outOfTable table[0] index
            return! Indices.resolve table [ Some index ]
        }

    let private ruleAttrs (d: IDerivation) = Map.toList d.Attrs

    let embedding =
        { Define.computes
              "embedding"
              "y = weight[input]; the row padding_idx gets no gradient"
              [ ArgKind.Index; ArgKind.Float ]
              embeddingAttrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! index = Argument.tensor call 0
                          let! weight = Argument.tensor call 1

                          match Read.optional call.Attrs "max_norm" with
                          | Some _ ->
                              return!
                                  Error
                                      { Kind = Unsupported
                                        Message = "embedding with max_norm, which writes to its weight" }
                          | None ->
                              let! padding = Read.tryInteger call.Attrs "padding_idx"

                              do!
                                  if weight.Shape.Length > 0 || Option.defaultValue 0 padding = 0 then
                                      Ok()
                                  else
                                      Error hasNoRows

                              let! _ = readPadding call.Attrs (Array.tryHead weight.Shape |> Option.defaultValue 0)
                              let! shape, positions = lookUp index weight.Shape
                              return [ Pick.at shape positions weight ]
                      } } with
            Spelling = Define.functional
            ArgumentsFirst = fun complaint -> complaint.Kind = ValueError || complaint = hasNoRows
            Shapes = [ [ [| 3 |]; [| 4; 2 |] ]; [ [| 2; 2 |]; [| 3; 2 |] ]; [ [||]; [| 3; 2 |] ]; [ [| 0 |]; [| 3; 2 |] ] ]
            Saves = fun _ _ -> [ Input 0 ]
            Kinks =
                Some
                    "linear, but differs from its derivative on purpose: the row padding_idx gets none (embedding_dense_backward), and scale_grad_by_freq divides by how often a row is looked up"
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ None
                          Some(fun () ->
                              Derive.apply "embedding_sum" [ g; d.Input 0 ] (("size", Derive.sizeAttr (d.ShapeOf 1)) :: ruleAttrs d)) ])
                ) }

    /// The rows of a table that the indices name, zeros for padding_idx.
    let private rowsOf attrs (table: Term) (index: Term) =
        let rows = Derive.apply "index_select" [ table; index ] [ "dim", Derive.integerAttr 0 ]

        match readPadding attrs table.Shape[0] |> Complaints.orFail with
        | -1 -> rows
        | padding ->
            let isPadding = Derive.compared "eq" index (float padding) |> Shaping.reshape [| index.Shape[0]; 1 |]
            Derive.apply "masked_fill" [ rows; isPadding ] [ "value", Attr.Float 0.0 ]

    let embeddingSum =
        { Define.computes
              "embedding_sum"
              "zeros of `size`, with x added at the rows that the index names, but for padding_idx: the gradient of embedding"
              [ ArgKind.Float; ArgKind.Index ]
              (Define.required "size" AttrKind.Size :: embeddingAttrs)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! index = Argument.tensor call 1
                          let! size = Read.integers call.Attrs "size"
                          let size = Array.ofList size
                          let named, decided = Value.asInts<'S> Int64 index
                          let! shares = shares call.Attrs size[0] named
                          let within = named |> Array.map (fun i -> max 0L (min i (int64 size[0] - 1L)))
                          let within: Value<'S> = Value.ints Int64 index.Shape within decided
                          let! _, positions = lookUp within size
                          let elements = scaled x.DType size[1] shares (Value.asFloats x.DType x)
                          return [ Value.floats x.DType x.Shape elements |> Pick.sumAt size positions ]
                      } } with
            Internal = true
            Saves = fun _ _ -> [ Input 1 ]
            // Of the indices in a row, as PyTorch takes them (embedding_dense_double_backward), which forgets scale_grad_by_freq.
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () ->
                              let index = d.Input 1 |> Shaping.reshape [| Shape.count (d.ShapeOf 1) |]

                              (if Read.flagOr false d.Attrs "scale_grad_by_freq" |> Complaints.orFail then
                                   Derive.apply "embedding_shares" [ g; index ] (ruleAttrs d)
                               else
                                   rowsOf d.Attrs g index)
                              |> Shaping.seenAs (d.ShapeOf 0)) ])
                ) }

    let embeddingShares =
        { Define.computes
              "embedding_shares"
              "the transpose of embedding_sum: x[index], 0 for padding_idx"
              [ ArgKind.Float; ArgKind.Index ]
              (Define.required "size" AttrKind.Size :: embeddingAttrs)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.floats call 0
                          let! index = Argument.tensor call 1
                          let! shape, positions = lookUp index x.Shape
                          let! shares = shares call.Attrs x.Shape[0] (fst (Value.asInts<'S> Int64 index))
                          let found = Pick.at shape positions x
                          return [ Value.floats x.DType shape (scaled x.DType x.Shape[1] shares (Value.asFloats x.DType found)) ]
                      } } with
            Internal = true
            Saves = fun _ _ -> [ Input 1 ]
            Derivative = Some(Derive.rule (fun d g -> [ Some(fun () -> Derive.apply "embedding_sum" [ g; d.Input 1 ] (ruleAttrs d)) ])) }

    let all = [ embedding; embeddingSum; embeddingShares ]
