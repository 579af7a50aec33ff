namespace Verified.Spec.Numbers

open System
open System.Runtime.InteropServices
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
    val internal Ball: Ball
    internal new(ball) = { Ball = ball }

    /// The value.
    member a.V = a.Ball.V
    /// The bound.
    member a.E = a.Ball.E
    /// The format: 1 float32, 2 float64, 0 none.
    member a.F = a.Ball.F

    override a.Equals other =
        match other with
        | :? Bounded as b -> a.Ball.Equals b.Ball
        | _ -> false

    override a.GetHashCode() = a.Ball.GetHashCode()

    /// Whether nothing is known of it.
    member a.IsUnknown = a.Ball.IsUnknown

    /// Whether it is a zero of which engines may have either.
    member a.IsEitherZero = a.Ball.IsEitherZero

    /// A number of a format with a known bound (for tests, and for intermediate values that come from outside).
    static member Of(format: Format, value: float, bound: float) =
        Bounded
            { V = value
              E = bound
              F = Precision.number format }

    static member private Balls(numbers: Bounded[]) : ReadOnlySpan<Ball> = MemoryMarshal.Cast<Bounded, Ball>(ReadOnlySpan numbers)

    interface IScalar<Bounded> with
        static member Constant c = Bounded(Ball.constant c)
        static member Input(format, x) = Bounded(Ball.exactly (Precision.number format, x))
        static member Cast(format, a) = Bounded(Ball.cast (format, a.Ball))
        static member Value a = a.V
        static member Add(a, b) = Bounded(BallArithmetic.add (a.Ball, b.Ball))
        static member Sub(a, b) = Bounded(BallArithmetic.add (a.Ball, Ball.negated b.Ball))
        static member Mul(a, b) = Bounded(BallArithmetic.mul (a.Ball, b.Ball))
        static member Div(a, b) = Bounded(BallArithmetic.div (a.Ball, b.Ball))
        static member Neg a = Bounded(Ball.negated a.Ball)
        static member Abs a = Bounded(Ball.abs a.Ball)
        static member Floor a = Bounded(BallDecisions.whole (Math.Floor, a.Ball))
        static member Round a = Bounded(BallDecisions.whole (Math.Round, a.Ball))
        static member Apply(f, a) = Bounded(BallElementary.apply (f, a.Ball))
        static member Pow(a, b) = Bounded(BallElementary.pow (a.Ball, b.Ball))
        static member Sum terms = Bounded(BallSums.sum (Bounded.Balls terms))
        static member Dot(a, b) = Bounded(BallSums.dot (Bounded.Balls a, Bounded.Balls b))
        static member Compare(a, b) = BallDecisions.compare (a.Ball, b.Ball)
        static member Unknown a = Bounded(Ball.lost (a.F, a.V))
        static member Permitted formulas = Bounded(BallDecisions.permitted (Bounded.Balls formulas))
