namespace Verified.Spec.Numbers

open System
open Verified.Spec

/// The smallest distance that `Margins` has met on this thread.
[<AbstractClass; Sealed>]
type internal Nearest private () =
    [<ThreadStatic; DefaultValue>]
    static val mutable private distance: float

    static member Distance
        with get () = Nearest.distance
        and set value = Nearest.distance <- value

/// float64 that notes how near a run came to where a function is not smooth: the smallest distance, relative to the numbers
/// compared where these exceed one, of any comparison, any rounding to an integer, and any pole or edge of a domain.
/// Numerical differentiation is trusted only where its steps stay well inside.
[<Struct>]
type Margins =
    { V: float }

    static member private Note(distance: float) =
        if not (distance >= Nearest.Distance) then
            Nearest.Distance <- distance

    static member private Between(a: float, b: float) = Margins.Note(Math.Abs(a - b) / Math.Max(1.0, Math.Max(Math.Abs a, Math.Abs b)))

    /// Runs, and returns with the result the smallest distance met on this thread (infinity: no decision at all).
    static member Of(run: Func<'T>) : struct ('T * float) =
        let before = Nearest.Distance
        Nearest.Distance <- infinity

        try
            let result = run.Invoke()
            struct (result, Nearest.Distance)
        finally
            Nearest.Distance <- before

    interface IScalar<Margins> with
        static member Constant c = { V = c }
        static member Input(_, x) : Margins = { V = x }
        static member Cast(_, a: Margins) : Margins = a
        static member Value a = a.V
        static member Add(a, b) : Margins = { V = a.V + b.V }
        static member Sub(a, b) : Margins = { V = a.V - b.V }
        static member Mul(a, b) : Margins = { V = a.V * b.V }

        static member Div(a, b) : Margins =
            Margins.Between(b.V, 0.0)
            { V = a.V / b.V }

        static member Neg a = { V = -a.V }

        static member Abs a =
            Margins.Between(a.V, 0.0)
            { V = Math.Abs a.V }

        static member Floor a =
            Margins.Between(a.V, Math.Round a.V)
            { V = Math.Floor a.V }

        static member Round a =
            Margins.Between(a.V, Math.Floor a.V + 0.5)
            { V = Math.Round a.V }

        static member Apply(f, a) : Margins =
            match f with
            | Elementary.Log
            | Elementary.Sqrt
            | Elementary.Rsqrt -> Margins.Between(a.V, 0.0)
            | Elementary.Log1p -> Margins.Between(a.V, -1.0)
            | _ -> ()

            { V = Elementary64.apply f a.V }

        static member Pow(a, b) : Margins =
            // A whole positive power is smooth everywhere.
            if not (b.V >= 0.0 && b.V = Math.Floor b.V) then
                Margins.Between(a.V, 0.0)

            { V = Math.Pow(a.V, b.V) }

        static member Sum terms : Margins =
            let mutable s = 0.0

            for t in terms do
                s <- s + t.V

            { V = s }

        static member Dot(a, b) : Margins =
            let mutable s = 0.0

            for i in 0 .. a.Length - 1 do
                s <- s + a[i].V * b[i].V

            { V = s }

        static member Compare(a, b) =
            Margins.Between(a.V, b.V)
            Elementary64.compare a.V b.V

        static member Unknown _ = { V = nan }
        static member Permitted formulas = formulas[0]
