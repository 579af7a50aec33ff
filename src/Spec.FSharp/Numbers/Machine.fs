namespace Verified.Spec.Numbers

open System
open Verified.Spec

/// In which order a machine adds.
[<Struct>]
type SummationOrder =
    | Forwards
    | Backwards
    /// Halves, recursively.
    | Pairwise
    /// Eight running sums, as vector units keep them.
    | Lanes

/// How a machine rounds products and small results.
[<Struct>]
type Arithmetic =
    | Separate
    /// Products are added without being rounded first.
    | Fused
    /// Fused, and results below the normal numbers become zero.
    | Flushing

/// A summation order, as a type: `Machine` takes it as a phantom parameter, so that the choice costs nothing.
type IOrder =
    static abstract Order: SummationOrder

/// An arithmetic, as a type.
type IArithmetic =
    static abstract Kind: Arithmetic

/// Which of the permitted formulas the machine uses, as a type.
type IFormula =
    static abstract Index: int

[<Struct>]
type ForwardsOrder =
    interface IOrder with
        static member Order = Forwards

[<Struct>]
type BackwardsOrder =
    interface IOrder with
        static member Order = Backwards

[<Struct>]
type PairwiseOrder =
    interface IOrder with
        static member Order = Pairwise

[<Struct>]
type LanesOrder =
    interface IOrder with
        static member Order = Lanes

[<Struct>]
type SeparateArithmetic =
    interface IArithmetic with
        static member Kind = Separate

[<Struct>]
type FusedArithmetic =
    interface IArithmetic with
        static member Kind = Fused

[<Struct>]
type FlushingArithmetic =
    interface IArithmetic with
        static member Kind = Flushing

[<Struct>]
type FirstFormula =
    interface IFormula with
        static member Index = 0

[<Struct>]
type SecondFormula =
    interface IFormula with
        static member Index = 1

[<Struct>]
type ThirdFormula =
    interface IFormula with
        static member Index = 2

/// What a machine does with numbers of a format (0 a constant, 1 float32, 2 float64), held as float64.
module internal Registers =
    let flush kind f (v: float) =
        if kind = Flushing && Math.Abs v < (if f = 1 then Precision.minNormal32 else Precision.minNormal64) then
            Math.CopySign(0.0, v)
        else
            v

    let round f (v: float) = if f = 1 then float (float32 v) else v

    let plus f (a: float) (b: float) = if f = 1 then float (float32 a + float32 b) else a + b

    // s + a b, rounded once or twice.
    let accumulate kind f (s: float) (a: float) (b: float) =
        if f = 1 then
            if kind = Separate then
                float (float32 s + float32 a * float32 b)
            else
                float (MathF.FusedMultiplyAdd(float32 a, float32 b, float32 s))
        elif kind = Separate then
            s + a * b
        else
            Math.FusedMultiplyAdd(a, b, s)

    // The sum of a[i] b[i] over [low, high), halved recursively.
    let rec halves kind f (a: float[]) (b: float[]) low high =
        if high - low <= 2 then
            let mutable s = round f (a[low] * b[low])

            for i in low + 1 .. high - 1 do
                s <- accumulate kind f s a[i] b[i]

            s
        else
            let middle = (low + high) / 2
            plus f (halves kind f a b low middle) (halves kind f a b middle high)

    /// The sum of a[i] b[i].
    let products order kind f (a: float[]) (b: float[]) =
        let n = a.Length

        match order with
        | Forwards ->
            let mutable s = 0.0

            for i in 0 .. n - 1 do
                s <- accumulate kind f s a[i] b[i]

            s
        | Backwards ->
            let mutable s = 0.0

            for i = n - 1 downto 0 do
                s <- accumulate kind f s a[i] b[i]

            s
        | Pairwise -> halves kind f a b 0 n
        | Lanes ->
            let lanes = Array.zeroCreate 8

            for i in 0 .. n - 1 do
                lanes[i % 8] <- accumulate kind f lanes[i % 8] a[i] b[i]

            Array.fold (plus f) 0.0 lanes

    let elementary (f: Elementary) (x: float32) : float32 =
        match f with
        | Elementary.Exp -> MathF.Exp x
        | Elementary.Log -> MathF.Log x
        | Elementary.Sqrt -> MathF.Sqrt x
        | Elementary.Rsqrt -> 1.0f / MathF.Sqrt x
        | Elementary.Sin -> MathF.Sin x
        | Elementary.Cos -> MathF.Cos x
        | Elementary.Tanh -> MathF.Tanh x
        | Elementary.Sigmoid -> 1.0f / (1.0f + MathF.Exp -x)
        | Elementary.Expm1
        | Elementary.Log1p
        | Elementary.Erf -> float32 (Elementary64.apply f (float x))

