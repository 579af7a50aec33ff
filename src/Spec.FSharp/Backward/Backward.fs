namespace Verified.Spec

open Complaints

/// The backward pass. Derivative rules are compositions of registered operators: a pass applies them to plain values, or, under
/// create_graph, to tensors of the state, where they are recorded as anything else is. What a user will see, such
/// as what `grad` returns, are tensors of the state in any case where they are views.
[<RequireQualifiedAccess>]
module Backward =
    /// Runs backward: the state after it and, where gradients are not accumulated, a tensor for each that was wanted (None where
    /// no path leads).
    let run<'S when 'S :> IScalar<'S>>
        (registry: Map<string, Operator>)
        (s: State<'S>)
        (demand: Demand)
        : Result<State<'S> * int option list, Complaint> =
        let creates = demand.Creates && s.Holds Rules.Graph.createGraphRecords || not (s.Holds Rules.Graph.gradientsAreConstants)

        let demand = { demand with Creates = creates }

        let inside =
            { s with
                GradMode = creates && (s.GradMode || s.Holds Rules.Modes.backwardHasItsOwnMode)
                Deriving = true
                Second = s.Second || demand.Roots |> List.exists (fun (id, _) -> State.secondOrder s s.Tensors[id]) }

        let caller = if s.Holds Rules.Gradients.givenIsCastByTheCaller then Some s.Records else None
        let pass = Pass<'S>(registry, inside, demand, caller)

        try
            let captured =
                pass.Run()
                |> List.map (
                    Option.map (fun term ->
                        let id = pass.Calculus.Tensor term
                        pass.Mark id
                        id)
                )

            Ok(
                { pass.Calculus.State with
                    GradMode = s.GradMode
                    Inference = s.Inference
                    Deriving = s.Deriving },
                captured
            )
        with Complained complaint ->
            Error complaint
