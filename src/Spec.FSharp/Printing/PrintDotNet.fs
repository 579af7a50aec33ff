namespace Verified.Spec

open System

/// Prints a program in C# and in F# on the public surface of the built-in engine. What has no method there in the form that the step wants is
/// called by name through the operator registry, so that every program can be printed, compiled and run.
[<RequireQualifiedAccess>]
module PrintDotNet =
    open Dialect

    /// The names that a step binds, those of its block included.
    let rec private bound (step: Step) : string list =
        (match step.Out with
         | Out.Name name -> [ name ]
         | Out.Names names -> List.choose id names
         | Out.Nothing -> [])
        @ (step.Steps |> List.collect bound)

    /// The printer of one program: which names are declared is all that it remembers.
    type private Printer(dialect: Dialect, methods: EngineMethod list) =
        let declared = Collections.Generic.HashSet<string>()

        let bind name value =
            let name = safe name
            dialect.Bind (declared.Add name) name value

        let at (array: string) i = array + "[" + string i + "]"

        let listed names = dialect.Array(names |> List.map (Option.map safe >> Option.defaultValue dialect.Null))

        /// Results of a call that gives an array.
        let bindArray (step: Step) (array: string) =
            match step.Out with
            | Out.Nothing -> [ dialect.Ignored array ]
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
            | _ -> [ dialect.Ignored value ]

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

        member this.Lines(step: Step) : string list =
            let self () =
                match step.In with
                | Arg.Name name :: _ -> safe name
                | _ -> dialect.Null

            match step.Op with
            | "no_grad"
            | "enable_grad"
            | "inference_mode" ->
                let names = bound step |> List.map safe |> List.distinct
                let fresh = names |> List.filter declared.Add
                dialect.Block (pascal step.Op) fresh names (step.Steps |> List.collect this.Lines)
            | "backward" ->
                let wrt =
                    step.Wrt
                    |> Option.map (fun names -> dialect.Named "inputs" (listed (names |> List.map Some)))
                    |> Option.toList

                [ called
                      "Autograd.Backward"
                      (listed (names step) :: gradients "gradients" step @ wrt @ flags step [ "retain_graph"; "create_graph" ])
                  + dialect.Ending ]
            | "grad" ->
                let wrt = step.Wrt |> Option.defaultValue [] |> List.map Some |> listed
                let rest = gradients "gradOutputs" step @ flags step [ "retain_graph"; "create_graph"; "allow_unused" ]
                let all = called "Autograd.Grad" (listed (names step) :: wrt :: rest)

                match step.Out with
                | Out.Name name
                | Out.Names [ Some name ] -> [ bind name (at all 0 + dialect.NotNull) ]
                | Out.Names names ->
                    let array = "all" + String.Join("", names |> List.choose id |> List.truncate 1 |> List.map (safe >> capital))

                    bind array all
                    :: (names
                        |> List.indexed
                        |> List.choose (fun (i, name) -> name |> Option.map (fun name -> bind name (at array i + dialect.NotNull))))
                | Out.Nothing -> [ dialect.Ignored all ]
            | "get_grad" -> bindOne step (self () + ".Grad" + dialect.NotNull)
            | "zero_grad" -> [ called (self () + ".ZeroGrad") (flags step [ "set_to_none" ]) + dialect.Ending ]
            | "detach" -> bindOne step (self () + ".Detach()")
            | "detach_" -> bindOne step (self () + ".DetachInPlace()")
            | "data" -> bindOne step (self () + ".Data")
            | "requires_grad_" -> bindOne step (called (self () + ".RequiresGradInPlace") (flags step [ "requires_grad" ]))
            | "retain_grad" -> [ self () + ".RetainGrad()" + dialect.Ending ]
            | "register_hook" ->
                let scale =
                    match Map.tryFind "scale" step.Attrs with
                    | Some(Attr.Float x) -> float64 dialect x
                    | Some(Attr.Integer n) -> float64 dialect (float n)
                    | _ -> "1.0"

                bindOne step (self () + ".RegisterHook(" + dialect.Lambda "g" ("g * " + scale) + ")")
            | "remove_hook" -> [ self () + ".Remove()" + dialect.Ending ]
            | _ ->
                match DotNetCalls.asMethod dialect methods step with
                | Some(method, call) when method.GivesSeveral -> bindArray step call
                | Some(_, call) -> bindOne step call
                | None -> bindArray step (DotNetCalls.asInvocation dialect step)

        member _.Input(input: Input) = bind input.Name (literal dialect input)

        member _.Observed(observed: Observed) =
            let value =
                match observed with
                | Observed.Value name -> safe name
                | Observed.Gradient name -> safe name + ".Grad"

            dialect.Show observed.Text value

    let private print dialect methods head (program: Program) =
        let printer = Printer(dialect, methods)

        let lines =
            [ yield! head
              for input in program.Inputs do
                  yield printer.Input input
              for step in program.Steps do
                  yield! printer.Lines step
              for observed in program.Observe do
                  yield printer.Observed observed ]

        String.Join("\n", lines) + "\n"

    /// C# statements, as the top level of a program, that run the program on the engine and print what it observes. The engine's methods are
    /// looked through in their order.
    let printCSharp (methods: EngineMethod list) (program: Program) = print csharp methods [ "using Verified.Engine;"; "" ] program

    /// The same in F#, as the top level of a script.
    let printFSharp (methods: EngineMethod list) (program: Program) = print fsharp methods [ "open Verified.Engine"; "" ] program
