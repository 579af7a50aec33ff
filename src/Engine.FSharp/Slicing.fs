namespace Verified.Engine.FSharp

open Verified.Engine

/// F#'s slices on tensors: `x[1.., 0]`, `x[*, 2]`, `x[0..1, 1..] <- value`. A slice is a view; its last place is included, as everywhere in F#.
/// A dimension may be given by an index, which drops it, or by a range; for steps and places counted from the end there is `Tensor.slice`.
[<AutoOpen>]
module Slicing =
    let private index (i: int) : objnull = int64 i

    let private range (first: int option) (last: int option) : objnull =
        let place shift (i: int option) : objnull =
            match i with
            | Some i -> int64 (i + shift)
            | None -> null

        match first, last with
        | None, None -> null
        | _ -> [| place 0 first; place 1 last; null |]

    let private get (x: Tensor) (places: objnull[]) = x.GetItem places

    let private set (x: Tensor) (places: objnull[]) (value: Tensor) =
        x.SetItemInPlace(places, value) |> ignore

    type Tensor with

        // One dimension.

        /// `x[a..b]`
        member x.GetSlice(a, b) = get x [| range a b |]

        /// `x[a..b] <- v`
        member x.SetSlice(a, b, v: Tensor) = set x [| range a b |] v

        /// `x[a..b] <- 0.0`
        member x.SetSlice(a, b, v: float) =
            x.SetItemInPlace([| range a b |], v) |> ignore

        /// `x[i]`
        member x.Item
            with get (i: int) = get x [| index i |]
            and set (i: int) (v: Tensor) = set x [| index i |] v

        // Two dimensions.

        /// `x[i, j]`
        member x.Item
            with get (i: int, j: int) = get x [| index i; index j |]
            and set (i: int, j: int) (v: Tensor) = set x [| index i; index j |] v

        /// `x[a..b, c..d]`
        member x.GetSlice(a, b, c, d) = get x [| range a b; range c d |]

        /// `x[i, c..d]`
        member x.GetSlice(i: int, c, d) = get x [| index i; range c d |]

        /// `x[a..b, j]`
        member x.GetSlice(a, b, j: int) = get x [| range a b; index j |]

        /// `x[a..b, c..d] <- v`
        member x.SetSlice(a, b, c, d, v: Tensor) = set x [| range a b; range c d |] v

        /// `x[i, c..d] <- v`
        member x.SetSlice(i: int, c, d, v: Tensor) = set x [| index i; range c d |] v

        /// `x[a..b, j] <- v`
        member x.SetSlice(a, b, j: int, v: Tensor) = set x [| range a b; index j |] v

        // Three dimensions.

        /// `x[i, j, k]`
        member x.Item
            with get (i: int, j: int, k: int) = get x [| index i; index j; index k |]
            and set (i: int, j: int, k: int) (v: Tensor) = set x [| index i; index j; index k |] v

        /// `x[a..b, c..d, e..f]`
        member x.GetSlice(a, b, c, d, e, f) =
            get x [| range a b; range c d; range e f |]

        /// `x[i, c..d, e..f]`
        member x.GetSlice(i: int, c, d, e, f) =
            get x [| index i; range c d; range e f |]

        /// `x[a..b, j, e..f]`
        member x.GetSlice(a, b, j: int, e, f) =
            get x [| range a b; index j; range e f |]

        /// `x[a..b, c..d, k]`
        member x.GetSlice(a, b, c, d, k: int) =
            get x [| range a b; range c d; index k |]

        /// `x[i, j, e..f]`
        member x.GetSlice(i: int, j: int, e, f) = get x [| index i; index j; range e f |]

        /// `x[i, c..d, k]`
        member x.GetSlice(i: int, c, d, k: int) = get x [| index i; range c d; index k |]

        /// `x[a..b, j, k]`
        member x.GetSlice(a, b, j: int, k: int) = get x [| range a b; index j; index k |]

        /// `x[a..b, c..d, e..f] <- v`
        member x.SetSlice(a, b, c, d, e, f, v: Tensor) =
            set x [| range a b; range c d; range e f |] v

        /// `x[i, c..d, e..f] <- v`
        member x.SetSlice(i: int, c, d, e, f, v: Tensor) =
            set x [| index i; range c d; range e f |] v

        // Four dimensions, as images have: whole ranges only.

        /// `x[a..b, c..d, e..f, g..h]`
        member x.GetSlice(a, b, c, d, e, f, g, h) =
            get x [| range a b; range c d; range e f; range g h |]

        /// `x[a..b, c..d, e..f, g..h] <- v`
        member x.SetSlice(a, b, c, d, e, f, g, h, v: Tensor) =
            set x [| range a b; range c d; range e f; range g h |] v
