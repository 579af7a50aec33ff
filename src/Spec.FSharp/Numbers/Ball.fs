namespace Verified.Spec.Numbers

open System
open Verified.Spec
open Precision

/// A value, a bound and a format: what `Bounded` is made of, which says what they mean.
[<Struct; CustomEquality; NoComparison>]
type internal Ball =
    { V: float
      E: float
      F: int }

    override a.Equals other =
        match other with
        | :? Ball as b -> a.V.Equals b.V && a.E.Equals b.E && a.F = b.F
        | _ -> false

    override a.GetHashCode() = HashCode.Combine(a.V, a.E, a.F)

    /// Whether nothing is known of it.
    member a.IsUnknown = not (a.E < infinity)

    /// Whether it is a zero of which engines may have either.
    member a.IsEitherZero = a.V = 0.0 && a.E = 0.0 && Double.IsNegative a.E

/// How balls are made: the rounding of each format, its range, and the format that a constant meets.
[<RequireQualifiedAccess>]
module internal Ball =
    /// A number without a format yet.
    let constant c : Ball = { V = c; E = 0.0; F = 0 }

    /// A number that every engine has exactly.
    let inline exactly (f, v) : Ball = { V = v; E = 0.0; F = f }

    /// Exactly zero; of the sign of v only where that is known.
    let inline zero (f, v: float, known: bool) : Ball =
        { V = v
          E = (if known then 0.0 else -0.0)
          F = f }

    /// Nothing is known; the value is then only a guess, and a finite one, since formulas may shift by it.
    let lost (f, v) : Ball =
        { V = (if Double.IsFinite v then v else 0.0)
          E = infinity
          F = f }

    /// The result v with the error e, both finite or not: overflow of the format is looked after here.
    let ranged (f, v: float, e: float) : Ball =
        let magnitude = Math.Abs v

        if f = 2 then
            if magnitude + e <= Double.MaxValue then
                { V = v; E = e; F = f }
            else
                lost (f, v)
        elif magnitude + e < max32 then
            { V = v; E = e; F = f }
        elif magnitude <= max32 && e = 0.0 then
            { V = v; E = e; F = f }
        elif magnitude - e >= overflow32 then
            exactly (f, Math.CopySign(infinity, v))
        else
            lost (f, v)

    /// rnd(v, p) = p + u (|v| + p) + eta, with `relative` in u's place.
    let inline rounded (f, v: float, p: float, relative: float) : Ball = ranged (f, v, p * own + relative * (Math.Abs v + p) + minNormal f)

    /// Moved without rounding: p alone, unless the result may be below the normal numbers.
    let scaled (f, v: float, p: float) : Ball =
        let e = p * own

        if (v = 0.0 && p = 0.0) || Math.Abs v - e >= minNormal f then
            ranged (f, v, e)
        else
            ranged (f, v, e + minNormal f)

    /// A constant as the format it meets holds it.
    let enter (f, a: Ball) : Ball =
        if a.F <> 0 then
            { a with F = f }
        elif a.E = 0.0 && (f = 2 || isSingle a.V || Double.IsNaN a.V) then
            { a with F = f }
        elif f = 2 then
            ranged (f, a.V, a.E * unit64 * own)
        else
            let own = if isSingle a.V then 0.0 else Math.Abs a.V
            ranged (f, a.V, (a.E + own) * unit32 + minNormal32)

    let inline inFormat (f, a: Ball) : Ball = if a.F = f then a else enter (f, a)

    /// What constants give: the bound as float32 would have it, in units of the rounding. Beyond float32's range it is float64's
    /// matter alone, and what is unknown stays so.
    let ofConstants (value: float, inSingle: Ball, unknown: bool) : Ball =
        let units = inSingle.E / u32

        { V = value
          E =
            (if unknown then infinity
             elif units < infinity && not (Double.IsInfinity value) then units
             else 0.0)
          F = 0 }

    let inline formatOf (a: Ball, b: Ball) = if a.F > b.F then a.F else b.F

    /// The format of the result of several.
    let formatOfAll (balls: ReadOnlySpan<Ball>) =
        let mutable f = 0

        for i in 0 .. balls.Length - 1 do
            if balls[i].F > f then f <- balls[i].F

        f

    let inline isNaN (a: Ball) = Double.IsNaN a.V && a.E = 0.0

    /// Whether all engines have one sign.
    let inline hasSign (a: Ball) = Math.Abs a.V > a.E || (a.E = 0.0 && not (Double.IsNegative a.E))

    /// Whether it is a product that a fused addition would not see rounded to infinity.
    let inline isOverflow (a: Ball) = Double.IsInfinity a.V && Double.IsNegative a.E

    let negated (a: Ball) = { a with V = -a.V }

    let abs (a: Ball) =
        { a with
            V = Math.Abs a.V
            E = Math.Abs a.E }

    /// In another format, rounded where that is narrower.
    let cast (format, a: Ball) : Ball =
        match format with
        | Single ->
            if a.F <> 2 then
                inFormat (1, a)
            elif a.IsUnknown || not (Double.IsFinite a.V) || (a.E = 0.0 && exact 1 a.V) then
                { a with F = 1 }
            else
                rounded (1, a.V, a.E, unit32)
        | Double -> inFormat (2, a)
