namespace Verified.Spec

/// Calls of operators out of place: the result computed or shown as a view, the node recorded.
[<RequireQualifiedAccess>]
module Calls =
    open CallArguments
    open Recording
    open Storing

    let private compute
        (s: State<'S>)
        (op: Operator)
        (forward: Forward)
        (inputs: int option[])
        attrs
        : Result<State<'S> * int list, Complaint> =
        let refused =
            op.Refuses(inputs |> Array.map (Option.map (fun id -> s.Tensors[id].DType)))
            |> List.tryFind (fun (i, _) ->
                s.Records
                && s.Holds Rules.Errors.refusedArguments
                && i < inputs.Length
                && inputs[i] |> Option.exists (fun id -> History.requiresGrad s s.Tensors[id]))

        let computed = lazy (forward.Of { In = values s inputs; Attrs = attrs })

        let comesFirst =
            function
            | Ok _ -> false
            | Error complaint -> op.ArgumentsFirst complaint

        // PyTorch keeps the inputs, and so complains, before it computes.
        let recorded =
            if comesFirst computed.Value then
                computed.Value |> Result.map (fun _ -> s, None)
            elif refused.IsSome then
                Complain.because
                    Unsupported
                    $"The function '{op.Name}' is not differentiable with respect to argument '{snd refused.Value}'. This input cannot have requires_grad True."
            elif s.Records && op.Derivative.IsSome && anyRequires s inputs then
                edges s inputs
                |> Result.bind (fun (s, edges) ->
                    keepInputs s attrs (saves s op edges attrs) inputs |> Result.map (fun kept -> s, Some(edges, kept)))
            else
                Ok(s, None)

        recorded
        |> Result.bind (fun (s, recorded) ->
            computed.Value
            |> Result.bind (fun results -> update op inputs results (second s inputs) s |> Result.map (fun s -> s, results))
            |> Result.bind (fun (s, results) ->
                let second = second s inputs
                let mutable after = s
                let ids = Array.zeroCreate results.Length

                let arguments = inputs |> Array.choose (Option.map (fun id -> s.Tensors[id].Geometry)) |> List.ofArray

                results
                |> List.iteri (fun k value ->
                    let next, id = State.addValue (Layouts.ofResult op attrs arguments value.Shape) second value after
                    after <- next
                    ids[k] <- id)

                match recorded with
                | Some(edges, kept) when
                    results |> List.exists (fun r -> r.DType.IsFloat) || not (s.Holds Rules.Leaves.integersNeverRequire)
                    ->
                    node after op attrs edges (signature s inputs) ids kept
                    |> Result.map (fun (s, node) -> attach node ids s, List.ofArray ids)
                | _ -> Ok(after, List.ofArray ids)))

    /// The values of a fused gradient, and where it is recorded its node; `gradient` still lacks what it keeps.
    let fuse
        (s: State<'S>)
        (fusion: Fusion)
        (gradient: FusedGradient)
        (inputs: int option[])
        (values: Value<'S> list)
        : Result<State<'S> * int list, Complaint> =
        let isConstant j = List.contains gradient.Places[j - 1] fusion.Constants

        let kept =
            [ if fusion.Constants.IsEmpty then Input 0
              for j in 1 .. inputs.Length - 1 do
                  if inputs[j].IsSome && not (isConstant j || List.contains gradient.Places[j - 1] fusion.Unread) then
                      Input j ]

        // A result that only the derivative sees is a constant to it.
        let isHidden j =
            match gradient.Places[j - 1] with
            | Output k -> k >= gradient.Operator.Results gradient.Attrs
            | Input _
            | Indices _ -> false

        let differentiable =
            inputs
            |> Array.mapi (fun j input ->
                if j = 0 || isConstant j || (fusion.Constants.IsEmpty && not (isHidden j)) then
                    input
                else
                    None)

        let recorded =
            if s.Records && anyRequires s differentiable then
                edges s differentiable
                |> Result.bind (fun (s, edges) ->
                    keepInputs s Map.empty kept inputs |> Result.map (fun kept -> s, Some(edges, Array.ofList kept)))
            else
                Ok(s, None)

        recorded
        |> Result.map (fun (s, recorded) ->
            let arguments = inputs |> Array.choose (Option.map (fun id -> s.Tensors[id].Geometry)) |> List.ofArray
            let second = second s inputs

            let add (value: Value<'S>) s =
                let s, id = State.addValue (Layouts.ofGradient gradient.Operator gradient.Attrs arguments value.Shape) second value s
                id, s

            let ids, after = List.mapFold (fun s value -> add value s) s values

            match recorded with
            | None -> after, ids
            | Some(edges, kept) ->
                let node: Node<'S> =
                    { Sequence = after.Next
                      Name = fusion.Node + "Backward0"
                      Kind = Fused { gradient with Kept = kept }
                      Edges = edges
                      Inputs = signature s inputs
                      Results = [| for value in values -> struct (value.Shape, value.DType) |] }

                attach node (Array.ofList ids) { after with Next = after.Next + 1 }, ids)

    let private returnsItself (s: State<'S>) (op: Operator) (inputs: int option[]) attrs =
        match Array.tryHead inputs with
        | Some(Some first) -> op.ReturnsItself s.Tensors[first].DType attrs
        | _ -> false

    /// Applies an operator to tensors: the state after it, and the results.
    let apply (s: State<'S>) (op: Operator) (inputs: int option[]) attrs : Result<State<'S> * int list, Complaint> =
        match op.Behaviour with
        | Computes _ when returnsItself s op inputs attrs && s.Holds Rules.Views.nothingToDoIsTheTensorItself -> Ok(s, [ inputs[0].Value ])
        | Computes forward -> compute s op forward inputs attrs
        | Aliases aliases -> Viewing.alias s op aliases inputs attrs
        | Composes _ -> invalidOp $"{op.Name} is applied by its parts"
