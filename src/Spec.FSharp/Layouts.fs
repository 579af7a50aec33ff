namespace Verified.Spec

/// The strides of results. The rule that keeps the order of the arguments' dimensions is that of TensorIterator (aten/src/ATen/TensorIterator.cpp, reorder_dimensions).
[<RequireQualifiedAccess>]
module Layouts =
    // Strides of an argument under the result's shape: 0 where it is broadcast.
    let private broadcast (shape: int[]) (g: Geometry) =
        let missing = shape.Length - g.Shape.Length

        Array.init shape.Length (fun d ->
            if d < missing || g.Shape[d - missing] = 1 && shape[d] <> 1 then
                0
            else
                g.Strides[d - missing])

    // Whether dimension a has to come behind (1) or before (-1) dimension b, counted from the innermost; 0: it does not matter.
    let private order (shape: int[]) (arguments: int[] list) a b =
        let rec decide (arguments: int[] list) =
            match arguments with
            | [] -> 0
            | strides :: rest ->
                let p, q = strides[a], strides[b]

                if p = 0 || q = 0 then decide rest
                elif p <> q then compare p q
                elif shape[a] > shape[b] then 1
                else decide rest

        decide arguments

    let private permuted (shape: int[]) (arguments: int[] list) : Geometry =
        let inner = Array.init shape.Length (fun i -> shape.Length - 1 - i)

        for i in 1 .. inner.Length - 1 do
            let mutable at = i
            let mutable below = i - 1

            while below >= 0 do
                let c = order shape arguments inner[below] inner[at]

                if c > 0 then
                    let kept = inner[below]
                    inner[below] <- inner[at]
                    inner[at] <- kept
                    at <- below

                below <- if c < 0 then -1 else below - 1

        let strides = Array.create shape.Length 1
        let mutable next = 1

        for d in inner do
            strides[d] <- next
            next <- next * max 1 shape[d]

        { Shape = shape
          Strides = strides
          Offset = 0 }

    let private arranged arrangement (arguments: Geometry list) (shape: int[]) : Geometry =
        let arguments =
            if arrangement = Arrangement.Copied then
                List.truncate 1 arguments
            else
                arguments

        match arguments with
        | [ g ] when arrangement = Arrangement.Copied && Strides.isDense g -> { g with Offset = 0 }
        | _ when
            shape.Length < 2
            || arrangement = Arrangement.RowMajor
            || arguments |> List.forall (fun g -> g.Shape.Length = 0 || g.Shape = shape && Layout.isContiguous g)
            ->
            Layout.dense shape
        | _ -> arguments |> List.filter (fun g -> g.Shape.Length > 0) |> List.map (broadcast shape) |> permuted shape

    /// The geometry of a copy of what lies so.
    let ofCopy (g: Geometry) = arranged Arrangement.Copied [ g ] g.Shape

    /// The geometry of a result of this shape.
    let ofResult (op: Operator) attrs arguments shape = arranged (op.Arrangement attrs) arguments shape

    /// The geometry of a gradient that one node gives of such a result.
    let ofGradient (op: Operator) attrs arguments shape =
        let arrangement = op.Fused |> Option.bind _.Arrangement |> Option.defaultWith (fun () -> op.Arrangement attrs)

        arranged arrangement arguments shape
