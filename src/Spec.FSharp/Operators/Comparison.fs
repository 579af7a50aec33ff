namespace Verified.Spec.Operators

open Verified.Spec

/// Comparisons: booleans, never differentiable. What a bound cannot tell apart is undecided.
module Comparison =
    /// Whether two numbers of one dtype stand in a relation; None where their bounds leave it open.
    let private holds<'S when 'S :> IScalar<'S>> (relation: Comparison -> bool) (a: 'S) (b: 'S) =
        match 'S.Compare(a, b) with
        | Undecided -> None
        | known -> Some(relation known)

    let private compare name formula (relation: Comparison -> bool) =
        Define.elementwise
            name
            formula
            [ ArgKind.Any; ArgKind.Optional ArgKind.Any ]
            [ Define.operand "other" 1 [ 0.0; 1.0; -0.5 ] ]
            { new Forward with
                member _.Of<'S when 'S :> IScalar<'S>>(call: Call<'S>) =
                    result {
                        let! a = Argument.tensor call 0 |> Result.map Operand.ofValue
                        let! b = Operand.read call 1 "other"
                        let! dtype, shape = Operand.result [ a; b ]

                        if dtype.IsFloat then
                            let answers =
                                Array.map2 (holds relation) (Operand.rounded<'S> dtype shape a) (Operand.rounded<'S> dtype shape b)

                            let elements = answers |> Array.map (fun known -> if known = Some true then 1L else 0L)
                            return [ Value.ints Bool shape elements (Array.forall Option.isSome answers) ]
                        else
                            let a, knownA = Operand.ints dtype shape a
                            let b, knownB = Operand.ints dtype shape b

                            let order x y =
                                if x < y then Less
                                elif x > y then Greater
                                else Equal

                            let elements = Array.map2 (fun x y -> if relation (order x y) then 1L else 0L) a b
                            return [ Value.ints Bool shape elements (knownA && knownB) ]
                    } }

    let gt = compare "gt" "self > other" (fun c -> c = Greater)
    let ge = compare "ge" "self >= other" (fun c -> c = Greater || c = Equal)
    let lt = compare "lt" "self < other" (fun c -> c = Less)
    let le = compare "le" "self <= other" (fun c -> c = Less || c = Equal)
    let eq = compare "eq" "self = other" (fun c -> c = Equal)
    let ne = compare "ne" "self differs from other (true for NaN)" (fun c -> c <> Equal)

    let all = [ gt; ge; lt; le; eq; ne ]
