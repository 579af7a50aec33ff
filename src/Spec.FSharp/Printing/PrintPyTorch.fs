namespace Verified.Spec

open System
open System.Globalization

/// Prints a program as a PyTorch script that anybody can run.
[<RequireQualifiedAccess>]
module PrintPyTorch =
    let private invariant = CultureInfo.InvariantCulture

    let private spelling (op: string) =
        match Map.tryFind (op.TrimEnd '_') Registry.all with
        | Some known when op.EndsWith '_' -> { known.Spelling with Home = OfTensor }
        | Some known -> known.Spelling
        | None -> Define.ofTensor

    let private number (value: float) (shortest: string) =
        if Double.IsNaN value then "float('nan')"
        elif Double.IsPositiveInfinity value then "float('inf')"
        elif Double.IsNegativeInfinity value then "-float('inf')"
        elif value = 0.0 && Double.IsNegative value then "-0.0"
        elif shortest.AsSpan().IndexOfAny('.', 'E') >= 0 then shortest.Replace("E", "e")
        else shortest + ".0"

    let private bool value = if value then "True" else "False"

    let rec private attr (value: Attr) =
        match value with
        | Attr.Null -> "None"
        | Attr.Flag flag -> bool flag
        | Attr.Integer n -> n.ToString invariant
        | Attr.Float x -> number x (x.ToString("R", invariant))
        | Attr.Text word when List.contains word [ "float32"; "float64"; "int64"; "bool" ] -> "torch." + word
        | Attr.Text word -> "'" + word + "'"
        | Attr.Items items -> "[" + String.Join(", ", items |> List.map attr) + "]"

    let private literal (tensor: Literal) requiresGrad =
        let elements =
            match tensor.Data with
            | Data.Floats values when tensor.DType = Float32 ->
                values |> Array.map (fun v -> number v ((float32 v).ToString("R", invariant)))
            | Data.Floats values -> values |> Array.map (fun v -> number v (v.ToString("R", invariant)))
            | Data.Ints values when tensor.DType = Bool -> values |> Array.map (fun v -> bool (v <> 0L))
            | Data.Ints values -> values |> Array.map (fun v -> v.ToString invariant)

        let flat = "[" + String.Join(", ", elements) + "]"

        let made =
            if tensor.Shape.Length = 0 then
                $"torch.tensor({elements[0]}, dtype=torch.{tensor.DType.Name})"
            elif tensor.Shape.Length = 1 then
                $"torch.tensor({flat}, dtype=torch.{tensor.DType.Name})"
            else
                $"torch.tensor({flat}, dtype=torch.{tensor.DType.Name}).reshape({Shape.show tensor.Shape})"

        if requiresGrad then made + ".requires_grad_()" else made

    /// `index` of getitem and setitem_ in brackets.
    let private brackets (index: Attr) =
        let bound value =
            match value with
            | Attr.Null -> ""
            | other -> attr other

        let one value =
            match value with
            | Attr.Null -> ":"
            | Attr.Items [ start; stop; Attr.Null | Attr.Integer 1L ] -> bound start + ":" + bound stop
            | Attr.Items [ start; stop; step ] -> bound start + ":" + bound stop + ":" + bound step
            | other -> attr other

        match index with
        | Attr.Items [] -> "[()]"
        | Attr.Items items -> "[" + String.Join(", ", items |> List.map one) + "]"
        | other -> "[" + one other + "]"

    /// A shrunk step may have lost its index.
    let private indexOf (step: Step) = step.Attrs |> Map.tryFind "index" |> Option.defaultValue (Attr.Items []) |> brackets

    let private orNone name = Option.defaultValue "None" name

    let private arg (value: Arg) =
        match value with
        | Arg.Missing -> "None"
        | Arg.Name name -> name
        | Arg.Names names -> "[" + String.Join(", ", names |> List.map orNone) + "]"

    let private names (args: Arg list) = args |> List.map arg

    let private listed (items: string list) = "[" + String.Join(", ", items) + "]"

    let private called name (args: string list) = name + "(" + String.Join(", ", args) + ")"

    /// One integer is a list of one also where PyTorch takes nothing but a list.
    let private listedIfNeeded op key value =
        match value, key with
        | Attr.Integer _, ("dims" | "shape" | "size" | "normalized_shape" | "repeats" | "pad") when op <> "interpolate" ->
            Attr.Items [ value ]
        | _ -> value

    /// An ordinary function: by keyword whatever PyTorch's signature would put elsewhere. An attribute that is null is left out.
    let private call (step: Step) =
        let spelling = spelling step.Op

        let attrs =
            Map.toList step.Attrs
            |> List.filter (fun (_, value) -> value <> Attr.Null)
            |> List.map (fun (key, value) -> key + "=" + attr (listedIfNeeded step.Op key value))

        let given = step.In @ List.replicate (max 0 (spelling.Written - step.In.Length)) Arg.Missing

        match given with
        | [] -> called ("torch." + step.Op) attrs
        | first :: others ->
            let rest =
                others
                |> List.mapi (fun i other ->
                    match List.tryItem i spelling.Keywords with
                    | Some key when key <> "" -> if other = Arg.Missing then None else Some(key + "=" + arg other)
                    | _ -> Some(arg other))
                |> List.choose id

            match spelling.Home, first with
            | Functional, _ -> called ("F." + step.Op) (arg first :: rest @ attrs)
            | OfTensor, Arg.Name first when not (step.Op.Contains '.') -> called (first + "." + step.Op) (rest @ attrs)
            | _ -> called ("torch." + step.Op) (arg first :: rest @ attrs)

    let private bound (out: Out) value =
        match out with
        | Out.Nothing -> value
        | Out.Name name -> name + " = " + value
        | Out.Names [ one ] -> Option.defaultValue "_" one + ", = " + value
        | Out.Names names -> String.Join(", ", names |> List.map (Option.defaultValue "_")) + " = " + value

    let private gradients (step: Step) =
        step.Gradients
        |> Option.map (fun names -> "grad_tensors=" + listed (names |> List.map orNone))
        |> Option.toList

    let private flags (step: Step) = Map.toList step.Attrs |> List.map (fun (key, value) -> key + "=" + attr value)

    let rec private lines indent (step: Step) : string list =
        let line text = [ indent + text ]
        let self () = step.In |> List.tryHead |> Option.map arg |> Option.defaultValue "None"

        match step.Op with
        | "no_grad"
        | "enable_grad"
        | "inference_mode" ->
            let body = step.Steps |> List.collect (lines (indent + "    "))
            line $"with torch.{step.Op}():" @ (if body.IsEmpty then [ indent + "    pass" ] else body)
        | "backward" ->
            let wrt = step.Wrt |> Option.map (fun names -> "inputs=" + listed names) |> Option.toList
            line (called "torch.autograd.backward" (listed (names step.In) :: gradients step @ wrt @ flags step))
        | "grad" ->
            let wrt = step.Wrt |> Option.defaultValue [] |> listed

            let outer =
                step.Gradients
                |> Option.map (fun names -> "grad_outputs=" + listed (names |> List.map orNone))
                |> Option.toList

            let out =
                match step.Out with
                | Out.Name name -> Out.Names [ Some name ]
                | other -> other

            line (bound out (called "torch.autograd.grad" (listed (names step.In) :: wrt :: outer @ flags step)))
        | "get_grad" -> line (bound step.Out (self () + ".grad"))
        | "data" -> line (bound step.Out (self () + ".data"))
        | "zero_grad" ->
            match Map.tryFind "set_to_none" step.Attrs with
            | Some(Attr.Flag false) -> line $"{self ()}.grad = None if {self ()}.grad is None else {self ()}.grad.detach_().zero_()"
            | _ -> line (self () + ".grad = None")
        | "register_hook" ->
            let scale = step.Attrs |> Map.tryFind "scale" |> Option.map attr |> Option.defaultValue "1.0"
            line (bound step.Out $"{self ()}.register_hook(lambda g: g * {scale})")
        | "remove_hook" -> line (self () + ".remove()")
        | "dropout" ->
            let p = step.Attrs |> Map.tryFind "p" |> Option.map attr |> Option.defaultValue "0.5"
            let mask = step.In |> List.tryItem 1 |> Option.map arg |> Option.defaultValue "None"
            line (bound step.Out $"{self ()} * ({mask}.to({self ()}.dtype) / (1 - {p}))")
        | "getitem" -> line (bound step.Out (self () + indexOf step))
        | "setitem_" ->
            let value =
                match step.In with
                | [ _; value ] -> arg value
                | _ -> step.Attrs |> Map.tryFind "value" |> Option.map attr |> Option.defaultValue "None"

            line (self () + indexOf step + " = " + value)
        | "index" ->
            let indices =
                match step.In with
                | [ _; Arg.Names names ] -> names |> List.map (Option.defaultValue ":")
                | _ :: others -> others |> List.map (fun other -> if other = Arg.Missing then ":" else arg other)
                | [] -> []

            line (bound step.Out (self () + "[" + String.Join(", ", indices) + "]"))
        | "pow" when step.Attrs.ContainsKey "self" -> line (bound step.Out $"""torch.pow({attr step.Attrs["self"]}, {self ()})""")
        | _ -> line (bound step.Out (call step))

    /// A step as its line of the script; of a block the first one.
    let line (step: Step) = lines "" step |> List.head

    /// A script that runs the program and prints what it observes.
    let print (program: Program) =
        let usesFunctional =
            let rec any (steps: Step list) = steps |> List.exists (fun step -> (spelling step.Op).Home = Functional || any step.Steps)
            any program.Steps

        let inputs = program.Inputs |> List.map (fun input -> $"{input.Name} = {literal input.Tensor input.RequiresGrad}")
        let observed = program.Observe |> List.map (fun observed -> $"print('{observed.Text}', {observed.Text})")

        String.Join(
            "\n",
            [ "import torch" ]
            @ (if usesFunctional then [ "import torch.nn.functional as F" ] else [])
            @ [ "" ]
            @ inputs
            @ (program.Steps |> List.collect (lines ""))
            @ observed
            @ [ "" ]
        )
