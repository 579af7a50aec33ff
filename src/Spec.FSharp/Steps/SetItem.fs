namespace Verified.Spec

/// `x[index] = v`.
module internal SetItem =
    open StepArguments

    let private operator (registry: Map<string, Operator>) name =
        match Map.tryFind name registry with
        | Some op -> Ok op
        | None -> Complain.because Unsupported $"there is no operator '{name}'"

    /// Whether an index consists of slices that write out a whole dimension, `0:n`. PyTorch's slice then gives the tensor itself,
    /// where `:` gives a view (aten/src/ATen/TensorIndexing.h, applySlice).
    let private writesOutTheWhole (shape: int[]) (attrs: Attrs) =
        match Map.tryFind "index" attrs with
        | Some(Attr.Items items) ->
            List.indexed items
            |> List.forall (fun (d, item) ->
                match item with
                | Attr.Items [ Attr.Null | Attr.Integer 0L; Attr.Integer stop; Attr.Null | Attr.Integer 1L ] -> stop = int64 shape[d]
                | _ -> false)
        | _ -> false

    /// `x[index] = v`: a view of x, unless the index is all of it, and a copy into it; a zero-dimensional v fills it.
    let setitem registry (s: State<'S>) (step: Step) : Result<State<'S>, Complaint> =
        match names step with
        | [ target; source ] ->
            lookup s target
            |> Result.bind (fun target ->
                lookup s source
                |> Result.bind (fun source ->
                    operator registry "getitem"
                    |> Result.bind (fun getitem ->
                        Operators.Slicing.indexed s.Tensors[target].Geometry step.Attrs
                        |> Result.bind (fun _ ->
                            if
                                writesOutTheWhole s.Tensors[target].Shape step.Attrs
                                && s.Holds Rules.Writes.wholeItemsAreTheTensorItself
                            then
                                Ok(s, target)
                            else
                                Calls.apply s getitem [| Some target |] step.Attrs |> Result.map (fun (s, views) -> s, views.Head))
                        |> Result.bind (fun (s, view) ->
                            let value = s.Tensors[source]
                            let shape = s.Tensors[view].Shape

                            if value.Shape.Length = 0 && shape.Length > 0 then
                                operator registry "fill"
                                |> Result.bind (fun fill -> InPlace.write s fill [| Some view; Some source |] Map.empty)
                            else
                                // Of a value of another shape all leading dimensions of size one are dropped.
                                let ones = value.Shape |> Array.takeWhile (fun n -> n = 1) |> Array.length
                                let rest = if value.Shape = shape then value.Shape else value.Shape[ones..]
                                let size = Map.ofList [ "size", Derive.sizeAttr rest ]
                                let target = Map.ofList [ "size", Derive.sizeAttr shape ]

                                let shown name attrs (s: State<'S>, source) =
                                    operator registry name
                                    |> Result.bind (fun op -> Calls.apply s op [| Some source |] attrs)
                                    |> Result.map (fun (s, ids) -> s, ids.Head)

                                let narrowed =
                                    (if rest = value.Shape then Ok(s, source) else shown "view" size (s, source))
                                    |> Result.bind (fun found -> if rest = shape then Ok found else shown "expand" target found)

                                narrowed
                                |> Result.bind (fun (s, source) ->
                                    operator registry "copy"
                                    |> Result.bind (fun copy -> InPlace.write s copy [| Some view; Some source |] Map.empty)))
                        |> Result.bind (fun (s, _) -> bindOut step [ Some target ] s))))
        | found -> Complain.because OtherError $"setitem_ takes two tensors, got {found.Length}"
