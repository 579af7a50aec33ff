namespace Verified.Spec

open System
open System.Globalization

/// Prints a program in C# and in F# on the built-in engine's public surface. What has no method there in the form that the step wants is
/// called by name through the operator registry, so that every program can be printed, compiled and run.
[<RequireQualifiedAccess>]
module PrintDotNet =
    /// What the two languages write differently.
    type private Dialect =
        { IsFSharp: bool
          Array: string list -> string
          Named: string -> string -> string
          Null: string }

    let private csharp =
        { IsFSharp = false
          Array = fun items -> "[" + String.Join(", ", items) + "]"
          Named = fun name value -> name + ": " + value
          Null = "null" }

    let private fsharp =
        { IsFSharp = true
          Array = fun items -> if items.IsEmpty then "[||]" else "[| " + String.Join("; ", items) + " |]"
          Named = fun name value -> name + " = " + value
          Null = "null" }

    let private invariant = CultureInfo.InvariantCulture

    /// The types that an attribute has as a named argument of a method.
    type private Kind =
        | Int
        | Ints
        | Number
        | Flag
        | Text
        | DType

    /// A method's tensor arguments behind the first, by name where an attribute may stand before them, and its attributes.
    type private Method =
        { Tensors: string list
          Required: int
          Attrs: (string * Kind) list }

    let private method' required tensors attrs =
        { Tensors = tensors
          Required = required
          Attrs = attrs }

    let private reduction = [ "dim", Ints; "keepdim", Flag ]

    /// The methods of the engine's Tensor, under the names of the operators.
    let private methods =
        let plain names = names |> List.map (fun name -> name, method' 0 [] [])
        let binary names = names |> List.map (fun name -> name, method' 1 [ "" ] [])

        Map.ofList (
            plain
                [ "abs"
                  "clone"
                  "contiguous"
                  "cos"
                  "exp"
                  "exp_"
                  "expm1"
                  "floor"
                  "log"
                  "log1p"
                  "max"
                  "min"
                  "neg"
                  "neg_"
                  "reciprocal"
                  "relu"
                  "relu_"
                  "rsqrt"
                  "sigmoid"
                  "sigmoid_"
                  "sign"
                  "silu"
                  "sin"
                  "sqrt"
                  "sqrt_"
                  "square"
                  "t"
                  "tanh"
                  "tanh_"
                  "zero_" ]
            @ binary
                [ "bmm"
                  "copy_"
                  "div"
                  "div_"
                  "dot"
                  "eq"
                  "ge"
                  "gt"
                  "le"
                  "lt"
                  "matmul"
                  "maximum"
                  "minimum"
                  "mm"
                  "mul"
                  "mul_"
                  "mv"
                  "ne"
                  "outer" ]
            @ ([ "add"; "add_"; "sub"; "sub_" ] |> List.map (fun name -> name, method' 1 [ "" ] [ "alpha", Number ]))
            @ [ "amax", method' 0 [] reduction
                "amin", method' 0 [] reduction
                "argmax", method' 0 [] [ "dim", Int; "keepdim", Flag ]
                "addcmul_", method' 2 [ ""; "" ] [ "value", Number ]
                "addcdiv_", method' 2 [ ""; "" ] [ "value", Number ]
                "binary_cross_entropy_with_logits", method' 1 [ ""; "weight"; "posWeight" ] [ "reduction", Text ]
                "chunk", method' 0 [] [ "chunks", Int; "dim", Int ]
                "clamp", method' 0 [] [ "min", Number; "max", Number ]
                "clamp_", method' 0 [] [ "min", Number; "max", Number ]
                "conv2d", method' 1 [ ""; "bias" ] [ "stride", Ints; "padding", Ints; "dilation", Ints; "groups", Int ]
                "cross_entropy", method' 1 [ ""; "weight" ] [ "ignore_index", Int; "reduction", Text; "label_smoothing", Number ]
                "cumsum", method' 0 [] [ "dim", Int ]
                "elu", method' 0 [] [ "alpha", Number ]
                "embedding", method' 1 [ "" ] [ "padding_idx", Int ]
                "expand", method' 0 [] [ "size", Ints ]
                "fill_", method' 0 [] [ "value", Number ]
                "flatten", method' 0 [] [ "start_dim", Int; "end_dim", Int ]
                "flip", method' 0 [] [ "dims", Ints ]
                "gather", method' 1 [ "index" ] [ "dim", Int ]
                "gelu", method' 0 [] [ "approximate", Text ]
                "index_select", method' 1 [ "index" ] [ "dim", Int ]
                "layer_norm", method' 0 [ "weight"; "bias" ] [ "normalized_shape", Ints; "eps", Number ]
                "leaky_relu", method' 0 [] [ "negative_slope", Number ]
                "lerp_", method' 1 [ "" ] [ "weight", Number ]
                "linear", method' 1 [ ""; "bias" ] []
                "log_softmax", method' 0 [] [ "dim", Int; "dtype", DType ]
                "logsumexp", method' 0 [] reduction
                "masked_fill", method' 1 [ ""; "" ] [ "value", Number ]
                "masked_fill_", method' 1 [ ""; "" ] [ "value", Number ]
                "mean", method' 0 [] (reduction @ [ "dtype", DType ])
                "mse_loss", method' 1 [ "" ] [ "reduction", Text ]
                "narrow", method' 0 [] [ "dim", Int; "start", Int; "length", Int ]
                "norm", method' 0 [] ([ "p", Number ] @ reduction)
                "pad", method' 0 [] [ "pad", Ints; "value", Number ]
                "permute", method' 0 [] [ "dims", Ints ]
                "prod", method' 0 [] [ "dim", Int; "keepdim", Flag ]
                "reshape", method' 0 [] [ "shape", Ints ]
                "round", method' 0 [] [ "decimals", Int ]
                "select", method' 0 [] [ "dim", Int; "index", Int ]
                "softmax", method' 0 [] [ "dim", Int; "dtype", DType ]
                "softplus", method' 0 [] [ "beta", Number; "threshold", Number ]
                "split", method' 0 [] [ "split_size", Int; "dim", Int ]
                "squeeze", method' 0 [] [ "dim", Int ]
                "std", method' 0 [] (reduction @ [ "correction", Number ])
                "sum", method' 0 [] (reduction @ [ "dtype", DType ])
                "to", method' 0 [] [ "dtype", DType ]
                "transpose", method' 0 [] [ "dim0", Int; "dim1", Int ]
                "tril", method' 0 [] [ "diagonal", Int ]
                "unbind", method' 0 [] [ "dim", Int ]
                "unsqueeze", method' 0 [] [ "dim", Int ]
                "var", method' 0 [] (reduction @ [ "correction", Number ])
                "view", method' 0 [] [ "size", Ints ] ]
        )

    let private words (name: string) = name.TrimEnd('_').Split('_', StringSplitOptions.RemoveEmptyEntries)

    let private capital (word: string) = word.Substring(0, 1).ToUpperInvariant() + word.Substring 1

    /// `log_softmax` as LogSoftmax, `sigmoid_` as SigmoidInPlace.
    let private pascal (name: string) = String.Join("", words name |> Array.map capital) + (if name.EndsWith '_' then "InPlace" else "")

    /// `start_dim` as startDim.
    let private camel (name: string) =
        match List.ofArray (words name) with
        | first :: rest -> first + String.Join("", rest |> List.map capital)
        | [] -> name

    let private keywords =
        set
            [ "in"
              "out"
              "is"
              "as"
              "do"
              "if"
              "to"
              "base"
              "new"
              "let"
              "ref"
              "val"
              "fun"
              "type"
              "open"
              "end"
              "done"
              "use"
              "rec"
              "of"
              "or"
              "int"
              "long"
              "float"
              "double"
              "bool"
              "null"
              "true"
              "false"
              "for"
              "var"
              "mod"
              "sig"
              "with"
              "then"
              "this"
              "params" ]

    /// A variable's name as an identifier of both languages.
    let private safe (name: string) =
        let letters = name |> String.map (fun c -> if Char.IsAsciiLetterOrDigit c then c else '_')

        if Char.IsAsciiDigit letters[0] || letters[0] = '_' then "v" + letters
        elif keywords.Contains letters then letters + "1"
        else letters

    let private flag value = if value then "true" else "false"

    let private float64 (dialect: Dialect) (value: float) =
        if Double.IsNaN value then
            (if dialect.IsFSharp then "nan" else "double.NaN")
        elif Double.IsInfinity value then
            (if value < 0.0 then "-" else "") + (if dialect.IsFSharp then "infinity" else "double.PositiveInfinity")
        else
            let text = value.ToString("R", invariant)
            if text.AsSpan().IndexOfAny('.', 'E') >= 0 then text else text + ".0"

    let private float32Text (dialect: Dialect) (value: float) =
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

    let private literal (dialect: Dialect) (input: Input) =
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
    let rec private boxed (dialect: Dialect) (value: Attr) =
        let object text = if dialect.IsFSharp then $"box {text}" else text

        match value with
        | Attr.Null -> dialect.Null
        | Attr.Flag value -> object (flag value)
        | Attr.Integer n -> object (if n < 0L then $"({n}L)" else $"{n}L")
        | Attr.Float x -> object (if x < 0.0 then "(" + float64 dialect x + ")" else float64 dialect x)
        | Attr.Text word -> object ("\"" + word + "\"")
        | Attr.Items items when dialect.IsFSharp -> "box ([| " + String.Join("; ", items |> List.map (boxed dialect)) + " |] : obj array)"
        | Attr.Items items -> "new object?[] { " + String.Join(", ", items |> List.map (boxed dialect)) + " }"

    /// An attribute's value as an argument of a method; None where the method has no such form.
    let private argument (dialect: Dialect) kind (value: Attr) =
        match kind, value with
        | Int, Attr.Integer n -> Some(string n)
        | Ints, Attr.Integer n -> Some(dialect.Array [ string n ])
        | Ints, Attr.Items items when items |> List.forall _.IsInteger ->
            items
            |> List.map (function
                | Attr.Integer n -> string n
                | _ -> "")
            |> dialect.Array
            |> Some
        | Number, Attr.Float x -> Some(float64 dialect x)
        | Flag, Attr.Flag value -> Some(flag value)
        | Text, Attr.Text word -> Some("\"" + word + "\"")
        | DType, Attr.Text word -> Some("DType." + capital word)
        | _ -> None

    /// All of them, or None where one is None.
    let private all (options: 'a option list) =
        if options |> List.forall Option.isSome then
            Some(List.choose id options)
        else
            None

    /// A call of a method, where there is one in the form that the step wants.
    let private asMethod (dialect: Dialect) (step: Step) : string option =
        let attrs = Map.toList step.Attrs

        let tensors =
            step.In
            |> List.map (function
                | Arg.Name name -> Some(safe name)
                | _ -> None)
            |> all

        let call target name args = Some(target + "." + name + "(" + String.Join(", ", (args: string list)) + ")")

        match step.Op, step.In, tensors, Map.tryFind step.Op methods with
        | ("cat" | "stack"), [ Arg.Names names ], _, _ when
            names |> List.forall Option.isSome && attrs |> List.forall (fun (k, _) -> k = "dim")
            ->
            let dim = attrs |> List.choose (fun (key, value) -> argument dialect Int value |> Option.map (dialect.Named key))

            if dim.Length < attrs.Length then
                None
            else
                call "Tensor" (pascal step.Op) (dialect.Array(names |> List.map (Option.get >> safe)) :: dim)
        | "where", _, Some([ _; _; _ ] as tensors), _ when attrs.IsEmpty -> call "Tensor" "Where" tensors
        | "pow", _, Some [ x ], _ ->
            match attrs with
            | [ "exponent", Attr.Float e ] -> call x "Pow" [ float64 dialect e ]
            | [ "self", Attr.Float b ] -> call "Tensor" "Pow" [ float64 dialect b; x ]
            | _ -> None
        | "pow", _, Some [ x; e ], _ when attrs.IsEmpty -> call x "Pow" [ e ]
        // A number in the second operand's place. An integer keeps what integers are: through the registry.
        | op, _, Some [ x ], Some { Tensors = [ "" ] } when attrs.Length = 1 && fst attrs[0] = "other" ->
            match attrs with
            | [ _, Attr.Float number ] -> call x (pascal op) [ float64 dialect number ]
            | _ -> None
        | op, _, Some(x :: others), Some method when others.Length >= method.Required && others.Length <= method.Tensors.Length ->
            let others =
                List.map2
                    (fun name value -> if name = "" then value else dialect.Named name value)
                    (List.truncate others.Length method.Tensors)
                    others

            attrs
            |> List.map (fun (key, value) ->
                method.Attrs
                |> List.tryFind (fun (name, _) -> name = key)
                |> Option.bind (fun (_, kind) -> argument dialect kind value)
                |> Option.map (fun value -> dialect.Named (camel key) value))
            |> all
            |> Option.bind (fun attrs ->
                let givesTwo = List.contains op [ "max"; "min" ]

                if givesTwo && not attrs.IsEmpty then
                    None
                else
                    call x (pascal op) (others @ attrs))
        | _ -> None

    /// A call by name through the registry: an array of results.
    let private asInvocation (dialect: Dialect) (step: Step) =
        let orNull = Option.map safe >> Option.defaultValue dialect.Null

        let arg (value: Arg) =
            match value with
            | Arg.Missing -> dialect.Null
            | Arg.Name name when dialect.IsFSharp -> "box " + safe name
            | Arg.Name name -> safe name
            | Arg.Names names when dialect.IsFSharp -> "box ([| " + String.Join("; ", names |> List.map orNull) + " |] : Tensor array)"
            | Arg.Names names -> "new Tensor?[] { " + String.Join(", ", names |> List.map orNull) + " }"

        let inputs =
            let items = step.In |> List.map arg

            if dialect.IsFSharp then
                "([| " + String.Join("; ", items) + " |] : obj array)"
            else
                "new object?[] { " + String.Join(", ", items) + " }"

        let attrs =
            Map.toList step.Attrs
            |> List.map (fun (key, value) ->
                if dialect.IsFSharp then
                    $"struct (\"{key}\", {boxed dialect value})"
                else
                    $"(\"{key}\", {boxed dialect value})")

        let attributes =
            if attrs.IsEmpty then
                "Attributes.None"
            elif dialect.IsFSharp then
                "Attributes.Of([| " + String.Join("; ", attrs) + " |])"
            else
                "Attributes.Of(new (string, object?)[] { " + String.Join(", ", attrs) + " })"

        let call = if dialect.IsFSharp then "OperatorCall" else "new OperatorCall"
        $"OperatorRegistry.Default.Invoke(\"{step.Op}\", {call}({inputs}, {attributes}))"

    /// The names that a step binds, those of its block included.
    let rec private bound (step: Step) : string list =
        (match step.Out with
         | Out.Name name -> [ name ]
         | Out.Names names -> List.choose id names
         | Out.Nothing -> [])
        @ (step.Steps |> List.collect bound)

    /// The printer of one program: which names are declared is all that it remembers.
    type private Printer(dialect: Dialect) =
        let declared = Collections.Generic.HashSet<string>()

        let ending = if dialect.IsFSharp then "" else ";"

        let bind name value =
            let name = safe name
            let isNew = declared.Add name

            (if dialect.IsFSharp then "let "
             elif isNew then "var "
             else "")
            + name
            + " = "
            + value
            + ending

        let ignored value = value + (if dialect.IsFSharp then " |> ignore" else ";")

        let at (array: string) i = array + "[" + string i + "]"

        let listed names = dialect.Array(names |> List.map (Option.map safe >> Option.defaultValue dialect.Null))

        /// Results of a call that gives an array.
        let bindArray (step: Step) (array: string) =
            match step.Out with
            | Out.Nothing -> [ ignored array ]
            | Out.Name name -> [ bind name (at array 0) ]
            | Out.Names [ Some name ] -> [ bind name (at array 0) ]
            | Out.Names names ->
                let all = "all" + String.Join("", names |> List.choose id |> List.truncate 1 |> List.map (safe >> capital))

                bind all array
                :: (names |> List.indexed |> List.choose (fun (i, name) -> name |> Option.map (fun name -> bind name (at all i))))

        let bindOne (step: Step) value =
            match step.Out with
            | Out.Name name
            | Out.Names [ Some name ] -> [ bind name value ]
            | _ -> [ ignored value ]

        let flags (step: Step) known =
            known
            |> List.choose (fun (key: string) ->
                match Map.tryFind key step.Attrs with
                | Some(Attr.Flag value) -> Some(dialect.Named (camel key) (flag value))
                | _ -> None)

        let called name args = name + "(" + String.Join(", ", (args: string list)) + ")"

        let names (step: Step) =
            step.In
            |> List.map (function
                | Arg.Name name -> Some name
                | _ -> None)

        let gradients label (step: Step) = step.Gradients |> Option.map (fun names -> dialect.Named label (listed names)) |> Option.toList

        let forgiving = if dialect.IsFSharp then "" else "!"

        let block (body: string list) scope names =
            if dialect.IsFSharp then
                let names = names |> List.map safe |> List.distinct

                let opening, closing =
                    match names with
                    | [] -> "", [ "    ())" ]
                    | names -> "let " + String.Join(", ", names) + " =", [ "    " + String.Join(", ", names) + ")" ]

                let indent = if opening = "" then "" else "    "

                (if opening = "" then [] else [ opening ])
                @ ([ $"using (Autograd.{scope}()) (fun _ ->" ] @ (body |> List.map (fun line -> "    " + line)) @ closing
                   |> List.map (fun line -> indent + line))
            else
                [ $"using (Autograd.{scope}())"; "{" ] @ (body |> List.map (fun line -> "    " + line)) @ [ "}" ]

        member this.Lines(step: Step) : string list =
            let self () =
                match step.In with
                | Arg.Name name :: _ -> safe name
                | _ -> dialect.Null

            match step.Op with
            | "no_grad"
            | "enable_grad"
            | "inference_mode" ->
                let names = bound step

                let declarations =
                    names
                    |> List.map safe
                    |> List.distinct
                    |> List.filter (fun name -> not dialect.IsFSharp && declared.Add name)
                    |> List.map (fun name -> $"Tensor {name};")

                declarations @ block (step.Steps |> List.collect this.Lines) (pascal step.Op) names
            | "backward" ->
                let wrt =
                    step.Wrt
                    |> Option.map (fun names -> dialect.Named "inputs" (listed (names |> List.map Some)))
                    |> Option.toList

                [ called
                      "Autograd.Backward"
                      (listed (names step) :: gradients "gradients" step @ wrt @ flags step [ "retain_graph"; "create_graph" ])
                  + ending ]
            | "grad" ->
                let wrt = step.Wrt |> Option.defaultValue [] |> List.map Some |> listed
                let rest = gradients "gradOutputs" step @ flags step [ "retain_graph"; "create_graph"; "allow_unused" ]
                let all = called "Autograd.Grad" (listed (names step) :: wrt :: rest)

                match step.Out with
                | Out.Name name
                | Out.Names [ Some name ] -> [ bind name (at all 0 + forgiving) ]
                | Out.Names names ->
                    let array = "all" + String.Join("", names |> List.choose id |> List.truncate 1 |> List.map (safe >> capital))

                    bind array all
                    :: (names
                        |> List.indexed
                        |> List.choose (fun (i, name) -> name |> Option.map (fun name -> bind name (at array i + forgiving))))
                | Out.Nothing -> [ ignored all ]
            | "get_grad" -> bindOne step (self () + ".Grad" + forgiving)
            | "zero_grad" -> [ called (self () + ".ZeroGrad") (flags step [ "set_to_none" ]) + ending ]
            | "detach" -> bindOne step (self () + ".Detach()")
            | "detach_" -> bindOne step (self () + ".DetachInPlace()")
            | "data" -> bindOne step (self () + ".Data")
            | "requires_grad_" -> bindOne step (called (self () + ".RequiresGradInPlace") (flags step [ "requires_grad" ]))
            | "retain_grad" -> [ self () + ".RetainGrad()" + ending ]
            | "register_hook" ->
                let scale =
                    match Map.tryFind "scale" step.Attrs with
                    | Some(Attr.Float x) -> float64 dialect x
                    | Some(Attr.Integer n) -> float64 dialect (float n)
                    | _ -> "1.0"

                bindOne step (self () + ".RegisterHook(" + (if dialect.IsFSharp then "fun g -> g * " else "g => g * ") + scale + ")")
            | "remove_hook" -> [ self () + ".Remove()" + ending ]
            | op ->
                match asMethod dialect step with
                | Some call when List.contains op [ "chunk"; "split"; "unbind" ] -> bindArray step call
                | Some call -> bindOne step call
                | None -> bindArray step (asInvocation dialect step)

        member _.Input(input: Input) = bind input.Name (literal dialect input)

        member _.Observed(observed: Observed) =
            let value =
                match observed with
                | Observed.Value name -> safe name
                | Observed.Gradient name -> safe name + ".Grad"

            if dialect.IsFSharp then
                $"printfn \"{observed.Text} = %%O\" {value}"
            else
                "Console.WriteLine($\"" + observed.Text + " = {" + value + "}\");"

    let private print dialect head (program: Program) =
        let printer = Printer dialect

        let lines =
            [ yield! head
              for input in program.Inputs do
                  yield printer.Input input
              for step in program.Steps do
                  yield! printer.Lines step
              for observed in program.Observe do
                  yield printer.Observed observed ]

        String.Join("\n", lines) + "\n"

    /// C# statements, as the top level of a program, that run the program on the engine and print what it observes.
    let printCSharp (program: Program) = print csharp [ "using Verified.Engine;"; "" ] program

    /// The same in F#, as the top level of a script.
    let printFSharp (program: Program) = print fsharp [ "open Verified.Engine"; "" ] program
