namespace Verified.Spec.Numbers

open Verified.Spec
open Verified.Spec.Scalar

/// Dual numbers over any scalar: a primal and a tangent; nested, they give every order of derivative.
/// A number that does not move has a tangent of exactly zero, and an infinite slope leaves it so.
[<Struct>]
type Dual<'S when 'S :> IScalar<'S>> =
    { P: 'S
      T: 'S
      Moves: bool }

    /// A number that moves along the tangent.
    static member Along(primal: 'S, tangent: 'S) : Dual<'S> =
        { P = primal
          T = tangent
          Moves = true }

    static member private Still(primal: 'S) : Dual<'S> =
        { P = primal
          T = num 0.0
          Moves = false }

    // f(a) with slope f'(a), which is asked for only where a moves.
    static member inline private Chain(a: Dual<'S>, value: 'S, [<InlineIfLambda>] tangent: 'S -> 'S) : Dual<'S> =
        if a.Moves then Dual<'S>.Along(value, tangent a.T) else Dual<'S>.Still value

    static member private Merge(value: 'S, fromA: 'S voption, fromB: 'S voption) : Dual<'S> =
        match fromA, fromB with
        | ValueSome s, ValueSome t -> Dual<'S>.Along(value, s + t)
        | ValueSome s, ValueNone
        | ValueNone, ValueSome s -> Dual<'S>.Along(value, s)
        | ValueNone, ValueNone -> Dual<'S>.Still value

    static member private Tangents(terms: Dual<'S>[]) = terms |> Array.filter (fun t -> t.Moves) |> Array.map (fun t -> t.T)

    interface IScalar<Dual<'S>> with
        static member Constant c = Dual<'S>.Still(num c)
        static member Input(format, x) : Dual<'S> = Dual<'S>.Still('S.Input(format, x))

        static member Cast(format, a: Dual<'S>) : Dual<'S> = Dual<'S>.Chain(a, 'S.Cast(format, a.P), (fun t -> 'S.Cast(format, t)))

        static member Value a = 'S.Value a.P

        static member Add(a: Dual<'S>, b: Dual<'S>) : Dual<'S> =
            Dual<'S>.Merge(a.P + b.P, (if a.Moves then ValueSome a.T else ValueNone), (if b.Moves then ValueSome b.T else ValueNone))

        static member Sub(a: Dual<'S>, b: Dual<'S>) : Dual<'S> =
            Dual<'S>.Merge(a.P - b.P, (if a.Moves then ValueSome a.T else ValueNone), (if b.Moves then ValueSome(neg b.T) else ValueNone))

        static member Mul(a: Dual<'S>, b: Dual<'S>) : Dual<'S> =
            Dual<'S>
                .Merge(
                    a.P * b.P,
                    (if a.Moves then ValueSome(a.T * b.P) else ValueNone),
                    (if b.Moves then ValueSome(a.P * b.T) else ValueNone)
                )

        static member Div(a: Dual<'S>, b: Dual<'S>) : Dual<'S> =
            let quotient = a.P / b.P

            Dual<'S>
                .Merge(
                    quotient,
                    (if a.Moves then ValueSome(a.T / b.P) else ValueNone),
                    (if b.Moves then ValueSome(neg (quotient * b.T / b.P)) else ValueNone)
                )

        static member Neg(a: Dual<'S>) : Dual<'S> = Dual<'S>.Chain(a, neg a.P, neg)

        static member Abs(a: Dual<'S>) : Dual<'S> =
            let zero: 'S = num 0.0

            Dual<'S>
                .Chain(
                    a,
                    abs a.P,
                    fun t ->
                        match 'S.Compare(a.P, zero) with
                        | Less -> neg t
                        | Greater -> t
                        | Equal
                        | Unordered -> t * zero
                        | Undecided -> 'S.Unknown t
                )

        static member Floor(a: Dual<'S>) : Dual<'S> = Dual<'S>.Chain(a, 'S.Floor a.P, (fun t -> t * num 0.0))

        static member Round(a: Dual<'S>) : Dual<'S> = Dual<'S>.Chain(a, 'S.Round a.P, (fun t -> t * num 0.0))

        static member Apply(f: Elementary, a: Dual<'S>) : Dual<'S> =
            let x = a.P
            let y = apply f x

            Dual<'S>
                .Chain(
                    a,
                    y,
                    fun t ->
                        match f with
                        | Elementary.Exp -> t * y
                        | Elementary.Expm1 -> t * exp x
                        | Elementary.Log -> t / x
                        | Elementary.Log1p -> t / (num 1.0 + x)
                        | Elementary.Sqrt -> t / (num 2.0 * y)
                        | Elementary.Rsqrt -> num -0.5 * t * (y * y * y)
                        | Elementary.Sin -> t * apply Elementary.Cos x
                        | Elementary.Cos -> neg (t * apply Elementary.Sin x)
                        // By the tails' own values: 1 - tanh^2 and y (1 - y) would cancel to zero there.
                        | Elementary.Tanh ->
                            let twice = num 2.0 * x

                            num 4.0 * t * (apply Elementary.Sigmoid twice * apply Elementary.Sigmoid (neg twice))
                        | Elementary.Sigmoid -> t * (y * apply Elementary.Sigmoid (neg x))
                        | Elementary.Erf -> num 1.1283791670955126 * t * exp (neg (x * x))
                )

        /// PyTorch's conventions: an exponent of zero has slope zero in the base; a base of zero with an exponent that is not
        /// negative has slope zero in the exponent.
        static member Pow(a: Dual<'S>, b: Dual<'S>) : Dual<'S> =
            let zero: 'S = num 0.0
            let value = pow a.P b.P

            let inBase () =
                match 'S.Compare(b.P, zero) with
                | Equal -> a.T * zero
                | Undecided -> 'S.Unknown a.T
                | Less
                | Greater
                | Unordered -> a.T * (b.P * pow a.P (b.P - num 1.0))

            let inExponent () =
                match 'S.Compare(a.P, zero), 'S.Compare(b.P, zero) with
                | Equal, (Equal | Greater) -> b.T * zero
                | Undecided, _
                | Equal, Undecided -> 'S.Unknown b.T
                | _ -> b.T * (value * log a.P)

            Dual<'S>
                .Merge(
                    value,
                    (if a.Moves then ValueSome(inBase ()) else ValueNone),
                    (if b.Moves then ValueSome(inExponent ()) else ValueNone)
                )

        static member Sum(terms: Dual<'S>[]) : Dual<'S> =
            let total = sum (terms |> Array.map (fun t -> t.P))

            match Dual<'S>.Tangents terms with
            | [||] -> Dual<'S>.Still total
            | tangents -> Dual<'S>.Along(total, sum tangents)

        static member Dot(a: Dual<'S>[], b: Dual<'S>[]) : Dual<'S> =
            let total = dot (a |> Array.map (fun x -> x.P)) (b |> Array.map (fun x -> x.P))
            let left, right = ResizeArray(), ResizeArray()

            for x, y in Seq.zip a b do
                if x.Moves then
                    left.Add x.T
                    right.Add y.P

                if y.Moves then
                    left.Add x.P
                    right.Add y.T

            if left.Count = 0 then
                Dual<'S>.Still total
            else
                Dual<'S>.Along(total, dot (left.ToArray()) (right.ToArray()))

        static member Compare(a: Dual<'S>, b: Dual<'S>) = 'S.Compare(a.P, b.P)

        static member Unknown(a: Dual<'S>) : Dual<'S> = Dual<'S>.Along('S.Unknown a.P, 'S.Unknown a.P)

        static member Permitted(formulas: Dual<'S>[]) : Dual<'S> =
            let value = 'S.Permitted(formulas |> Array.map (fun f -> f.P))

            if formulas |> Array.exists (fun f -> f.Moves) then
                Dual<'S>.Along(value, 'S.Permitted(formulas |> Array.map (fun f -> f.T)))
            else
                Dual<'S>.Still value
