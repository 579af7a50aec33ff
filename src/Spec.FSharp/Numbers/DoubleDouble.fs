namespace Verified.Spec.Numbers

open System
open Verified.Spec

/// A number as the unevaluated sum of two float64: about 31 decimal digits. The witness where float64 itself is in question.
/// Its elementary functions are good to about 1e-28 relative; sine and cosine for arguments up to 1e9.
[<Struct; CustomEquality; NoComparison>]
type DoubleDouble =
    { Hi: float
      Lo: float }

    override a.Equals other =
        match other with
        | :? DoubleDouble as b -> a.Hi.Equals b.Hi && a.Lo.Equals b.Lo
        | _ -> false

    override a.GetHashCode() = HashCode.Combine(a.Hi, a.Lo)

    /// A float64, exactly.
    static member Of(x: float) : DoubleDouble = { Hi = x; Lo = 0.0 }

    // a + b with |a| >= |b|, or of any two; Dekker and Knuth. What is not finite has no low part.
    static member private Quick(a: float, b: float) : DoubleDouble =
        let s = a + b
        if Double.IsFinite s then { Hi = s; Lo = b - (s - a) } else DoubleDouble.Of s

    static member private Sum2(a: float, b: float) : DoubleDouble =
        let s = a + b

        if Double.IsFinite s then
            let t = s - a
            { Hi = s; Lo = (a - (s - t)) + (b - t) }
        else
            DoubleDouble.Of s

    static member (+)(a: DoubleDouble, b: DoubleDouble) : DoubleDouble =
        let s = DoubleDouble.Sum2(a.Hi, b.Hi)
        let t = DoubleDouble.Sum2(a.Lo, b.Lo)
        let u = DoubleDouble.Quick(s.Hi, s.Lo + t.Hi)
        DoubleDouble.Quick(u.Hi, u.Lo + t.Lo)

    static member (~-)(a: DoubleDouble) : DoubleDouble = { Hi = -a.Hi; Lo = -a.Lo }
    static member (-)(a: DoubleDouble, b: DoubleDouble) : DoubleDouble = a + -b

    static member (*)(a: DoubleDouble, b: DoubleDouble) : DoubleDouble =
        let p = a.Hi * b.Hi

        if Double.IsFinite p then
            DoubleDouble.Quick(p, Math.FusedMultiplyAdd(a.Hi, b.Hi, -p) + (a.Hi * b.Lo + a.Lo * b.Hi))
        else
            DoubleDouble.Of p

    static member (/)(a: DoubleDouble, b: DoubleDouble) : DoubleDouble =
        let q = a.Hi / b.Hi

        if Double.IsFinite q && Double.IsFinite b.Hi then
            let r = a - DoubleDouble.Of q * b
            let q2 = r.Hi / b.Hi
            let r2 = r - DoubleDouble.Of q2 * b
            DoubleDouble.Quick(q, q2) + DoubleDouble.Of(r2.Hi / b.Hi)
        else
            DoubleDouble.Of q

    /// Times a power of two, exactly.
    member a.Scaled(k: int) : DoubleDouble =
        { Hi = Math.ScaleB(a.Hi, k)
          Lo = Math.ScaleB(a.Lo, k) }

