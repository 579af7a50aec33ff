namespace Verified.Spec

/// A call of an operator, as the backward pass sees it.
type internal PastCall =
    {
        Operator: Operator
        Attrs: Attrs
        /// Shape, dtype and strides of each of its inputs.
        Inputs: (struct (int[] * DType * int[]))[]
        /// The gradients of its results, of those that any arrived at.
        Gradients: Term option[]
        /// What was kept of it.
        Kept: (struct (Saving * Term option))[]
        /// Which of its inputs' gradients are wanted.
        Needs: int -> bool
    }

/// Derivative rules applied: what a node kept is looked at, and the operator's rule is given it.
module internal Derivations =
    open Complaints

    /// A kept tensor, if it is still what it was.
    let unpack (c: Calculus<'S>) (node: Node<'S>) (saved: Saved) : Term =
        let t = c.State.Tensors[saved.Tensor]

        let history =
            if saved.Twin then
                Some
                    { Node = node
                      Output =
                        match saved.Place with
                        | Output k -> k
                        | Input _
                        | Indices _ -> 0 }
            else
                let s, edge = History.gradFn c.State saved.Tensor |> orFail
                c.State <- s
                edge

        if saved.HadHistory && history.IsNone && c.State.Holds Rules.Versions.keptIsNotDetached then
            fail
                { Kind = OtherError
                  Message =
                    "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, please use out-of-place `.detach()` instead" }

        let version = State.version c.State t

        if version <> saved.Version && c.State.Holds Rules.Versions.keptIsChecked then
            let origin =
                match history with
                // A result of integers has no history to name.
                | Some edge when t.DType.IsFloat -> $", which is output {edge.Output} of {edge.Node.Name},"
                | _ -> ""

            let which =
                if c.State.Holds Rules.Errors.modifiedNamesTheTensor then
                    $": [{History.describe t}]{origin} is at version {version}; expected version {saved.Version} instead"
                else
                    ""

            fail
                { Kind = ModifiedInPlace
                  Message =
                    $"one of the variables needed for gradient computation has been modified by an inplace operation{which}. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)." }

        if c.Creates && saved.Twin && t.DType.IsFloat then
            let s, id = State.addTensor { t with GradFn = history } c.State
            c.State <- s
            c.Tracked id
        else
            c.Tracked saved.Tensor

    let failFreed () =
        fail
            { Kind = FreedGraph
              Message =
                "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward." }

    /// What a derivative rule is given.
    let derivation<'S when 'S :> IScalar<'S>> (c: Calculus<'S>) (call: PastCall) : IDerivation =
        let find place =
            match call.Kept |> Array.tryPick (fun struct (at, term: Term option) -> if at = place then term else None) with
            | Some term -> term
            | None -> invalidOp $"the derivative of {call.Operator.Name} reads {place}, which its record does not keep"

        { new IDerivation with
            member _.Gradient k = call.Gradients[k]
            member _.Input i = find (Input i)
            member _.Output k = find (Output k)

            member _.HasZero i =
                match (c.Value(find (Input i))).Elements with
                | Elements.Floats x -> x |> Array.exists (fun x -> 'S.Value x = 0.0)
                | Elements.Ints _ -> false

            member _.Needs i = call.Needs i
            member _.Has i = call.Kept |> Array.exists (fun struct (place, term) -> place = Input i && term.IsSome)

            member _.ShapeOf i =
                let struct (shape, _, _) = call.Inputs[i]
                shape

            member _.DTypeOf i =
                let struct (_, dtype, _) = call.Inputs[i]
                dtype

            member _.StridesOf i =
                let struct (_, _, strides) = call.Inputs[i]
                strides

            member _.Attrs = call.Attrs
            member _.Inputs = call.Inputs.Length }

    /// The gradients of an operator's inputs by its rule, from those of its results and from what it kept.
    let derive (c: Calculus<'S>) (call: PastCall) : Term option[] =
        let op = call.Operator
        let results = derivation c call |> op.Derivative.Value |> Array.ofList

        if results.Length < call.Inputs.Length then
            invalidOp $"the derivative of {op.Name} has {results.Length} gradients for {call.Inputs.Length} inputs"

        if op.Overwrites && not (c.State.Holds Rules.Writes.overwritingCuts) then
            results[0] <- call.Gradients[0]

        results
