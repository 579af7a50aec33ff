namespace Verified.Spec

/// What a step may hold, whatever its tensors are. A step out of form is a slip of the pen, which no engine can be asked about: no signature
/// takes it.
[<RequireQualifiedAccess>]
module StepForms =
    /// The steps that are no tensor functions: the fewest and the most tensors that each takes, and its attributes.
    let private structural =
        let any = System.Int32.MaxValue

        Map.ofList
            [ "backward", (1, any, [ "retain_graph"; "create_graph" ])
              "grad", (1, any, [ "retain_graph"; "create_graph"; "allow_unused" ])
              "get_grad", (1, 1, [])
              "zero_grad", (1, 1, [ "set_to_none" ])
              "detach", (1, 1, [])
              "detach_", (1, 1, [])
              "data", (1, 1, [])
              "requires_grad_", (1, 1, [ "requires_grad" ])
              "retain_grad", (1, 1, [])
              "register_hook", (1, 1, [ "scale" ])
              "remove_hook", (1, 1, [])
              "setitem_", (2, 2, [ "index" ])
              "no_grad", (0, 0, [])
              "enable_grad", (0, 0, [])
              "inference_mode", (0, 0, []) ]

    /// The names of the structural steps.
    let structuralNames = structural.Keys :> seq<string>

    let private has (names: string list) =
        match names with
        | [] -> "it has none"
        | _ -> "it has " + String.concat ", " names

    /// What is out of form in a structural step; None also for what is none.
    let ofStructural (step: Step) : string option =
        match Map.tryFind step.Op structural with
        | None -> None
        | Some(fewest, most, attributes) ->
            let count = (StepArguments.names step).Length

            if count < fewest || count > most then
                let takes = if most > fewest then $"at least {fewest}" else $"{fewest}"
                Some $"{step.Op} takes {takes} of its tensors, got {count}"
            else
                step.Attrs
                |> Seq.tryFind (fun a -> not (List.contains a.Key attributes))
                |> Option.map (fun a -> $"{step.Op} has no attribute '{a.Key}'; {has attributes}")

    /// What is out of form in a step; None where nothing is, or where there is no such operator. An attribute that must be there may be missing:
    /// PyTorch answers that.
    let complaint (registry: Map<string, Operator>) (step: Step) : string option =
        match Map.tryFind (step.Op.TrimEnd '_') registry with
        | Some op when not (structural.ContainsKey step.Op) ->
            match CallArguments.splice (fun _ -> Ok 0) op step.In with
            | Error complaint -> Some complaint.Message
            | Ok _ -> CallArguments.unknownAttribute op step.Attrs
        | _ -> ofStructural step
