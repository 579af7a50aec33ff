namespace Verified.Spec

/// The elements of a tensor in a number system: floats as its scalars; integers and booleans (0 and 1) exactly. `decided` is
/// false where they came of a comparison that the bound could not decide, and then nothing is known of what follows from them.
[<RequireQualifiedAccess>]
type Elements<'S> =
    | Floats of 'S[]
    | Ints of int64[] * decided: bool

/// A dense tensor value: row-major elements of a shape. What operators compute on; never written to.
type Value<'S> =
    { DType: DType
      Shape: int[]
      Elements: Elements<'S> }

/// Where a tensor's elements lie in its storage, in elements.
type Geometry =
    { Shape: int[]
      Strides: int[]
      Offset: int }

/// The arguments of an operator: its tensors in order, lists spliced in (`index` [x, [i, null, j]] is x; i; none; j), and its
/// attributes.
type Call<'S> =
    { In: Value<'S> option[]; Attrs: Attrs }

/// An operator's value: a pure function, over any number system.
type Forward =
    abstract Of<'S when 'S :> IScalar<'S>> : Call<'S> -> Result<Value<'S> list, Complaint>

/// What is asked of a call before anything else.
type Admission =
    abstract Of<'S when 'S :> IScalar<'S>> : Call<'S> -> Result<unit, Complaint>

/// What a view operator returns of its first argument's geometry.
type Aliasing =
    /// A view of the same storage.
    | View of Geometry
    /// Several views, of which none may be written to even where it is the only one. Such an operator has a derivative of its own.
    | Views of Geometry list
    /// The very same tensor (`contiguous` of a contiguous one).
    | Itself
    /// A copy (`reshape` where strides do not allow a view): row-major, of this shape.
    | Copied of int[]

/// What ends a call that a derivative rule or a composition makes.
exception Complained of Complaint

/// Results where they are not expected to be errors.
module Complaints =
    let fail complaint = raise (Complained complaint)

    let orFail result =
        match result with
        | Ok value -> value
        | Error complaint -> fail complaint

/// What a derivative rule or a composition may do: apply registered operators to tensors, or raise `Complained`. Under create_graph a rule's
/// are recorded. A composition may apply one in place (`squeeze_`), and ask what PyTorch's choice of its parts depends on.
type ICalculus =
    abstract Apply: op: string * args: Term option list * attrs: (string * Attr) list -> Term list
    abstract Strides: Term -> int[]
    abstract RequiresGrad: Term -> bool

/// A tensor as derivative rules see it. Rules are compositions of registered operators, so a rule is no second truth, and the
/// derivative of a rule is found as any other.
and Term =
    { Calculus: ICalculus
      Id: int
      DType: DType
      Shape: int[] }

    member t.Strides = t.Calculus.Strides t
    member t.RequiresGrad = t.Calculus.RequiresGrad t
    member t.Apply(op, others: Term list, attrs) = t.Calculus.Apply(op, Some t :: List.map Some others, attrs) |> List.head

    static member (+)(a: Term, b: Term) = a.Apply("add", [ b ], [])
    static member (-)(a: Term, b: Term) = a.Apply("sub", [ b ], [])
    static member (*)(a: Term, b: Term) = a.Apply("mul", [ b ], [])
    static member (/)(a: Term, b: Term) = a.Apply("div", [ b ], [])
    static member (~-)(a: Term) = a.Apply("neg", [], [])
    static member (*)(a: Term, c: float) = a.Apply("mul", [], [ "other", Attr.Float c ])
    static member (*)(c: float, a: Term) = a * c
    static member (+)(a: Term, c: float) = a.Apply("add", [], [ "other", Attr.Float c ])
    static member (-)(c: float, a: Term) = (-a) + c

/// What a derivative rule is given.
type IDerivation =
    /// The gradient of output k; None where no path leads from the root to it.
    abstract Gradient: int -> Term option
    /// The saved input i (spliced numbering). It must have been declared in `Saves`.
    abstract Input: int -> Term
    /// Whether input i was saved: false where an optional tensor was left out or a number attribute stands for it.
    abstract Has: int -> bool
    /// The saved output k.
    abstract Output: int -> Term
    /// Whether the saved input i holds a zero, where PyTorch's choice of a formula depends on it.
    abstract HasZero: int -> bool
    /// Whether input i needs a gradient.
    abstract Needs: int -> bool
    /// The shape of input i, whether saved or not; and its dtype.
    abstract ShapeOf: int -> int[]
    abstract DTypeOf: int -> DType
    /// The strides that input i had when it was recorded, where PyTorch's choice of a formula depends on them.
    abstract StridesOf: int -> int[]
    abstract Attrs: Attrs
    /// The number of inputs, lists spliced in.
    abstract Inputs: int

/// A derivative rule: for each input, its gradient, or None where there is none.
type Rule = IDerivation -> Term option list

/// What an operator keeps for its derivative: PyTorch's choice, since it decides which in-place writes are errors.
type Saving =
    | Input of int
    | Output of int
    /// All inputs behind the first, however many, but so many at the end: the indices and masks of `index` and `index_put`.
    | Indices of behind: int

/// How a computed result lies in memory, which `view`, `reshape` and `contiguous` show.
[<RequireQualifiedAccess>]
type Arrangement =
    | RowMajor
    /// In the order of the arguments' dimensions: a transposed argument gives a transposed result.
    | Ordered
    /// As the first argument; where that is dense it has the very strides, those of dimensions of one element too.
    | Copied

/// The call that a node is recorded for, as far as PyTorch's name of the node depends on it.
type Recorded =
    {
        /// The number of tensor arguments, lists spliced in.
        Inputs: int
        Attrs: Attrs
        InPlace: bool
    }

/// A call in place, as far as it decides what memory may overlap.
type IWrite =
    /// The number of inputs, lists spliced in; the first one is written to.
    abstract Inputs: int
    /// Whether input i was given, rather than left out.
    abstract Has: int -> bool
    /// Whether an input has the target's dtype and lies where it does, element by element.
    abstract IsWhereTheTargetIs: int -> bool
    abstract ShapeOf: int -> int[]
    abstract DTypeOf: int -> DType
    abstract Attrs: Attrs

/// What becomes of a place in memory that several elements of the written tensor share.
type Sharing =
    /// The call is refused.
    | Refused
    /// All that is written there is the same.
    | SameForAll
    /// All that is written there is the same, and it is written where this argument, a mask, holds for any of the elements.
    | SameWhere of mask: int

/// When a call in place reads an argument that lies in the written tensor's memory.
type Reading =
    /// Each element just before it is written: the argument may be the very elements that are written, or none of them.
    | InStep
    /// All of it before anything is written.
    | Before
    /// While it writes: the argument may have none of the elements that are written.
    | Meanwhile

/// What memory a call in place may share.
type Overlap =
    {
        Within: Sharing
        /// By the number of the argument.
        Reads: int -> Reading
    }

/// How an operator makes its result.
type Behaviour =
    /// A new tensor, computed.
    | Computes of Forward
    /// Composed of other operators, as PyTorch composes it: its history is their nodes, and their derivatives are its derivative.
    | Composes of (Attrs -> Term option list -> Result<Term list, Complaint>)
    /// A view (or a copy) of the first argument; its derivative is the transpose of the geometry's map, the same for all views that have none
    /// of their own.
    | Aliases of (Geometry -> Attrs -> Result<Aliasing, Complaint>)

/// What a tensor argument may be; the generator chooses by it and nothing else.
[<RequireQualifiedAccess>]
type ArgKind =
    /// A float tensor, differentiable.
    | Float
    /// Any dtype.
    | Any
    /// An int64 tensor of indices or classes.
    | Index
    /// Classes, or class probabilities: an int64 tensor, or a float one of the first argument's shape.
    | Classes
    | Mask
    /// A list of tensors.
    | List of ArgKind
    /// May be left out.
    | Optional of ArgKind

/// What an attribute may be, and which values are worth trying.
[<RequireQualifiedAccess>]
type AttrKind =
    /// A dimension of the first argument, negative ones allowed.
    | Dim
    /// One or several dimensions, as a list.
    | Dims
    /// A shape (`view`, `reshape`, `expand`): the generator proposes one that fits.
    | Size
    | Permutation
    | Flag
    | Integer of int64 list
    | Number of float list
    /// A list of integers, one of these.
    | Integers of int64 list list
    | Choice of string list
    /// The `index` of getitem and setitem_.
    | Index
    | DType

/// An attribute of an operator.
type AttrSpec =
    {
        Name: string
        Kind: AttrKind
        /// Without it the step is an error.
        Required: bool
        /// Null is a value of it, which asks for PyTorch's guess; of another one it is as if left out.
        TakesNull: bool
        /// The place of the tensor argument that this number stands for: one of the two is given.
        StandsFor: int option
        /// One of those that say so has to be given, where no tensor argument stands in its place.
        OneOf: bool
    }

/// What the derivative of a fused gradient is given.
type Again =
    {
        /// What the gradient was computed from: what had arrived (`Gradient 0`), and what the operator kept.
        First: IDerivation
        /// The input of the operator that it is the gradient of, the first one where it is that of several.
        Towards: int
        /// What arrives now at the gradient of an input of the operator.
        ArrivingAt: int -> Term option
        /// The same gradient where something else arrives.
        Of: Term -> Term
    }

    /// What arrives at the gradient of the one input.
    member a.Arriving = (a.ArrivingAt a.Towards).Value

/// How PyTorch records an operator's gradient under create_graph where that is one node of its own, not the nodes of what the derivative
/// rule is composed of (tools/autograd/derivatives.yaml has an entry for it). It keeps the gradient that arrived and all that the operator
/// kept.
type Fusion =
    {
        /// The name of the node, without "Backward0": "EluBackward".
        Node: string
        /// Of what the operator kept, that by which the gradient's derivative is zeros whatever its value. Where there is such a thing the
        /// gradient is linear in what arrives, which is then not kept, and has no derivative by anything else.
        Constants: Saving list
        /// Whether the gradient of each input is a node of its own; else one node gives them all.
        Apart: bool
        /// Its derivative by what had arrived and, behind it, by what the operator keeps, as PyTorch composes it. None: that of the rule,
        /// composed anew.
        Derivative: (Again -> (unit -> Term) option list) option
        /// What the operator kept and the gradient does not, since nothing of it depends on that.
        Unread: Saving list
        /// How the gradient lies in memory; None: as the operator's result.
        Arrangement: Arrangement option
    }

/// Where PyTorch has a function.
type Home =
    /// Among the methods of tensors.
    | OfTensor
    /// In torch alone.
    | Torch
    /// In torch.nn.functional.
    | Functional

/// How PyTorch writes a call.
type Spelling =
    {
        Home: Home
        /// The keywords of the tensor arguments behind the first, where an attribute stands before them in PyTorch's signature; "" for one that
        /// may stand by place.
        Keywords: string list
        /// How many tensor arguments must be written, None for one left out: those for which the signature has no default.
        Written: int
    }

/// Everything about one operator, in one record.
type Operator =
    {
        /// PyTorch's name, without the trailing underscore.
        Name: string
        /// How PyTorch writes a call, for the scripts that programs are printed as. The twin in place is always a method.
        Spelling: Spelling
        /// One line for the documentation.
        Formula: string
        Args: ArgKind list
        Attrs: AttrSpec list
        Behaviour: Behaviour
        Arrangement: Attrs -> Arrangement
        /// Whether a computing operator has nothing to do, by its first argument's dtype, and so returns that argument itself.
        ReturnsItself: DType -> Attrs -> bool
        /// How many results a computing operator has for a program: the first ones that its forward gives. Those behind them are what it
        /// keeps for its derivative.
        Results: Attrs -> int
        /// The name of a call's node as PyTorch's messages print it: "SigmoidBackward0". The number tells apart the overloads of a function, in
        /// the order of tools/autograd/derivatives.yaml.
        Node: Recorded -> string
        /// What is kept for the derivative: of which inputs need a gradient, and the attributes. In the order in which PyTorch looks whether
        /// it was written to since, which is that of its names for them: `other` comes before `self`, results come last.
        Saves: (int -> bool) -> Attrs -> Saving list
        /// The derivative; None: not differentiable, its results never require a gradient.
        Derivative: Rule option
        /// None: the nodes of the derivative are those of its parts.
        Fused: Fusion option
        /// The tensor arguments that have no derivative, and that PyTorch refuses where they require a gradient: places and names, by the
        /// dtypes of the arguments.
        Refuses: DType option[] -> (int * string) list
        /// Arguments that a call writes to without counting it as a write, as training batch_norm does to its running statistics: the place
        /// of each, where it was given, and that of the result behind the visible ones that goes there, where the call has it.
        Updates: (int * int) list
        /// What a write is refused for before it is seen whether memory overlaps.
        Admits: Admission
        /// What memory a write may share.
        Overlap: IWrite -> Overlap
        /// In place it leaves nothing of what was there.
        Overwrites: bool
        /// What is wrong with its arguments, as far as that is seen before the histories of its inputs: PyTorch looks before it calls what
        /// records.
        ArgumentsFirst: Complaint -> bool
        /// There is a twin in place, `name_`, that writes the result into the first argument.
        InPlace: bool
        /// Only in place (`copy_`, `zero_`): the first argument is what is written to.
        OnlyInPlace: bool
        /// Not PyTorch's, but needed by derivatives; programs cannot name it.
        Internal: bool
        /// Where it is not differentiable and what holds there, with the source; None: smooth on its domain.
        Kinks: string option
        /// Which kinds of values of its float inputs are worth trying, beyond ordinary ones.
        Domain: Domain
        /// Shapes of the tensor arguments (lists spliced in) worth trying, for generators: each entry is one set, such as
        /// [ [| 2; 3 |]; [| 3; 4 |] ] for mm. Empty where any shapes that broadcast will do.
        Shapes: int[] list list
    }

    /// Whether its results can require a gradient: by a derivative of its own, as views, or by its parts.
    member op.IsDifferentiable =
        op.Derivative.IsSome
        || match op.Behaviour with
           | Computes _ -> false
           | Composes _
           | Aliases _ -> true

/// The domain of an operator's float inputs, for generators.
and Domain =
    | Everywhere
    | Positive
    | NonZero
    | Above of float
    | Between of float * float
