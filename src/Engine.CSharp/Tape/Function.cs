namespace Verified.Engine;

/// <summary>
/// A differentiable function with a derivative of its own: PyTorch's <c>torch.autograd.Function</c>. An instance may hold what is not a tensor; it is applied as often as one
/// likes, from several threads too. The rules, with PyTorch's texts, stand in <c>docs/autograd-beyond-programs.md</c>.
/// </summary>
/// <remarks><see cref="Forward"/> runs with recording off. <see cref="Backward"/> is recorded under <c>createGraph</c>, so that it is differentiated in its turn.</remarks>
public abstract class Function
{
    private FunctionOperation? operation;

    /// <summary>The function's name; its nodes are called that with <c>Backward</c> behind it. By default the class's.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Whether the derivative is not to be recorded: differentiating it in turn is then an error, or finds no way.</summary>
    public virtual bool OnceDifferentiable => false;

    /// <summary>A function of one tensor from two lambdas.</summary>
    /// <param name="name">The function's name.</param>
    /// <param name="forward">Computes the value, with recording off.</param>
    /// <param name="backward">Computes the input's gradient from the value's; null where none flows.</param>
    public static Function Create(string name, Func<FunctionContext, Tensor, Tensor> forward, Func<FunctionContext, Tensor, Tensor?> backward)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(backward);
        return new Lambdas(name, (context, inputs) => [forward(context, inputs[0]!)], (context, gradients) => [backward(context, gradients[0]!)]);
    }

    /// <summary>A function of any numbers of tensors from two lambdas, as <see cref="Forward"/> and <see cref="Backward"/>.</summary>
    public static Function CreateMany(string name, Func<FunctionContext, Tensor?[], Tensor[]> forward, Func<FunctionContext, Tensor?[], Tensor?[]> backward)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(backward);
        return new Lambdas(name, forward, backward);
    }

    /// <summary>Computes the values.</summary>
    /// <param name="context">Where to put what the derivative needs, and marks.</param>
    /// <param name="inputs">What the function was applied to.</param>
    public abstract Tensor[] Forward(FunctionContext context, Tensor?[] inputs);

    /// <summary>Computes the gradient of each input, in its shape or one that sums to it; null where none flows.</summary>
    /// <param name="context">What <see cref="Forward"/> kept.</param>
    /// <param name="gradients">The gradient of each output: zeros where none arrived, or null if <see cref="FunctionContext.MaterializeGrads"/> was switched off.</param>
    public abstract Tensor?[] Backward(FunctionContext context, Tensor?[] gradients);

    /// <summary>The value of a function of one result.</summary>
    /// <exception cref="AutogradException">It has several results.</exception>
    public Tensor Apply(params Tensor?[] inputs) => ApplyAll(inputs) is [var only]
        ? only
        : throw new AutogradException(ErrorKind.Value, $"{Name} has several results: use ApplyAll");

    /// <summary>The values, recorded where an input requires a gradient.</summary>
    public Tensor[] ApplyAll(params Tensor?[] inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        operation ??= new FunctionOperation(this);
        return operation.Apply(inputs);
    }

    private sealed class Lambdas(string name, Func<FunctionContext, Tensor?[], Tensor[]> forward, Func<FunctionContext, Tensor?[], Tensor?[]> backward) : Function
    {
        public override string Name => name;

        public override Tensor[] Forward(FunctionContext context, Tensor?[] inputs) => forward(context, inputs);

        public override Tensor?[] Backward(FunctionContext context, Tensor?[] gradients) => backward(context, gradients);
    }
}
