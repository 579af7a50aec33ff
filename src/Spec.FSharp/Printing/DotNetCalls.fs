namespace Verified.Spec

open System

/// What a parameter of an engine's method takes.
[<RequireQualifiedAccess>]
type ParameterKind =
    | OneTensor
    | SeveralTensors
    | Int
    | Ints
    | Real
    | Flag
    | Word
    | DTypeName

/// A parameter of an engine's method.
type EngineParameter =
    {
        /// In camelCase.
        Name: string
        Kind: ParameterKind
        /// It has a default.
        Optional: bool
        MayBeNull: bool
    }

/// A method of an engine's tensors: an operator's, where its name is the operator's in PascalCase, with InPlace behind it where it is one in
/// place.
type EngineMethod =
    {
        Name: string
        IsStatic: bool
        Parameters: EngineParameter list
        /// It gives an array of tensors.
        GivesSeveral: bool
    }

/// Calls in C# and in F#: of an engine's method, or by name through its registry.
module internal DotNetCalls =
    open Dialect

    /// An attribute's value as an argument; None where the parameter takes no such value.
    let private argument (dialect: Dialect) kind (value: Attr) =
        match kind, value with
        | ParameterKind.Int, Attr.Integer n -> Some(string n)
        | ParameterKind.Ints, Attr.Integer n -> Some(dialect.Array [ string n ])
        | ParameterKind.Ints, Attr.Items items when items |> List.forall _.IsInteger ->
            items
            |> List.map (function
                | Attr.Integer n -> string n
                | _ -> "")
            |> dialect.Array
            |> Some
        // An integer keeps what integers are: through the registry.
        | ParameterKind.Real, Attr.Float x -> Some(float64 dialect x)
        | ParameterKind.Flag, Attr.Flag value -> Some(flag value)
        | ParameterKind.Word, Attr.Text word -> Some("\"" + word + "\"")
        | ParameterKind.DTypeName, Attr.Text word -> Some("DType." + capital word)
        | _ -> None

    let private tensors (dialect: Dialect) names = dialect.Array(names |> List.map (Option.map safe >> Option.defaultValue dialect.Null))

    /// The arguments of a method for a step's tensors and attributes; None where it does not take just these. Tensors go by place, and so does
    /// a number where one must be given, since a tensor may stand there as well; all else goes by name.
    let rec private arguments
        (dialect: Dialect)
        (parameters: EngineParameter list)
        (given: Arg list)
        (attrs: (string * Attr) list)
        byPlace
        =
        match parameters with
        | [] when given.IsEmpty && attrs.IsEmpty -> Some []
        | [] -> None
        | parameter :: parameters ->
            let write value mayStand given attrs =
                let byPlace = byPlace && mayStand
                let value = if byPlace then value else dialect.Named parameter.Name value
                arguments dialect parameters given attrs byPlace |> Option.map (fun rest -> value :: rest)

            let skip given =
                if parameter.Optional then
                    arguments dialect parameters given attrs false
                else
                    None

            match parameter.Kind, given with
            | ParameterKind.OneTensor, Arg.Name name :: given -> write (safe name) true given attrs
            | ParameterKind.OneTensor, Arg.Missing :: given when not parameter.Optional && parameter.MayBeNull ->
                write dialect.Null true given attrs
            | ParameterKind.OneTensor, Arg.Missing :: given -> skip given
            | ParameterKind.SeveralTensors, Arg.Names names :: given -> write (tensors dialect names) true given attrs
            | (ParameterKind.OneTensor | ParameterKind.SeveralTensors), _ -> skip given
            | kind, _ ->
                match attrs |> List.partition (fun (key, _) -> camel key = parameter.Name) with
                | [ _, value ], attrs ->
                    argument dialect kind value
                    |> Option.bind (fun value -> write value (kind = ParameterKind.Real && not parameter.Optional) given attrs)
                | _ -> skip given

    /// A call of the first of the methods that takes just what the step gives, and that method.
    let asMethod (dialect: Dialect) (methods: EngineMethod list) (step: Step) : (EngineMethod * string) option =
        let name = pascal step.Op

        let call target given (method: EngineMethod) =
            arguments dialect method.Parameters given (Map.toList step.Attrs) true
            |> Option.map (fun arguments -> method, target + "." + method.Name + "(" + String.Join(", ", arguments) + ")")

        methods
        |> List.filter (fun method -> String.Equals(method.Name, name, StringComparison.OrdinalIgnoreCase))
        |> List.tryPick (fun method ->
            match step.In with
            | Arg.Name self :: given when not method.IsStatic -> call (safe self) given method
            | given when method.IsStatic -> call "Tensor" given method
            | _ -> None)

    /// A call by name through the registry: an array of results.
    let asInvocation (dialect: Dialect) (step: Step) =
        let orNull = Option.map safe >> Option.defaultValue dialect.Null

        let arg (value: Arg) =
            match value with
            | Arg.Missing -> dialect.Null
            | Arg.Name name -> dialect.Boxed(safe name)
            | Arg.Names names -> names |> List.map orNull |> dialect.Tensors |> dialect.Boxed

        let inputs = step.In |> List.map arg |> dialect.Objects
        let attrs = Map.toList step.Attrs |> List.map (fun (key, value) -> key, boxed dialect value)

        let attributes =
            if attrs.IsEmpty then
                "Attributes.None"
            else
                "Attributes.Of(" + dialect.Pairs attrs + ")"

        let call = dialect.New "OperatorCall"
        $"OperatorRegistry.Default.Invoke(\"{step.Op}\", {call}({inputs}, {attributes}))"
