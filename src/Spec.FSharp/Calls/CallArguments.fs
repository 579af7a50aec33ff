namespace Verified.Spec

/// The arguments of a call: checked against the operator's record, looked up, and read.
module internal CallArguments =
    let tensors n = if n = 1 then "1 tensor" else $"{n} tensors"

    let private takesList kind =
        match kind with
        | ArgKind.List _
        | ArgKind.Optional(ArgKind.List _) -> true
        | _ -> false

    let private mayMiss kind =
        match kind with
        | ArgKind.Optional _ -> true
        | _ -> false

    /// What is said of an attribute that what is called `name` has not, which has these.
    let unknownAttribute name (known: string list) (attrs: Attrs) : string option =
        attrs
        |> Seq.tryFind (fun a -> not (List.contains a.Key known))
        |> Option.map (fun a ->
            let others = if known.IsEmpty then "none" else String.concat ", " known
            $"{name} has no attribute '{a.Key}'; it has {others}")

    // Null is as left out.
    let private isGiven name (attrs: Attrs) =
        match Map.tryFind name attrs with
        | None
        | Some Attr.Null -> false
        | Some _ -> true

    let private checkAttributes (op: Operator) (attrs: Attrs) : Result<unit, Complaint> =
        match
            unknownAttribute op.Name (op.Attrs |> List.map (fun a -> a.Name)) attrs,
            op.Attrs
            |> List.tryFind (fun a -> a.Required && not (isGiven a.Name attrs || a.TakesNull && attrs.ContainsKey a.Name))
        with
        | Some message, _ -> Complain.because ValueError message
        | None, Some a -> Complain.because ValueError $"{op.Name} needs the attribute '{a.Name}'"
        | None, None -> Ok()

    /// Numbers stand in the places of tensors that are not there; behind a number for the first of them the tensors move up.
    let private checkPlaces (op: Operator) (attrs: Attrs) (found: int option[]) : Result<unit, Complaint> =
        let numbers =
            op.Attrs
            |> List.choose (fun a -> a.StandsFor |> Option.map (fun place -> a.Name, place))
            |> List.filter (fun (name, _) -> isGiven name attrs)

        let isTaken (name, place) =
            if name = "self" then
                numbers.Length + (Array.choose id found).Length > op.Args.Length
            else
                (Array.tryItem place found |> Option.flatten).IsSome

        match List.tryFind isTaken numbers with
        | Some(name, _) -> Complain.because ValueError $"'{name}' is given both as a tensor and as a number"
        | None -> Ok()

    /// Checks a step's arguments against the operator's record, looks the names up and splices the lists in. Missing arguments at
    /// the end are dropped; what a list says is missing, is not.
    let resolve
        (lookup: string -> Result<int, Complaint>)
        (op: Operator)
        (args: Arg list)
        (attrs: Attrs)
        : Result<int option[], Complaint> =
        let found = ResizeArray<int option>()
        let mutable listed = 0

        let add name = lookup name |> Result.map (fun id -> found.Add(Some id))

        let rec go kinds (args: Arg list) position =
            match kinds, args with
            | _, [] ->
                match List.tryFindIndex (mayMiss >> not) kinds with
                | Some i -> Complain.because ValueError $"{op.Name} needs a tensor argument {position + i}, got {position} in all"
                | None -> Ok()
            | [], _ -> Complain.because ValueError $"{op.Name} takes at most {tensors op.Args.Length}, got {position + args.Length}"
            | kind :: kinds, Arg.Missing :: rest ->
                if mayMiss kind then
                    found.Add None
                    go kinds rest (position + 1)
                else
                    Complain.because ValueError $"{op.Name} needs its tensor argument {position}, got null"
            | kind :: _, Arg.Name _ :: _ when takesList kind ->
                Complain.because ValueError $"{op.Name} takes a list of tensors as argument {position}, got a name"
            | _ :: kinds, Arg.Name name :: rest -> add name |> Result.bind (fun () -> go kinds rest (position + 1))
            | kind :: kinds, Arg.Names names :: rest when takesList kind ->
                names
                |> List.fold
                    (fun state name ->
                        state
                        |> Result.bind (fun () ->
                            match name with
                            | Some name -> add name
                            | None -> Ok(found.Add None)))
                    (Ok())
                |> Result.bind (fun () ->
                    listed <- found.Count
                    go kinds rest (position + 1))
            | _, Arg.Names _ :: _ -> Complain.because ValueError $"{op.Name} takes a tensor as argument {position}, got a list"

        go op.Args args 0
        |> Result.bind (fun () -> checkAttributes op attrs)
        |> Result.bind (fun () -> checkPlaces op attrs (found.ToArray()))
        |> Result.map (fun () ->
            while found.Count > listed && found[found.Count - 1].IsNone do
                found.RemoveAt(found.Count - 1)

            found.ToArray())

    /// The values of a call's arguments.
    let values (s: State<'S>) (inputs: int option[]) : Value<'S> option[] =
        inputs |> Array.map (Option.map (fun id -> State.read s s.Tensors[id]))
