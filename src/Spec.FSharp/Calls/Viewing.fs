namespace Verified.Spec

/// Calls of view operators: other geometries over the same storage, or copies where there is none.
module internal Viewing =
    open Recording

    let private viewed attrs =
        { Inputs = 1
          Attrs = attrs
          InPlace = false }

    let private views
        (s: State<'S>)
        (op: Operator)
        attrs
        source
        (toInput: Edge<'S> option)
        (overInput: Geometry list)
        (geometries: Geometry list)
        several
        records
        =
        let t = s.Tensors[source]

        let creation =
            if s.Inference then InInference
            elif not s.GradMode then WithoutGrad
            elif several then OneOfSeveral
            else Ordinary

        let ofBase, creation =
            match t.View with
            | Some view ->
                (if s.Holds Rules.Views.chainsHaveOneBase then view.Base else source),
                (if (creation = Ordinary || view.Creation = InInference) && s.Holds Rules.Views.readOnlyIsInherited then
                     view.Creation
                 else
                     creation)
            | None -> source, creation

        let node: Node<'S> =
            { Sequence = s.Next
              Name = op.Node(viewed attrs)
              Kind =
                match overInput with
                | [ view ] when op.Derivative.IsNone -> View(Layout.dense t.Shape, view)
                | _ -> Rule(op, attrs, [||])
              Edges = [| toInput |]
              Inputs = [| t.Outline |]
              Results = [| for g in geometries -> struct (g.Shape, t.DType) |] }

        // What is not seen by autograd is no view to it, either.
        let view =
            if t.Inference || not (State.isSeen s t) then
                None
            else
                Some
                    { Base = ofBase
                      Creation = creation
                      At = State.version s t }

        let mutable s = { s with Next = s.Next + 1 }

        let ids =
            geometries
            |> List.mapi (fun k g ->
                let shown =
                    { t with
                        Geometry = g
                        RequiresGrad = false
                        GradFn = if records then Some { Node = node; Output = k } else None
                        View = view
                        Accumulator = None
                        Grad = None
                        RetainsGrad = false
                        Hooked = [] }

                let next, id =
                    if s.Holds Rules.Views.shareMemory then
                        let ownCounter = not (s.Holds Rules.Versions.viewsShareTheCounter)

                        State.addTensor
                            (if ownCounter then
                                 { shown with
                                     Counter = s.Versions.Count }
                             else
                                 shown)
                            (if ownCounter then { s with Versions = s.Versions.Add 0 } else s)
                    else
                        let next, id = State.addValue (Layout.dense g.Shape) (State.secondOrder s t) (State.read s shown) s

                        State.setTensor
                            id
                            { next.Tensors[id] with
                                GradFn = shown.GradFn }
                            next,
                        id

                let next =
                    if s.Holds Rules.Leaves.onlyLeavesKeepGradients then
                        next
                    else
                        History.retain id next

                s <- next
                id)

        s, ids

    let alias (s: State<'S>) (op: Operator) aliases (inputs: int option[]) attrs : Result<State<'S> * int list, Complaint> =
        let source = inputs[0].Value
        let t = s.Tensors[source]
        let dense = Layout.dense t.Shape

        let over () : Result<Geometry list, Complaint> =
            aliases dense attrs
            |> Result.map (function
                | Aliasing.View geometry -> [ geometry ]
                | Views geometries -> geometries
                | Itself -> [ dense ]
                | Copied shape -> [ Layout.dense shape ])

        let records = (s.Records || not (s.Holds Rules.Views.madeInNoGradHasNoHistory)) && t.DType.IsFloat && anyRequires s inputs

        let toInput = if records then History.edge s source else Ok(s, None)

        let aliasing =
            match aliases t.Geometry attrs with
            | Error complaint when not (op.ArgumentsFirst complaint) -> toInput |> Result.bind (fun _ -> Error complaint)
            | found -> found

        aliasing
        |> Result.bind (fun aliasing ->
            let copied (shape: int[]) toInput s =
                let value = { State.read s t with Shape = shape }

                let g = Layout.dense shape
                let s, id = State.addValue g (State.secondOrder s t) value s

                if records then
                    let node: Node<'S> =
                        { Sequence = s.Next
                          Name = op.Node(viewed attrs)
                          Kind = if op.Derivative.IsSome then Rule(op, attrs, [||]) else View(dense, g)
                          Edges = [| toInput |]
                          Inputs = [| t.Outline |]
                          Results = [| struct (shape, t.DType) |] }

                    attach node [| id |] { s with Next = s.Next + 1 }, [ id ]
                else
                    s, [ id ]

            let shown geometries several =
                toInput
                |> Result.bind (fun (s, toInput) ->
                    over () |> Result.map (fun over -> views s op attrs source toInput over geometries several records))

            match aliasing with
            | Itself when s.Holds Rules.Views.nothingToDoIsTheTensorItself -> Ok(s, [ source ])
            | Itself -> toInput |> Result.map (fun (s, toInput) -> copied t.Shape toInput s)
            | Aliasing.View geometry -> shown [ geometry ] false
            | Views geometries -> shown geometries true
            | Copied shape when s.Holds Rules.Views.reshapeCopies -> toInput |> Result.map (fun (s, toInput) -> copied shape toInput s)
            | Copied _ -> Complain.because ShapeError "view size is not compatible with input tensor's size and stride")
