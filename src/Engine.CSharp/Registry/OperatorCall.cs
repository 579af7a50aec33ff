namespace Verified.Engine;

/// <summary>The arguments of one call as a program writes them: tensors in PyTorch's order, the rest by keyword.</summary>
/// <param name="Inputs">Each a <see cref="Tensor"/>, null where one is left out, or a list of tensors (<c>IReadOnlyList&lt;Tensor?&gt;</c>) where PyTorch takes a list.</param>
/// <param name="Attributes">Everything that is no tensor.</param>
public sealed record OperatorCall(IReadOnlyList<object?> Inputs, Attributes Attributes)
{
    /// <summary>A call with tensors only.</summary>
    public OperatorCall(params object?[] inputs)
        : this(inputs, Attributes.None)
    {
        ArgumentNullException.ThrowIfNull(inputs);
    }

    /// <summary>A tensor argument that has to be there.</summary>
    /// <exception cref="AutogradException">It is left out, or a list.</exception>
    public Tensor Tensor(int index) => TensorOrNull(index)
        ?? throw new AutogradException(ErrorKind.Value, $"the tensor argument {index} is missing");

    /// <summary>A tensor argument that may be left out.</summary>
    /// <exception cref="AutogradException">It is a list.</exception>
    public Tensor? TensorOrNull(int index) => index >= Inputs.Count ? null : Inputs[index] switch
    {
        null => null,
        Tensor tensor => tensor,
        _ => throw new AutogradException(ErrorKind.Value, $"argument {index} must be a tensor, not a list"),
    };

    /// <summary>An argument that is a list of tensors; null in it is one left out.</summary>
    /// <exception cref="AutogradException">It is left out, or one tensor.</exception>
    public IReadOnlyList<Tensor?> Tensors(int index) => index < Inputs.Count && Inputs[index] is IReadOnlyList<Tensor?> list
        ? list
        : throw new AutogradException(ErrorKind.Value, $"argument {index} must be a list of tensors");
}
