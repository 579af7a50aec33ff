namespace Verified.Spec.Operators

open Verified.Spec

/// How a loss is made one number.
type internal Reducing =
    | Mean
    | Sum
    | Elementwise

/// What all losses' formulas share, over any number system.
module internal Loss =
    open Scalar

    let times<'S when 'S :> IScalar<'S>> (a: 'S) (b: 'S) : 'S = a * b

/// What all losses share: how they are made one number, and what each of their elements counts for in it.
module internal LossReduction =
    let readReduction attrs =
        match Read.textOr "mean" attrs "reduction" with
        | Ok "mean" -> Ok Mean
        | Ok "sum" -> Ok Sum
        | Ok "none" -> Ok Elementwise
        | Ok other -> Complain.value $"{other} is not a valid value for reduction"
        | Error complaint -> Error complaint

    let ofRule reading =
        match reading with
        | Ok value -> value
        | Error(complaint: Complaint) -> invalidOp complaint.Message

    let reductionAttr = Define.attr "reduction" (AttrKind.Choice [ "mean"; "sum"; "none" ])

    /// Elementwise losses of this shape, reduced.
    let reduced<'S when 'S :> IScalar<'S>> dtype shape reduction (losses: 'S[]) =
        match reduction with
        | Elementwise -> Value.floats dtype shape losses
        | Sum -> Value.floats dtype [||] [| Reduce.total dtype losses |]
        | Mean -> Value.floats dtype [||] [| Reduce.over (float losses.Length) (Reduce.total dtype losses) |]

    /// What each elementwise loss of this shape counts for.
    let share attrs (shape: int[]) (t: Term) =
        match ofRule (readReduction attrs) with
        | Mean -> Reductions.overCount (Shape.count shape) t
        | _ -> t

    let dtypeOf (values: Value<'S> list) = values |> List.map Value.operand |> Promotion.result

    let optionalInput (d: IDerivation) i = if d.Has i then Some(d.Input i) else None

    let timesOptional (factor: Term option) (t: Term) =
        match factor with
        | Some factor -> t * factor
        | None -> t
