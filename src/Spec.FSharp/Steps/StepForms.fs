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

    /// What is out of form in a structural step; None also for what is none.
    let ofStructural (step: Step) : string option =
        let isName =
            function
            | Arg.Name _ -> true
            | Arg.Names _
            | Arg.Missing -> false

        match Map.tryFind step.Op structural with
        | None -> None
        | Some(fewest, most, attributes) ->
            if not (List.forall isName step.In) then
                Some $"{step.Op} takes names of tensors, not lists or null"
            elif step.In.Length < fewest || step.In.Length > most then
                let atLeast = if most > fewest then "at least " else ""
                Some $"{step.Op} takes {atLeast}{CallArguments.tensors fewest}, got {step.In.Length}"
            else
                CallArguments.unknownAttribute step.Op attributes step.Attrs

    let private results n = if n = 1 then "1 result" else $"{n} results"

    // Fields that belong to other steps, and names for more or fewer results than there are.
    let private ofFields (registry: Map<string, Operator>) (step: Step) =
        let pulls = step.Op = "backward" || step.Op = "grad"

        if not pulls && step.Wrt.IsSome then
            Some $"{step.Op} has no 'wrt'"
        elif not pulls && step.Gradients.IsSome then
            Some $"{step.Op} has no 'gradients'"
        else
            match Map.tryFind (step.Op.TrimEnd '_') registry with
            | Some { Behaviour = Computes _
                     Results = resultsOf } when not (structural.ContainsKey step.Op) ->
                match step.Out, resultsOf step.Attrs with
                | Out.Name _, n when n <> 1 -> Some $"{step.Op} has {results n}, 'out' names one"
                | Out.Names names, n when names.Length <> n -> Some $"{step.Op} has {results n}, 'out' names {names.Length}"
                | _ -> None
            | _ -> None

    /// What is out of form in a step; None where nothing is, or where there is no such operator.
    let complaint (registry: Map<string, Operator>) (step: Step) : string option =
        match Map.tryFind (step.Op.TrimEnd '_') registry with
        | Some op when not (structural.ContainsKey step.Op) ->
            match CallArguments.resolve (fun _ -> Ok 0) op step.In step.Attrs with
            | Error complaint -> Some complaint.Message
            | Ok _ -> ofFields registry step
        | _ -> ofStructural step |> Option.orElseWith (fun () -> ofFields registry step)
