namespace Verified.Spec

open System

/// The element types of the language.
type DType =
    | Float32
    | Float64
    | Int64
    | Bool

    /// True for the two types that can carry a gradient.
    member t.IsFloat =
        match t with
        | Float32
        | Float64 -> true
        | Int64
        | Bool -> false

    /// PyTorch's name for it, as written in programs.
    member t.Name =
        match t with
        | Float32 -> "float32"
        | Float64 -> "float64"
        | Int64 -> "int64"
        | Bool -> "bool"

/// A step's attribute: everything that is not a tensor. An integer and a float are different values (x * 2 and x * 2.0
/// differ on integers); the numbers that are not finite are floats.
[<RequireQualifiedAccess>]
type Attr =
    | Null
    | Flag of bool
    | Integer of int64
    | Float of float
    | Text of string
    | Items of Attr list

/// A step's attributes by PyTorch's keyword.
type Attrs = Map<string, Attr>

/// A tensor's elements, flat and in row-major order. Booleans are the integers 0 and 1. A float32 is held as the float64
/// of the same value. The arrays are never written to.
[<RequireQualifiedAccess>]
type Data =
    | Floats of float[]
    | Ints of int64[]

/// A tensor as it is written down: an input of a program, or a value that an outcome reports.
type Literal =
    { DType: DType
      Shape: int[]
      Data: Data }

/// An input of a program. Every input is a leaf.
type Input =
    { Name: string
      Tensor: Literal
      RequiresGrad: bool }

/// One place in a step's tensor arguments.
[<RequireQualifiedAccess>]
type Arg =
    | Missing
    | Name of string
    | Names of string option list

/// What a step binds its results to.
[<RequireQualifiedAccess>]
type Out =
    | Nothing
    | Name of string
    | Names of string option list

/// One step: a PyTorch function, or one of the structural steps of the protocol.
type Step =
    {
        Op: string
        In: Arg list
        Attrs: Attrs
        Out: Out
        /// `wrt` of `backward` (PyTorch's `inputs=`) and of `grad`; None where it is not given.
        Wrt: string list option
        /// `gradients` of `backward` and of `grad`, beside `in`; None where it is not given.
        Gradients: string option list option
        /// The nested steps of `no_grad`, `enable_grad` and `inference_mode`.
        Steps: Step list
    }

/// What an outcome reports.
[<RequireQualifiedAccess>]
type Observed =
    | Value of string
    | Gradient of string

    /// As written in a program: `y` or `y.grad`.
    member o.Text =
        match o with
        | Value name -> name
        | Gradient name -> name + ".grad"

/// A program: inputs, steps, and what is observed. A plain immutable value with structural equality.
type Program =
    { Inputs: Input list
      Steps: Step list
      Observe: Observed list }

/// The kinds of errors that a program can end in; the names are those of the protocol.
type ErrorKind =
    | NonScalarBackward
    | NoGradFn
    | FreedGraph
    | ModifiedInPlace
    | LeafInPlace
    | ViewOfLeafInPlace
    | OverlappingWrite
    | MultiOutputViewInPlace
    | NoGradViewInPlace
    | DetachView
    | GradientShape
    | UnusedInput
    | InputWithoutGrad
    | RequiresGradDType
    | NonleafRequiresGrad
    | RetainGradWithoutGrad
    | ShapeError
    | DTypeError
    | IndexError
    | ValueError
    | Unsupported
    | OtherError

    /// The protocol's name.
    member k.Name =
        match k with
        | NonScalarBackward -> "non_scalar_backward"
        | NoGradFn -> "no_grad_fn"
        | FreedGraph -> "freed_graph"
        | ModifiedInPlace -> "modified_in_place"
        | LeafInPlace -> "leaf_in_place"
        | ViewOfLeafInPlace -> "view_of_leaf_in_place"
        | OverlappingWrite -> "overlapping_write"
        | MultiOutputViewInPlace -> "multi_output_view_in_place"
        | NoGradViewInPlace -> "no_grad_view_in_place"
        | DetachView -> "detach_view"
        | GradientShape -> "gradient_shape"
        | UnusedInput -> "unused_input"
        | InputWithoutGrad -> "input_without_grad"
        | RequiresGradDType -> "requires_grad_dtype"
        | NonleafRequiresGrad -> "nonleaf_requires_grad"
        | RetainGradWithoutGrad -> "retain_grad_without_grad"
        | ShapeError -> "shape"
        | DTypeError -> "dtype"
        | IndexError -> "index"
        | ValueError -> "value"
        | Unsupported -> "unsupported"
        | OtherError -> "other"

/// What a step complains of; the interpreter adds where.
type Complaint = { Kind: ErrorKind; Message: string }

/// Where and how a program ended in an error. `Step` is the path of indices to the step, nested ones included.
type Raised =
    { Step: int list
      Kind: ErrorKind
      Message: string }

/// One reported tensor. What an engine does not declare is None.
type Report =
    {
        Tensor: Literal
        RequiresGrad: bool option
        IsLeaf: bool option
        Version: int option
        /// Whether the tensor has a grad_fn, and its name where it has one.
        GradFn: string option option
    }

/// What running a program gave. A value is None where the gradient is null; one that does not exist yet is left out.
type Outcome =
    { Values: (string * Report option) list
      Raised: Raised option }

/// Short ways to build programs by hand.
[<RequireQualifiedAccess>]
module Step =
    let private plain op =
        { Op = op
          In = []
          Attrs = Map.empty
          Out = Out.Nothing
          Wrt = None
          Gradients = None
          Steps = [] }

    /// A step with named arguments, attributes and one result: `Step.call "add" ["a"; "b"] [] "y"`.
    let call op (args: string list) attrs out =
        { plain op with
            In = args |> List.map Arg.Name
            Attrs = Map.ofList attrs
            Out = Out.Name out }

    /// A step without a result: `Step.act "zero_" ["y"] []`.
    let act op (args: string list) attrs =
        { plain op with
            In = args |> List.map Arg.Name
            Attrs = Map.ofList attrs }

    /// A block: `Step.block "no_grad" [...]`.
    let block op steps = { plain op with Steps = steps }

/// Shapes as the messages of PyTorch print them.
[<RequireQualifiedAccess>]
module Shape =
    /// The number of elements of a shape; 1 for a zero-dimensional one.
    let count (shape: int[]) = Array.fold (fun n d -> n * d) 1 shape

    /// `[2, 3]`.
    let show (shape: int[]) = "[" + String.Join(", ", shape) + "]"

    /// Row-major strides in elements, as PyTorch gives them (a dimension of size 0 counts as 1).
    let strides (shape: int[]) =
        let strides = Array.create shape.Length 1

        for d in shape.Length - 2 .. -1 .. 0 do
            strides[d] <- strides[d + 1] * max 1 shape[d + 1]

        strides
