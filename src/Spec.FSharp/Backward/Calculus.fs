namespace Verified.Spec

/// What a term stands for.
[<RequireQualifiedAccess>]
type internal Operand<'S> =
    /// With the geometry that it has as a tensor.
    | Plain of Value<'S> * Geometry
    /// A tensor that is not recorded from, with its value: what a rule returns unchanged is that very tensor, as in PyTorch.
    | Given of int * Value<'S>
    /// Under create_graph.
    | Tracked of int

module private Evaluation =
    open Complaints

    /// Applies a view operator or a computing one to plain values.
    let evaluate (op: Operator) (inputs: Value<'S> option[]) attrs : Value<'S> list =
        match op.Behaviour with
        | Computes forward -> forward.Of { In = inputs; Attrs = attrs } |> orFail
        | Aliases aliases ->
            let x = inputs[0].Value

            let show (g: Geometry) =
                { x with
                    Shape = g.Shape
                    Elements = Elements.gather g x.Elements }

            match aliases (Layout.dense x.Shape) attrs |> orFail with
            | Aliasing.View geometry -> [ show geometry ]
            | Views geometries -> List.map show geometries
            | Itself -> [ x ]
            | Copied shape -> [ { x with Shape = shape } ]
        | Composes _ -> invalidOp $"{op.Name} is applied by its parts"

module internal Rows =
    /// A geometry as the attributes of the internal operators over rows of elements.
    let geometryAttributes (g: Geometry) =
        [ "size", Derive.sizeAttr g.Shape
          "stride", Derive.sizeAttr g.Strides
          "storage_offset", Attr.Integer(int64 g.Offset) ]

open Complaints
open Evaluation
open Rows

/// What derivative rules calculate with: registered operators applied to plain values, or, under create_graph (`creates`), to tensors of the
/// state, where they are recorded as anything else is. Where a user gets the results (`shows`) views are tensors of the state in any case,
/// since they may be written to. The state changes inside.
[<Sealed>]
type internal Calculus<'S when 'S :> IScalar<'S>>(registry: Map<string, Operator>, start: State<'S>, creates: bool, shows: bool) =
    let mutable state = start
    let operands = ResizeArray<Operand<'S>>()

    let operator name =
        match Map.tryFind name registry with
        | Some op -> op
        | None -> invalidOp $"a derivative rule applies '{name}', which is not registered"

    member _.State
        with get () = state
        and set value = state <- value

    /// Whether what is calculated is recorded.
    member _.Creates = creates

    /// Whether what is calculated may be seen, and written to, by the user.
    member _.Shows = creates || shows

    /// Another one, which goes on from a state and shows nothing.
    member _.From(state, creates) = Calculus<'S>(registry, state, creates, false)

    member private c.Term(operand: Operand<'S>, dtype, shape) : Term =
        operands.Add operand

        { Calculus = c
          Id = operands.Count - 1
          DType = dtype
          Shape = shape }

    member private _.Add(value: Value<'S>, geometry) : int =
        let s, id = State.addValue geometry false value state
        state <- s
        id

    /// A plain value as a term.
    member c.Plain(value: Value<'S>, ?geometry) =
        let geometry = defaultArg geometry (Layout.dense value.Shape)

        if creates then
            c.Tracked(c.Add(value, geometry))
        else
            c.Term(Operand.Plain(value, geometry), value.DType, value.Shape)

    /// A plain value as a leaf that requires a gradient.
    member c.Leaf(value: Value<'S>) : Term =
        let id = c.Add(value, Layout.dense value.Shape)
        state <- State.requireGrad true id state
        c.Tracked id

    member c.Tracked id =
        let t = state.Tensors[id]

        let operand = if creates then Operand.Tracked id else Operand.Given(id, State.read state t)

        c.Term(operand, t.DType, t.Shape)

    /// Whether a tensor of the state requires a gradient.
    member c.Requires(term: Term) =
        let id = c.Tensor term
        History.requiresGrad state state.Tensors[id]

    member _.Value(term: Term) : Value<'S> =
        match operands[term.Id] with
        | Operand.Plain(value, _) -> value
        | Operand.Given(_, value) when state.Holds Rules.Gradients.givenIsAsItWas -> value
        | Operand.Given(id, _)
        | Operand.Tracked id -> State.read state state.Tensors[id]

    /// The tensor that a term is: what a user may see of it.
    member c.Tensor(term: Term) : int =
        match operands[term.Id] with
        | Operand.Plain(value, geometry) ->
            let id = c.Add(value, geometry)
            operands[term.Id] <- Operand.Given(id, value)
            id
        | Operand.Given(id, _)
        | Operand.Tracked id -> id

    /// Whether the pass has made the tensor that a term is.
    member c.IsMadeHere(term: Term) = c.Tensor term >= start.Tensors.Count

    /// The tensor that a term is, as a view of nothing, and as PyTorch detaches it, which of inference mode makes an ordinary tensor.
    member c.Detached(term: Term) : int =
        let id = c.Tensor term

        state <-
            State.setTensor
                id
                { state.Tensors[id] with
                    View = None
                    Inference = state.Inference }
                state

        id

    /// A copy of a term, as a tensor of its own that lies in memory as a dense one does, by default in row-major order.
    member c.Copy(term: Term, ?like: Geometry) : int =
        let geometry =
            match like with
            | Some like when like.Shape = term.Shape -> { like with Offset = 0 }
            | _ -> Layout.dense term.Shape

        let add () = c.Add(c.Value term, geometry)

        if creates then
            // Its gradient is that of the term itself; where it lies is its own.
            let clone = c.Tensor(c.Call("clone", [| Some term |], []))
            let copy = state.Tensors[clone]
            let id = add ()

            state <-
                State.setTensor
                    id
                    { state.Tensors[id] with
                        RequiresGrad = copy.RequiresGrad
                        GradFn = copy.GradFn }
                    state

            id
        else
            add ()

    /// Where a term lies in memory.
    member private _.Geometry(term: Term) : Geometry =
        match operands[term.Id] with
        | Operand.Plain(_, geometry) -> geometry
        | Operand.Given(id, _)
        | Operand.Tracked id -> state.Tensors[id].Geometry

    /// A plain value that is made of these terms, laid out by theirs.
    member c.Laid(layout: Geometry list -> int[] -> Geometry, args: Term option[], value: Value<'S>) : Term =
        if shows then
            let arguments = args |> Array.choose (Option.map c.Geometry) |> List.ofArray
            c.Plain(value, layout arguments value.Shape)
        else
            c.Plain value

    member c.Apply(op: Operator, args: Term option[], attrs: Attrs) : Term list =
        match op.Behaviour with
        | Composes parts -> parts attrs (List.ofArray args) |> orFail
        | _ when creates ->
            let inputs =
                args
                |> Array.map (
                    Option.map (fun t ->
                        match operands[t.Id] with
                        | Operand.Tracked id -> id
                        | Operand.Given _
                        | Operand.Plain _ -> invalidOp "under create_graph every term is a tensor")
                )

            let s, ids = Calls.apply state op inputs attrs |> orFail
            state <- s
            List.map c.Tracked ids
        | Aliases _ when shows && state.Holds Rules.Gradients.mayBeViews ->
            // A term that is no tensor yet becomes one, which changes the state.
            let inputs = args |> Array.map (Option.map c.Tensor)
            let s, ids = Calls.apply state op inputs attrs |> orFail
            state <- s
            List.map c.Tracked ids
        | _ ->
            evaluate op (args |> Array.map (Option.map c.Value)) attrs
            |> List.map (fun value -> c.Laid(Layouts.ofResult op attrs, args, value))

    /// Applies an operator with one result by its name.
    member c.Call(name, args: Term option[], attrs) : Term = c.Apply(operator name, args, Map.ofList attrs) |> List.head

    /// A row of elements read, or written, under a geometry.
    member c.Strided(name, term: Term, g: Geometry) : Term = c.Call(name, [| Some term |], geometryAttributes g)

    /// The sum of gradients of one shape and dtype, in any order.
    member c.Sum(terms: Term list) : Term option =
        match terms with
        | [] -> None
        | [ only ] -> Some only
        // It lies as what arrived first.
        | _ -> Some(c.Call("total", List.rev terms |> List.map Some |> Array.ofList, []))

    member private _.FitBy(call: string * Term * (string * Attr) list -> Term, term: Term, struct (shape: int[], dtype: DType)) : Term =
        let term =
            if term.Shape = shape || not (state.Holds Rules.Gradients.broadcastIsSummed) then
                term
            else
                call ("sum_to", term, [ "size", Derive.sizeAttr shape ])

        if term.DType = dtype || not (state.Holds Rules.Gradients.ownDtype) then
            term
        else
            call ("to", term, [ "dtype", Attr.Text dtype.Name ])

    /// Brings a gradient to the shape and the dtype of the tensor that it belongs to.
    member c.Fit(term: Term, form) : Term = c.FitBy((fun (name, term, attrs) -> c.Call(name, [| Some term |], attrs)), term, form)

    /// The same of a gradient that was given, in the mode of the caller, who may see it; None: in that of the pass.
    member c.FitGiven(term: Term, form, caller: bool option) : Term =
        let inMode records (name, term: Term, attrs) =
            let before = state.GradMode

            let s, ids =
                Calls.apply { state with GradMode = records } (operator name) [| Some(c.Tensor term) |] (Map.ofList attrs)
                |> orFail

            state <- { s with GradMode = before }
            c.Tracked ids.Head

        match caller with
        | Some records when creates || shows && records -> c.FitBy(inMode records, term, form)
        | _ -> c.Fit(term, form)

    interface ICalculus with
        member c.Apply(name, args, attrs) =
            let args = Array.ofList args
            let mutable n = args.Length

            while n > 0 && args[n - 1].IsNone do
                n <- n - 1

            match name with
            | "sum_to" when not (state.Holds Rules.Gradients.broadcastIsSummed) -> List.choose id (List.ofArray args)
            | "to" when not (state.Holds Rules.Gradients.ownDtype) -> List.choose id (List.ofArray args)
            | _ -> c.Apply(operator name, (if n < args.Length then Array.sub args 0 n else args), Map.ofList attrs)

        member c.Strides term = (c.Geometry term).Strides

        member c.RequiresGrad term =
            match operands[term.Id] with
            | Operand.Tracked id -> History.requiresGrad state state.Tensors[id]
            | Operand.Given _
            | Operand.Plain _ -> false
