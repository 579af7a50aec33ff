namespace Verified.Spec

/// Elements at one version. Whoever writes makes a new one.
type Storage<'S> =
    {
        Elements: Elements<'S>
        /// Holds a gradient made under create_graph, or something computed of one.
        SecondOrder: bool
        /// It was made in inference mode.
        OfInference: bool
    }

/// How a view came to be; it decides whether writing to it is allowed.
type Creation =
    | Ordinary
    /// One of several views that one operator returned (`split`, `chunk`, `unbind`).
    | OneOfSeveral
    | WithoutGrad
    | InInference

/// Where a gradient goes next: to the result of this number of a node.
type Edge<'S> = { Node: Node<'S>; Output: int }

/// What a node does with the gradients of its results.
and NodeKind<'S> =
    /// Ends in a leaf: the tensor whose gradient is accumulated.
    | Accumulate of tensor: int
    /// The derivative rule of an operator.
    | Rule of Operator * Attrs * Saved[]
    /// The transpose of a view's map: the geometries lie over one row of elements.
    | View of input: Geometry * output: Geometry
    /// The same of a single view whose history was made anew (as_strided): both geometries are the storage's.
    | Remade of whole: Geometry * view: Geometry
    /// A write through a view of the tensor that now has this node as its history: what is outside of the view passes, what is
    /// inside goes through the inner node. Both geometries are the storage's.
    | WriteThrough of whole: Geometry * view: Geometry * inner: Node<'S>
    /// A gradient that is one node. Its inputs are the gradient that arrived and, behind it, what the operator kept; its results are gradients
    /// of the operator's inputs.
    | Fused of FusedGradient

/// A node of the tape. Created once, never changed.
and Node<'S> =
    {
        /// Nodes created later have larger numbers and run earlier; that of a leaf runs as soon as it can.
        Sequence: int
        /// PyTorch's name, "MulBackward0".
        Name: string
        Kind: NodeKind<'S>
        /// For each input, where its gradient goes; None: it needs none.
        Edges: Edge<'S> option[]
        /// Shapes, dtypes and strides of the inputs.
        Inputs: (struct (int[] * DType * int[]))[]
        /// Shapes and dtypes of the results.
        Results: (struct (int[] * DType))[]
    }

/// What a fused gradient is made of.
and FusedGradient =
    {
        Operator: Operator
        Attrs: Attrs
        /// Shapes, dtypes and strides of the operator's inputs.
        Of: (struct (int[] * DType * int[]))[]
        /// What the operator kept.
        Places: Saving[]
        /// Which of the operator's inputs each result is the gradient of.
        To: int[]
        /// What the gradient itself keeps: `Input j` is its input j.
        Kept: Saved[]
    }

/// Something kept for a derivative, with the version that it had. Its elements are read when the node runs.
and Saved =
    {
        /// Which input or output of the operator it is.
        Place: Saving
        /// The tensor. Of an output, a twin without a history of its own, since the history is the node itself.
        Tensor: int
        Version: int
        /// An input that had a history when it was kept.
        HadHistory: bool
        /// A twin of an output: the node that keeps it is its history.
        Twin: bool
    }

/// A hook: the gradient is multiplied by a number.
type Hook = { Id: int; Scale: Attr }

/// A result of a node: the node's sequence number and the result's.
type ResultKey = (struct (int * int))

/// What hooks are found by. Those of a leaf are the tensor's own: they need no node yet.
type HookKey =
    | OfResult of ResultKey
    | OfLeaf of tensor: int

/// Of a view: the tensor whose storage it shows, and how it was made.
type ViewOf =
    {
        Base: int
        Creation: Creation
        /// The version at which the view's grad_fn was made; another one now means that it has to be made anew.
        At: int
    }

/// A tensor: a geometry over a storage, and its place in the tape.
type Tensor<'S> =
    {
        DType: DType
        Geometry: Geometry
        Storage: int
        /// Its version counter, shared with all views and with `detach`, not with `data`.
        Counter: int
        /// The flag of its own (`requires_grad_`, an input).
        RequiresGrad: bool
        GradFn: Edge<'S> option
        View: ViewOf option
        /// Where gradients of a leaf arrive; made when the flag is first set.
        Accumulator: Node<'S> option
        /// The tensor that is its `.grad`, or none.
        Grad: int option
        RetainsGrad: bool
        /// Where the list of its hooks began: the results whose gradients they are given. Asked only where hooks do not belong to the tensor as it is.
        Hooked: HookKey list
        /// Made in inference mode: it has no versions and cannot be kept for a derivative.
        Inference: bool
    }

    /// Its shape.
    member t.Shape = t.Geometry.Shape

    /// What a node knows of it as an input.
    member t.Outline = struct (t.Shape, t.DType, t.Geometry.Strides)

/// Everything that a program's steps change. Immutable: a step makes a new one.
type State<'S> =
    {
        Storages: Cells<Storage<'S>>
        /// Version counters.
        Versions: Cells<int>
        Tensors: Cells<Tensor<'S>>
        /// Variables; None: bound to null.
        Names: Map<string, int option>
        /// Names of hooks, as `remove_hook` takes them.
        HookNames: Map<string, int>
        Hooks: Map<HookKey, Hook list>
        /// For a result of a node, the tensor that wants its gradient kept.
        Retained: Map<ResultKey, int>
        /// Nodes whose kept tensors have been freed.
        Freed: Set<int>
        GradMode: bool
        Inference: bool
        /// A gradient of second order was asked for, so that a null in it may as well be zeros.
        Second: bool
        /// A derivative is being applied. Its numbers are no tensors, and so not kept as PyTorch keeps the 2 of a program's `x * 2`.
        Deriving: bool
        /// The sequence number of the next node.
        Next: int
        /// The names of the rules that are switched off; none but where a program is asked whether it shows its rule.
        Off: Set<string>
    }

    /// Whether a rule of autograd is followed.
    member s.Holds(rule: AutogradRule) = s.Off.IsEmpty || not (s.Off.Contains rule.Name)

    /// Whether what is computed now is recorded.
    member s.Records = s.GradMode && not (s.Inference && s.Holds Rules.Modes.inferenceIsStronger)