/// Elementary functions of double-double numbers: a reduction of the argument, then a series or one step of Newton's.
[<RequireQualifiedAccess>]
module DoubleDouble =
    let private dd = DoubleDouble.Of
    let private one = dd 1.0

    let private ln2 =
        { Hi = 0.6931471805599453
          Lo = 2.3190468138462996e-17 }

    // pi/2 in three parts, for the reduction of large arguments.
    let private halfPi1, halfPi2, halfPi3 = 1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33

    let private pi =
        { Hi = 3.141592653589793
          Lo = 1.2246467991473532e-16 }

    let sqrt (a: DoubleDouble) =
        if a.Hi <= 0.0 || not (Double.IsFinite a.Hi) then
            dd (Math.Sqrt a.Hi)
        else
            let refine (s: DoubleDouble) = (s + a / s).Scaled -1
            refine (refine (dd (Math.Sqrt a.Hi)))

    // expm1 of a small argument: Taylor at x / 2^9, then nine doublings s <- 2 s + s^2.
    let private expm1Reduced (x: DoubleDouble) =
        let r = x.Scaled -9
        let mutable term = r
        let mutable total = r
        let mutable k = 1

        while Math.Abs term.Hi > Math.Abs total.Hi * 1e-34 do
            k <- k + 1
            term <- term * r / dd (float k)
            total <- total + term

        for _ in 1..9 do
            total <- total.Scaled 1 + total * total

        total

    let exp (x: DoubleDouble) =
        if x.Hi > 709.7 || x.Hi < -708.0 || Double.IsNaN x.Hi then
            dd (Math.Exp x.Hi)
        else
            let k = Math.Round(x.Hi / ln2.Hi)
            (one + expm1Reduced (x - dd k * ln2)).Scaled(int k)

    let expm1 (x: DoubleDouble) =
        if x.Hi = 0.0 then x
        elif Math.Abs x.Hi < 0.5 then expm1Reduced x
        else exp x - one

    // Newton on expm1 y = z.
    let private log1pNear (z: DoubleDouble) =
        if z.Hi = 0.0 then
            z
        else
            let y = dd (Elementary64.log1p z.Hi)
            let e = expm1 y
            y + (z - e) / (one + e)

    let log (x: DoubleDouble) =
        if x.Hi <= 0.0 || not (Double.IsFinite x.Hi) then
            dd (Math.Log x.Hi)
        elif x.Hi > 0.7 && x.Hi < 1.4 then
            log1pNear (x - one)
        else
            let k = Math.ILogB x.Hi
            let m = x.Scaled -k
            // Of m and m/2, the one nearer to 1.
            let k, m = if m.Hi > 1.4 then k + 1, m.Scaled -1 else k, m
            dd (float k) * ln2 + log1pNear (m - one)

    let log1p (x: DoubleDouble) = if Math.Abs x.Hi < 0.4 then log1pNear x else log (one + x)

    // sin (cosine = false) or cos of |r| <= pi/4, by Taylor.
    let private series cosine (r: DoubleDouble) =
        let square = r * r
        let mutable term = if cosine then one else r
        let mutable total = term
        let mutable k = if cosine then 0 else 1

        while Math.Abs term.Hi > Math.Abs total.Hi * 1e-34 do
            term <- -(term * square) / dd (float ((k + 1) * (k + 2)))
            total <- total + term
            k <- k + 2

        total

    let private turned quarter (x: DoubleDouble) =
        if not (Math.Abs x.Hi < 1e9) then
            dd (if quarter = 1 then Math.Cos x.Hi else Math.Sin x.Hi)
        else
            let n = Math.Round(x.Hi / halfPi1)
            let r = x - dd n * dd halfPi1 - dd n * dd halfPi2 - dd (n * halfPi3)

            match (int (n % 4.0) + 4 + quarter) % 4 with
            | 0 -> series false r
            | 1 -> series true r
            | 2 -> -(series false r)
            | _ -> -(series true r)

    let sin (x: DoubleDouble) = if x.Hi = 0.0 then x else turned 0 x
    let cos (x: DoubleDouble) = turned 1 x

    let tanh (x: DoubleDouble) =
        if x.Hi < 0.0 then
            let e = expm1 ((-x).Scaled 1)
            if x.Hi < -40.0 then dd -1.0 else -(e / (e + dd 2.0))
        elif x.Hi > 40.0 then
            one
        elif x.Hi = 0.0 then
            x
        else
            let e = expm1 (x.Scaled 1)
            e / (e + dd 2.0)

    let sigmoid (x: DoubleDouble) =
        if x.Hi >= 0.0 then
            one / (one + exp -x)
        else
            let e = exp x
            e / (one + e)

    /// By 2/sqrt(pi) e^(-x^2) sum 2^k x^(2k+1) / (2k+1)!!, whose terms are of one sign.
    let erf (x: DoubleDouble) =
        if Math.Abs x.Hi > 9.0 then
            dd (float (Math.Sign x.Hi))
        elif x.Hi = 0.0 || Double.IsNaN x.Hi then
            x
        else
            let twice = (x * x).Scaled 1
            let mutable term = x
            let mutable total = x
            let mutable k = 1

            while Math.Abs term.Hi > Math.Abs total.Hi * 1e-34 do
                k <- k + 2
                term <- term * twice / dd (float k)
                total <- total + term

            dd 2.0 / sqrt pi * exp -(x * x) * total

    // By repeated squaring, for a whole exponent.
    let rec private power (x: DoubleDouble) (n: int) =
        if n = 0 then one
        elif n % 2 = 1 then x * power x (n - 1)
        else (let half = power x (n / 2) in half * half)

    let pow (x: DoubleDouble) (y: DoubleDouble) =
        let plain = Math.Pow(x.Hi, y.Hi)

        if plain = 0.0 || not (Double.IsFinite plain) || x.Hi = 0.0 || not (Double.IsFinite y.Hi) then
            dd plain
        elif y.Lo = 0.0 && y.Hi = Math.Floor y.Hi && Math.Abs y.Hi <= 64.0 then
            if y.Hi >= 0.0 then power x (int y.Hi) else one / power x (int -y.Hi)
        elif x.Hi > 0.0 then
            exp (y * log x)
        else
            let magnitude = exp (y * log -x)
            if Math.Abs(y.Hi % 2.0) = 1.0 then -magnitude else magnitude

    let apply (f: Elementary) (x: DoubleDouble) =
        match f with
        | Elementary.Exp -> exp x
        | Elementary.Expm1 -> expm1 x
        | Elementary.Log -> log x
        | Elementary.Log1p -> log1p x
        | Elementary.Sqrt -> sqrt x
        | Elementary.Rsqrt -> one / sqrt x
        | Elementary.Sin -> sin x
        | Elementary.Cos -> cos x
        | Elementary.Tanh -> tanh x
        | Elementary.Sigmoid -> sigmoid x
        | Elementary.Erf -> erf x

    let compare (a: DoubleDouble) (b: DoubleDouble) =
        match Elementary64.compare a.Hi b.Hi with
        | Equal -> Elementary64.compare a.Lo b.Lo
        | other -> other

    let floor (a: DoubleDouble) =
        let high = Math.Floor a.Hi
        if high = a.Hi then dd high + dd (Math.Floor a.Lo) else dd high

