namespace Verified.Spec

/// Values stored where tensors lie, and the versions that count it.
module internal Storing =
    /// Counts a write.
    let bump counter (s: State<'S>) =
        let counts = s.Holds Rules.Versions.writesCount && (s.Records || s.Holds Rules.Versions.writesCountInEveryMode)

        if counts then
            { s with
                Versions = s.Versions.Set(counter, s.Versions[counter] + 1) }
        else
            s

    /// Puts a dense value, already of the tensor's shape and dtype, where a tensor lies.
    let private put id (value: Value<'S>) second (s: State<'S>) : State<'S> =
        let t = s.Tensors[id]
        let storage = s.Storages[t.Storage]

        { s with
            Storages =
                s.Storages.Set(
                    t.Storage,
                    { storage with
                        Elements = Elements.replace t.Geometry value.Elements storage.Elements
                        SecondOrder = storage.SecondOrder || second }
                ) }

    /// The same, counted as a write.
    let store id (value: Value<'S>) second (s: State<'S>) : State<'S> = put id value second s |> bump s.Tensors[id].Counter

    /// Writes to the arguments that a call changes unseen. What comes of it where one shares elements with another argument is open.
    let update (op: Operator) (inputs: int option[]) (results: Value<'S> list) second (s: State<'S>) : Result<State<'S>, Complaint> =
        let written =
            op.Updates
            |> List.choose (fun (argument, result) ->
                match Array.tryItem argument inputs |> Option.flatten, List.tryItem result results with
                | Some id, Some value -> Some(argument, id, value)
                | _ -> None)

        let places id = Positions.ofGeometry s.Tensors[id].Geometry

        let shares (argument, id, _) =
            inputs
            |> Array.indexed
            |> Array.exists (fun (i, other) ->
                match other with
                | Some other when i <> argument && s.Tensors[other].Storage = s.Tensors[id].Storage ->
                    not (Set.intersect (set (places id)) (set (places other))).IsEmpty
                | _ -> false)

        if List.exists shares written then
            Complain.because Unsupported $"{op.Name} that changes an argument which shares elements with another one"
        else
            let move = if s.Holds Rules.Versions.runningStatisticsMoveUnseen then put else store
            Ok(written |> List.fold (fun s (_, id, value) -> move id value second s) s)
