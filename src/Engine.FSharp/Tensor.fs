namespace Verified.Engine.FSharp

open Verified.Engine

/// Tensors as F# sees them: curried functions over the engine's type, the tensor last, so that they stand in pipelines.
/// What F#'s own operators do (`+`, `*`, `**`, `exp`, `sqrt`, `tanh`, `abs`, ...) works on tensors as it is.
[<RequireQualifiedAccess>]
module Tensor =

    // Creation. Numbers are float32 unless said otherwise.

    /// A tensor without dimensions.
    let scalar (value: float) = Tensor.Scalar value

    /// A float32 tensor of one dimension.
    let vector (values: seq<float>) =
        Tensor.Create(values |> Seq.map float32 |> Seq.toArray)

    /// A float32 tensor of two dimensions, row by row; rows of different lengths are an error.
    let matrix (rows: seq<#seq<float>>) =
        rows |> Seq.map (fun row -> vector row) |> Seq.toArray |> Tensor.Stack

    /// An int64 tensor of one dimension.
    let ints (values: seq<int>) =
        Tensor.Create(values |> Seq.map int64 |> Seq.toArray)

    /// A bool tensor of one dimension.
    let bools (values: seq<bool>) = Tensor.Create(Seq.toArray values)

    /// A float32 tensor of a shape from its elements in row-major order.
    let ofArray (shape: int list) (data: float32[]) = Tensor.Create(data, List.toArray shape)

    /// A float64 tensor of a shape from its elements in row-major order.
    let ofDoubles (shape: int list) (data: float[]) = Tensor.Create(data, List.toArray shape)

    /// A tensor of two dimensions.
    let ofArray2D (data: float32[,]) =
        Tensor.Create(data |> Seq.cast<float32> |> Seq.toArray, [| Array2D.length1 data; Array2D.length2 data |])

    /// Zeros.
    let zeros (shape: int list) = Tensor.Zeros(List.toArray shape)

    /// Ones.
    let ones (shape: int list) = Tensor.Ones(List.toArray shape)

    /// One number everywhere.
    let full (shape: int list) (value: float) = Tensor.Full(List.toArray shape, value)

    /// The integers 0, 1, ... as an int64 tensor.
    let arange (count: int) = Tensor.Arange count

    /// Zeros of the shape and type of another.
    let zerosLike (x: Tensor) =
        Tensor.Zeros(x.Shape.ToArray(), x.DType)

    /// Ones of the shape and type of another.
    let onesLike (x: Tensor) = Tensor.Ones(x.Shape.ToArray(), x.DType)

    /// The elements converted to a type; the tensor itself where it has it.
    let toType (dtype: DType) (x: Tensor) = x.To dtype

    // What a tensor is.

    /// The size of each dimension.
    let shape (x: Tensor) = List.ofArray (x.Shape.ToArray())

    /// The number of dimensions.
    let rank (x: Tensor) = x.Rank

    /// The number of elements.
    let count (x: Tensor) = x.Count

    /// The type of the elements.
    let dtype (x: Tensor) = x.DType

    /// The one element of a tensor that has one.
    let item (x: Tensor) = x.Item()

    /// The elements in row-major order, as float64.
    let toArray (x: Tensor) = x.ToDoubles()

    /// The elements in row-major order, as integers.
    let toInts (x: Tensor) = x.ToLongs()

    /// The elements in row-major order, as truth values.
    let toBools (x: Tensor) = x.ToBools()

    // Autograd, the imperative face.

    /// Marks a leaf as one that gradients are collected for, and gives it back.
    let requiresGrad (x: Tensor) = x.RequiresGradInPlace()

    /// Adds the gradients of a tensor of one element to the leaves it was computed from.
    let backward (x: Tensor) = x.Backward()

    /// The gradient that has arrived at a leaf.
    let grad (x: Tensor) = Option.ofObj x.Grad

    /// The same values without a history; shares memory with `x`.
    let detach (x: Tensor) = x.Detach()

    /// A copy in memory of its own; gradients flow through it.
    let clone (x: Tensor) = x.Clone()

    // Pointwise.

    /// `a + b`, broadcast.
    let add (b: Tensor) (a: Tensor) = a.Add b

    /// `a - b`, broadcast: `a |> Tensor.sub b`.
    let sub (b: Tensor) (a: Tensor) = a.Sub b

    /// `a * b`, broadcast.
    let mul (b: Tensor) (a: Tensor) = a.Mul b

    /// `a / b`, broadcast: `a |> Tensor.div b`.
    let div (b: Tensor) (a: Tensor) = a.Div b

    /// `x` to the power of a number.
    let pow (exponent: float) (x: Tensor) = x.Pow exponent

    /// `-x`.
    let neg (x: Tensor) = x.Neg()

    /// The absolute value; its derivative at 0 is 0.
    let abs (x: Tensor) = x.Abs()

    /// -1, 0 or 1.
    let sign (x: Tensor) = x.Sign()

    /// `e` to the power `x`.
    let exp (x: Tensor) = x.Exp()

    /// `e` to the power `x`, less 1, accurate near 0.
    let expm1 (x: Tensor) = x.Expm1()

    /// The natural logarithm.
    let log (x: Tensor) = x.Log()

    /// The natural logarithm of `1 + x`, accurate near 0.
    let log1p (x: Tensor) = x.Log1p()

    /// The logarithm to base 2.
    let log2 (x: Tensor) = x.Log2()

    /// The square root.
    let sqrt (x: Tensor) = x.Sqrt()

    /// One over the square root.
    let rsqrt (x: Tensor) = x.Rsqrt()

    /// `x * x`.
    let square (x: Tensor) = x.Square()

    /// One over `x`.
    let reciprocal (x: Tensor) = x.Reciprocal()

    /// The sine.
    let sin (x: Tensor) = x.Sin()

    /// The cosine.
    let cos (x: Tensor) = x.Cos()

    /// The hyperbolic tangent.
    let tanh (x: Tensor) = x.Tanh()

    /// The largest integer not above `x`; its derivative is 0.
    let floor (x: Tensor) = x.Floor()

    /// The smallest integer not below `x`; its derivative is 0.
    let ceil (x: Tensor) = x.Ceil()

    /// The nearest integer, ties to even; its derivative is 0.
    let round (x: Tensor) = x.Round()

    /// `1 / (1 + exp -x)`.
    let sigmoid (x: Tensor) = x.Sigmoid()

    /// `max x 0`; its derivative at 0 is 0.
    let relu (x: Tensor) = x.Relu()

    /// `x` where it is positive, a part of it elsewhere.
    let leakyRelu (negativeSlope: float) (x: Tensor) = x.LeakyRelu negativeSlope

    /// `x` times the normal distribution's probability of less.
    let gelu (x: Tensor) = x.Gelu()

    /// `x * sigmoid x`.
    let silu (x: Tensor) = x.Silu()

    /// `x` where it is positive, `alpha * (exp x - 1)` elsewhere.
    let elu (alpha: float) (x: Tensor) = x.Elu alpha

    /// `log (1 + exp x)`.
    let softplus (x: Tensor) = x.Softplus()

    /// log(sigmoid(x)), without overflow.
    let logSigmoid (x: Tensor) = x.LogSigmoid()

    /// `x` held between two numbers.
    let clamp (low: float) (high: float) (x: Tensor) = x.Clamp(low, high)

    /// `x` held at a number or above.
    let clampMin (low: float) (x: Tensor) = x.ClampMin low

    /// `x` held at a number or below.
    let clampMax (high: float) (x: Tensor) = x.ClampMax high

    /// The larger of two elements; ties share the gradient.
    let maximum (b: Tensor) (a: Tensor) = a.Maximum b

    /// The smaller of two elements; ties share the gradient.
    let minimum (b: Tensor) (a: Tensor) = a.Minimum b

    // Comparisons, which give bool tensors: `x |> Tensor.gt y` is `x > y`.

    /// `a > b`.
    let gt (b: Tensor) (a: Tensor) = a.Gt b

    /// `a >= b`.
    let ge (b: Tensor) (a: Tensor) = a.Ge b

    /// `a < b`.
    let lt (b: Tensor) (a: Tensor) = a.Lt b

    /// `a <= b`.
    let le (b: Tensor) (a: Tensor) = a.Le b

    /// `a = b`.
    let eq (b: Tensor) (a: Tensor) = a.Eq b

    /// `a <> b`.
    let ne (b: Tensor) (a: Tensor) = a.Ne b

    /// `a` where the condition holds, `b` elsewhere.
    let where (condition: Tensor) (a: Tensor) (b: Tensor) = Tensor.Where(condition, a, b)

    /// A number where the mask is true, `x` elsewhere.
    let maskedFill (mask: Tensor) (value: float) (x: Tensor) = x.MaskedFill(mask, value)

    // Reductions. Over all elements; with `Of`, over the named dimensions, which are dropped.

    /// The sum of all elements.
    let sum (x: Tensor) = x.Sum()

    /// The sums over the named dimensions.
    let sumOf (dims: int list) (x: Tensor) = x.Sum(List.toArray dims)

    /// The mean of all elements.
    let mean (x: Tensor) = x.Mean()

    /// The means over the named dimensions.
    let meanOf (dims: int list) (x: Tensor) = x.Mean(List.toArray dims)

    /// The product of all elements.
    let prod (x: Tensor) = x.Prod()

    /// The products along a dimension.
    let prodOf (dim: int) (x: Tensor) = x.Prod dim

    /// The largest element.
    let max (x: Tensor) = x.Max()

    /// The largest elements along a dimension and their places.
    let maxOf (dim: int) (x: Tensor) : struct (Tensor * Tensor) = x.Max dim

    /// The smallest element.
    let min (x: Tensor) = x.Min()

    /// The smallest elements along a dimension and their places.
    let minOf (dim: int) (x: Tensor) : struct (Tensor * Tensor) = x.Min dim

    /// The largest elements over the named dimensions; ties share the gradient.
    let amax (dims: int list) (x: Tensor) = x.Amax(List.toArray dims)

    /// The smallest elements over the named dimensions; ties share the gradient.
    let amin (dims: int list) (x: Tensor) = x.Amin(List.toArray dims)

    /// The place of the largest element among all.
    let argmax (x: Tensor) = x.Argmax()

    /// The places of the largest elements along a dimension.
    let argmaxOf (dim: int) (x: Tensor) = x.Argmax dim

    /// The variance of all elements, dividing by their count less 1.
    let var (x: Tensor) = x.Var()

    /// The standard deviation of all elements.
    let std (x: Tensor) = x.Std()

    /// The Euclidean norm of all elements.
    let norm (x: Tensor) = x.Norm()

    /// The logarithm of the sum of exponentials over the named dimensions.
    let logsumexp (dims: int list) (x: Tensor) = x.Logsumexp(List.toArray dims)

    /// The running sums along a dimension.
    let cumsum (dim: int) (x: Tensor) = x.Cumsum dim

    /// Exponentials along a dimension, divided by their sum.
    let softmax (dim: int) (x: Tensor) = x.Softmax dim

    /// The logarithm of the softmax along a dimension.
    let logSoftmax (dim: int) (x: Tensor) = x.LogSoftmax dim

    // Products.

    /// `a` times `b`: vectors, matrices and stacks of matrices: `a |> Tensor.matmul b`.
    let matmul (b: Tensor) (a: Tensor) = a.Matmul b

    /// The product of two matrices.
    let mm (b: Tensor) (a: Tensor) = a.Mm b

    /// The products of two stacks of matrices.
    let bmm (b: Tensor) (a: Tensor) = a.Bmm b

    /// The product of a matrix and a vector: `matrix |> Tensor.mv vector`.
    let mv (vector: Tensor) (matrix: Tensor) = matrix.Mv vector

    /// The sum of the products of two vectors' elements.
    let dot (b: Tensor) (a: Tensor) = a.Dot b

    /// All products of two vectors' elements.
    let outer (b: Tensor) (a: Tensor) = a.Outer b

    // Layers and losses.

    /// `x` times the transpose of the weight [outputs, inputs], plus the bias.
    let linear (weight: Tensor) (bias: Tensor) (x: Tensor) = x.Linear(weight, bias)

    /// The two-dimensional convolution of images [n, channels, height, width] with a weight [outputs, channels, height, width].
    let conv2d (weight: Tensor) (x: Tensor) = x.Conv2d(weight)

    /// The two-dimensional convolution, transposed.
    let convTranspose2d (weight: Tensor) (x: Tensor) = x.ConvTranspose2d(weight)

    /// The largest element of each square of `size`.
    let maxPool2d (size: int) (x: Tensor) = x.MaxPool2d size

    /// The mean of each square of `size`.
    let avgPool2d (size: int) (x: Tensor) = x.AvgPool2d size

    /// Means over windows that share each image out evenly, so that images of this size (a number, or rows and columns) come out.
    let adaptiveAvgPool2d (size: int list) (x: Tensor) = x.AdaptiveAvgPool2d(List.toArray size)

    /// Images enlarged by repeating elements.
    let interpolate (factor: float) (x: Tensor) =
        x.Interpolate(scaleFactor = [| factor |])

    /// Normalised over the last dimensions, which have this shape.
    let layerNorm (normalizedShape: int list) (x: Tensor) =
        x.LayerNorm(List.toArray normalizedShape)

    /// Each channel of `x` [n, channels, ...] normalised by the batch, with a scale and a shift per channel; without running statistics.
    let batchNorm (weight: Tensor) (bias: Tensor) (x: Tensor) =
        x.BatchNorm(null, null, weight, bias, training = true)

    /// The rows of a table that these indices name: `indices |> Tensor.embedding table`.
    let embedding (weight: Tensor) (indices: Tensor) = indices.Embedding weight

    /// The mean cross-entropy of logits [n, classes] and class indices [n]: `logits |> Tensor.crossEntropy target`.
    let crossEntropy (target: Tensor) (logits: Tensor) = logits.CrossEntropy target

    /// The mean binary cross-entropy of logits and targets in [0, 1].
    let binaryCrossEntropyWithLogits (target: Tensor) (logits: Tensor) =
        logits.BinaryCrossEntropyWithLogits target

    /// The mean of what the target's class has in log-probabilities [n, classes], negated.
    let nllLoss (target: Tensor) (logProbabilities: Tensor) = logProbabilities.NllLoss target

    /// The mean absolute difference.
    let l1Loss (target: Tensor) (x: Tensor) = x.L1Loss target

    /// The mean of a square of the difference up to `beta`, of a line beyond.
    let smoothL1Loss (beta: float) (target: Tensor) (x: Tensor) = x.SmoothL1Loss(target, beta = beta)

    /// The mean of a square of the difference up to `delta`, of a line of that slope beyond.
    let huberLoss (delta: float) (target: Tensor) (x: Tensor) = x.HuberLoss(target, delta = delta)

    /// The mean squared difference.
    let mseLoss (target: Tensor) (x: Tensor) = x.MseLoss target

    // Shapes. Results are views where PyTorch's are.

    /// The same elements in another shape, without a copy; one size may be -1.
    let view (shape: int list) (x: Tensor) = x.View(List.toArray shape)

    /// The same elements in another shape, copied where needed; one size may be -1.
    let reshape (shape: int list) (x: Tensor) = x.Reshape(List.toArray shape)

    /// All dimensions as one.
    let flatten (x: Tensor) = x.Flatten()

    /// The dimensions from one on as one: `flattenFrom 1` keeps a batch.
    let flattenFrom (startDim: int) (x: Tensor) = x.Flatten startDim

    /// A matrix transposed.
    let t (x: Tensor) = x.T()

    /// Two dimensions exchanged.
    let transpose (dim0: int) (dim1: int) (x: Tensor) = x.Transpose(dim0, dim1)

    /// The dimensions in another order.
    let permute (dims: int list) (x: Tensor) = x.Permute(List.toArray dims)

    /// Repeated along dimensions of size one, without a copy; -1 keeps a size.
    let expand (shape: int list) (x: Tensor) = x.Expand(List.toArray shape)

    /// Copies side by side, so many along each dimension.
    let repeat (repeats: int list) (x: Tensor) = x.Repeat(List.toArray repeats)

    /// With a dimension of size one put in.
    let unsqueeze (dim: int) (x: Tensor) = x.Unsqueeze dim

    /// Without dimensions of size one.
    let squeeze (x: Tensor) = x.Squeeze()

    /// In row-major order; the tensor itself where it is.
    let contiguous (x: Tensor) = x.Contiguous()

    /// The order of elements reversed along dimensions.
    let flip (dims: int list) (x: Tensor) = x.Flip(List.toArray dims)

    /// A number put round the last dimensions; widths as PyTorch orders them, the last dimension's first.
    let pad (widths: int list) (value: float) (x: Tensor) = x.Pad(List.toArray widths, value)

    /// The part of matrices on and below a diagonal, zeros above.
    let tril (diagonal: int) (x: Tensor) = x.Tril diagonal

    /// The elements on and above a diagonal.
    let triu (diagonal: int) (x: Tensor) = x.Triu diagonal

    /// One place of a dimension, which is dropped.
    let select (dim: int) (index: int) (x: Tensor) = x.Select(dim, index)

    /// `length` places of a dimension from `start` on.
    let narrow (dim: int) (start: int) (length: int) (x: Tensor) = x.Narrow(dim, start, length)

    /// Every `step`-th place of a dimension from `start` to before `stop`.
    let slice (dim: int) (start: int) (stop: int) (step: int) (x: Tensor) = x.Slice(dim, start, stop, step)

    /// All places of a dimension.
    let unbind (dim: int) (x: Tensor) = List.ofArray (x.Unbind dim)

    /// Pieces of a dimension of one size, the last perhaps shorter.
    let split (size: int) (dim: int) (x: Tensor) = List.ofArray (x.Split(size, dim))

    /// A dimension in at most so many pieces.
    let chunk (chunks: int) (dim: int) (x: Tensor) = List.ofArray (x.Chunk(chunks, dim))

    /// Tensors one after the other along a dimension.
    let cat (dim: int) (tensors: Tensor list) = Tensor.Cat(List.toArray tensors, dim)

    /// Tensors of one shape along a new dimension.
    let stack (dim: int) (tensors: Tensor list) = Tensor.Stack(List.toArray tensors, dim)

    /// The elements that an index names along a dimension.
    let gather (dim: int) (index: Tensor) (x: Tensor) = x.Gather(dim, index)

    /// The slices that a vector of indices names along a dimension.
    let indexSelect (dim: int) (index: Tensor) (x: Tensor) = x.IndexSelect(dim, index)

    /// The elements that tensors of indices or a mask name, a tensor a dimension; `None` is a whole one.
    let index (indices: Tensor option list) (x: Tensor) =
        x.Index(indices |> List.map Option.toObj |> List.toArray)

    /// A copy with `values` at the places that the indices name; the inverse of `index`.
    let indexPut (indices: Tensor option list) (values: Tensor) (x: Tensor) =
        x.IndexPut(indices |> List.map Option.toObj |> List.toArray, values)
