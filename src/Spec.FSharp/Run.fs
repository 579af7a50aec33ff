namespace Verified.Spec

/// What is reported of one observed tensor.
type Reported<'S> =
    {
        Value: Value<'S>
        RequiresGrad: bool
        /// None where PyTorch would not tell: a view that may not be written to, after a write to its base.
        IsLeaf: bool option
        /// None for a gradient, and for a tensor of inference mode.
        Version: int option
        /// PyTorch's name of its grad_fn, if it has one; None where PyTorch would not tell.
        GradFn: string option option
        /// Made under create_graph, or computed of something so made: null and zeros are then one class, as are the two values of
        /// requires_grad.
        SecondOrder: bool
    }

/// What running a program gave, in a number system. A null gradient is None.
type Ran<'S> =
    {
        Values: (string * Reported<'S> option) list
        Raised: Raised option
        /// The state at the end, or before the step that raised.
        Last: State<'S>
        /// A gradient of second order was asked for: a null gradient may as well be zeros.
        SecondOrder: bool
    }

/// A variable as a generator sees it.
type Variable =
    { Name: string
      DType: DType
      Shape: int[]
      RequiresGrad: bool
      IsLeaf: bool
      IsView: bool
      HasGrad: bool
      Version: int }

/// Running whole programs.
[<RequireQualifiedAccess>]
module Run =
    let private report (s: State<'S>) id gradient : Reported<'S> option =
        let t = s.Tensors[id]

        let gradFn =
            match History.gradFn s id with
            | Ok(_, edge) -> Some edge
            | Error _ -> None

        Some
            { Value = State.read s t
              RequiresGrad = History.requiresGrad s t
              IsLeaf =
                gradFn
                |> Option.map (fun edge -> edge.IsNone && (History.requiresGrad s t || s.Holds Rules.Leaves.aLeafHasNoHistory))
              Version = if gradient || t.Inference then None else Some(State.version s t)
              GradFn = gradFn |> Option.map (Option.map (fun edge -> edge.Node.Name))
              SecondOrder = State.secondOrder s t }

    /// What a state reports of the observed names; those that do not exist are left out.
    let observe (s: State<'S>) (observed: Observed list) : (string * Reported<'S> option) list =
        observed
        |> List.choose (fun o ->
            let name, gradient =
                match o with
                | Observed.Value name -> name, false
                | Observed.Gradient name -> name, true

            match Map.tryFind name s.Names with
            | None -> None
            | Some None -> Some(o.Text, None)
            | Some(Some id) when gradient ->
                let t = s.Tensors[id]

                match t.Grad with
                | None when t.RequiresGrad && not (s.Holds Rules.Gradients.nullIsNotZero) ->
                    let s, zeros = State.addValue (Layout.dense t.Shape) false (Value.full t.DType t.Shape 0.0) s
                    Some(o.Text, report s zeros true)
                | grad -> Some(o.Text, grad |> Option.bind (fun g -> report s g true))
            | Some(Some id) -> Some(o.Text, report s id false))

    /// The same without some of the rules.
    let private startWithout<'S when 'S :> IScalar<'S>> off (program: Program) : Result<State<'S>, Raised> =
        State.start off program
        |> Result.mapError (fun c ->
            { Step = []
              Kind = c.Kind
              Message = c.Message })

    /// The state before a program's first step; what is wrong with its inputs is raised at an empty path.
    let start<'S when 'S :> IScalar<'S>> (program: Program) : Result<State<'S>, Raised> = startWithout Set.empty program

    /// Runs a program in a number system without the rules of these names: what goes wrong where an engine does not follow them.
    let runWithout<'S when 'S :> IScalar<'S>> (off: Set<string>) (registry: Map<string, Operator>) (program: Program) : Ran<'S> =
        match startWithout<'S> off program with
        | Error raised ->
            { Values = []
              Raised = Some raised
              Last = State.empty
              SecondOrder = false }
        | Ok s ->
            let s, raised = Autograd.advance registry [] 0 s program.Steps

            { Values = observe s program.Observe
              Raised = raised
              Last = s
              SecondOrder = s.Second }

    /// Runs a program in a number system.
    let run<'S when 'S :> IScalar<'S>> (registry: Map<string, Operator>) (program: Program) : Ran<'S> =
        runWithout Set.empty registry program

    /// The states before each step at the top of a program and after the last one that succeeded: what a generator and the search
    /// for the first differing step walk over.
    let states<'S when 'S :> IScalar<'S>> (registry: Map<string, Operator>) (program: Program) : State<'S> list =
        match start<'S> program with
        | Error _ -> []
        | Ok s ->
            let rec go s steps =
                match steps with
                | [] -> [ s ]
                | step :: rest ->
                    match Autograd.step registry s step with
                    | Ok after -> s :: go after rest
                    | Error _ -> [ s ]

            go s program.Steps

    /// Everything that can be observed in a state: every variable, and the gradient of every float one.
    let everything (s: State<'S>) : Observed list =
        [ for name in s.Names do
              yield Observed.Value name.Key

              match name.Value with
              | Some id when s.Tensors[id].DType.IsFloat && (s.Tensors[id].RequiresGrad || s.Tensors[id].RetainsGrad) ->
                  yield Observed.Gradient name.Key
              | _ -> () ]

    let private sharingWith (tensor: Tensor<'S> option) (s: State<'S>) (observed: Observed list) : Set<string> =
        let named name = Map.tryFind name s.Names |> Option.flatten
        let shares id = tensor |> Option.exists (fun t -> t.Storage = s.Tensors[id].Storage)

        let isShared o =
            match o with
            | Observed.Value name -> named name |> Option.exists shares
            | Observed.Gradient name -> named name |> Option.bind (fun id -> s.Tensors[id].Grad) |> Option.exists shares

        observed |> List.filter isShared |> List.map _.Text |> set

    let private tensorOf (s: State<'S>) variable = Map.tryFind variable s.Names |> Option.flatten |> Option.map (fun id -> s.Tensors[id])

    /// Which of the observed names share a variable's memory, or have a gradient that does.
    let sharing (s: State<'S>) (variable: string) (observed: Observed list) : Set<string> = sharingWith (tensorOf s variable) s observed

    /// The same of the memory of a variable's gradient.
    let sharingGradient (s: State<'S>) (variable: string) (observed: Observed list) : Set<string> =
        sharingWith (tensorOf s variable |> Option.bind _.Grad |> Option.map (fun id -> s.Tensors[id])) s observed

    /// The first steps of a program, with everything in them observed.
    let prefix<'S when 'S :> IScalar<'S>> (registry: Map<string, Operator>) (length: int) (program: Program) : Program * Ran<'S> =
        let shorter =
            { program with
                Steps = List.truncate length program.Steps }

        let ran = run<'S> registry { shorter with Observe = [] }
        let observed = everything ran.Last

        { shorter with Observe = observed },
        { ran with
            Values = observe ran.Last observed }

    /// The variables of a state that are bound to tensors, for generators.
    let variables (s: State<'S>) : Variable list =
        [ for name in s.Names do
              match name.Value with
              | Some id ->
                  let t = s.Tensors[id]

                  yield
                      { Name = name.Key
                        DType = t.DType
                        Shape = t.Shape
                        RequiresGrad = History.requiresGrad s t
                        IsLeaf = t.GradFn.IsNone
                        IsView = t.View.IsSome
                        HasGrad = t.Grad.IsSome
                        Version = State.version s t }
              | None -> () ]

    /// The outcome of what was run: every number rounded once to its dtype.
    let outcomeOf (ran: Ran<'S>) : Outcome =
        let reported (r: Reported<'S>) : Report =
            { Tensor = Literals.ofValue r.Value
              RequiresGrad = Some r.RequiresGrad
              IsLeaf = r.IsLeaf
              Version = r.Version
              GradFn = r.GradFn }

        { Values = ran.Values |> List.map (fun (name, r) -> name, Option.map reported r)
          Raised = ran.Raised }

    /// Runs a program at float64: the specification's outcome without bounds.
    let outcome (registry: Map<string, Operator>) (program: Program) : Outcome = outcomeOf (run<Numbers.Real> registry program)
