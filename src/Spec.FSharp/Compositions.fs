namespace Verified.Spec

/// A composed operator's call on its way through a state: each part is a call of its own.
[<Sealed>]
type private Composition<'S when 'S :> IScalar<'S>>(registry: Map<string, Operator>, start: State<'S>) =
    let mutable state = start

    member _.State = state

    member c.Term(id: int) : Term =
        let t = state.Tensors[id]

        { Calculus = c
          Id = id
          DType = t.DType
          Shape = t.Shape }

    /// A call of an operator that is not composed.
    member private c.Call(name: string, args: Term option list, attrs: (string * Attr) list) =
        let inputs = args |> List.map (Option.map (fun (t: Term) -> t.Id)) |> Array.ofList

        let after, ids =
            if name.EndsWith '_' then
                let after, ids = InPlace.write state registry[name.TrimEnd '_'] inputs (Map.ofList attrs) |> Complaints.orFail

                if state.Holds Rules.Versions.vectorTimesMatrixStartsAtOne then
                    after, ids
                else
                    { after with Versions = state.Versions }, ids
            else
                Calls.apply state registry[name] inputs (Map.ofList attrs) |> Complaints.orFail

        state <- after
        List.map c.Term ids

    interface ICalculus with
        member c.Apply(name, args, attrs) =
            match Map.tryFind name registry with
            | Some { Behaviour = Composes parts } -> parts (Map.ofList attrs) args |> Complaints.orFail
            | _ -> c.Call(name, args, attrs)

        member _.Strides term = state.Tensors[term.Id].Geometry.Strides
        member _.RequiresGrad term = History.requiresGrad state state.Tensors[term.Id]

/// Calls of operators, composed ones among them.
module Compositions =
    /// Applies an operator to tensors: the state after it, and the results.
    let apply
        (registry: Map<string, Operator>)
        (s: State<'S>)
        (op: Operator)
        (inputs: int option[])
        attrs
        : Result<State<'S> * int list, Complaint> =
        match op.Behaviour with
        | Composes parts ->
            let composition = Composition<'S>(registry, s)

            try
                parts attrs (inputs |> Array.map (Option.map composition.Term) |> List.ofArray)
                |> Result.map (fun results -> composition.State, results |> List.map (fun term -> term.Id))
            with Complained complaint ->
                Error complaint
        | Computes _
        | Aliases _ -> Calls.apply s op inputs attrs

    /// A composed operator's values, of values alone.
    let evaluate (registry: Map<string, Operator>) (op: Operator) (inputs: Value<'S> option[]) attrs : Result<Value<'S> list, Complaint> =
        let mutable s = State.empty<'S>

        let ids =
            inputs
            |> Array.map (
                Option.map (fun value ->
                    let after, id = State.addValue (Layout.dense value.Shape) false value s
                    s <- after
                    id)
            )

        apply registry s op ids attrs
        |> Result.map (fun (s, results) -> results |> List.map (fun id -> State.read s s.Tensors[id]))
