namespace Verified.Spec

open System
open System.Globalization
open System.Text

/// Programs and outcomes as JSON, exactly: bits survive, and bad input gets a message with line, column and path.
[<RequireQualifiedAccess>]
module Json =
    exception private Wrong of at: int * path: string * message: string

    let private invariant = CultureInfo.InvariantCulture

    // ---- Reading ------------------------------------------------------------------------------------------------

    let private wrong (json: JsonTree) path message = raise (Wrong(json.At, path, message))

    let private kind (json: JsonTree) =
        match json.Node with
        | JsonNode.Null -> "null"
        | JsonNode.Bool _ -> "true or false"
        | JsonNode.Number text -> "the number " + text
        | JsonNode.Text text -> "\"" + text + "\""
        | JsonNode.Items _ -> "a list"
        | JsonNode.Fields _ -> "an object"

    let private fields path (json: JsonTree) =
        match json.Node with
        | JsonNode.Fields fields -> fields
        | _ -> wrong json path $"expected an object, found {kind json}"

    let private items path (json: JsonTree) =
        match json.Node with
        | JsonNode.Items items -> items
        | _ -> wrong json path $"expected a list, found {kind json}"

    let private text path (json: JsonTree) =
        match json.Node with
        | JsonNode.Text text -> text
        | _ -> wrong json path $"expected a string, found {kind json}"

    let private flag path (json: JsonTree) =
        match json.Node with
        | JsonNode.Bool value -> value
        | _ -> wrong json path $"expected true or false, found {kind json}"

    let private at path key = if path = "" then key else path + "." + key

    let private field path (json: JsonTree) key =
        fields path json |> Array.tryPick (fun (name, value) -> if name = key then Some value else None)

    let private required path (json: JsonTree) key =
        match field path json key with
        | Some value -> value
        | None -> wrong json path $"'{key}' is missing"

    /// Refuses fields that the protocol does not have: a misspelt one must not pass unseen.
    let private only path (json: JsonTree) (known: string list) =
        for name, value in fields path json do
            if not (List.contains name known) then
                let list = String.Join(", ", known)
                wrong value (at path name) $"'{name}' is not a field here; there are {list}"

    let private integer path (json: JsonTree) =
        match json.Node with
        | JsonNode.Number raw ->
            match Int64.TryParse(raw, NumberStyles.AllowLeadingSign, invariant) with
            | true, value -> value
            | _ -> wrong json path $"expected an integer, found {raw}"
        | _ -> wrong json path $"expected an integer, found {kind json}"

    let private nonFinite word =
        match word with
        | "nan" -> Some nan
        | "inf" -> Some infinity
        | "-inf" -> Some -infinity
        | _ -> None

    /// The nearest number of the format; one too large for it is refused rather than turned into an infinity.
    let private floating path dtype (json: JsonTree) =
        match json.Node with
        | JsonNode.Number raw ->
            let value =
                if dtype = Float32 then
                    float (Single.Parse(raw, invariant))
                else
                    Double.Parse(raw, invariant)

            if Double.IsInfinity value then
                wrong json path $"{raw} is too large for {dtype.Name}"

            value
        | JsonNode.Text word when (nonFinite word).IsSome -> (nonFinite word).Value
        | _ -> wrong json path $"expected a number, \"nan\", \"inf\" or \"-inf\", found {kind json}"

    let private dtype path (json: JsonTree) =
        match text path json with
        | "float32" -> Float32
        | "float64" -> Float64
        | "int64" -> DType.Int64
        | "bool" -> Bool
        | name -> wrong json path $"'{name}' is not a dtype; there are float32, float64, int64 and bool"

    let private shape path (json: JsonTree) =
        items path json
        |> Array.mapi (fun i item ->
            match integer $"{path}[{i}]" item with
            | size when size < 0L || size > int64 Int32.MaxValue -> wrong item $"{path}[{i}]" $"{size} is not a size"
            | size -> int size)

    let private literal path (json: JsonTree) : Literal =
        let dtype = dtype (at path "dtype") (required path json "dtype")
        let shape = shape (at path "shape") (required path json "shape")
        let dataJson = required path json "data"
        let path = at path "data"
        let items = items path dataJson
        let count = shape |> Array.fold (fun n d -> n * int64 d) 1L

        if count <> int64 items.Length then
            wrong dataJson path $"shape {Shape.show shape} wants {count} elements, found {items.Length}"

        let data =
            match dtype with
            | Float32
            | Float64 -> Data.Floats(items |> Array.mapi (fun i item -> floating $"{path}[{i}]" dtype item))
            | DType.Int64 -> Data.Ints(items |> Array.mapi (fun i item -> integer $"{path}[{i}]" item))
            | Bool -> Data.Ints(items |> Array.mapi (fun i item -> if flag $"{path}[{i}]" item then 1L else 0L))

        { DType = dtype
          Shape = shape
          Data = data }

    let private name path (json: JsonTree) =
        match text path json with
        | "" -> wrong json path "a name must not be empty"
        | name when name.Contains '.' -> wrong json path $"'{name}': a name must not contain a point"
        | name -> name

    let private nameOrNull path (json: JsonTree) =
        match json.Node with
        | JsonNode.Null -> None
        | _ -> Some(name path json)

    let private list path read (json: JsonTree) = items path json |> Array.mapi (fun i item -> read $"{path}[{i}]" item) |> List.ofArray

    let rec private attr path (json: JsonTree) =
        match json.Node with
        | JsonNode.Null -> Attr.Null
        | JsonNode.Bool value -> Attr.Flag value
        | JsonNode.Number raw when raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0 -> Attr.Integer(integer path json)
        | JsonNode.Number _ -> Attr.Float(floating path Float64 json)
        | JsonNode.Text word ->
            match nonFinite word with
            | Some value -> Attr.Float value
            | None -> Attr.Text word
        | JsonNode.Items _ -> Attr.Items(list path attr json)
        | JsonNode.Fields _ -> wrong json path "an attribute cannot be an object"

    let private arg path (json: JsonTree) =
        match json.Node with
        | JsonNode.Null -> Arg.Missing
        | JsonNode.Items _ -> Arg.Names(list path nameOrNull json)
        | _ -> Arg.Name(name path json)

    let private out path (json: JsonTree) =
        match json.Node with
        | JsonNode.Null -> Out.Nothing
        | JsonNode.Items _ -> Out.Names(list path nameOrNull json)
        | _ -> Out.Name(name path json)

    let rec private step path (json: JsonTree) : Step =
        only path json [ "op"; "in"; "attrs"; "out"; "wrt"; "gradients"; "steps" ]
        let optional key read = field path json key |> Option.map (read (at path key))

        { Op = text (at path "op") (required path json "op")
          In = optional "in" (fun path -> list path arg) |> Option.defaultValue []
          Attrs =
            optional "attrs" (fun path json ->
                fields path json |> Array.map (fun (key, value) -> key, attr (at path key) value) |> Map.ofArray)
            |> Option.defaultValue Map.empty
          Out = optional "out" out |> Option.defaultValue Out.Nothing
          Wrt = optional "wrt" (fun path -> list path name)
          Gradients =
            // A null for the whole list is PyTorch's own default, gradients=None.
            match field path json "gradients" with
            | Some { Node = JsonNode.Null } -> None
            | _ -> optional "gradients" (fun path -> list path nameOrNull)
          Steps = optional "steps" (fun path -> list path step) |> Option.defaultValue [] }

    let private observed path (json: JsonTree) =
        match text path json with
        | word when word.EndsWith(".grad", StringComparison.Ordinal) && word.Length > 5 ->
            Observed.Gradient(word.Substring(0, word.Length - 5))
        | _ -> Observed.Value(name path json)

    let private input path (inputName: string, json: JsonTree) : Input =
        only path json [ "dtype"; "shape"; "data"; "requires_grad" ]

        if inputName = "" || inputName.Contains '.' then
            wrong json path "a name must not be empty or contain a point"

        { Name = inputName
          Tensor = literal path json
          RequiresGrad = field path json "requires_grad" |> Option.map (flag (at path "requires_grad")) |> Option.defaultValue false }

    /// A program, from parsed JSON.
    let private program path (json: JsonTree) : Program =
        only path json [ "inputs"; "steps"; "observe" ]
        let inputs = required path json "inputs"

        { Inputs =
            fields (at path "inputs") inputs
            |> Array.map (fun (name, value) -> input (at path "inputs." + name) (name, value))
            |> List.ofArray
          Steps = list (at path "steps") step (required path json "steps")
          Observe = list (at path "observe") observed (required path json "observe") }

    let private errorKinds =
        FSharp.Reflection.FSharpType.GetUnionCases typeof<ErrorKind>
        |> Array.map (fun case ->
            let kind = unbox<ErrorKind>(nonNull (FSharp.Reflection.FSharpValue.MakeUnion(case, [||])))
            kind.Name, kind)
        |> dict

    let private raised path (json: JsonTree) : Raised =
        let kindJson = required path json "kind"

        { Step = list (at path "step") (fun path json -> int (integer path json)) (required path json "step")
          Kind =
            match errorKinds.TryGetValue(text (at path "kind") kindJson) with
            | true, kind -> kind
            | _ -> wrong kindJson (at path "kind") $"{kind kindJson} is not a kind of error"
          Message = field path json "message" |> Option.map (text (at path "message")) |> Option.defaultValue "" }

    let private report path (json: JsonTree) =
        match json.Node with
        | JsonNode.Null -> None
        | _ ->
            Some
                { Tensor = literal path json
                  RequiresGrad = field path json "requires_grad" |> Option.map (flag (at path "requires_grad"))
                  IsLeaf = field path json "is_leaf" |> Option.map (flag (at path "is_leaf"))
                  Version =
                    match field path json "version" with
                    | None
                    | Some { Node = JsonNode.Null } -> None
                    | Some value -> Some(int (integer (at path "version") value))
                  GradFn =
                    match field path json "grad_fn" with
                    | None -> None
                    | Some { Node = JsonNode.Null } -> Some None
                    | Some value -> Some(Some(text (at path "grad_fn") value)) }

    let private outcome path (json: JsonTree) : Outcome =
        { Values =
            fields (at path "values") (required path json "values")
            |> Array.map (fun (name, value) -> name, report (at path "values." + name) value)
            |> List.ofArray
          Raised =
            match field path json "raised" with
            | None
            | Some { Node = JsonNode.Null } -> None
            | Some value -> Some(raised (at path "raised") value) }

    let private reading (read: JsonTree -> 'T) (text: string) : Result<'T, TextError> =
        match JsonText.read text with
        | Error error -> Error error
        | Ok json ->
            try
                Ok(read json)
            with Wrong(at, path, message) ->
                let line, column = JsonText.place text at

                Error
                    { Line = line
                      Column = column
                      Path = path
                      Message = message }

    /// Reads a program.
    let readProgram text = reading (program "") text

    /// Reads an outcome.
    let readOutcome text = reading (outcome "") text

    /// One line of a corpus: an id, a program, and, where the line is a golden, the outcome that it records.
    type Case =
        {
            Id: string
            Program: Program
            Golden: Outcome option
            /// What made the golden, such as "pytorch 2.6.0".
            Source: string option
        }

    /// Reads one line of a corpus or of goldens.
    let readCase line : Result<Case, TextError> =
        line
        |> reading (fun json ->
            { Id = text "id" (required "" json "id")
              Program = program "program" (required "" json "program")
              Golden = field "" json "outcome" |> Option.map (outcome "outcome")
              Source =
                field "" json "source"
                |> Option.map (fun source ->
                    fields "source" source
                    |> Array.map (fun (key, value) -> key + " " + text (at "source" key) value)
                    |> String.concat ", ") })

    // ---- Writing ------------------------------------------------------------------------------------------------

    /// The shortest decimal that reads back to the same bits of the dtype; the non-finite ones as strings.
    let private writeFloat (into: StringBuilder) dtype (value: float) =
        if Double.IsNaN value then
            into.Append "\"nan\""
        elif Double.IsPositiveInfinity value then
            into.Append "\"inf\""
        elif Double.IsNegativeInfinity value then
            into.Append "\"-inf\""
        elif value = 0.0 then
            into.Append(if Double.IsNegative value then "-0.0" else "0")
        elif dtype = Float32 then
            into.Append((float32 value).ToString("R", invariant))
        else
            into.Append(value.ToString("R", invariant))
        |> ignore

    let private separated (into: StringBuilder) write (items: 'T seq) =
        let mutable first = true

        for item in items do
            if not first then into.Append ',' |> ignore
            first <- false
            write item

    let private bracketed (into: StringBuilder) write (items: 'T seq) =
        into.Append '[' |> ignore
        separated into write items
        into.Append ']' |> ignore

    let private key (into: StringBuilder) name =
        JsonText.quote into name
        into.Append ':' |> ignore

    /// The fields of a literal, without the braces: reports add to them.
    let private writeLiteral (into: StringBuilder) (tensor: Literal) =
        into.Append("\"dtype\":\"").Append(tensor.DType.Name).Append("\",\"shape\":") |> ignore
        bracketed into (fun (d: int) -> into.Append d |> ignore) tensor.Shape
        into.Append ",\"data\":" |> ignore

        match tensor.Data with
        | Data.Floats values -> bracketed into (writeFloat into tensor.DType) values
        | Data.Ints values when tensor.DType = Bool ->
            bracketed into (fun value -> into.Append(if value <> 0L then "true" else "false") |> ignore) values
        | Data.Ints values -> bracketed into (fun (value: int64) -> into.Append value |> ignore) values

    let private writeNameOrNull (into: StringBuilder) name =
        match name with
        | Some name -> JsonText.quote into name
        | None -> into.Append "null" |> ignore

    let rec private writeAttr (into: StringBuilder) (attr: Attr) =
        match attr with
        | Attr.Null -> into.Append "null" |> ignore
        | Attr.Flag value -> into.Append(if value then "true" else "false") |> ignore
        | Attr.Integer value -> into.Append value |> ignore
        | Attr.Float value when Double.IsFinite value ->
            let shortest = value.ToString("R", invariant)
            let marked = shortest.AsSpan().IndexOfAny('.', 'E') >= 0
            into.Append(if marked then shortest else shortest + ".0") |> ignore
        | Attr.Float value -> writeFloat into Float64 value
        | Attr.Text value -> JsonText.quote into value
        | Attr.Items values -> bracketed into (writeAttr into) values

    let rec private writeStep (into: StringBuilder) (step: Step) =
        into.Append "{\"op\":" |> ignore
        JsonText.quote into step.Op

        let optional name present write =
            if present then
                into.Append ',' |> ignore
                key into name
                write ()

        optional "in" (not step.In.IsEmpty) (fun () ->
            step.In
            |> bracketed into (fun arg ->
                match arg with
                | Arg.Missing -> into.Append "null" |> ignore
                | Arg.Name name -> JsonText.quote into name
                | Arg.Names names -> bracketed into (writeNameOrNull into) names))

        optional "attrs" (not step.Attrs.IsEmpty) (fun () ->
            into.Append '{' |> ignore

            Map.toSeq step.Attrs
            |> separated into (fun (name, value) ->
                key into name
                writeAttr into value)

            into.Append '}' |> ignore)

        optional "wrt" step.Wrt.IsSome (fun () -> bracketed into (JsonText.quote into) step.Wrt.Value)
        optional "gradients" step.Gradients.IsSome (fun () -> bracketed into (writeNameOrNull into) step.Gradients.Value)
        optional "steps" (not step.Steps.IsEmpty) (fun () -> bracketed into (writeStep into) step.Steps)

        match step.Out with
        | Out.Nothing -> ()
        | Out.Name name -> optional "out" true (fun () -> JsonText.quote into name)
        | Out.Names names -> optional "out" true (fun () -> bracketed into (writeNameOrNull into) names)

        into.Append '}' |> ignore

    let private writeProgramInto (into: StringBuilder) (program: Program) =
        into.Append "{\"inputs\":{" |> ignore

        program.Inputs
        |> separated into (fun input ->
            key into input.Name
            into.Append '{' |> ignore
            writeLiteral into input.Tensor

            if input.RequiresGrad then
                into.Append ",\"requires_grad\":true" |> ignore

            into.Append '}' |> ignore)

        into.Append "},\"steps\":" |> ignore
        bracketed into (writeStep into) program.Steps
        into.Append ",\"observe\":" |> ignore
        program.Observe |> bracketed into (fun observed -> JsonText.quote into observed.Text)
        into.Append '}' |> ignore

    let private writeOutcomeInto (into: StringBuilder) (outcome: Outcome) =
        into.Append "{\"values\":{" |> ignore

        outcome.Values
        |> separated into (fun (name, report) ->
            key into name

            match report with
            | None -> into.Append "null" |> ignore
            | Some report ->
                into.Append '{' |> ignore
                writeLiteral into report.Tensor

                let flag name (value: bool option) =
                    value
                    |> Option.iter (fun value -> into.Append($",\"{name}\":").Append(if value then "true" else "false") |> ignore)

                flag "requires_grad" report.RequiresGrad
                flag "is_leaf" report.IsLeaf
                report.Version |> Option.iter (fun version -> into.Append(",\"version\":").Append(version) |> ignore)

                report.GradFn
                |> Option.iter (fun node ->
                    into.Append ",\"grad_fn\":" |> ignore
                    writeNameOrNull into node)

                into.Append '}' |> ignore)

        into.Append '}' |> ignore

        outcome.Raised
        |> Option.iter (fun raised ->
            into.Append ",\"raised\":{\"step\":" |> ignore
            bracketed into (fun (i: int) -> into.Append i |> ignore) raised.Step
            into.Append(",\"kind\":\"").Append(raised.Kind.Name).Append("\",\"message\":") |> ignore
            JsonText.quote into raised.Message
            into.Append '}' |> ignore)

        into.Append '}' |> ignore

    let private written write value =
        let into = StringBuilder()
        write into value
        into.ToString()

    /// A program as one line of JSON. Equal programs give equal text.
    let writeProgram program = written writeProgramInto program

    /// An outcome as one line of JSON.
    let writeOutcome outcome = written writeOutcomeInto outcome

    /// One line of a corpus.
    let writeCase id program =
        let into = StringBuilder("{\"id\":")
        JsonText.quote into id
        into.Append ",\"program\":" |> ignore
        writeProgramInto into program
        into.Append('}').ToString()

    /// One line of a run's results.
    let writeResult id outcome =
        let into = StringBuilder("{\"id\":")
        JsonText.quote into id
        into.Append ",\"outcome\":" |> ignore
        writeOutcomeInto into outcome
        into.Append('}').ToString()
