namespace Verified.Spec.Operators

open Verified.Spec

/// What the derivative of a normalisation reads of its lines x [R, n].
type internal LineStatistics =
    {
        /// 1 / deviation of each line, [R, 1].
        Scale: Term
        /// s (x - mean), for a number s for each line.
        Distance: Term -> Term
        /// The sum over each line of a (x - mean).
        Covariance: Term -> Term
    }

[<RequireQualifiedAccess>]
module internal LineStatistics =
    /// Mean and scale as the forward kept them, whatever x is by now: constants.
    let kept (mean: Term) (scale: Term) (x: Term) =
        let column (t: Term) = Shaping.reshape [| x.Shape[0]; 1 |] t
        let mean = column mean

        { Scale = column scale
          Distance = fun s -> Derive.apply "distance_from" [ x; s; mean ] []
          Covariance = fun a -> Derive.apply "covariance_from" [ a; x; mean ] [] }

    /// Mean and scale as functions of x, `scaleOf` its variance, so that every order is right.
    let ofLines (scaleOf: Term -> Term) (x: Term) =
        let variance =
            Derive.apply "var" [ x ] [ "dim", Derive.dimsAttr [ -1 ]; "correction", Attr.Integer 0L; "keepdim", Attr.Flag true ]

        { Scale = scaleOf variance
          Distance = fun s -> Derive.apply "scaled_distance" [ x; s ] []
          Covariance = fun a -> Derive.apply "covariance" [ a; x ] [] }

    /// Whether a derivative of the derivative may be asked for: of what arrives, of the input, or of the weight.
    let isRecorded (d: IDerivation) (weight: int) =
        (d.Gradient 0 |> Option.exists (fun g -> g.RequiresGrad))
        || (d.Input 0).RequiresGrad
        || (d.Has weight && (d.Input weight).RequiresGrad)

    /// The gradient of x from that of (x - mean) / deviation, of n elements a line; `weighted`: the scale, times the line's weight.
    let project n (line: LineStatistics) (g: Term) (weighted: Term -> Term) =
        // Scaled in between, so that far out nothing overflows in the derivatives that would not in one scaled first.
        let slope = Reductions.overCount n (line.Covariance g * line.Scale * (line.Scale * line.Scale))
        Derive.apply "scaled_distance" [ g; weighted line.Scale ] [] - line.Distance(weighted slope)
