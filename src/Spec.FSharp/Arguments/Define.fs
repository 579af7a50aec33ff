namespace Verified.Spec

/// What most operators' records share.
[<RequireQualifiedAccess>]
module Define =
    let private nothing =
        { new Forward with
            member _.Of(_: Call<'S>) = Complain.value "the operator has no definition" }

    /// "leaky_relu" is "LeakyRelu" in the names of nodes.
    let nodeName (name: string) =
        name.Split '_'
        |> Array.map (fun word ->
            if word = "" then
                ""
            else
                word.Substring(0, 1).ToUpperInvariant() + word.Substring 1)
        |> System.String.Concat

    /// The name of the node of every call.
    let node name : Recorded -> string =
        let name = name + "Backward0"
        fun _ -> name

    /// The name of a node where the function has several overloads.
    let nodeByOverload name (overload: Recorded -> int) : Recorded -> string = fun call -> $"{name}Backward{overload call}"

    let private anything =
        { new Admission with
            member _.Of _ = Ok() }

    /// A method of tensors.
    let ofTensor: Spelling =
        { Home = OfTensor
          Keywords = []
          Written = 0 }

    /// A function of torch alone.
    let torch = { ofTensor with Home = Torch }

    /// A function of torch.nn.functional.
    let functional = { ofTensor with Home = Functional }

    /// A function that takes tensors behind the first by keyword.
    let byKeyword keywords (spelling: Spelling) = { spelling with Keywords = keywords }

    let private elementByElement: Overlap =
        { Within = Refused
          Reads = fun _ -> InStep }

    /// An operator that computes its result.
    let computes name formula args attrs (forward: Forward) : Operator =
        { Name = name
          Spelling = ofTensor
          Formula = formula
          Args = args
          Attrs = attrs
          Behaviour = Computes forward
          Arrangement = fun _ -> Arrangement.RowMajor
          ReturnsItself = fun _ _ -> false
          Results = fun _ -> 1
          Node = node (nodeName name)
          Saves = fun _ _ -> []
          Derivative = None
          Fused = None
          Refuses = fun _ -> []
          Updates = []
          Admits = anything
          Overlap = fun _ -> elementByElement
          Overwrites = false
          ArgumentsFirst = fun _ -> false
          InPlace = false
          OnlyInPlace = false
          Internal = false
          Kinks = None
          Domain = Everywhere
          Shapes = [] }

    /// An operator that computes its result element by element.
    let elementwise name formula args attrs forward : Operator =
        { computes name formula args attrs forward with
            Arrangement = fun _ -> Arrangement.Ordered }

    /// An operator that PyTorch composes of others.
    let composes name formula args attrs composition : Operator =
        { computes name formula args attrs nothing with
            Behaviour = Composes composition }

    /// An operator that returns views of its first argument (or, as PyTorch does, copies).
    let views name formula args attrs aliases : Operator =
        { computes name formula args attrs nothing with
            Behaviour = Aliases aliases }

    let private fusion node =
        { Node = node
          Constants = []
          Apart = false
          Derivative = None
          Unread = []
          Arrangement = None }

    /// A gradient that is one node, which does not read some of what the operator kept.
    let fused node unread = Some { fusion node with Unread = unread }

    /// The same gradient, lying otherwise in memory.
    let arranged arrangement (fusion: Fusion option) =
        fusion
        |> Option.map (fun fusion ->
            { fusion with
                Arrangement = Some arrangement })

    /// A gradient that is one node, with its derivatives by what had arrived and by what the operator kept.
    let fusedWith node derivative =
        Some
            { fusion node with
                Derivative = Some derivative }

    /// A gradient that is one node, with its derivative by what had arrived; it has no other.
    let fusedBy node (derivative: Again -> Term) =
        Some
            { fusion node with
                Derivative = Some(fun again -> [ Some(fun () -> derivative again) ]) }

    /// A gradient that is one node and symmetric, as of all functions of one number: its derivative by what arrives is the same function of
    /// what arrives there. That by the operator's input is given.
    let fusedSymmetric node (second: Again -> Term) =
        Some
            { fusion node with
                Derivative = Some(fun again -> [ Some(fun () -> again.Of again.Arriving); Some(fun () -> second again) ]) }

    /// Gradients that are one node each, with the derivative of each.
    let fusedApart node derivative =
        Some
            { fusion node with
                Apart = true
                Derivative = Some derivative }

    /// A gradient that is one node, and linear in what arrives: by the operator's first input its derivative is zeros.
    let fusedLinear node =
        Some
            { fusion node with
                Constants = [ Input 0 ] }

    /// The same with the derivative by what arrives given.
    let fusedLinearBy node (derivative: Again -> Term) =
        Some
            { fusion node with
                Constants = [ Input 0 ]
                Derivative =
                    Some(fun again -> [ Some(fun () -> derivative again); Some(fun () -> Derive.apply "zeros_like" [ again.Arriving ] []) ]) }

    let attr name kind : AttrSpec =
        { Name = name
          Kind = kind
          Required = false
          TakesNull = false
          StandsFor = None
          OneOf = false }

    /// A number in the place of a tensor argument.
    let operand name place values : AttrSpec =
        { attr name (AttrKind.Number values) with
            StandsFor = Some place }

    /// One of several attributes, or the only one, without which a step is refused.
    let oneOf (spec: AttrSpec) : AttrSpec = { spec with OneOf = true }

    let required name kind : AttrSpec = { attr name kind with Required = true }
