namespace Verified.Spec.Numbers

open System
open Precision

/// Sums of many balls and of their products, in every order.
[<RequireQualifiedAccess>]
module internal BallSums =
    let inline private all ([<InlineIfLambda>] holds: Ball -> bool) (terms: ReadOnlySpan<Ball>) =
        let mutable i = 0

        while i < terms.Length && holds terms[i] do
            i <- i + 1

        i = terms.Length

    // Every partial sum, in any order, is a multiple of the last place of the largest possible one: nothing is rounded.
    let inline private gridOf (f, largest: float) =
        // The grid on which sums up to `largest` are exact.
        let place = if f = 2 then 51 else 22
        Math.ScaleB(1.0, Math.ILogB largest - place)

    let private sumSpecial (f, terms: ReadOnlySpan<Ball>) : Ball =
        let mutable isNaN = false
        let mutable unknown = false
        let mutable up = false
        let mutable down = false
        let mutable rest = 0.0

        for t in terms do
            let t = Ball.inFormat (f, t)

            if Ball.isNaN t then isNaN <- true
            elif t.IsUnknown then unknown <- true
            elif t.V = infinity then up <- true
            elif t.V = -infinity then down <- true
            else rest <- rest + Math.Abs t.V + t.E

        let max = if f = 2 then Double.MaxValue else max32

        if isNaN then Ball.exactly (f, nan)
        elif unknown || (rest >= max && not (up && down)) then Ball.lost (f, nan)
        elif up && down then Ball.exactly (f, nan)
        elif up then Ball.exactly (f, infinity)
        else Ball.exactly (f, -infinity)

    // The end of a sum: n terms that are not certainly zero, their sum, magnitudes (with their errors), errors, and gamma's count.
    let private summed (f, v: float, magnitude: float, propagated: float, n: int, eta: float) : Ball =
        let e =
            propagated * own
            + gamma f n * magnitude
            + eta * minNormal f
            + Math.Abs v * Math.ScaleB(1.0, -50) * (if f = 2 then 0.0 else 1.0)

        let max = if f = 2 then Double.MaxValue else max32

        if magnitude < max then
            Ball.ranged (f, v, e)
        elif f = 1 && Math.Abs v - e >= overflow32 && magnitude - Math.Abs v + e < max32 then
            // What is of the other sign cannot overflow: each order ends beyond the format.
            Ball.exactly (f, Math.CopySign(infinity, v))
        else
            Ball.lost (f, v)

    // A sum of one term that is not certainly zero: added to zeros, a subnormal number may be flushed.
    let private alone (f, t: Ball) : Ball =
        if f = 0 || t.IsUnknown || not (Double.IsFinite t.V) || t.V = 0.0 && t.E = 0.0 then
            t
        else
            Ball.scaled (f, t.V, t.E)

    let private onGrid (f, terms: ReadOnlySpan<Ball>, magnitude: float) =
        let grid = gridOf (f, magnitude)
        let mutable on = magnitude > 0.0 && grid >= minNormal f && magnitude < (if f = 2 then Double.MaxValue else max32)
        let mutable i = 0

        while on && i < terms.Length do
            let multiple = terms[i].V / grid
            on <- multiple = Math.Floor multiple
            i <- i + 1

        on

    let private sumIn (f, terms: ReadOnlySpan<Ball>) : Ball =
        let mutable v = 0.0
        let mutable magnitude = 0.0
        let mutable error = 0.0
        let mutable n = 0
        let mutable last = 0

        for i in 0 .. terms.Length - 1 do
            let t = Ball.inFormat (f, terms[i])

            if t.V <> 0.0 || t.E <> 0.0 then
                v <- v + t.V
                magnitude <- magnitude + Math.Abs t.V
                error <- error + t.E
                n <- n + 1
                last <- i

        if not (magnitude + error < infinity) then
            if all (fun t -> Double.IsFinite t.V && not t.IsUnknown) terms then
                Ball.lost (f, v)
            else
                sumSpecial (f, terms)
        elif n = 0 then
            let plus = all (fun t -> not (t.IsEitherZero || Double.IsNegative t.V)) terms
            Ball.zero (f, 0.0, plus)
        elif n = 1 then
            alone (f, Ball.inFormat (f, terms[last]))
        elif error = 0.0 && onGrid (f, terms, magnitude) then
            Ball.exactly (f, v)
        else
            summed (f, v, magnitude + error, error, n - 1, float n)

    let private productsOnGrid (f, a: ReadOnlySpan<Ball>, b: ReadOnlySpan<Ball>, magnitude: float) =
        let grid = gridOf (f, magnitude)
        let mutable on = magnitude > 0.0 && grid >= minNormal f && magnitude < (if f = 2 then Double.MaxValue else max32)
        let mutable i = 0

        while on && i < a.Length do
            let x, y = a[i].V, b[i].V
            let product = x * y

            let multiple = product / grid

            on <- multiple = Math.Floor multiple && (f <> 2 || Math.FusedMultiplyAdd(x, y, -product) = 0.0)

            i <- i + 1

        on

    let private dotIn (f, a: ReadOnlySpan<Ball>, b: ReadOnlySpan<Ball>) : Ball =
        let mutable v = 0.0
        let mutable magnitude = 0.0
        let mutable error = 0.0
        let mutable n = 0
        let mutable finite = true

        for i in 0 .. a.Length - 1 do
            let x = Ball.inFormat (f, a[i])
            let y = Ball.inFormat (f, b[i])

            if not (Math.Abs x.V + x.E < infinity && Math.Abs y.V + y.E < infinity) then
                finite <- false
            elif not ((x.V = 0.0 && x.E = 0.0) || (y.V = 0.0 && y.E = 0.0)) then
                let product = Math.Abs(x.V * y.V)
                v <- v + x.V * y.V
                magnitude <- magnitude + product
                error <- error + (Math.Abs x.V * y.E + Math.Abs y.V * x.E + x.E * y.E)
                n <- n + 1

        if not (finite && magnitude + error < infinity) then
            // Product by product: infinities, NaN and what is unknown keep their classes. A product that overflows is nothing
            // certain: fused, it is never rounded.
            let products = Array.zeroCreate a.Length

            for i in 0 .. a.Length - 1 do
                let p = BallArithmetic.mulIn (f, Ball.inFormat (f, a[i]), Ball.inFormat (f, b[i]))

                products[i] <-
                    if Double.IsInfinity p.V && Double.IsFinite a[i].V && Double.IsFinite b[i].V then
                        Ball.lost (f, p.V)
                    else
                        p

            sumIn (f, ReadOnlySpan products)
        elif n = 0 then
            let mutable plus = true

            for i in 0 .. a.Length - 1 do
                plus <- plus && Ball.hasSign a[i] && Ball.hasSign b[i] && not (Double.IsNegative(a[i].V * b[i].V))

            Ball.zero (f, 0.0, plus)
        elif error = 0.0 && productsOnGrid (f, a, b, magnitude) then
            Ball.exactly (f, v)
        else
            summed (f, v, magnitude + error, error, n, 2.0 * float n)

    let sum (terms: ReadOnlySpan<Ball>) : Ball =
        let f = Ball.formatOfAll terms

        if terms.Length = 1 then
            // 0 + (-0) is +0 where a sum starts from zero.
            if terms[0].V = 0.0 && terms[0].E = 0.0 && Double.IsNegative terms[0].V then
                Ball.zero (f, terms[0].V, false)
            else
                alone (f, terms[0])
        elif f <> 0 then
            sumIn (f, terms)
        else
            // Constants are few and plain: one after the other.
            let mutable sum = Ball.constant 0.0

            for i in 0 .. terms.Length - 1 do
                sum <- if i = 0 then terms[0] else BallArithmetic.add (sum, terms[i])

            sum

    /// The sum of a's elements times b's.
    let dot (a: ReadOnlySpan<Ball>, b: ReadOnlySpan<Ball>) : Ball =
        let f = max (Ball.formatOfAll a) (Ball.formatOfAll b)

        if f <> 0 then
            dotIn (f, a, b)
        else
            let mutable sum = Ball.constant 0.0

            for i in 0 .. a.Length - 1 do
                let product = BallArithmetic.mul (a[i], b[i])
                sum <- if i = 0 then product else BallArithmetic.add (sum, product)

            sum
