namespace Verified.Spec.Numbers

open System
open Verified.Spec
open Precision

/// What a bound decides or leaves open: comparisons, whole numbers, and which of several formulas an engine has.
[<RequireQualifiedAccess>]
module internal BallDecisions =
    let private compareIn (a: Ball, b: Ball) : Comparison =
        if Ball.isNaN a || Ball.isNaN b then
            Unordered
        elif a.IsUnknown || b.IsUnknown then
            Undecided
        elif a.E = 0.0 && b.E = 0.0 then
            Elementary64.compare a.V b.V
        else
            let gap = a.V - b.V
            let reach = (a.E + b.E) * own

            if gap > reach then Greater
            elif -gap > reach then Less
            else Undecided

    /// A function to whole numbers: known where it is the same over the whole ball.
    let whole (f: float -> float, a: Ball) : Ball =
        if a.E = 0.0 then
            { a with V = f a.V }
        elif a.IsUnknown then
            a
        else
            let low, high = f (a.V - a.E * own), f (a.V + a.E * own)

            if low = 0.0 && high = 0.0 then
                Ball.zero (a.F, high, (Double.IsNegative low = Double.IsNegative high))
            elif low = high then
                Ball.exactly (a.F, low)
            else
                Ball.lost (a.F, f a.V)

    let compare (a: Ball, b: Ball) =
        let f = Ball.formatOf (a, b)

        if f = 0 then
            Elementary64.compare a.V b.V
        else
            compareIn (Ball.inFormat (f, a), Ball.inFormat (f, b))

    /// What any of several formulas gives: the first one's value, with a bound that holds them all.
    let permitted (formulas: ReadOnlySpan<Ball>) : Ball =
        let f = Ball.formatOfAll formulas
        let first = Ball.inFormat (f, formulas[0])
        let mutable e = first.E
        let mutable hasSign = true

        for i in 0 .. formulas.Length - 1 do
            if
                formulas[i].IsEitherZero
                || (formulas[i].V = 0.0 && Double.IsNegative formulas[i].V <> Double.IsNegative first.V)
            then
                hasSign <- false

        for i in 1 .. formulas.Length - 1 do
            let other = Ball.inFormat (f, formulas[i])

            if not (first.V.Equals other.V && Double.IsFinite first.V |> not) then
                e <- Math.Max(e, Math.Abs(other.V - first.V) * own + other.E)
            elif other.IsUnknown then
                e <- infinity

        if e = 0.0 && first.V = 0.0 then Ball.zero (f, first.V, hasSign)
        elif e < infinity then { V = first.V; E = e; F = f }
        else Ball.lost (f, first.V)
