namespace Verified.Spec

/// What a call records: the edges to its arguments, what it keeps for the derivative, its node, and the results' history.
module internal Recording =
    /// Whether any argument requires a gradient.
    let anyRequires (s: State<'S>) (inputs: int option[]) =
        let requires (input: int option) =
            match input with
            | Some id -> History.requiresGrad s s.Tensors[id]
            | None -> false

        Array.exists requires inputs
        && inputs |> Array.exists (Option.exists (fun id -> State.isSeen s s.Tensors[id]))
        && (s.Holds Rules.Leaves.oneArgumentIsEnough || Array.forall requires inputs)

    /// The edges of a call's arguments: None for those that need no gradient.
    let edges (s: State<'S>) (inputs: int option[]) : Result<State<'S> * Edge<'S> option[], Complaint> =
        let edges = Array.zeroCreate inputs.Length

        let rec go s i =
            if i = inputs.Length then
                Ok(s, edges)
            else
                match inputs[i] with
                | Some id ->
                    History.edge s id
                    |> Result.bind (fun (s, edge) ->
                        edges[i] <- edge
                        go s (i + 1))
                | _ -> go s (i + 1)

        go s 0

    let signature (s: State<'S>) (inputs: int option[]) =
        inputs
        |> Array.map (function
            | Some id -> s.Tensors[id].Outline
            | None -> struct ([||], DType.Float32, [||]))

    let second (s: State<'S>) (inputs: int option[]) =
        inputs
        |> Array.exists (function
            | Some id -> State.secondOrder s s.Tensors[id]
            | None -> false)

    /// A tensor kept for a derivative.
    let keep (s: State<'S>) place id twin : Result<Saved, Complaint> =
        let t = s.Tensors[id]

        if t.Inference && s.Holds Rules.Modes.inferenceIsNotKept then
            Complain.because
                OtherError
                "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd."
        else
            Ok
                { Place = place
                  Tensor = id
                  Version = State.version s t
                  HadHistory = t.GradFn.IsSome
                  Twin = twin }

    /// What an operator keeps of its inputs; a kept number (`mul` by an attribute) is an input that is not there. A derivative rule's own
    /// numbers are not kept.
    let keepInputs (s: State<'S>) (attrs: Attrs) (places: Saving list) (inputs: int option[]) =
        let keepsNumbers = not s.Deriving || attrs.ContainsKey Derive.ofTheProgram

        let rec go kept places =
            match places with
            | [] -> Ok(List.rev kept)
            | (Input i as place) :: rest when i < inputs.Length ->
                match inputs[i] with
                | Some id -> keep s place id false |> Result.bind (fun saved -> go (saved :: kept) rest)
                | None -> go kept rest
            | Input _ :: rest when not keepsNumbers -> go kept rest
            | (Input _ as place) :: rest ->
                go
                    ({ Place = place
                       Tensor = -1
                       Version = 0
                       HadHistory = false
                       Twin = false }
                     :: kept)
                    rest
            | Output _ :: rest -> go kept rest
            | Indices behind :: rest ->
                let indices =
                    [ for i in 1 .. inputs.Length - 1 - behind do
                          if inputs[i].IsSome then Input i ]

                go kept (indices @ rest)

        go [] places

    /// A twin of a tensor for keeping: same storage and version counter, no history of its own.
    let private twin (s: State<'S>) id =
        let t = s.Tensors[id]

        State.addTensor
            { t with
                GradFn = None
                View = None
                RequiresGrad = false
                Accumulator = None
                Grad = None
                RetainsGrad = false
                Hooked = [] }
            s

    /// What an operator keeps of its results. A view that was written to keeps its own history, which leads to its base.
    let keepOutputs (s: State<'S>) (places: Saving list) (results: int[]) writtenView =
        let rec go s kept places =
            match places with
            | [] -> Ok(s, List.rev kept)
            | (Output k as place) :: rest ->
                let s, id = if writtenView then s, results[k] else twin s results[k]
                keep s place id (not writtenView) |> Result.bind (fun saved -> go s (saved :: kept) rest)
            | Input _ :: rest
            | Indices _ :: rest -> go s kept rest

        go s [] places

    /// Which inputs and outputs a call keeps.
    let saves (s: State<'S>) (op: Operator) (edges: Edge<'S> option[]) attrs : Saving list =
        let needs i = i < edges.Length && (edges[i].IsSome || not (s.Holds Rules.Versions.keptOnlyWhereNeeded))

        if s.Holds Rules.Versions.onlyWhatIsKeptIsChecked then
            op.Saves needs attrs
        else
            List.distinct (op.Saves needs attrs @ List.init edges.Length Input @ [ Output 0 ])

    /// The node of a computed result: kept inputs first, then kept outputs.
    let node (s: State<'S>) (op: Operator) attrs edges signature (results: int[]) (kept: Saved list) =
        keepOutputs s (saves s op edges attrs) results false
        |> Result.map (fun (s, outputs) ->
            let node: Node<'S> =
                { Sequence = s.Next
                  Name =
                    op.Node
                        { Inputs = edges.Length
                          Attrs = attrs
                          InPlace = false }
                  Kind = Rule(op, attrs, Array.ofList (kept @ outputs))
                  Edges = edges
                  Inputs = signature
                  Results = results |> Array.map (fun id -> struct (s.Tensors[id].Shape, s.Tensors[id].DType)) }

            { s with Next = s.Next + 1 }, node)

    /// Gives results their history.
    let attach (node: Node<'S>) (results: int[]) (s: State<'S>) =
        let mutable s = s

        for k in 0 .. results.Length - 1 do
            let t = s.Tensors[results[k]]

            if t.DType.IsFloat || not (s.Holds Rules.Leaves.integersNeverRequire) then
                s <-
                    State.setTensor
                        results[k]
                        { t with
                            GradFn = Some { Node = node; Output = k } }
                        s

                if not (s.Holds Rules.Leaves.onlyLeavesKeepGradients) then
                    s <- History.retain results[k] s

        s
