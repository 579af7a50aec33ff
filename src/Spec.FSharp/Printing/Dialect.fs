namespace Verified.Spec

open System
open System.Globalization

/// What the two languages write differently.
type internal Dialect =
    { IsFSharp: bool
      Array: string list -> string
      Named: string -> string -> string
      Null: string }

/// Names and values in C# and in F#.
module internal Dialect =
    let csharp: Dialect =
        { IsFSharp = false
          Array = fun items -> "[" + String.Join(", ", items) + "]"
          Named = fun name value -> name + ": " + value
          Null = "null" }

    let fsharp: Dialect =
        { IsFSharp = true
          Array = fun items -> if items.IsEmpty then "[||]" else "[| " + String.Join("; ", items) + " |]"
          Named = fun name value -> name + " = " + value
          Null = "null" }

    let invariant = CultureInfo.InvariantCulture

    let words (name: string) = name.TrimEnd('_').Split('_', StringSplitOptions.RemoveEmptyEntries)

    let capital (word: string) = word.Substring(0, 1).ToUpperInvariant() + word.Substring 1

    /// `log_softmax` as LogSoftmax, `sigmoid_` as SigmoidInPlace.
    let pascal (name: string) = String.Join("", words name |> Array.map capital) + (if name.EndsWith '_' then "InPlace" else "")

    /// `start_dim` as startDim.
    let camel (name: string) =
        match List.ofArray (words name) with
        | first :: rest -> first + String.Join("", rest |> List.map capital)
        | [] -> name

    /// Words of either language that no variable may be.
    let private keywords =
        "in out is as do if to base new let ref val fun type open end done use rec of or int long float double bool null true false for var mod sig with then this params"
            .Split
            ' '
        |> Set.ofArray

    /// A variable's name as an identifier of both languages.
    let safe (name: string) =
        let letters = name |> String.map (fun c -> if Char.IsAsciiLetterOrDigit c then c else '_')

        if Char.IsAsciiDigit letters[0] || letters[0] = '_' then "v" + letters
        elif keywords.Contains letters then letters + "1"
        else letters

    let flag value = if value then "true" else "false"

    let float64 (dialect: Dialect) (value: float) =
        if Double.IsNaN value then
            (if dialect.IsFSharp then "nan" else "double.NaN")
        elif Double.IsInfinity value then
            (if value < 0.0 then "-" else "") + (if dialect.IsFSharp then "infinity" else "double.PositiveInfinity")
        else
            let text = value.ToString("R", invariant)
            if text.AsSpan().IndexOfAny('.', 'E') >= 0 then text else text + ".0"

    let float32Text (dialect: Dialect) (value: float) =
        let value = float32 value

        if Single.IsNaN value then
            (if dialect.IsFSharp then "nanf" else "float.NaN")
        elif Single.IsInfinity value then
            (if value < 0.0f then "-" else "") + (if dialect.IsFSharp then "infinityf" else "float.PositiveInfinity")
        else
            let text = value.ToString("R", invariant)

            (if dialect.IsFSharp && text.AsSpan().IndexOfAny('.', 'E') < 0 then
                 text + ".0"
             else
                 text)
            + "f"

    let literal (dialect: Dialect) (input: Input) =
        let tensor = input.Tensor

        let kind, elements =
            match tensor.Data with
            | Data.Floats values when tensor.DType = Float32 -> "float", values |> Array.map (float32Text dialect)
            | Data.Floats values -> "double", values |> Array.map (float64 dialect)
            | Data.Ints values when tensor.DType = Bool -> "bool", values |> Array.map (fun v -> flag (v <> 0L))
            | Data.Ints values -> "long", values |> Array.map (fun v -> v.ToString invariant + "L")

        let elements = List.ofArray elements

        let data =
            if dialect.IsFSharp && elements.IsEmpty then
                let kind = Map.ofList [ "float", "float32"; "double", "float"; "long", "int64"; "bool", "bool" ] |> Map.find kind
                $"Array.empty<{kind}>"
            elif dialect.IsFSharp then
                dialect.Array elements
            else
                "new " + kind + "[] { " + String.Join(", ", elements) + " }"

        let shape = dialect.Array(tensor.Shape |> List.ofArray |> List.map string)
        let requires = if input.RequiresGrad then ", " + dialect.Named "requiresGrad" "true" else ""
        $"Tensor.Create({data}, {shape}{requires})"

    /// An attribute's value for the operator registry, as an object.
    let rec boxed (dialect: Dialect) (value: Attr) =
        let object text = if dialect.IsFSharp then $"box {text}" else text

        match value with
        | Attr.Null -> dialect.Null
        | Attr.Flag value -> object (flag value)
        | Attr.Integer n -> object (if n < 0L then $"({n}L)" else $"{n}L")
        | Attr.Float x -> object (if x < 0.0 then "(" + float64 dialect x + ")" else float64 dialect x)
        | Attr.Text word -> object ("\"" + word + "\"")
        | Attr.Items items when dialect.IsFSharp -> "box ([| " + String.Join("; ", items |> List.map (boxed dialect)) + " |] : obj array)"
        | Attr.Items items -> "new object?[] { " + String.Join(", ", items |> List.map (boxed dialect)) + " }"
