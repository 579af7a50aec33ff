namespace Verified.Spec

/// Calls of operators in place: the write, and the history that the written tensor and its base get.
[<RequireQualifiedAccess>]
module InPlace =
    open CallArguments
    open Recording
    open Storing
    open WriteChecks

    /// Gives a written tensor its new history; behind a view it is the base that gets one, and the view's own is made anew
    /// (rebase_history).
    let private rebase id (node: Node<'S>) (s: State<'S>) : Result<State<'S>, Complaint> =
        let t = s.Tensors[id]

        match t.View with
        | _ when not (s.Holds Rules.Writes.aWriteIsHistory) -> Ok s
        | Some view when s.Holds Rules.Views.aWriteRewritesTheBase ->
            History.edge s view.Base
            |> Result.bind (fun (s, toBase) ->
                let whole = s.Tensors[view.Base]

                let through: Node<'S> =
                    { Sequence = s.Next
                      Name = "torch::autograd::CopySlices"
                      Kind = WriteThrough(whole.Geometry, t.Geometry, node)
                      Edges = Array.append [| toBase |] node.Edges[1..]
                      Inputs = Array.append [| whole.Outline |] node.Inputs[1..]
                      Results = [| struct (whole.Shape, whole.DType) |] }

                { s with Next = s.Next + 1 }
                |> History.replaceBehind view.Base { Node = through; Output = 0 }
                |> fun s -> History.gradFn s id
                |> Result.map fst)
        | _ -> Ok(History.replace id { Node = node; Output = 0 } s)

    /// What a write keeps of its inputs. Of the written tensor it keeps a copy, with the history that it has so far.
    let private keepBefore (s: State<'S>) (places: Saving list) (inputs: int option[]) edges =
        if not (List.contains (Input 0) places && s.Holds Rules.Versions.aWriteKeepsWhatWasThere) then
            keepInputs s Map.empty places inputs |> Result.map (fun kept -> s, kept)
        else
            let id = inputs[0].Value
            let t = s.Tensors[id]
            let s, copy = State.addValue (Layouts.ofCopy t.Geometry) (State.secondOrder s t) (State.read s t) s

            let s =
                State.setTensor
                    copy
                    { s.Tensors[copy] with
                        GradFn = Array.head (edges: Edge<'S> option[]) }
                    s

            keepInputs s Map.empty (List.filter (fun p -> p <> Input 0) places) inputs
            |> Result.bind (fun kept -> keep s (Input 0) copy false |> Result.map (fun self -> s, self :: kept))

    /// Where several elements share a place, it is written if the mask holds for any of them.
    let private storeMasked id (mask: Value<'S>) (value: Value<'S>) second (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]
        let filled = Value.expand t.Shape mask |> Value.asInts DType.Bool |> fst
        let places = Positions.ofGeometry t.Geometry
        let written = Array.zeroCreate (Array.fold max -1 places + 1)
        Array.iteri (fun i place -> if filled[i] <> 0L then written[place] <- i + 1) places
        let source = Array.mapi (fun i place -> if written[place] > 0 then written[place] - 1 else i) places
        store id (Value.pick t.Shape source value) second s

    let private writeComputed (s: State<'S>) (op: Operator) (forward: Forward) (inputs: int option[]) attrs records =
        let id = inputs[0].Value
        let before = signature s inputs

        let recorded =
            if records then
                edges s inputs
                |> Result.bind (fun (s, edges) ->
                    let places = saves s op edges attrs
                    keepBefore s places inputs edges |> Result.map (fun (s, kept) -> s, Some(edges, kept)))
            else
                Ok(s, None)

        recorded
        |> Result.bind (fun (s, recorded) ->
            let overlap = op.Overlap(asWrite s inputs attrs)

            op.Admits.Of { In = values s inputs; Attrs = attrs }
            |> Result.bind (fun () -> checkOverlap s overlap inputs)
            |> argumentsFirst s forward inputs attrs
            |> Result.bind (fun () -> forward.Of { In = values s inputs; Attrs = attrs })
            |> Result.bind (fun results ->
                let t = s.Tensors[id]
                let value = List.head results

                fits s t value
                |> Result.bind (fun () ->
                    let write =
                        match overlap.Within with
                        | SameWhere mask when Strides.overlapsItself t.Geometry ->
                            storeMasked id (State.read s s.Tensors[inputs[mask].Value])
                        | _ -> store id

                    let s = write (Value.cast t.DType value) (second s inputs) s

                    match recorded with
                    | None when s.Holds Rules.Writes.unrecordedChangesNoHistory -> Ok s
                    | None ->
                        Ok(
                            State.setTensor
                                id
                                { s.Tensors[id] with
                                    GradFn = None
                                    RequiresGrad = false }
                                s
                        )
                    | Some(edges, kept) ->
                        let empty: Node<'S> =
                            { Sequence = s.Next
                              Name =
                                op.Node
                                    { Inputs = inputs.Length
                                      Attrs = attrs
                                      InPlace = true }
                              Kind = Rule(op, attrs, Array.ofList kept)
                              Edges = edges
                              Inputs = before
                              Results = [| struct (t.Shape, t.DType) |] }

                        let places = saves s op edges attrs |> List.filter (fun p -> p.IsOutput)

                        if places.IsEmpty then
                            rebase id empty { s with Next = s.Next + 1 }
                        else
                            keepOutputs s places [| id |] t.View.IsSome
                            |> Result.bind (fun (s, outputs) ->
                                let outputs =
                                    if s.Holds Rules.Versions.aWriteKeepsItsResult then
                                        outputs
                                    else
                                        outputs |> List.map (fun kept -> { kept with Version = kept.Version - 1 })

                                rebase
                                    id
                                    { empty with
                                        Kind = Rule(op, attrs, Array.ofList (kept @ outputs)) }
                                    { s with Next = s.Next + 1 }))))

    /// A view operator in place (`t_`): the tensor itself gets another geometry.
    let private writeGeometry (s: State<'S>) (op: Operator) aliases (inputs: int option[]) attrs records =
        let id = inputs[0].Value
        let t = s.Tensors[id]
        let dense = Layout.dense t.Shape

        aliases t.Geometry attrs
        |> Result.bind (fun aliasing ->
            match aliasing with
            | Aliasing.View g ->
                let reshaped (s: State<'S>) =
                    let s = State.setTensor id { s.Tensors[id] with Geometry = g } s
                    if s.Holds Rules.Versions.geometryInPlaceCounts then bump t.Counter s else s

                match aliases dense attrs with
                | _ when not (records && s.Holds Rules.Views.viewsInPlaceKeepTheirBase) -> Ok(reshaped s)
                // Without the rule it is made anew from its base's.
                | _ when t.View.IsSome && not (s.Holds Rules.Hooks.outliveGeometryInPlace) ->
                    History.gradFn (reshaped s) id |> Result.map fst
                | Ok(Aliasing.View over) ->
                    History.edge s id
                    |> Result.map (fun (s, toInput) ->
                        let node: Node<'S> =
                            { Sequence = s.Next
                              Name =
                                op.Node
                                    { Inputs = 1
                                      Attrs = attrs
                                      InPlace = true }
                              Kind = if op.Derivative.IsSome then Rule(op, attrs, [||]) else View(dense, over)
                              Edges = [| toInput |]
                              Inputs = [| t.Outline |]
                              Results = [| struct (g.Shape, t.DType) |] }

                        reshaped { s with Next = s.Next + 1 }
                        |> History.upToDate id
                        |> History.replaceGeometry id { Node = node; Output = 0 })
                | _ -> Complain.because OtherError $"{op.Name}_ does not return a single view"
            | _ -> Complain.because OtherError $"{op.Name}_ does not return a single view")

    /// Applies an operator in place: its result, computed as if out of place, is written into its first argument.
    let write (s: State<'S>) (op: Operator) (inputs: int option[]) attrs : Result<State<'S> * int list, Complaint> =
        let id = inputs[0].Value
        let t = s.Tensors[id]

        // What may be written to is asked of any dtype, what is recorded are floats.
        let requires = s.Records && (op.Derivative.IsSome || op.Behaviour.IsAliases) && anyRequires s inputs
        let records = requires && (t.DType.IsFloat || not (s.Holds Rules.Writes.intoIntegersIsNotRecorded))

        match op.Behaviour with
        | Computes forward -> checkWritable s id requires |> argumentsFirst s forward inputs attrs
        | Composes _
        | Aliases _ -> checkWritable s id requires
        |> Result.bind (fun () ->
            match op.Behaviour with
            | Computes forward -> writeComputed s op forward inputs attrs records
            | Aliases aliases -> writeGeometry s op aliases inputs attrs records
            | Composes _ -> invalidOp $"{op.Name} has no twin in place")
        |> Result.map (fun s ->
            if s.Holds Rules.Writes.returnsItself then
                s, [ id ]
            else
                let s, copy = State.addValue (Layout.dense t.Shape) (State.secondOrder s t) (State.read s s.Tensors[id]) s

                State.setTensor
                    copy
                    { s.Tensors[copy] with
                        GradFn = s.Tensors[id].GradFn }
                    s,
                [ copy ])
