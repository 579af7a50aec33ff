namespace Verified.Spec.Operators

open Verified.Spec

/// An element that counts in a sum with a weight. One with a weight of 0 may or may not be looked at where rounding decides between which
/// elements a place lies; that matters where the element is not finite.
type internal Tap<'S> =
    {
        Source: int
        Weight: 'S
        /// What its element is multiplied by first: the weight along the dimensions before the last. An engine may go along one dimension after
        /// the other, and rounds each time.
        Before: 'S
        IsOpen: bool
    }

/// Where the numbers of a resized dimension come from.
module internal Taps =
    /// The source of each place of one dimension, in float32 as PyTorch computes it (UpSample.h, nearest_idx).
    let nearest size target (scale: float option) =
        Array.init target (fun i ->
            if target = size then
                i
            elif target = 2 * size then
                i / 2
            else
                let step =
                    match scale with
                    | Some scale when scale > 0.0 -> float32 (1.0 / scale)
                    | _ -> float32 size / float32 target

                min (int (floor (float32 i * step))) (size - 1))

    let private stepBetween aligned size target (scale: float option) =
        match scale with
        | _ when aligned -> if target > 1 then float (size - 1) / float (target - 1) else 0.0
        | Some scale when scale > 0.0 -> 1.0 / scale
        | _ -> float size / float target

    let private inside (size: int) (k: int) = max 0 (min k (size - 1))
    let private next size k = inside size (k + 1)
    let private otherNeighbour (place: float) k = if place < System.Math.Round place then k + 2 else k - 1
    let private middle (i: int) = float i + 0.5
    let private isNearInteger (x: float) = abs (x - System.Math.Round x) < 1e-4

    open Scalar

    /// For each place, sources with their weights: the two elements between which it lies (UpSample.h). Place and weights are computed
    /// in the dtype; where a place may lie on either side of an element, its other neighbour counts with a weight of 0 and the place's error.
    let linear<'S when 'S :> IScalar<'S>> dtype aligned size target (scale: float option) : Tap<'S>[][] =
        let step: 'S = num (stepBetween aligned size target scale)
        let zero: 'S = Value.exact dtype 0.0
        let one: 'S = Value.exact dtype 1.0

        let place (i: int) : 'S =
            if aligned then
                Value.exact dtype (float i) * step
            else
                Elementwise.larger (Value.exact dtype (middle i) * step - num 0.5) zero

        let tap source (weight: 'S) =
            { Source = source
              Weight = weight
              Before = Value.exact dtype 1.0
              IsOpen = 'S.Compare(weight, num 0.0) = Undecided }

        Array.init target (fun i ->
            if target = size then
                // The element itself is the second, too, and counts for nothing, but is multiplied.
                [| tap i one; tap i zero |]
            else
                let at = place i
                let value = 'S.Value at
                let k = inside size (int (floor value))
                let second = at - Value.exact dtype (float k)
                let beyond = otherNeighbour value k
                let isOpen = isNearInteger value && 'S.Compare(at, num (System.Math.Round value)) = Undecided

                [| tap k (one - second)
                   tap (next size k) second
                   if isOpen && inside size beyond = beyond then
                       tap beyond (at - at) |])

    /// The weighted sum of elements.
    let blend<'S when 'S :> IScalar<'S>> (terms: (Tap<'S> * 'S)[]) : 'S =
        let weights, elements = terms |> Array.map (fun (tap, x) -> tap.Weight, 'S.Mul(tap.Before, x)) |> Array.unzip
        let sum = Elementwise.eitherZero ('S.Dot(weights, elements))

        if terms |> Array.exists (fun (tap, x) -> tap.IsOpen && not (System.Double.IsFinite('S.Value x))) then
            'S.Unknown sum
        else
            sum

/// Resizing by the nearest element, or between the nearest ones.
module Resizing =
    let private readNumbers (attrs: Attrs) name =
        let rec asNumber attr =
            match attr with
            | Attr.Integer n -> Ok [ float n ]
            | Attr.Float x -> Ok [ x ]
            | Attr.Items items ->
                List.foldBack
                    (fun item rest ->
                        result {
                            let! rest = rest
                            let! first = asNumber item
                            return first @ rest
                        })
                    items
                    (Ok [])
            | _ -> Complain.value $"attribute '{name}' must be a number or a list of numbers"

        match Read.optional attrs name with
        | None -> Ok None
        | Some attr -> asNumber attr |> Result.map Some

    /// What the kernel says of the sizes; all else is said in Python, before anything is recorded.
    let private isEmpty = "Input and output sizes should be greater than 0"

    let private hasNoChannels = "Non-empty"

    let private refuseEmpty (spatial: int[]) (target: int[]) =
        let names = [| "D"; "H"; "W" |]

        let show (sizes: int[]) =
            Array.zip names[3 - sizes.Length ..] sizes
            |> Array.map (fun (name, size) -> $"{name}: {size}")
            |> String.concat ", "

        Complain.value $"{isEmpty}, but got input ({show spatial}) output ({show target})"

    /// What is asked for: for each spatial dimension (after batch and channels) its size, the size to reach, and the scale to get there by.
    type private Plan =
        { IsLinear: bool
          Aligned: bool
          Along: (int * int * float option)[] }

    let private ranksOf mode =
        match mode with
        | "linear" -> Some 3
        | "bilinear" -> Some 4
        | "trilinear" -> Some 5
        | _ -> None

    /// A list has an entry for each spatial dimension, before it is seen whether there may be so many.
    let private checkCount (attrs: Attrs) name input output (shape: int[]) (given: 'a list option) =
        match Read.optional attrs name, given with
        | Some(Attr.Items _), Some given when given.Length <> shape.Length - 2 ->
            let entries = given |> List.map string |> String.concat ", "

            Complain.value
                $"Input and {input} must have the same number of spatial dimensions, but got input with spatial dimensions of {Shape.show shape[2..]} and {output} of [{entries}]"
        | _ -> Ok()

    let private checkMode mode (shape: int[]) =
        let unsupported message =
            Error
                { Kind = Unsupported
                  Message = message }

        match mode, ranksOf mode with
        | _, Some rank when rank <> shape.Length -> unsupported $"Got {shape.Length}D input, but {mode} mode needs {rank}D input"
        | _, Some _ -> Ok()
        | "nearest", _ ->
            Complain.unlessShape (shape.Length >= 3 && shape.Length <= 5) (fun () ->
                $"Input Error: Only 3D, 4D and 5D input Tensors supported (got {shape.Length}D) for the modes: nearest")
        | ("bicubic" | "area" | "nearest-exact"), _ -> unsupported $"interpolate with mode {mode}"
        | _ ->
            Complain.value
                $"Input Error: Only 3D, 4D and 5D input Tensors supported (got {shape.Length}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"

    let private plan (attrs: Attrs) (shape: int[]) =
        result {
            let! mode = Read.textOr "nearest" attrs "mode"

            let! aligned =
                match Read.optional attrs "align_corners" with
                | None -> Ok None
                | Some _ -> Read.flagOr false attrs "align_corners" |> Result.map Some

            let! size = Read.tryIntegers attrs "size"
            let! scale = readNumbers attrs "scale_factor"

            do!
                Complain.unlessValue (mode <> "nearest" || aligned.IsNone) (fun () ->
                    "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear")

            do! Complain.unlessValue (size.IsNone || scale.IsNone) (fun () -> "only one of size or scale_factor should be defined")
            do! Complain.unlessValue (size.IsSome || scale.IsSome) (fun () -> "either size or scale_factor should be defined")
            let spatial = shape[2..]
            do! checkCount attrs "size" "output" "output size" shape size
            do! checkCount attrs "scale_factor" "scale_factor" "scale_factor" shape scale
            do! checkMode mode shape
            let! recompute = Read.flagOr false attrs "recompute_scale_factor"

            let each (items: 'a list) =
                Array.ofList (
                    if items.Length = spatial.Length then
                        items
                    else
                        List.replicate spatial.Length items.Head
                )

            let planned along =
                result {
                    do!
                        Complain.unlessShape (shape[1] > 0) (fun () ->
                            $"{hasNoChannels} {shape.Length}D data tensor expected but got a tensor with sizes {Shape.show shape}")

                    return
                        { IsLinear = mode <> "nearest"
                          Aligned = (aligned = Some true)
                          Along = along }
                }

            match Option.map each size with
            | Some size when Array.exists (fun n -> n <= 0) size || Array.exists (fun n -> n = 0) spatial ->
                return! refuseEmpty spatial size
            | Some size -> return! planned (Array.map2 (fun n target -> n, target, None) spatial size)
            | None ->
                let scale = each scale.Value
                let targets = Array.map2 (fun n scale -> int (floor (float n * scale))) spatial scale

                if Array.exists (fun n -> n <= 0) targets || Array.exists (fun n -> n = 0) spatial then
                    return! refuseEmpty spatial targets
                else
                    return!
                        Array.map3 (fun n target scale -> n, target, (if recompute then None else Some scale)) spatial targets scale
                        |> planned
        }

    let private sources (plan: Plan) = plan.Along |> Array.map (fun (n, target, scale) -> Taps.nearest n target scale)

    /// The shape of the result, and for each of its elements the position in the input.
    let private upsampled (shape: int[]) (sources: int[][]) =
        let target = Array.append shape[..1] (sources |> Array.map Array.length)
        let strides = Shape.strides shape
        let mutable positions = [| 0 |]

        for d in 0 .. shape.Length - 1 do
            let along = if d < 2 then Array.init shape[d] id else sources[d - 2]

            positions <-
                [| for p in positions do
                       for source in along -> p + source * strides[d] |]

        target, positions

    /// The shape of the result, and for each of its elements the positions in the input with their weights.
    let private weighted<'S when 'S :> IScalar<'S>> dtype (shape: int[]) (plan: Plan) : int[] * Tap<'S>[][] =
        let target = Array.append shape[..1] (plan.Along |> Array.map (fun (_, target, _) -> target))
        let strides = Shape.strides shape
        let planes = [| for p in 0 .. shape[0] * shape[1] - 1 -> p * Shape.count shape[2..] |]

        let along =
            plan.Along
            |> Array.mapi (fun d (n, target, scale) ->
                Taps.linear<'S> dtype plan.Aligned n target scale
                |> Array.map (
                    Array.map (fun tap ->
                        { tap with
                            Source = tap.Source * strides[d + 2] })
                ))

        let cross (found: Tap<'S>[][]) (taps: Tap<'S>[][]) =
            [| for terms in found do
                   for others in taps ->
                       [| for a in terms do
                              for b in others ->
                                  { Source = a.Source + b.Source
                                    Weight = b.Weight
                                    Before = 'S.Mul(a.Before, a.Weight)
                                    IsOpen = a.IsOpen || b.IsOpen } |] |]

        let inPlane = Array.reduce cross along

        target,
        [| for plane in planes do
               for terms in inPlane -> terms |> Array.map (fun tap -> { tap with Source = plane + tap.Source }) |]

    let private interpolateAttrs =
        [ Define.oneOf (Define.attr "size" (AttrKind.Integers [ [ 4L; 4L ]; [ 3L; 5L ]; [ 1L; 2L ] ]))
          Define.oneOf (Define.attr "scale_factor" (AttrKind.Number [ 2.0; 1.5; 0.5; 3.0 ]))
          Define.attr "mode" (AttrKind.Choice [ "nearest"; "bilinear" ])
          Define.attr "align_corners" AttrKind.Flag ]

    let interpolate =
        { Define.computes
              "interpolate"
              "y[n,c,p,q] = x[n,c,floor(p scale),floor(q scale)] (mode nearest), or between the elements around (bilinear)"
              [ ArgKind.Float ]
              interpolateAttrs
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! x = Argument.tensor call 0
                          let! plan = plan call.Attrs x.Shape

                          do!
                              Complain.unlessDType x.DType.IsFloat (fun () ->
                                  let kernel =
                                      if plan.IsLinear then
                                          "upsample_bilinear2d_channels_last"
                                      else
                                          "upsample_nearest"

                                  $"\"{kernel}\" not implemented for '{Promotion.messageName x.DType}'")

                          if plan.IsLinear then
                              let elements = Value.asFloats x.DType x
                              let shape, terms = weighted<'S> x.DType x.Shape plan

                              let blend = Array.map (fun (tap: Tap<'S>) -> tap, elements[tap.Source]) >> Taps.blend
                              return [ terms |> Array.map blend |> Value.floats x.DType shape ]
                          else
                              let shape, positions = upsampled x.Shape (sources plan)
                              return [ Value.pick shape positions x ]
                      } } with
            Spelling = Define.functional
            ArgumentsFirst =
                fun complaint ->
                    [ isEmpty; hasNoChannels ]
                    |> List.forall (fun text -> not (complaint.Message.StartsWith(text, System.StringComparison.Ordinal)))
            Node = Define.node "UpsampleNearest2D"
            Shapes = [ [ [| 1; 1; 2; 2 |] ]; [ [| 2; 2; 3; 2 |] ]; [ [| 1; 1; 1; 3 |] ]; [ [| 0; 1; 2; 2 |] ] ]
            Derivative = Some(Derive.byTranspose "interpolate_backward") }

    let interpolateBackward =
        { Define.computes
              "interpolate_backward"
              "x[i] = sum of y over the places that i is nearest to, or by its weights: the transpose of interpolate"
              [ ArgKind.Float ]
              (Define.required "input_size" AttrKind.Size :: interpolateAttrs)
              { new Forward with
                  member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                      result {
                          let! y = Argument.floats call 0
                          let! size = Read.integers call.Attrs "input_size"
                          let shape = Array.ofList size
                          let! plan = plan call.Attrs shape

                          if plan.IsLinear then
                              let _, terms = weighted<'S> y.DType shape plan
                              let arriving = Array.init (Shape.count shape) (fun _ -> ResizeArray<Tap<'S> * 'S>())

                              Value.asFloats y.DType y
                              |> Array.iteri (fun i g ->
                                  for tap in terms[i] do
                                      arriving[tap.Source].Add(tap, g))

                              let sum (arrived: ResizeArray<Tap<'S> * 'S>) =
                                  if arrived.Count = 0 then
                                      Value.exact y.DType 0.0
                                  else
                                      Taps.blend (arrived.ToArray())

                              return [ arriving |> Array.map sum |> Value.floats y.DType shape ]
                          else
                              let _, positions = upsampled shape (sources plan)
                              return [ Pick.sumAt shape (positions, true) y ]
                      } } with
            Internal = true
            Derivative =
                Some(
                    Derive.rule (fun d g ->
                        [ Some(fun () -> Derive.apply "interpolate" [ g ] (d.Attrs |> Map.remove "input_size" |> Map.toList)) ])
                ) }

    let all = [ interpolate; interpolateBackward ]
