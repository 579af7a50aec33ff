namespace Verified.Spec.Numbers

open System
open Verified.Spec
open Precision

/// A value in float64 and a bound on how far any honest engine may be from it: e >= |engine - v| for every order of summation,
/// fused or not, in the format of each operation's result.
///
/// - E = 0: every engine has exactly V (which may be infinite, or NaN). A zero whose sign engines may differ in has E = -0.0; so has
///   an infinity that is a product too large for its format, since one fused with an addition may still come out finite.
/// - E finite: V is finite.
/// - E infinite: nothing is known.
///
/// A constant has no format yet (F = 0); its E counts units of the rounding of the format it will meet.
[<Struct; CustomEquality; NoComparison>]
type Bounded =
    { V: float
      E: float
      F: int }

    override a.Equals other =
        match other with
        | :? Bounded as b -> a.V.Equals b.V && a.E.Equals b.E && a.F = b.F
        | _ -> false

    override a.GetHashCode() = HashCode.Combine(a.V, a.E, a.F)

    /// Whether nothing is known of it.
    member a.IsUnknown = not (a.E < infinity)

    /// A number of a format with a known bound (for tests, and for intermediate values that come from outside).
    static member Of(format: Format, value: float, bound: float) : Bounded =
        { V = value
          E = bound
          F =
            (match format with
             | Single -> single
             | Double -> double) }

    static member inline private Exact(f, v) : Bounded = { V = v; E = 0.0; F = f }
    /// Whether it is a zero of which engines may have either.
    member a.IsEitherZero = a.V = 0.0 && a.E = 0.0 && Double.IsNegative a.E

    // Exactly zero; of the sign of v only where that is known.
    static member inline private Zero(f, v: float, known: bool) : Bounded =
        { V = v
          E = (if known then 0.0 else -0.0)
          F = f }

    // Nothing is known; the value is then only a guess, and a finite one, since formulas may shift by it.
    static member private Lost(f, v) : Bounded =
        { V = (if Double.IsFinite v then v else 0.0)
          E = infinity
          F = f }

    // The result v with the error e, both finite or not: overflow of the format is looked after here.
    static member private Ranged(f, v: float, e: float) : Bounded =
        let magnitude = Math.Abs v

        if f = 2 then
            if magnitude + e <= Double.MaxValue then
                { V = v; E = e; F = f }
            else
                Bounded.Lost(f, v)
        elif magnitude + e < max32 then
            { V = v; E = e; F = f }
        elif magnitude <= max32 && e = 0.0 then
            { V = v; E = e; F = f }
        elif magnitude - e >= overflow32 then
            Bounded.Exact(f, Math.CopySign(infinity, v))
        else
            Bounded.Lost(f, v)

    // rnd(v, p) = p + u (|v| + p) + eta, with `relative` in u's place.
    static member inline private Rounded(f, v: float, p: float, relative: float) : Bounded =
        Bounded.Ranged(f, v, p * own + relative * (Math.Abs v + p) + minNormal f)

    // Moved without rounding: p alone, unless the result may be below the normal numbers.
    static member private Scaled(f, v: float, p: float) : Bounded =
        let e = p * own

        if (v = 0.0 && p = 0.0) || Math.Abs v - e >= minNormal f then
            Bounded.Ranged(f, v, e)
        else
            Bounded.Ranged(f, v, e + minNormal f)

    // A constant as the format it meets holds it.
    static member private Enter(f, a: Bounded) : Bounded =
        if a.F <> 0 then
            { a with F = f }
        elif a.E = 0.0 && (f = 2 || isSingle a.V || Double.IsNaN a.V) then
            { a with F = f }
        elif f = 2 then
            Bounded.Ranged(f, a.V, a.E * unit64 * own)
        else
            let own = if isSingle a.V then 0.0 else Math.Abs a.V
            Bounded.Ranged(f, a.V, (a.E + own) * unit32 + minNormal32)

    static member inline private In(f, a: Bounded) : Bounded = if a.F = f then a else Bounded.Enter(f, a)

    // What constants give: the bound as float32 would have it, in units of the rounding. Beyond float32's range it is float64's
    // matter alone, and what is unknown stays so.
    static member private OfConstants(value: float, inSingle: Bounded, unknown: bool) : Bounded =
        let units = inSingle.E / u32

        { V = value
          E =
            (if unknown then infinity
             elif units < infinity && not (Double.IsInfinity value) then units
             else 0.0)
          F = 0 }

    static member inline private Format(a: Bounded, b: Bounded) = if a.F > b.F then a.F else b.F

    static member inline private IsNaN(a: Bounded) = Double.IsNaN a.V && a.E = 0.0

    // Whether all engines have one sign.
    static member inline private HasSign(a: Bounded) = Math.Abs a.V > a.E || (a.E = 0.0 && not (Double.IsNegative a.E))

    // Whether it is a product that a fused addition would not see rounded to infinity.
    static member inline private IsOverflow(a: Bounded) = Double.IsInfinity a.V && Double.IsNegative a.E

    // ---- addition ----

    // One of the two is not finite, or is unknown.
    static member private AddSpecial(f, a: Bounded, b: Bounded) : Bounded =
        let v = a.V + b.V

        if Bounded.IsNaN a || Bounded.IsNaN b then
            Bounded.Exact(f, nan)
        elif a.IsUnknown || b.IsUnknown then
            Bounded.Lost(f, v)
        elif Double.IsFinite a.V && Double.IsFinite b.V then
            if a.E = 0.0 && b.E = 0.0 then Bounded.Exact(f, v) else Bounded.Lost(f, v)
        elif (Bounded.IsOverflow a || Bounded.IsOverflow b) && a.V <> b.V then
            Bounded.Lost(f, v)
        else
            Bounded.Exact(f, v)

    static member private AddIn(f, a: Bounded, b: Bounded) : Bounded =
        let v = a.V + b.V
        let p = a.E + b.E

        if not (p < infinity && Double.IsFinite v) then
            Bounded.AddSpecial(f, a, b)
        elif a.V = 0.0 && b.V = 0.0 && p = 0.0 then
            // +0 wins over either.
            let plus (x: Bounded) = not (x.IsEitherZero || Double.IsNegative x.V)
            Bounded.Zero(f, v, plus a || plus b || not (a.IsEitherZero || b.IsEitherZero))
        elif p = 0.0 then
            // Exact where the format holds the sum; in float64 also the sum itself must be free of rounding.
            if exact f v && (f <> 2 || (v - a.V = b.V && v - b.V = a.V)) then
                Bounded.Exact(f, v)
            else
                Bounded.Rounded(f, v, 0.0, unit f)
        elif (a.V = 0.0 && a.E = 0.0) || (b.V = 0.0 && b.E = 0.0) then
            Bounded.Scaled(f, v, p)
        else
            Bounded.Rounded(f, v, p, unit f)

    static member private Plus(a: Bounded, b: Bounded) : Bounded =
        let f = Bounded.Format(a, b)

        if f = 0 then
            Bounded.OfConstants(a.V + b.V, Bounded.AddIn(1, Bounded.Enter(1, a), Bounded.Enter(1, b)), a.IsUnknown || b.IsUnknown)
        else
            Bounded.AddIn(f, Bounded.In(f, a), Bounded.In(f, b))

    // ---- multiplication ----

    static member private MulSpecial(f, a: Bounded, b: Bounded) : Bounded =
        let v = a.V * b.V

        if Bounded.IsNaN a || Bounded.IsNaN b then
            Bounded.Exact(f, nan)
        elif a.IsUnknown || b.IsUnknown then
            Bounded.Lost(f, v)
        elif Double.IsInfinity a.V || Double.IsInfinity b.V then
            let other: Bounded = if Double.IsInfinity a.V then b else a

            // An infinity times zero is NaN; times what may be zero or of either sign, unknown.
            if other.E = 0.0 || Math.Abs other.V > other.E then
                Bounded.Exact(f, v)
            else
                Bounded.Lost(f, v)
        elif a.E = 0.0 && b.E = 0.0 then
            Bounded.Exact(f, v)
        else
            Bounded.Lost(f, v)

    static member private MulIn(f, a: Bounded, b: Bounded) : Bounded =
        let product = Bounded.RoundedProduct(f, a, b)

        if Double.IsInfinity product.V && Double.IsFinite a.V && Double.IsFinite b.V then
            { product with E = -0.0 }
        else
            product

    static member private RoundedProduct(f, a: Bounded, b: Bounded) : Bounded =
        let v = a.V * b.V
        let p = Math.Abs a.V * b.E + Math.Abs b.V * a.E + a.E * b.E

        if not (p < infinity && Double.IsFinite v) then
            Bounded.MulSpecial(f, a, b)
        elif (a.V = 0.0 && a.E = 0.0) || (b.V = 0.0 && b.E = 0.0) then
            Bounded.Zero(f, v, Bounded.HasSign a && Bounded.HasSign b)
        elif p = 0.0 && a.E = 0.0 && b.E = 0.0 then
            if exact f v && v <> 0.0 && (f <> 2 || (Math.Abs v > 1e-290 && Math.FusedMultiplyAdd(a.V, b.V, -v) = 0.0)) then
                Bounded.Exact(f, v)
            else
                Bounded.Rounded(f, v, 0.0, unit f)
        elif (a.E = 0.0 && isPowerOfTwo a.V) || (b.E = 0.0 && isPowerOfTwo b.V) then
            Bounded.Scaled(f, v, p)
        else
            Bounded.Rounded(f, v, p, unit f)

    static member private Times(a: Bounded, b: Bounded) : Bounded =
        let f = Bounded.Format(a, b)

        if f = 0 then
            Bounded.OfConstants(a.V * b.V, Bounded.MulIn(1, Bounded.Enter(1, a), Bounded.Enter(1, b)), a.IsUnknown || b.IsUnknown)
        else
            Bounded.MulIn(f, Bounded.In(f, a), Bounded.In(f, b))

    // ---- division ----

    static member private DivIn(f, a: Bounded, b: Bounded) : Bounded =
        let v = a.V / b.V

        if Bounded.IsNaN a || Bounded.IsNaN b then
            Bounded.Exact(f, nan)
        elif a.IsUnknown || b.IsUnknown then
            Bounded.Lost(f, v)
        elif b.V = 0.0 && b.E = 0.0 then
            // x / 0: an infinity where x is certainly not zero; 0 / 0 is NaN.
            if a.V = 0.0 && a.E = 0.0 then Bounded.Exact(f, nan)
            elif Math.Abs a.V > a.E && not b.IsEitherZero then Bounded.Exact(f, v)
            else Bounded.Lost(f, v)
        elif Double.IsInfinity b.V then
            if Double.IsInfinity a.V then
                Bounded.Exact(f, v)
            else
                Bounded.Zero(f, v, Bounded.HasSign a)
        else
            let room = Math.Abs b.V - b.E

            if not (room > 0.0) then
                Bounded.Lost(f, v)
            elif Double.IsInfinity a.V then
                Bounded.Exact(f, v)
            elif a.V = 0.0 && a.E = 0.0 then
                Bounded.Zero(f, v, Bounded.HasSign a)
            elif Double.IsInfinity v then
                if a.E = 0.0 && b.E = 0.0 then Bounded.Exact(f, v) else Bounded.Lost(f, v)
            elif a.E = 0.0 && b.E = 0.0 then
                if exact f v && v <> 0.0 && Math.FusedMultiplyAdd(v, b.V, -a.V) = 0.0 && (f <> 2 || Math.Abs a.V > 1e-290) then
                    Bounded.Exact(f, v)
                else
                    Bounded.Rounded(f, v, 0.0, unit f)
            else
                let p = (a.E + Math.Abs v * b.E) / room

                if b.E = 0.0 && isPowerOfTwo b.V then
                    Bounded.Scaled(f, v, p)
                else
                    Bounded.Rounded(f, v, p, unit f)

    // ---- elementary functions ----

    /// How far f may move over [x - e, x + e], from f(x) = v; infinite where that reaches out of the domain.
    static member private Spread(f: Elementary, x: float, e: float, v: float) : float =
        match f with
        | Elementary.Exp -> v * Elementary64.expm1 e
        | Elementary.Expm1 -> (v + 1.0) * Elementary64.expm1 e
        | Elementary.Log -> if x > e then e / (x - e) else infinity
        | Elementary.Log1p -> if 1.0 + x > e then e / (1.0 + x - e) else infinity
        | Elementary.Sqrt -> if x >= e then e / (v + Math.Sqrt(x - e)) else infinity
        | Elementary.Rsqrt ->
            if x > e then
                let low, mid = Math.Sqrt(x - e), Math.Sqrt x
                e / ((low + mid) * low * mid)
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
    static member private IsExactAt(f: Elementary, x: float) =
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
    static member private IsOutside(f: Elementary, x: float, e: float) =
        match f with
        | Elementary.Log
        | Elementary.Sqrt
        | Elementary.Rsqrt -> x + e < 0.0
        | Elementary.Log1p -> x + e < -1.0
        | _ -> false

    static member private ApplyIn(form, f: Elementary, a: Bounded) : Bounded =
        let v = Elementary64.apply f a.V

        if a.E = 0.0 && (not (Double.IsFinite a.V) || Bounded.IsExactAt(f, a.V)) then
            if v = 0.0 then
                Bounded.Zero(form, v, Bounded.HasSign a)
            else
                Bounded.Exact(form, v)
        elif a.IsEitherZero && f = Elementary.Rsqrt then
            Bounded.Lost(form, v)
        elif a.IsUnknown then
            Bounded.Lost(form, v)
        elif Bounded.IsOutside(f, a.V, a.E) then
            Bounded.Exact(form, nan)
        elif Double.IsInfinity v then
            // A pole met exactly, or the exponential's overflow.
            if a.E = 0.0 || (form = 1 && a.V - a.E > 90.0) || a.V - a.E > 710.0 then
                Bounded.Exact(form, v)
            else
                Bounded.Lost(form, v)
        else
            let p = if a.E = 0.0 then 0.0 else Bounded.Spread(f, a.V, a.E, v)
            let ulp = Allowance.Of f
            let u = if form = 2 then u64 else u32
            Bounded.Rounded(form, v, p, unit form + 2.0 * u * ulp + ownElementary)

    static member private PowIn(f, a: Bounded, b: Bounded) : Bounded =
        let v = Math.Pow(a.V, b.V)
        let ulp = Allowance.Current[Allowance.Power]
        let u = if f = 2 then u64 else u32
        let relative = unit f + 2.0 * u * ulp + ownElementary

        if (b.V = 0.0 && b.E = 0.0) || (a.V = 1.0 && a.E = 0.0) then
            Bounded.Exact(f, 1.0)
        elif b.V = 1.0 && b.E = 0.0 then
            if a.IsUnknown || not (Double.IsFinite a.V) || a.IsEitherZero then
                { a with F = f }
            else
                Bounded.Scaled(f, a.V, a.E)
        elif a.IsUnknown || b.IsUnknown then
            Bounded.Lost(f, v)
        elif a.IsEitherZero && b.E = 0.0 then
            if v = 0.0 then Bounded.Zero(f, v, false) else Bounded.Lost(f, v)
        elif a.E = 0.0 && b.E = 0.0 then
            if not (Double.IsFinite v) || a.V = 0.0 || not (Double.IsFinite a.V) || not (Double.IsFinite b.V) then
                Bounded.Exact(f, v)
            else
                Bounded.Rounded(f, v, 0.0, relative)
        elif not (Double.IsFinite a.V && Double.IsFinite b.V && Double.IsFinite v) then
            Bounded.Lost(f, v)
        elif a.E >= Math.Abs a.V then
            // The base may be zero: only a whole positive power stays bounded.
            if b.E = 0.0 && b.V > 0.0 && b.V = Math.Floor b.V then
                Bounded.Rounded(f, v, Math.Abs v + Math.Pow(Math.Abs a.V + a.E, b.V), relative)
            else
                Bounded.Lost(f, v)
        elif a.V < 0.0 && b.E > 0.0 then
            Bounded.Lost(f, v)
        else
            // log of the power moves by at most -log(1 - r) (|y| + ey) + ey |log x|, where r = ex / |x|.
            let stretch = -Elementary64.log1p(-a.E / Math.Abs a.V) * (Math.Abs b.V + b.E)
            let tilt = if b.E = 0.0 then 0.0 else b.E * Math.Abs(Math.Log a.V)
            Bounded.Rounded(f, v, Math.Abs v * Elementary64.expm1 (stretch + tilt), relative)

    // ---- sums ----

    // Every partial sum, in any order, is a multiple of the last place of the largest possible one: nothing is rounded.
    static member inline private Grid(f, largest: float) =
        // The grid on which sums up to `largest` are exact.
        let place = if f = 2 then 51 else 22
        Math.ScaleB(1.0, Math.ILogB largest - place)

    static member private SumSpecial(f, terms: ReadOnlySpan<Bounded>) : Bounded =
        let mutable isNaN = false
        let mutable unknown = false
        let mutable up = false
        let mutable down = false
        let mutable rest = 0.0

        for t in terms do
            let t = Bounded.In(f, t)

            if Bounded.IsNaN t then isNaN <- true
            elif t.IsUnknown then unknown <- true
            elif t.V = infinity then up <- true
            elif t.V = -infinity then down <- true
            else rest <- rest + Math.Abs t.V + t.E

        let max = if f = 2 then Double.MaxValue else max32

        if isNaN then Bounded.Exact(f, nan)
        elif unknown || (rest >= max && not (up && down)) then Bounded.Lost(f, nan)
        elif up && down then Bounded.Exact(f, nan)
        elif up then Bounded.Exact(f, infinity)
        else Bounded.Exact(f, -infinity)

    // The end of a sum: n terms that are not certainly zero, their sum, magnitudes (with their errors), errors, and gamma's count.
    static member private Summed(f, v: float, magnitude: float, propagated: float, n: int, eta: float) : Bounded =
        let e =
            propagated * own
            + gamma f n * magnitude
            + eta * minNormal f
            + Math.Abs v * Math.ScaleB(1.0, -50) * (if f = 2 then 0.0 else 1.0)

        let max = if f = 2 then Double.MaxValue else max32

        if magnitude < max then
            Bounded.Ranged(f, v, e)
        elif f = 1 && Math.Abs v - e >= overflow32 && magnitude - Math.Abs v + e < max32 then
            // What is of the other sign cannot overflow: each order ends beyond the format.
            Bounded.Exact(f, Math.CopySign(infinity, v))
        else
            Bounded.Lost(f, v)

    static member private SumIn(f, terms: Bounded[]) : Bounded =
        let mutable v = 0.0
        let mutable magnitude = 0.0
        let mutable error = 0.0
        let mutable n = 0
        let mutable last = 0

        for i in 0 .. terms.Length - 1 do
            let t = Bounded.In(f, terms[i])

            if t.V <> 0.0 || t.E <> 0.0 then
                v <- v + t.V
                magnitude <- magnitude + Math.Abs t.V
                error <- error + t.E
                n <- n + 1
                last <- i

        if not (magnitude + error < infinity) then
            if Array.forall (fun (t: Bounded) -> Double.IsFinite t.V && not t.IsUnknown) terms then
                Bounded.Lost(f, v)
            else
                Bounded.SumSpecial(f, ReadOnlySpan terms)
        elif n = 0 then
            let plus (t: Bounded) = not (t.IsEitherZero || Double.IsNegative t.V)
            Bounded.Zero(f, 0.0, Array.forall plus terms)
        elif n = 1 then
            Bounded.Alone(f, Bounded.In(f, terms[last]))
        elif error = 0.0 && Bounded.OnGrid(f, terms, magnitude) then
            Bounded.Exact(f, v)
        else
            Bounded.Summed(f, v, magnitude + error, error, n - 1, float n)

    // A sum of one term that is not certainly zero: added to zeros, a subnormal number may be flushed.
    static member private Alone(f, t: Bounded) : Bounded =
        if f = 0 || t.IsUnknown || not (Double.IsFinite t.V) || t.V = 0.0 && t.E = 0.0 then
            t
        else
            Bounded.Scaled(f, t.V, t.E)

    static member private OnGrid(f, terms: Bounded[], magnitude: float) =
        let grid = Bounded.Grid(f, magnitude)
        let mutable on = magnitude > 0.0 && grid >= minNormal f && magnitude < (if f = 2 then Double.MaxValue else max32)
        let mutable i = 0

        while on && i < terms.Length do
            let multiple = terms[i].V / grid
            on <- multiple = Math.Floor multiple
            i <- i + 1

        on

    static member private DotIn(f, a: Bounded[], b: Bounded[]) : Bounded =
        let mutable v = 0.0
        let mutable magnitude = 0.0
        let mutable error = 0.0
        let mutable n = 0
        let mutable finite = true

        for i in 0 .. a.Length - 1 do
            let x = Bounded.In(f, a[i])
            let y = Bounded.In(f, b[i])

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
            let product (x: Bounded) (y: Bounded) =
                let p = Bounded.MulIn(f, Bounded.In(f, x), Bounded.In(f, y))

                if Double.IsInfinity p.V && Double.IsFinite x.V && Double.IsFinite y.V then
                    Bounded.Lost(f, p.V)
                else
                    p

            Bounded.SumIn(f, Array.map2 product a b)
        elif n = 0 then
            let plus (x: Bounded) (y: Bounded) = Bounded.HasSign x && Bounded.HasSign y && not (Double.IsNegative(x.V * y.V))

            Bounded.Zero(f, 0.0, Array.forall2 plus a b)
        elif error = 0.0 && Bounded.ProductsOnGrid(f, a, b, magnitude) then
            Bounded.Exact(f, v)
        else
            Bounded.Summed(f, v, magnitude + error, error, n, 2.0 * float n)

    static member private ProductsOnGrid(f, a: Bounded[], b: Bounded[], magnitude: float) =
        let grid = Bounded.Grid(f, magnitude)
        let mutable on = magnitude > 0.0 && grid >= minNormal f && magnitude < (if f = 2 then Double.MaxValue else max32)
        let mutable i = 0

        while on && i < a.Length do
            let x, y = a[i].V, b[i].V
            let product = x * y

            let multiple = product / grid

            on <- multiple = Math.Floor multiple && (f <> 2 || Math.FusedMultiplyAdd(x, y, -product) = 0.0)

            i <- i + 1

        on

    // ---- comparison ----

    static member private CompareIn(a: Bounded, b: Bounded) : Comparison =
        if Bounded.IsNaN a || Bounded.IsNaN b then
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

    static member private Whole(f: float -> float, a: Bounded) : Bounded =
        if a.E = 0.0 then
            { a with V = f a.V }
        elif a.IsUnknown then
            a
        else
            let low, high = f (a.V - a.E * own), f (a.V + a.E * own)

            if low = 0.0 && high = 0.0 then
                Bounded.Zero(a.F, high, (Double.IsNegative low = Double.IsNegative high))
            elif low = high then
                Bounded.Exact(a.F, low)
            else
                Bounded.Lost(a.F, f a.V)

    interface IScalar<Bounded> with
        static member Constant c = { V = c; E = 0.0; F = 0 }

        static member Input(format, x) : Bounded =
            Bounded.Exact(
                (match format with
                 | Single -> single
                 | Double -> double),
                x
            )

        static member Cast(format, a) : Bounded =
            match format with
            | Single ->
                if a.F <> 2 then
                    Bounded.In(1, a)
                elif a.IsUnknown || not (Double.IsFinite a.V) || (a.E = 0.0 && exact 1 a.V) then
                    { a with F = 1 }
                else
                    Bounded.Rounded(1, a.V, a.E, unit32)
            | Double -> Bounded.In(2, a)

        static member Value a = a.V
        static member Add(a, b) : Bounded = Bounded.Plus(a, b)
        static member Sub(a, b) : Bounded = Bounded.Plus(a, { b with V = -b.V })

        static member Mul(a, b) : Bounded = Bounded.Times(a, b)

        static member Div(a, b) : Bounded =
            let f = Bounded.Format(a, b)

            if f = 0 then
                Bounded.OfConstants(a.V / b.V, Bounded.DivIn(1, Bounded.Enter(1, a), Bounded.Enter(1, b)), a.IsUnknown || b.IsUnknown)
            else
                Bounded.DivIn(f, Bounded.In(f, a), Bounded.In(f, b))

        static member Neg a = { a with V = -a.V }

        static member Abs a =
            { a with
                V = Math.Abs a.V
                E = Math.Abs a.E }

        static member Floor a = Bounded.Whole(Math.Floor, a)
        static member Round a = Bounded.Whole(Math.Round, a)

        static member Apply(f, a) : Bounded =
            if a.F = 0 then
                Bounded.OfConstants(Elementary64.apply f a.V, Bounded.ApplyIn(1, f, Bounded.Enter(1, a)), a.IsUnknown)
            else
                Bounded.ApplyIn(a.F, f, a)

        static member Pow(a, b) : Bounded =
            let f = Bounded.Format(a, b)

            if f = 0 then
                Bounded.OfConstants(
                    Math.Pow(a.V, b.V),
                    Bounded.PowIn(1, Bounded.Enter(1, a), Bounded.Enter(1, b)),
                    a.IsUnknown || b.IsUnknown
                )
            else
                Bounded.PowIn(f, Bounded.In(f, a), Bounded.In(f, b))

        static member Sum terms : Bounded =
            let mutable f = 0

            for t in terms do
                if t.F > f then f <- t.F

            if terms.Length = 1 then
                // 0 + (-0) is +0 where a sum starts from zero.
                if terms[0].V = 0.0 && terms[0].E = 0.0 && Double.IsNegative terms[0].V then
                    { terms[0] with E = -0.0 }
                else
                    Bounded.Alone(f, terms[0])
            elif terms.Length = 0 then
                { V = 0.0; E = 0.0; F = 0 }
            elif f = 0 then
                // Constants are few and plain: one after the other.
                Array.reduce (fun a b -> Bounded.Plus(a, b)) terms
            else
                Bounded.SumIn(f, terms)

        static member Dot(a, b) : Bounded =
            let mutable f = 0

            for i in 0 .. a.Length - 1 do
                f <- max f (max a[i].F b[i].F)

            if a.Length = 0 then
                { V = 0.0; E = 0.0; F = 0 }
            elif f = 0 then
                Array.map2 (fun (x: Bounded) (y: Bounded) -> Bounded.Times(x, y)) a b
                |> Array.reduce (fun x y -> Bounded.Plus(x, y))
            else
                Bounded.DotIn(f, a, b)

        static member Compare(a, b) =
            let f = Bounded.Format(a, b)

            if f = 0 then
                Elementary64.compare a.V b.V
            else
                Bounded.CompareIn(Bounded.In(f, a), Bounded.In(f, b))

        static member Unknown a = Bounded.Lost(a.F, a.V)

        static member Permitted formulas : Bounded =
            let mutable f = 0

            for t in formulas do
                if t.F > f then f <- t.F

            let first = Bounded.In(f, formulas[0])
            let mutable e = first.E

            for i in 1 .. formulas.Length - 1 do
                let other = Bounded.In(f, formulas[i])

                if not (first.V.Equals other.V && Double.IsFinite first.V |> not) then
                    e <- Math.Max(e, Math.Abs(other.V - first.V) * own + other.E)
                elif other.IsUnknown then
                    e <- infinity

            let signs (t: Bounded) = t.IsEitherZero || (t.V = 0.0 && Double.IsNegative t.V <> Double.IsNegative first.V)

            if e = 0.0 && first.V = 0.0 then
                Bounded.Zero(f, first.V, not (Array.exists signs formulas))
            elif e < infinity then
                { V = first.V; E = e; F = f }
            else
                Bounded.Lost(f, first.V)
