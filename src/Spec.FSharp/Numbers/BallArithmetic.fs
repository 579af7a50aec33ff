namespace Verified.Spec.Numbers

open System
open Precision

/// Sums, products and quotients of two balls.
[<RequireQualifiedAccess>]
module internal BallArithmetic =
    // One of the two is not finite, or is unknown.
    let private addSpecial (f, a: Ball, b: Ball) : Ball =
        let v = a.V + b.V

        if Ball.isNaN a || Ball.isNaN b then
            Ball.exactly (f, nan)
        elif a.IsUnknown || b.IsUnknown then
            Ball.lost (f, v)
        elif Double.IsFinite a.V && Double.IsFinite b.V then
            if a.E = 0.0 && b.E = 0.0 then Ball.exactly (f, v) else Ball.lost (f, v)
        elif (Ball.isOverflow a || Ball.isOverflow b) && a.V <> b.V then
            Ball.lost (f, v)
        else
            Ball.exactly (f, v)

    let private addIn (f, a: Ball, b: Ball) : Ball =
        let v = a.V + b.V
        let p = a.E + b.E

        if not (p < infinity && Double.IsFinite v) then
            addSpecial (f, a, b)
        elif a.V = 0.0 && b.V = 0.0 && p = 0.0 then
            // +0 wins over either.
            let plus (x: Ball) = not (x.IsEitherZero || Double.IsNegative x.V)
            Ball.zero (f, v, plus a || plus b || not (a.IsEitherZero || b.IsEitherZero))
        elif p = 0.0 then
            // Exact where the format holds the sum; in float64 also the sum itself must be free of rounding.
            if exact f v && (f <> 2 || (v - a.V = b.V && v - b.V = a.V)) then
                Ball.exactly (f, v)
            else
                Ball.rounded (f, v, 0.0, unit f)
        elif (a.V = 0.0 && a.E = 0.0) || (b.V = 0.0 && b.E = 0.0) then
            Ball.scaled (f, v, p)
        else
            Ball.rounded (f, v, p, unit f)

    let add (a: Ball, b: Ball) : Ball =
        let f = Ball.formatOf (a, b)

        if f = 0 then
            Ball.ofConstants (a.V + b.V, addIn (1, Ball.enter (1, a), Ball.enter (1, b)), a.IsUnknown || b.IsUnknown)
        else
            addIn (f, Ball.inFormat (f, a), Ball.inFormat (f, b))

    // ---- multiplication ----

    let private mulSpecial (f, a: Ball, b: Ball) : Ball =
        let v = a.V * b.V

        if Ball.isNaN a || Ball.isNaN b then
            Ball.exactly (f, nan)
        elif a.IsUnknown || b.IsUnknown then
            Ball.lost (f, v)
        elif Double.IsInfinity a.V || Double.IsInfinity b.V then
            let other: Ball = if Double.IsInfinity a.V then b else a

            // An infinity times zero is NaN; times what may be zero or of either sign, unknown.
            if other.E = 0.0 || Math.Abs other.V > other.E then
                Ball.exactly (f, v)
            else
                Ball.lost (f, v)
        elif a.E = 0.0 && b.E = 0.0 then
            Ball.exactly (f, v)
        else
            Ball.lost (f, v)

    let private roundedProduct (f, a: Ball, b: Ball) : Ball =
        let v = a.V * b.V
        let p = Math.Abs a.V * b.E + Math.Abs b.V * a.E + a.E * b.E

        if not (p < infinity && Double.IsFinite v) then
            mulSpecial (f, a, b)
        elif (a.V = 0.0 && a.E = 0.0) || (b.V = 0.0 && b.E = 0.0) then
            Ball.zero (f, v, Ball.hasSign a && Ball.hasSign b)
        elif p = 0.0 && a.E = 0.0 && b.E = 0.0 then
            if exact f v && v <> 0.0 && (f <> 2 || (Math.Abs v > 1e-290 && Math.FusedMultiplyAdd(a.V, b.V, -v) = 0.0)) then
                Ball.exactly (f, v)
            else
                Ball.rounded (f, v, 0.0, unit f)
        elif (a.E = 0.0 && isPowerOfTwo a.V) || (b.E = 0.0 && isPowerOfTwo b.V) then
            Ball.scaled (f, v, p)
        else
            Ball.rounded (f, v, p, unit f)

    let mulIn (f, a: Ball, b: Ball) : Ball =
        let product = roundedProduct (f, a, b)

        if Double.IsInfinity product.V && Double.IsFinite a.V && Double.IsFinite b.V then
            { product with E = -0.0 }
        else
            product

    let mul (a: Ball, b: Ball) : Ball =
        let f = Ball.formatOf (a, b)

        if f = 0 then
            Ball.ofConstants (a.V * b.V, mulIn (1, Ball.enter (1, a), Ball.enter (1, b)), a.IsUnknown || b.IsUnknown)
        else
            mulIn (f, Ball.inFormat (f, a), Ball.inFormat (f, b))

    // ---- division ----

    let private divIn (f, a: Ball, b: Ball) : Ball =
        let v = a.V / b.V

        if Ball.isNaN a || Ball.isNaN b then
            Ball.exactly (f, nan)
        elif a.IsUnknown || b.IsUnknown then
            Ball.lost (f, v)
        elif b.V = 0.0 && b.E = 0.0 then
            // x / 0: an infinity where x is certainly not zero; 0 / 0 is NaN.
            if a.V = 0.0 && a.E = 0.0 then Ball.exactly (f, nan)
            elif Math.Abs a.V > a.E && not b.IsEitherZero then Ball.exactly (f, v)
            else Ball.lost (f, v)
        elif Double.IsInfinity b.V then
            if Double.IsInfinity a.V then
                Ball.exactly (f, v)
            else
                Ball.zero (f, v, Ball.hasSign a)
        else
            let room = Math.Abs b.V - b.E

            if not (room > 0.0) then
                Ball.lost (f, v)
            elif Double.IsInfinity a.V then
                Ball.exactly (f, v)
            elif a.V = 0.0 && a.E = 0.0 then
                Ball.zero (f, v, Ball.hasSign a)
            elif Double.IsInfinity v then
                if a.E = 0.0 && b.E = 0.0 then Ball.exactly (f, v) else Ball.lost (f, v)
            elif a.E = 0.0 && b.E = 0.0 then
                if exact f v && v <> 0.0 && Math.FusedMultiplyAdd(v, b.V, -a.V) = 0.0 && (f <> 2 || Math.Abs a.V > 1e-290) then
                    Ball.exactly (f, v)
                else
                    Ball.rounded (f, v, 0.0, unit f)
            else
                // The product |v| ey by itself may underflow.
                let p = a.E / room + Math.Abs v * (b.E / room)

                if b.E = 0.0 && isPowerOfTwo b.V then
                    Ball.scaled (f, v, p)
                else
                    Ball.rounded (f, v, p, unit f)

    let div (a: Ball, b: Ball) : Ball =
        let f = Ball.formatOf (a, b)

        if f = 0 then
            Ball.ofConstants (a.V / b.V, divIn (1, Ball.enter (1, a), Ball.enter (1, b)), a.IsUnknown || b.IsUnknown)
        else
            divIn (f, Ball.inFormat (f, a), Ball.inFormat (f, b))
