namespace Verified.Spec

open System
open System.Globalization
open System.Text

/// What was wrong with a text, and where: line and column count from 1; the path is that of the value, such as steps[2].in.
type TextError =
    { Line: int
      Column: int
      Path: string
      Message: string }

    override e.ToString() =
        let place = if e.Path = "" then "" else " (" + e.Path + ")"
        $"line {e.Line}, column {e.Column}{place}: {e.Message}"

/// A JSON value with its place in the text. Numbers stay as written, so that a reader decides their format.
type JsonTree = { At: int; Node: JsonNode }

and [<RequireQualifiedAccess>] JsonNode =
    | Null
    | Bool of bool
    | Number of string
    | Text of string
    | Items of JsonTree[]
    | Fields of (string * JsonTree)[]

/// Reading JSON with places. Own code, since a program's numbers are kept as written and every complaint names its place.
[<RequireQualifiedAccess>]
module JsonText =
    exception private Bad of at: int * message: string

    let private deepest = 64

    /// Line and column, from 1, of an index into the text.
    let place (text: string) at =
        let before = text.AsSpan(0, min at text.Length)
        let line = MemoryExtensions.Count(before, '\n')
        let start = MemoryExtensions.LastIndexOf(before, '\n') + 1
        line + 1, at - start + 1

    let private isSpace c = c = ' ' || c = '\t' || c = '\n' || c = '\r'

    let rec private skip (text: string) at = if at < text.Length && isSpace text[at] then skip text (at + 1) else at

    let private shown (text: string) at = if at >= text.Length then "the text ends here" else $"found '{text[at]}'"

    let private expectWord (text: string) at (word: string) =
        if String.CompareOrdinal(text, at, word, 0, word.Length) = 0 then
            at + word.Length
        else
            raise (Bad(at, $"expected a JSON value, but {shown text at}"))

    /// A string without escapes is a slice; the escapes are rare.
    let private readString (text: string) at =
        let built = StringBuilder()

        let rec go i =
            if i >= text.Length then
                raise (Bad(at, "this string is not closed"))

            match text[i] with
            | '"' -> i + 1
            | c when c < ' ' -> raise (Bad(i, "a control character inside a string must be escaped"))
            | '\\' when i + 1 >= text.Length -> raise (Bad(at, "this string is not closed"))
            | '\\' ->
                match text[i + 1] with
                | 'n' ->
                    built.Append '\n' |> ignore
                    go (i + 2)
                | 't' ->
                    built.Append '\t' |> ignore
                    go (i + 2)
                | 'r' ->
                    built.Append '\r' |> ignore
                    go (i + 2)
                | 'b' ->
                    built.Append '\b' |> ignore
                    go (i + 2)
                | 'f' ->
                    built.Append '\012' |> ignore
                    go (i + 2)
                | '"'
                | '\\'
                | '/' as c ->
                    built.Append c |> ignore
                    go (i + 2)
                | 'u' when i + 6 <= text.Length ->
                    match Int32.TryParse(text.AsSpan(i + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) with
                    | true, code ->
                        built.Append(char code) |> ignore
                        go (i + 6)
                    | _ -> raise (Bad(i, "\\u wants four hexadecimal digits"))
                | _ -> raise (Bad(i, "this escape is not one of JSON's"))
            | c ->
                built.Append c |> ignore
                go (i + 1)

        let after = go (at + 1)
        built.ToString(), after

    let private digits (text: string) at =
        let rec go i = if i < text.Length && Char.IsAsciiDigit text[i] then go (i + 1) else i
        let after = go at

        if after = at then
            raise (Bad(at, $"expected a digit, but {shown text at}"))

        after

    let private readNumber (text: string) at =
        let whole = digits text (if text[at] = '-' then at + 1 else at)

        let fraction =
            if whole < text.Length && text[whole] = '.' then
                digits text (whole + 1)
            else
                whole

        if fraction < text.Length && (text[fraction] = 'e' || text[fraction] = 'E') then
            let signed = fraction + 1

            digits
                text
                (if signed < text.Length && (text[signed] = '+' || text[signed] = '-') then
                     signed + 1
                 else
                     signed)
        else
            fraction

    let rec private readValue (text: string) depth start : struct (JsonTree * int) =
        let at = skip text start

        if depth > deepest then
            raise (Bad(at, $"nested more than {deepest} deep"))

        if at >= text.Length then
            raise (Bad(at, "expected a JSON value, but the text ends here"))

        // As Python's json.dumps writes them.
        for word in [ "NaN"; "Infinity"; "-Infinity" ] do
            if String.CompareOrdinal(text, at, word, 0, word.Length) = 0 then
                raise (Bad(at, "JSON has no number that is not finite; here they are the strings \"inf\", \"-inf\" and \"nan\""))

        match text[at] with
        | '{' -> readFields text depth at
        | '[' -> readItems text depth at
        | '"' ->
            let value, after = readString text at
            struct ({ At = at; Node = JsonNode.Text value }, after)
        | 't' -> struct ({ At = at; Node = JsonNode.Bool true }, expectWord text at "true")
        | 'f' -> struct ({ At = at; Node = JsonNode.Bool false }, expectWord text at "false")
        | 'n' -> struct ({ At = at; Node = JsonNode.Null }, expectWord text at "null")
        | c when c = '-' || Char.IsAsciiDigit c ->
            let after = readNumber text at

            struct ({ At = at
                      Node = JsonNode.Number(text.Substring(at, after - at)) },
                    after)
        | c -> raise (Bad(at, $"expected a JSON value, but found '{c}'"))

    and private readItems text depth at =
        let items = ResizeArray()

        let rec go start =
            let struct (item, after) = readValue text (depth + 1) start
            items.Add item

            match skip text after with
            | i when i < text.Length && text[i] = ',' -> go (i + 1)
            | i when i < text.Length && text[i] = ']' -> i + 1
            | i -> raise (Bad(i, $"expected ',' or ']', but {shown text i}"))

        let first = skip text (at + 1)
        let after = if first < text.Length && text[first] = ']' then first + 1 else go (at + 1)

        struct ({ At = at
                  Node = JsonNode.Items(items.ToArray()) },
                after)

    and private readFields text depth at =
        let fields = ResizeArray()

        let rec go start =
            let i = skip text start

            if i >= text.Length || text[i] <> '"' then
                raise (Bad(i, $"expected a quoted name, but {shown text i}"))

            let name, afterName = readString text i

            if fields.Exists(fun (known, _) -> known = name) then
                raise (Bad(i, $"'{name}' is given twice"))

            let colon = skip text afterName

            if colon >= text.Length || text[colon] <> ':' then
                raise (Bad(colon, $"expected ':', but {shown text colon}"))

            let struct (value, after) = readValue text (depth + 1) (colon + 1)
            fields.Add((name, value))

            match skip text after with
            | i when i < text.Length && text[i] = ',' -> go (i + 1)
            | i when i < text.Length && text[i] = '}' -> i + 1
            | i -> raise (Bad(i, $"expected ',' or '}}', but {shown text i}"))

        let first = skip text (at + 1)
        let after = if first < text.Length && text[first] = '}' then first + 1 else go (at + 1)

        struct ({ At = at
                  Node = JsonNode.Fields(fields.ToArray()) },
                after)

    /// Reads one JSON value that fills the text.
    let read (text: string) : Result<JsonTree, TextError> =
        try
            let struct (value, after) = readValue text 0 0
            let rest = skip text after

            if rest < text.Length then
                raise (Bad(rest, $"expected the end of the text, but {shown text rest}"))

            Ok value
        with Bad(at, message) ->
            let line, column = place text at

            Error
                { Line = line
                  Column = column
                  Path = ""
                  Message = message }

    /// Appends a JSON string.
    let quote (into: StringBuilder) (text: string) =
        into.Append '"' |> ignore

        for c in text do
            match c with
            | '"' -> into.Append "\\\"" |> ignore
            | '\\' -> into.Append "\\\\" |> ignore
            | '\n' -> into.Append "\\n" |> ignore
            | '\r' -> into.Append "\\r" |> ignore
            | '\t' -> into.Append "\\t" |> ignore
            | c when c < ' ' -> into.Append("\\u" + (int c).ToString("x4", CultureInfo.InvariantCulture)) |> ignore
            | c -> into.Append c |> ignore

        into.Append '"' |> ignore
