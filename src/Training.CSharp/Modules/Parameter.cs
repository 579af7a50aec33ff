using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// A tensor that a module learns. A module finds the parameters among its fields, and calls them after the fields (see <see cref="Module"/>).
/// Stands for its tensor wherever one is asked for.
/// </summary>
public sealed class Parameter
{
    private Tensor value;

    /// <summary>Makes a parameter of a leaf tensor, which from now on requires a gradient.</summary>
    /// <exception cref="ArgumentException">The tensor was computed from others that require a gradient.</exception>
    public Parameter(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!value.IsLeaf) throw new ArgumentException("a parameter is a leaf tensor; detach() the computed one first");
        this.value = value.RequiresGradInPlace();
    }

    /// <summary>The tensor.</summary>
    public Tensor Value => value;

    /// <summary>The tensor of a parameter.</summary>
    public static implicit operator Tensor(Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter.value;
    }

    /// <summary>Puts a tensor of another type in the place of the old one.</summary>
    internal void Convert(DType dtype)
    {
        if (value.DType != dtype) value = value.Detach().To(dtype).RequiresGradInPlace(value.RequiresGrad);
    }
}

/// <summary>
/// A tensor that belongs to a module's state and is not learnt, such as a running mean. Found among the fields as a <see cref="Parameter"/> is.
/// Stands for its tensor wherever one is asked for.
/// </summary>
/// <param name="value">The tensor.</param>
/// <param name="persistent">Whether it stands in state dictionaries.</param>
public sealed class ModuleBuffer(Tensor value, bool persistent = true)
{
    /// <summary>The tensor; written to in place, or replaced.</summary>
    public Tensor Value { get; set; } = value ?? throw new ArgumentNullException(nameof(value));

    /// <summary>Whether it stands in state dictionaries.</summary>
    public bool Persistent => persistent;

    /// <summary>Whether a state dictionary may do without it; it then keeps its value.</summary>
    public bool MayBeMissing { get; init; }

    /// <summary>The tensor of a buffer.</summary>
    public static implicit operator Tensor(ModuleBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        return buffer.Value;
    }

    /// <summary>Puts a tensor of another type in the place of the old one; integers stay integers.</summary>
    internal void Convert(DType dtype)
    {
        if (Value.DType.IsFloat() && Value.DType != dtype) Value = Value.Detach().To(dtype);
    }
}
