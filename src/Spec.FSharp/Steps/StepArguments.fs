namespace Verified.Spec

/// What a step names: its tensors, its flags, and the variables for its results.
module internal StepArguments =
    let flag name fallback (attrs: Attrs) =
        match Map.tryFind name attrs with
        | Some(Attr.Flag value) -> Ok value
        | None
        | Some Attr.Null -> Ok fallback
        | Some _ -> Complain.because ValueError $"the attribute '{name}' is true or false"

    /// The tensor of a name; a name bound to null is an error here.
    let lookup (s: State<'S>) name : Result<int, Complaint> =
        match Map.tryFind name s.Names with
        | Some(Some id) -> Ok id
        | Some None -> Complain.because UnusedInput $"'{name}' is null and cannot be used"
        | None -> Complain.because OtherError $"no tensor is named '{name}'"

    let traverse f items =
        let rec go found items =
            match items with
            | [] -> Ok(List.rev found)
            | item :: rest -> f item |> Result.bind (fun x -> go (x :: found) rest)

        go [] items

    /// The names of a step's tensors, lists spliced in.
    let names (step: Step) =
        step.In
        |> List.collect (function
            | Arg.Name name -> [ name ]
            | Arg.Names names -> List.choose id names
            | Arg.Missing -> [])

    let one (s: State<'S>) (step: Step) : Result<int, Complaint> =
        match names step with
        | [ name ] -> lookup s name
        | found -> Complain.because OtherError $"{step.Op} takes one tensor, got {found.Length}"

    let bindOut (step: Step) (results: int option list) (s: State<'S>) : Result<State<'S>, Complaint> =
        match step.Out, results with
        | Out.Nothing, _ -> Ok s
        | Out.Name name, [ id ] -> Ok(State.bind name id s)
        | Out.Name _, _ -> Complain.because OtherError $"{step.Op} has {results.Length} results, 'out' names one"
        | Out.Names names, _ when names.Length = results.Length ->
            List.fold2
                (fun s name id ->
                    match name with
                    | Some name -> State.bind name id s
                    | None -> s)
                s
                names
                results
            |> Ok
        | Out.Names names, _ -> Complain.because OtherError $"{step.Op} has {results.Length} results, 'out' names {names.Length}"
