namespace Verified.Spec

/// The floating-point format of a number's dtype.
[<Struct>]
type Format =
    | Single
    | Double

/// How two numbers compare, as far as is known. `Unordered` is PyTorch's NaN case.
[<Struct>]
type Comparison =
    | Less
    | Equal
    | Greater
    | Unordered
    | Undecided

/// The elementary functions that a number system knows; all else is composed of these.
[<RequireQualifiedAccess; Struct>]
type Elementary =
    | Exp
    | Expm1
    | Log
    | Log1p
    | Sqrt
    | Rsqrt
    | Sin
    | Cos
    | Tanh
    | Sigmoid
    | Erf

/// A number system. An operator is written once over this interface and run at plain float64, at dual numbers, at
/// (value, error bound) pairs, at float32 with a chosen summation order, and more.
type IScalar<'S when 'S :> IScalar<'S>> =
    /// A constant of a formula, or a number attribute: it has no format of its own, takes that of the first number it meets,
    /// and enters with its rounding error there.
    static abstract Constant: float -> 'S
    /// A number that a tensor of this format holds exactly.
    static abstract Input: Format * float -> 'S
    /// The number converted to another format.
    static abstract Cast: Format * 'S -> 'S
    /// The value (for a pair, the value without its bound; for a dual number, that of the primal).
    static abstract Value: 'S -> float
    static abstract Add: 'S * 'S -> 'S
    static abstract Sub: 'S * 'S -> 'S
    static abstract Mul: 'S * 'S -> 'S
    static abstract Div: 'S * 'S -> 'S
    /// Exact.
    static abstract Neg: 'S -> 'S
    /// Exact; its derivative at 0 is 0.
    static abstract Abs: 'S -> 'S
    /// The largest integer not above. Its derivative is 0; a bound that holds an integer leaves it unknown.
    static abstract Floor: 'S -> 'S
    /// The nearest integer, ties to even.
    static abstract Round: 'S -> 'S
    static abstract Apply: Elementary * 'S -> 'S
    static abstract Pow: 'S * 'S -> 'S
    /// The sum of the terms in any order that an engine may choose. Empty: `zero` of no format.
    static abstract Sum: 'S[] -> 'S
    /// The sum of the products, in any order, fused or not.
    static abstract Dot: 'S[] * 'S[] -> 'S
    static abstract Compare: 'S * 'S -> Comparison
    /// A number of the same format of which nothing is known: what follows from an undecided comparison.
    static abstract Unknown: 'S -> 'S
    /// The same quantity by each of the permitted formulas: the bound covers all of them, a machine takes the one it was told to.
    static abstract Permitted: 'S[] -> 'S

/// Arithmetic over any number system, in the usual notation. Opened where operators are defined.
module Scalar =
    let (+) (a: 'S) (b: 'S) : 'S :> IScalar<'S> = 'S.Add(a, b)
    let (-) (a: 'S) (b: 'S) : 'S :> IScalar<'S> = 'S.Sub(a, b)
    let (*) (a: 'S) (b: 'S) : 'S :> IScalar<'S> = 'S.Mul(a, b)
    let (/) (a: 'S) (b: 'S) : 'S :> IScalar<'S> = 'S.Div(a, b)
    let num (c: float) : 'S :> IScalar<'S> = 'S.Constant c
    let neg (a: 'S) : 'S :> IScalar<'S> = 'S.Neg a
    let abs (a: 'S) : 'S :> IScalar<'S> = 'S.Abs a
    let apply (f: Elementary) (a: 'S) : 'S :> IScalar<'S> = 'S.Apply(f, a)
    let exp (a: 'S) : 'S :> IScalar<'S> = 'S.Apply(Elementary.Exp, a)
    let log (a: 'S) : 'S :> IScalar<'S> = 'S.Apply(Elementary.Log, a)
    let sqrt (a: 'S) : 'S :> IScalar<'S> = 'S.Apply(Elementary.Sqrt, a)
    let pow (a: 'S) (b: 'S) : 'S :> IScalar<'S> = 'S.Pow(a, b)
    let sum (terms: 'S[]) : 'S :> IScalar<'S> = 'S.Sum terms
    let dot (a: 'S[]) (b: 'S[]) : 'S :> IScalar<'S> = 'S.Dot(a, b)

    /// A choice by comparison: the case for less, equal, greater, and NaN; nothing is known of an undecided one.
    let inline choose
        (a: 'S)
        (b: 'S)
        ([<InlineIfLambda>] less)
        ([<InlineIfLambda>] equal)
        ([<InlineIfLambda>] greater)
        ([<InlineIfLambda>] unordered)
        : 'S :> IScalar<'S> =
        match 'S.Compare(a, b) with
        | Less -> less ()
        | Equal -> equal ()
        | Greater -> greater ()
        | Unordered -> unordered ()
        | Undecided -> 'S.Unknown a
