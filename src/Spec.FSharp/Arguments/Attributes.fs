namespace Verified.Spec

/// Dimensions as PyTorch counts them.
[<RequireQualifiedAccess>]
module Dim =
    /// A dimension of a tensor of this rank, counted from the end where negative. A zero-dimensional tensor has dimension 0 (and -1).
    let normalise (rank: int) (dim: int) =
        let count = max rank 1

        if dim >= -count && dim < count then
            Ok(if dim < 0 then dim + count else dim)
        else
            Complain.index $"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {dim})"

    /// Several dimensions, none of them twice.
    let normaliseAll (rank: int) (dims: int list) =
        let step found dim =
            result {
                let! found = found
                let! dim = normalise rank dim

                if List.contains dim found then
                    return! Complain.value $"dim {dim} appears multiple times in the list of dims"
                else
                    return dim :: found
            }

        dims |> List.fold step (Ok []) |> Result.map List.rev

/// Reading a step's attributes. What is missing, or of another type, is a complaint that names the attribute.
[<RequireQualifiedAccess>]
module Read =
    let rec private show attr =
        match attr with
        | Attr.Null -> "null"
        | Attr.Flag true -> "true"
        | Attr.Flag false -> "false"
        | Attr.Integer n -> string n
        | Attr.Float x -> x.ToString("R", System.Globalization.CultureInfo.InvariantCulture)
        | Attr.Text text -> $"\"{text}\""
        | Attr.Items items -> "[" + System.String.Join(", ", List.map show items) + "]"

    let private wrong name expected attr = Complain.value $"attribute '{name}' must be {expected}, but got {show attr}"

    /// An attribute that is there and not null.
    let optional (attrs: Attrs) name =
        match Map.tryFind name attrs with
        | None
        | Some Attr.Null -> None
        | found -> found

    let private required name expected read attrs =
        match optional attrs name with
        | Some attr -> read name attr
        | None -> Complain.value $"attribute '{name}' is missing: it must be {expected}"

    let private orElse read fallback (attrs: Attrs) name =
        match optional attrs name with
        | Some attr -> read name attr
        | None -> Ok fallback

    let private asInteger name attr =
        match attr with
        | Attr.Integer n when n >= -2147483648L && n <= 2147483647L -> Ok(int n)
        | other -> wrong name "an integer" other

    let private asFlag name attr =
        match attr with
        | Attr.Flag flag -> Ok flag
        | other -> wrong name "true or false" other

    let private asText name attr =
        match attr with
        | Attr.Text text -> Ok text
        | other -> wrong name "a text" other

    let private asNumber name attr =
        match attr with
        | Attr.Integer n -> Ok(float n)
        | Attr.Float x -> Ok x
        | Attr.Flag flag -> Ok(if flag then 1.0 else 0.0)
        | Attr.Text "inf" -> Ok infinity
        | Attr.Text "-inf" -> Ok -infinity
        | Attr.Text "nan" -> Ok nan
        | other -> wrong name "a number" other

    /// A number as an operand, which keeps whether it is an integer, a float or a boolean.
    let private asScalar name attr =
        match attr with
        | Attr.Integer _
        | Attr.Float _
        | Attr.Flag _ -> Ok attr
        | other -> asNumber name other |> Result.map Attr.Float

    let private asIntegers name attr =
        match attr with
        | Attr.Integer _ -> asInteger name attr |> Result.map List.singleton
        | Attr.Items items ->
            List.foldBack
                (fun item rest ->
                    result {
                        let! rest = rest
                        let! n = asInteger name item
                        return n :: rest
                    })
                items
                (Ok [])
        | other -> wrong name "a list of integers" other

    let private asDType name attr =
        match attr with
        | Attr.Text "float32" -> Ok Float32
        | Attr.Text "float64" -> Ok Float64
        | Attr.Text "int64" -> Ok Int64
        | Attr.Text "bool" -> Ok Bool
        | other -> wrong name "one of float32, float64, int64, bool" other

    let private someOf read (attrs: Attrs) name =
        match optional attrs name with
        | Some attr -> read name attr |> Result.map Some
        | None -> Ok None

    let integer attrs name = required name "an integer" asInteger attrs
    let integerOr fallback attrs name = orElse asInteger fallback attrs name
    let tryInteger attrs name = someOf asInteger attrs name
    let flagOr fallback attrs name = orElse asFlag fallback attrs name
    let tryFlag attrs name = someOf asFlag attrs name
    let text attrs name = required name "a text" asText attrs
    let textOr fallback attrs name = orElse asText fallback attrs name
    let number attrs name = required name "a number" asNumber attrs
    let numberOr fallback attrs name = orElse asNumber fallback attrs name
    let tryNumber attrs name = someOf asNumber attrs name
    /// A number with its kind: Attr.Integer, Attr.Float or Attr.Flag.
    let scalar attrs name = required name "a number" asScalar attrs
    let tryScalar attrs name = someOf asScalar attrs name
    /// One integer counts as a list of one.
    let integers attrs name = required name "a list of integers" asIntegers attrs
    let tryIntegers attrs name = someOf asIntegers attrs name
    let dtype attrs name = required name "a dtype" asDType attrs
    let tryDType attrs name = someOf asDType attrs name

    /// A dimension of a tensor of this rank.
    let dim attrs name rank = integer attrs name |> Result.bind (Dim.normalise rank)
    let dimOr fallback attrs name rank = integerOr fallback attrs name |> Result.bind (Dim.normalise rank)

    let tryDim attrs name rank =
        result {
            match! tryInteger attrs name with
            | None -> return None
            | Some dim -> return! Dim.normalise rank dim |> Result.map Some
        }

    /// One or several dimensions, in the order given; None where the attribute is missing or null.
    let tryDims attrs name rank =
        result {
            match! tryIntegers attrs name with
            | None -> return None
            | Some dims -> return! Dim.normaliseAll rank dims |> Result.map Some
        }

    /// One integer for each of two spatial dimensions: a pair, or one for both.
    let pairOr (fallback: int * int) attrs name =
        result {
            match! tryIntegers attrs name with
            | None
            | Some [] -> return fallback
            | Some [ both ] -> return both, both
            | Some [ first; second ] -> return first, second
            | Some _ -> return! Complain.value $"attribute '{name}' must be one integer or two"
        }