/// float32 and float64 as a real machine computes them: each operation rounds in the format of its result, sums go in one of
/// several orders, products may be fused, and one of the permitted formulas is used. The witness for false alarms of the bound.
[<Struct>]
type Machine<'Order, 'Arithmetic, 'Formula when 'Order :> IOrder and 'Arithmetic :> IArithmetic and 'Formula :> IFormula> =
    {
        V: float
        /// 0 a constant, 1 float32, 2 float64.
        F: int
    }

    static member private Of(f, v: float) : Machine<'Order, 'Arithmetic, 'Formula> =
        { V = Registers.flush 'Arithmetic.Kind f (Registers.round f v)
          F = f }

    // As the format holds it; a constant is rounded here.
    static member private In(f, a: Machine<'Order, 'Arithmetic, 'Formula>) : float = if a.F = 0 then Registers.round f a.V else a.V

    static member private Widest(terms: Machine<'Order, 'Arithmetic, 'Formula>[]) =
        let mutable f = 0

        for t in terms do
            f <- max f t.F

        f

    static member inline private Both
        (
            a: Machine<'Order, 'Arithmetic, 'Formula>,
            b: Machine<'Order, 'Arithmetic, 'Formula>,
            [<InlineIfLambda>] single: float32 -> float32 -> float32,
            [<InlineIfLambda>] double: float -> float -> float
        ) : Machine<'Order, 'Arithmetic, 'Formula> =
        let f = max a.F b.F

        if f = 1 then
            Machine<'Order, 'Arithmetic, 'Formula>.Of(1, float (single (float32 a.V) (float32 b.V)))
        else
            Machine<'Order, 'Arithmetic, 'Formula>.Of(f, double a.V b.V)

    static member private Products
        (f, a: Machine<'Order, 'Arithmetic, 'Formula>[], b: Machine<'Order, 'Arithmetic, 'Formula>[])
        : Machine<'Order, 'Arithmetic, 'Formula> =
        let values terms = terms |> Array.map (fun t -> Machine<'Order, 'Arithmetic, 'Formula>.In(f, t))
        Machine<'Order, 'Arithmetic, 'Formula>.Of(f, Registers.products 'Order.Order 'Arithmetic.Kind f (values a) (values b))

    interface IScalar<Machine<'Order, 'Arithmetic, 'Formula>> with
        static member Constant c = { V = c; F = 0 }

        static member Input(format, x) : Machine<'Order, 'Arithmetic, 'Formula> =
            { V = x
              F =
                (match format with
                 | Single -> 1
                 | Double -> 2) }

        // To the format that it has is no operation, and flushes nothing.
        static member Cast(format, a) : Machine<'Order, 'Arithmetic, 'Formula> =
            let f =
                match format with
                | Single -> 1
                | Double -> 2

            if a.F = f then a else Machine<'Order, 'Arithmetic, 'Formula>.Of(f, a.V)

        static member Value a = a.V

        static member Add(a, b) : Machine<'Order, 'Arithmetic, 'Formula> =
            Machine<'Order, 'Arithmetic, 'Formula>.Both(a, b, (fun x y -> x + y), (fun x y -> x + y))

        static member Sub(a, b) : Machine<'Order, 'Arithmetic, 'Formula> =
            Machine<'Order, 'Arithmetic, 'Formula>.Both(a, b, (fun x y -> x - y), (fun x y -> x - y))

        static member Mul(a, b) : Machine<'Order, 'Arithmetic, 'Formula> =
            Machine<'Order, 'Arithmetic, 'Formula>.Both(a, b, (fun x y -> x * y), (fun x y -> x * y))

        static member Div(a, b) : Machine<'Order, 'Arithmetic, 'Formula> =
            Machine<'Order, 'Arithmetic, 'Formula>.Both(a, b, (fun x y -> x / y), (fun x y -> x / y))

        static member Neg a = { a with V = -a.V }
        static member Abs a = { a with V = Math.Abs a.V }
        static member Floor a = { a with V = Math.Floor a.V }
        static member Round a = { a with V = Math.Round a.V }

        static member Apply(f, a) : Machine<'Order, 'Arithmetic, 'Formula> =
            let v =
                if a.F = 1 then
                    float (Registers.elementary f (float32 a.V))
                else
                    Elementary64.apply f a.V

            Machine<'Order, 'Arithmetic, 'Formula>.Of(a.F, v)

        static member Pow(a, b) : Machine<'Order, 'Arithmetic, 'Formula> =
            Machine<'Order, 'Arithmetic, 'Formula>.Both(a, b, (fun x y -> MathF.Pow(x, y)), (fun x y -> Math.Pow(x, y)))

        static member Sum terms : Machine<'Order, 'Arithmetic, 'Formula> =
            match terms.Length with
            | 0 -> { V = 0.0; F = 0 }
            | 1 -> Machine<'Order, 'Arithmetic, 'Formula>.Of(terms[0].F, terms[0].V)
            | n ->
                Machine<'Order, 'Arithmetic, 'Formula>
                    .Products(Machine<'Order, 'Arithmetic, 'Formula>.Widest terms, terms, Array.create n { V = 1.0; F = 0 })

        static member Dot(a, b) : Machine<'Order, 'Arithmetic, 'Formula> =
            if a.Length = 0 then
                { V = 0.0; F = 0 }
            else
                Machine<'Order, 'Arithmetic, 'Formula>
                    .Products(max (Machine<'Order, 'Arithmetic, 'Formula>.Widest a) (Machine<'Order, 'Arithmetic, 'Formula>.Widest b), a, b)

        static member Compare(a, b) =
            let f = max a.F b.F
            Elementary64.compare (Machine<'Order, 'Arithmetic, 'Formula>.In(f, a)) (Machine<'Order, 'Arithmetic, 'Formula>.In(f, b))

        static member Unknown a = { a with V = nan }
        static member Permitted formulas = formulas[min 'Formula.Index (formulas.Length - 1)]
