namespace Verified.Spec

open System
open System.Globalization

/// What the two languages write differently.
type internal Dialect =
    {
        Null: string
        /// Behind a statement.
        Ending: string
        /// Behind what may be null and is not.
        NotNull: string
        NaN: string
        Infinity: string
        SingleNaN: string
        SingleInfinity: string
        /// A finite number of single precision, from its shortest text.
        Single: string -> string
        Array: string list -> string
        /// An array of elements of a type by its name in C#.
        ArrayOf: string -> string list -> string
        Objects: string list -> string
        Tensors: string list -> string
        /// An array of pairs of a name and an object.
        Pairs: (string * string) list -> string
        /// A value as an object.
        Boxed: string -> string
        /// A constructor's name where it is called.
        New: string -> string
        /// An argument by its name.
        Named: string -> string -> string
        /// A function of a parameter.
        Lambda: string -> string -> string
        /// A name, which may be new, bound to a value.
        Bind: bool -> string -> string -> string
        /// A value that is not wanted.
        Ignored: string -> string
        /// Statements inside one of autograd's scopes: those names that they bind first, and all.
        Block: string -> string list -> string list -> string list -> string list
        /// Prints a value behind what it is called.
        Show: string -> string -> string
    }

/// Names and values in C# and in F#.
module internal Dialect =
    let private joined separator (items: string list) = String.Join((separator: string), items)

    let private indented lines = lines |> List.map (fun line -> "    " + line)

    let private hasPoint (text: string) = text.AsSpan().IndexOfAny('.', 'E') >= 0

    let csharp: Dialect =
        let array kind items = "new " + kind + "[] { " + joined ", " items + " }"

        { Null = "null"
          Ending = ";"
          NotNull = "!"
          NaN = "double.NaN"
          Infinity = "double.PositiveInfinity"
          SingleNaN = "float.NaN"
          SingleInfinity = "float.PositiveInfinity"
          Single = fun text -> text + "f"
          Array = fun items -> "[" + joined ", " items + "]"
          ArrayOf = array
          Objects = array "object?"
          Tensors = array "Tensor?"
          Pairs = List.map (fun (name, value) -> $"(\"{name}\", {value})") >> array "(string, object?)"
          Boxed = id
          New = fun name -> "new " + name
          Named = fun name value -> name + ": " + value
          Lambda = fun parameter body -> parameter + " => " + body
          Bind = fun isNew name value -> (if isNew then "var " else "") + name + " = " + value + ";"
          Ignored = fun value -> value + ";"
          Block =
            fun scope fresh _ body ->
                List.map (fun name -> $"Tensor {name};") fresh
                @ [ $"using (Autograd.{scope}())"; "{" ]
                @ indented body
                @ [ "}" ]
          Show = fun text value -> "Console.WriteLine($\"" + text + " = {" + value + "}\");" }

    let fsharp: Dialect =
        let array items = "[| " + joined "; " items + " |]"
        let typed kind items = "(" + array items + " : " + kind + " array)"
        let kinds = Map.ofList [ "float", "float32"; "double", "float"; "long", "int64"; "bool", "bool" ]

        { Null = "null"
          Ending = ""
          NotNull = ""
          NaN = "nan"
          Infinity = "infinity"
          SingleNaN = "nanf"
          SingleInfinity = "infinityf"
          Single = fun text -> (if hasPoint text then text else text + ".0") + "f"
          Array = fun items -> if items.IsEmpty then "[||]" else array items
          ArrayOf = fun kind items -> if items.IsEmpty then $"Array.empty<{kinds[kind]}>" else array items
          Objects = typed "obj"
          Tensors = typed "Tensor"
          Pairs = List.map (fun (name, value) -> $"struct (\"{name}\", {value})") >> array
          Boxed = fun text -> "box " + text
          New = id
          Named = fun name value -> name + " = " + value
          Lambda = fun parameter body -> "fun " + parameter + " -> " + body
          Bind = fun _ name value -> "let " + name + " = " + value
          Ignored = fun value -> value + " |> ignore"
          Block =
            fun scope _ names body ->
                let call closing = [ $"using (Autograd.{scope}()) (fun _ ->" ] @ indented body @ [ closing ]

                match names with
                | [] -> call "    ())"
                | names -> ("let " + joined ", " names + " =") :: indented (call ("    " + joined ", " names + ")"))
          Show = fun text value -> "printfn \"" + text + " = %O\" " + value }

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
            dialect.NaN
        elif Double.IsInfinity value then
            (if value < 0.0 then "-" else "") + dialect.Infinity
        else
            let text = value.ToString("R", invariant)
            if hasPoint text then text else text + ".0"

    let float32Text (dialect: Dialect) (value: float) =
        let value = float32 value

        if Single.IsNaN value then
            dialect.SingleNaN
        elif Single.IsInfinity value then
            (if value < 0.0f then "-" else "") + dialect.SingleInfinity
        else
            dialect.Single(value.ToString("R", invariant))

    let literal (dialect: Dialect) (input: Input) =
        let tensor = input.Tensor

        let kind, elements =
            match tensor.Data with
            | Data.Floats values when tensor.DType = Float32 -> "float", values |> Array.map (float32Text dialect)
            | Data.Floats values -> "double", values |> Array.map (float64 dialect)
            | Data.Ints values when tensor.DType = Bool -> "bool", values |> Array.map (fun v -> flag (v <> 0L))
            | Data.Ints values -> "long", values |> Array.map (fun v -> v.ToString invariant + "L")

        let data = dialect.ArrayOf kind (List.ofArray elements)
        let shape = dialect.Array(tensor.Shape |> List.ofArray |> List.map string)
        let requires = if input.RequiresGrad then ", " + dialect.Named "requiresGrad" "true" else ""
        $"Tensor.Create({data}, {shape}{requires})"

    /// An attribute's value for the operator registry, as an object.
    let rec boxed (dialect: Dialect) (value: Attr) =
        match value with
        | Attr.Null -> dialect.Null
        | Attr.Flag value -> dialect.Boxed(flag value)
        | Attr.Integer n -> dialect.Boxed(if n < 0L then $"({n}L)" else $"{n}L")
        | Attr.Float x -> dialect.Boxed(if x < 0.0 then "(" + float64 dialect x + ")" else float64 dialect x)
        | Attr.Text word -> dialect.Boxed("\"" + word + "\"")
        | Attr.Items items -> items |> List.map (boxed dialect) |> dialect.Objects |> dialect.Boxed
