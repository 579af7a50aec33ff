namespace Verified.Spec.Numbers

open System
open Verified.Spec

/// The elementary functions in float64, each within a few units in the last place over its whole domain.
/// .NET's own `ExpM1` and `LogP1` cancel near zero, and it has no erf.
[<RequireQualifiedAccess>]
module Elementary64 =
    /// exp x - 1, by Kahan's quotient: the errors of exp and log near 1 cancel.
    let expm1 (x: float) =
        if Math.Abs x > 1.0 then
            Math.Exp x - 1.0
        else
            let u = Math.Exp x

            if u = 1.0 then x
            elif Double.IsNaN x then x
            else (u - 1.0) * x / Math.Log u

    /// log (1 + x), by Kahan's quotient.
    let log1p (x: float) =
        let u = 1.0 + x

        if u = 1.0 then x
        elif u <= 0.0 || u > 1e16 then Math.Log u
        else Math.Log u * x / (u - 1.0)

    let sigmoid (x: float) =
        if x >= 0.0 then
            1.0 / (1.0 + Math.Exp -x)
        else
            let e = Math.Exp x
            e / (1.0 + e)

    // 2 / sqrt(pi)
    let private slope = 1.1283791670955125738961589031m

    // e^x for 0 <= x <= 36, by its series, in decimal's 28 digits.
    let private expOf (x: decimal) =
        let mutable term = 1m
        let mutable total = 1m
        let mutable k = 0

        while term > 1e-27m * total do
            k <- k + 1
            term <- term * x / decimal k
            total <- total + term

        total

    // erf(c) = 2/sqrt(pi) e^(-c^2) sum 2^k c^(2k+1) / (2k+1)!!, whose terms are all positive.
    let private erfBySeries (c: decimal) =
        let mutable term = c
        let mutable total = c
        let mutable k = 0

        while term > 1e-27m * total do
            k <- k + 1
            term <- term * 2m * c * c / decimal (2 * k + 1)
            total <- total + term

        float (slope * total / expOf (c * c))

    let private degree = 13
    let private step = 0.125

    // Taylor's coefficients of erf about 0, step, 2 step, ... 6: a_(k+1) = -2 (c a_k (k) + a_(k-1) (k-1)) / (k (k+1)), from
    // erf'' = -2 c erf'.
    let private table =
        Array.init (int (6.0 / step) + 1) (fun i ->
            let c = float i * step
            let a = Array.zeroCreate (degree + 1)
            a[0] <- erfBySeries (decimal c)
            a[1] <- float (slope / expOf (decimal (c * c)))

            for k in 1 .. degree - 1 do
                a[k + 1] <- -2.0 * (c * float k * a[k] + float (k - 1) * a[k - 1]) / float (k * (k + 1))

            a)

    let erf (x: float) =
        let t = Math.Abs x

        if t >= 6.0 then
            float (Math.Sign x)
        elif Double.IsNaN x then
            x
        else
            let i = int (t / step + 0.5)
            let a = table[i]
            let h = t - float i * step
            let mutable r = a[degree]

            for k = degree - 1 downto 0 do
                r <- r * h + a[k]

            Math.CopySign(r, x)

    /// The function in float64.
    let apply (f: Elementary) (x: float) =
        match f with
        | Elementary.Exp -> Math.Exp x
        | Elementary.Expm1 -> expm1 x
        | Elementary.Log -> Math.Log x
        | Elementary.Log1p -> log1p x
        | Elementary.Sqrt -> Math.Sqrt x
        | Elementary.Rsqrt -> 1.0 / Math.Sqrt x
        | Elementary.Sin -> Math.Sin x
        | Elementary.Cos -> Math.Cos x
        | Elementary.Tanh -> Math.Tanh x
        | Elementary.Sigmoid -> sigmoid x
        | Elementary.Erf -> erf x

    /// How two plain numbers compare.
    let compare (a: float) (b: float) =
        if a < b then Less
        elif a > b then Greater
        elif a = b then Equal
        else Unordered

/// The reals, as float64: what the specification says, without a bound. A float32 number is not rounded to its format.
[<Struct>]
type Real =
    { V: float }

    interface IScalar<Real> with
        static member Constant c = { V = c }
        static member Input(_, x) : Real = { V = x }
        static member Cast(_, a: Real) : Real = a
        static member Value a = a.V
        static member Add(a, b) : Real = { V = a.V + b.V }
        static member Sub(a, b) : Real = { V = a.V - b.V }
        static member Mul(a, b) : Real = { V = a.V * b.V }
        static member Div(a, b) : Real = { V = a.V / b.V }
        static member Neg a = { V = -a.V }
        static member Abs a = { V = Math.Abs a.V }
        static member Floor a = { V = Math.Floor a.V }
        static member Round a = { V = Math.Round a.V }
        static member Apply(f, a) : Real = { V = Elementary64.apply f a.V }
        static member Pow(a, b) : Real = { V = Math.Pow(a.V, b.V) }

        static member Sum terms =
            // A single term keeps the sign of its zero.
            if terms.Length = 1 then
                terms[0]
            else
                let mutable s = 0.0

                for t in terms do
                    s <- s + t.V

                { V = s }

        static member Dot(a, b) : Real =
            let mutable s = 0.0

            for i in 0 .. a.Length - 1 do
                s <- s + a[i].V * b[i].V

            { V = s }

        static member Compare(a, b) = Elementary64.compare a.V b.V
        static member Unknown _ = { V = nan }
        static member Permitted formulas = formulas[0]