/// The reals in double-double arithmetic, as a number system.
[<Struct>]
type Precise =
    { X: DoubleDouble }

    interface IScalar<Precise> with
        static member Constant c = { X = DoubleDouble.Of c }
        static member Input(_, x) : Precise = { X = DoubleDouble.Of x }
        static member Cast(_, a: Precise) : Precise = a
        static member Value a = a.X.Hi
        static member Add(a, b) : Precise = { X = a.X + b.X }
        static member Sub(a, b) : Precise = { X = a.X - b.X }
        static member Mul(a, b) : Precise = { X = a.X * b.X }
        static member Div(a, b) : Precise = { X = a.X / b.X }
        static member Neg a = { X = -a.X }
        static member Abs a = if Double.IsNegative a.X.Hi then { X = -a.X } else a
        static member Floor a = { X = DoubleDouble.floor a.X }

        static member Round a =
            // Ties to even: a tie is decided by the low part where the high one is one.
            let low = DoubleDouble.floor a.X
            let rest = a.X - low

            match DoubleDouble.compare rest (DoubleDouble.Of 0.5) with
            | Less -> { X = low }
            | Equal when low.Hi % 2.0 = 0.0 -> { X = low }
            | _ -> { X = low + DoubleDouble.Of 1.0 }

        static member Apply(f, a) : Precise = { X = DoubleDouble.apply f a.X }
        static member Pow(a, b) : Precise = { X = DoubleDouble.pow a.X b.X }

        static member Sum terms : Precise =
            let mutable s = DoubleDouble.Of 0.0

            for t in terms do
                s <- s + t.X

            { X = s }

        static member Dot(a, b) : Precise =
            let mutable s = DoubleDouble.Of 0.0

            for i in 0 .. a.Length - 1 do
                s <- s + a[i].X * b[i].X

            { X = s }

        static member Compare(a, b) = DoubleDouble.compare a.X b.X
        static member Unknown _ = { X = DoubleDouble.Of nan }
        static member Permitted formulas = formulas[0]
