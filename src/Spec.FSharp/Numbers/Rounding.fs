namespace Verified.Spec.Numbers

open System
open System.Collections.Generic
open Verified.Spec

/// What an examined engine claims of its elementary functions: units in the last place, by function. The specification's
/// bound allows for them. Set per thread, for the time of a run.
[<AbstractClass; Sealed>]
type Allowance private () =
    /// What is allowed where an engine declares nothing.
    static member Default = 4.0

    /// The most that a declaration can buy; beyond it an engine's inaccuracy is a finding.
    static member Most = 16.0

    [<ThreadStatic; DefaultValue>]
    static val mutable private table: float[] | null

    /// The number of entries: one for each elementary function, and the power as the last.
    static member internal Power = 11

    /// The table in force on this thread.
    static member internal Current =
        match Allowance.table with
        | null ->
            let fresh = Array.create (Allowance.Power + 1) Allowance.Default
            Allowance.table <- fresh
            fresh
        | table -> table

    /// The units in the last place in force on this thread.
    static member Of(f: Elementary) =
        let table = Allowance.Current

        match f with
        | Elementary.Exp -> table[0]
        | Elementary.Expm1 -> table[1]
        | Elementary.Log -> table[2]
        | Elementary.Log1p -> table[3]
        | Elementary.Sqrt -> table[4]
        | Elementary.Rsqrt -> table[5]
        | Elementary.Sin -> table[6]
        | Elementary.Cos -> table[7]
        | Elementary.Tanh -> table[8]
        | Elementary.Sigmoid -> table[9]
        | Elementary.Erf -> table[10]

    /// The names under which an engine declares its units in the last place: PyTorch's, in the table's order.
    static member Names = [| "exp"; "expm1"; "log"; "log1p"; "sqrt"; "rsqrt"; "sin"; "cos"; "tanh"; "sigmoid"; "erf"; "pow" |]

    /// Runs with what an engine declares, by name: `Default` where it says nothing, at most `Most`.
    static member With(declared: IReadOnlyDictionary<string, float>, run: Func<'T>) : 'T =
        let entry name =
            match declared.TryGetValue name with
            | true, ulp -> Math.Clamp(ulp, 0.5, Allowance.Most)
            | false, _ -> Allowance.Default

        let before = Allowance.table
        Allowance.table <- Array.map entry Allowance.Names

        try
            run.Invoke()
        finally
            Allowance.table <- before

    /// Runs with the most of every function: what lies inside only then is less accurate than declared, but no other formula.
    static member WithMost(run: Func<'T>) : 'T =
        let most = Allowance.Names |> Array.map (fun name -> KeyValuePair(name, Allowance.Most))
        Allowance.With(Dictionary most, run)

/// The formats' constants. A format is written as a number here: 0 none (a constant), 1 float32, 2 float64.
module internal Precision =
    let number format =
        match format with
        | Single -> 1
        | Double -> 2

    let u32 = Math.ScaleB(1.0, -24)
    let u64 = Math.ScaleB(1.0, -53)
    let minNormal32 = Math.ScaleB(1.0, -126)
    let minNormal64 = Math.ScaleB(1.0, -1022)
    let max32 = float Single.MaxValue
    // From here on rounding to nearest gives infinity.
    let overflow32 = Math.ScaleB(1.0, 128) - Math.ScaleB(1.0, 103)

    // The rounding of one operation, and beside it the specification's own in float64.
    let own = 1.0 + Math.ScaleB(1.0, -20)
    let unit32 = u32 * own + Math.ScaleB(1.0, -50)
    let unit64 = 2.0 * u64 * own
    // What the specification's own elementary functions may be off, relative to the value.
    let ownElementary = 8.0 * u64

    let inline unit f = if f = 2 then unit64 else unit32
    let inline minNormal f = if f = 2 then minNormal64 else minNormal32

    let inline isSingle (x: float) = float (float32 x) = x

    /// A float64 that the format holds, and not a subnormal, which may be flushed.
    let inline exact f (x: float) =
        if f = 2 then
            x = 0.0 || Math.Abs x >= minNormal64
        else
            isSingle x && (x = 0.0 || Math.Abs x >= minNormal32)

    let inline isPowerOfTwo (x: float) = BitConverter.DoubleToInt64Bits x &&& 0x000FFFFFFFFFFFFFL = 0L && x <> 0.0

    /// gamma_n = n u / (1 - n u) (Higham), for an engine; doubled in float64 for the specification's own sum.
    let gamma f (n: int) =
        if n <= 0 then
            0.0
        else
            let nu = float n * (if f = 2 then u64 else u32)
            let g = nu / (1.0 - nu)
            if f = 2 then 2.0 * g * own else g * own
