namespace Verified.Spec.Numbers

open System
open Verified.Spec
open Precision

/// Elementary functions of a ball, and powers.
[<RequireQualifiedAccess>]
module internal BallElementary =
    /// How far f may move over [x - e, x + e], from f(x) = v; infinite where that reaches out of the domain.
    let private spread (f: Elementary, x: float, e: float, v: float) : float =
        match f with
        | Elementary.Exp -> v * Elementary64.expm1 e
        | Elementary.Expm1 -> (v + 1.0) * Elementary64.expm1 e
        | Elementary.Log -> if x > e then e / (x - e) else infinity
        | Elementary.Log1p -> if 1.0 + x > e then e / (1.0 + x - e) else infinity
        | Elementary.Sqrt -> if x >= e then e / (v + Math.Sqrt(x - e)) else infinity
        | Elementary.Rsqrt ->
            if x > e then
                // One factor after the other: their product may overflow.
                let low, mid = Math.Sqrt(x - e), Math.Sqrt x
                e / (low + mid) / low / mid
            else
                infinity
        | Elementary.Sin -> min 2.0 (min e (Math.Abs(Math.Cos x) * e + 0.5 * e * e))
        | Elementary.Cos -> min 2.0 (min e (Math.Abs(Math.Sin x) * e + 0.5 * e * e))
        | Elementary.Tanh ->
            // sech^2 falls away from zero; by exponentials, which do not cancel.
            let q = Math.Exp(-2.0 * Math.Max(0.0, Math.Abs x - e))
            min 2.0 (e * 4.0 * q / ((1.0 + q) * (1.0 + q)))
        | Elementary.Sigmoid ->
            let q = Math.Exp(-Math.Max(0.0, Math.Abs x - e))
            min 1.0 (e * q / ((1.0 + q) * (1.0 + q)))
        | Elementary.Erf ->
            let t = Math.Max(0.0, Math.Abs x - e)
            min 2.0 (e * 1.1283791670955126 * Math.Exp(-t * t))

    // Where every implementation is exact: f(0), and log 1.
    let private isExactAt (f: Elementary, x: float) =
        match f with
        | Elementary.Log -> x = 1.0
        | Elementary.Rsqrt -> false
        | Elementary.Exp
        | Elementary.Expm1
        | Elementary.Log1p
        | Elementary.Sqrt
        | Elementary.Sin
        | Elementary.Cos
        | Elementary.Tanh
        | Elementary.Sigmoid
        | Elementary.Erf -> x = 0.0

    // Certainly outside the function's domain.
    let private isOutside (f: Elementary, x: float, e: float) =
        match f with
        | Elementary.Log
        | Elementary.Sqrt
        | Elementary.Rsqrt -> x + e < 0.0
        | Elementary.Log1p -> x + e < -1.0
        | _ -> false

    let private applyIn (form, f: Elementary, a: Ball) : Ball =
        let v = Elementary64.apply f a.V

        if a.E = 0.0 && (not (Double.IsFinite a.V) || isExactAt (f, a.V)) then
            if v = 0.0 then Ball.zero (form, v, Ball.hasSign a) else Ball.exactly (form, v)
        elif a.IsEitherZero && f = Elementary.Rsqrt then
            Ball.lost (form, v)
        elif a.IsUnknown then
            Ball.lost (form, v)
        elif isOutside (f, a.V, a.E) then
            Ball.exactly (form, nan)
        elif Double.IsInfinity v then
            // A pole met exactly, or the exponential's overflow.
            if a.E = 0.0 || (form = 1 && a.V - a.E > 90.0) || a.V - a.E > 710.0 then
                Ball.exactly (form, v)
            else
                Ball.lost (form, v)
        else
            let p = if a.E = 0.0 then 0.0 else spread (f, a.V, a.E, v)
            let ulp = Allowance.Of f
            let u = if form = 2 then u64 else u32
            Ball.rounded (form, v, p, unit form + 2.0 * u * ulp + ownElementary)

    let private powIn (f, a: Ball, b: Ball) : Ball =
        let v = Math.Pow(a.V, b.V)
        let ulp = Allowance.Current[Allowance.Power]
        let u = if f = 2 then u64 else u32
        let relative = unit f + 2.0 * u * ulp + ownElementary

        if (b.V = 0.0 && b.E = 0.0) || (a.V = 1.0 && a.E = 0.0) then
            Ball.exactly (f, 1.0)
        elif b.V = 1.0 && b.E = 0.0 then
            if a.IsUnknown || not (Double.IsFinite a.V) || a.IsEitherZero then
                { a with F = f }
            else
                Ball.scaled (f, a.V, a.E)
        elif a.IsUnknown || b.IsUnknown then
            Ball.lost (f, v)
        elif a.IsEitherZero && b.E = 0.0 then
            if v = 0.0 then Ball.zero (f, v, false) else Ball.lost (f, v)
        elif a.E = 0.0 && b.E = 0.0 then
            if not (Double.IsFinite v) || a.V = 0.0 || not (Double.IsFinite a.V) || not (Double.IsFinite b.V) then
                Ball.exactly (f, v)
            else
                Ball.rounded (f, v, 0.0, relative)
        elif not (Double.IsFinite a.V && Double.IsFinite b.V && Double.IsFinite v) then
            Ball.lost (f, v)
        elif a.E >= Math.Abs a.V then
            // The base may be zero: only a whole positive power stays bounded.
            if b.E = 0.0 && b.V > 0.0 && b.V = Math.Floor b.V then
                Ball.rounded (f, v, Math.Abs v + Math.Pow(Math.Abs a.V + a.E, b.V), relative)
            else
                Ball.lost (f, v)
        elif a.V < 0.0 && b.E > 0.0 then
            Ball.lost (f, v)
        else
            // log of the power moves by at most -log(1 - r) (|y| + ey) + ey |log x|, where r = ex / |x|.
            let stretch = -Elementary64.log1p(-a.E / Math.Abs a.V) * (Math.Abs b.V + b.E)
            let tilt = if b.E = 0.0 then 0.0 else b.E * Math.Abs(Math.Log a.V)
            Ball.rounded (f, v, Math.Abs v * Elementary64.expm1 (stretch + tilt), relative)

    let apply (f: Elementary, a: Ball) : Ball =
        if a.F = 0 then
            Ball.ofConstants (Elementary64.apply f a.V, applyIn (1, f, Ball.enter (1, a)), a.IsUnknown)
        else
            applyIn (a.F, f, a)

    let pow (a: Ball, b: Ball) : Ball =
        let f = Ball.formatOf (a, b)

        if f = 0 then
            Ball.ofConstants (Math.Pow(a.V, b.V), powIn (1, Ball.enter (1, a), Ball.enter (1, b)), a.IsUnknown || b.IsUnknown)
        else
            powIn (f, Ball.inFormat (f, a), Ball.inFormat (f, b))