[<RequireQualifiedAccess>]
module State =
    /// Nothing yet.
    let empty<'S> : State<'S> =
        { Storages = Cells.Empty
          Versions = Cells.Empty
          Tensors = Cells.Empty
          Names = Map.empty
          HookNames = Map.empty
          Hooks = Map.empty
          Retained = Map.empty
          Freed = Set.empty
          GradMode = true
          Inference = false
          Second = false
          Deriving = false
          Next = 0
          Off = Set.empty }

    /// A tensor by its number.
    let tensor (s: State<'S>) id = s.Tensors[id]

    /// A tensor changed.
    let setTensor id tensor (s: State<'S>) =
        { s with
            Tensors = s.Tensors.Set(id, tensor) }

    /// The current version of a tensor.
    let version (s: State<'S>) (t: Tensor<'S>) = s.Versions[t.Counter]

    /// A tensor's elements now, dense.
    let read (s: State<'S>) (t: Tensor<'S>) : Value<'S> =
        { DType = t.DType
          Shape = t.Geometry.Shape
          Elements = Elements.gather t.Geometry s.Storages[t.Storage].Elements }

    /// Whether a tensor holds something of second order.
    let secondOrder (s: State<'S>) (t: Tensor<'S>) = s.Storages[t.Storage].SecondOrder

    /// Whether autograd sees a tensor: without the rule it does not see memory of inference mode, whoever shows it.
    let isSeen (s: State<'S>) (t: Tensor<'S>) = s.Holds Rules.Modes.inferenceLeavesAreLeaves || not s.Storages[t.Storage].OfInference

    /// A new tensor without history, over a storage of its own, which the geometry fills.
    let addValue (geometry: Geometry) second (value: Value<'S>) (s: State<'S>) : State<'S> * int =
        let id = s.Tensors.Count

        let tensor: Tensor<'S> =
            { DType = value.DType
              Geometry = geometry
              Storage = s.Storages.Count
              Counter = s.Versions.Count
              RequiresGrad = false
              GradFn = None
              View = None
              Accumulator = None
              Grad = None
              RetainsGrad = false
              Hooked = []
              Inference = s.Inference }

        { s with
            Storages =
                s.Storages.Add
                    { Elements = Elements.arrange geometry value.Elements
                      SecondOrder = second
                      OfInference = s.Inference }
            Versions = s.Versions.Add 0
            Tensors = s.Tensors.Add tensor },
        id

    /// A tensor that shares a storage with another.
    let addTensor tensor (s: State<'S>) : State<'S> * int =
        { s with
            Tensors = s.Tensors.Add tensor },
        s.Tensors.Count

    /// The node in which a leaf's gradient is accumulated, made where there is none yet.
    let accumulator id (s: State<'S>) : State<'S> * Node<'S> =
        let t = s.Tensors[id]

        match t.Accumulator with
        | Some node -> s, node
        | None ->
            let node: Node<'S> =
                { Sequence = s.Next
                  Name = "torch::autograd::AccumulateGrad"
                  Kind = Accumulate id
                  Edges = [||]
                  Inputs = [||]
                  Results = [| struct (t.Shape, t.DType) |] }

            { s with
                Next = s.Next + 1
                Tensors = s.Tensors.Set(id, { t with Accumulator = Some node }) },
            node

    /// Sets the flag of a leaf.
    let requireGrad flag id (s: State<'S>) : State<'S> =
        setTensor
            id
            { s.Tensors[id] with
                RequiresGrad = flag }
            s

    /// Binds a name.
    let bind name tensor (s: State<'S>) =
        { s with
            Names = Map.add name tensor s.Names }

    /// One input more: a leaf.
    let addInput<'S when 'S :> IScalar<'S>> (input: Input) (s: State<'S>) : Result<State<'S>, Complaint> =
        let literal = input.Tensor

        let length =
            match literal.Data with
            | Data.Floats x -> x.Length
            | Data.Ints x -> x.Length

        if length <> Shape.count literal.Shape then
            Error
                { Kind = ShapeError
                  Message =
                    $"input '{input.Name}' of shape {Shape.show literal.Shape} has {length} elements, expected {Shape.count literal.Shape}" }
        elif input.RequiresGrad && not literal.DType.IsFloat then
            Error
                { Kind = RequiresGradDType
                  Message = "Only Tensors of floating point and complex dtype can require gradients" }
        else
            let value: Value<'S> = Literals.toValue literal
            let s, id = addValue (Layout.dense literal.Shape) false value s
            Ok(bind input.Name (Some id) (if input.RequiresGrad then requireGrad true id s else s))

    /// The state before the first step, without some of the rules.
    let start<'S when 'S :> IScalar<'S>> off (program: Program) : Result<State<'S>, Complaint> =
        List.fold (fun s input -> Result.bind (addInput input) s) (Ok { empty with Off = off }) program.Inputs
