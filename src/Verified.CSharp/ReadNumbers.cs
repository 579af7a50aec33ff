using Verified.Engine;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>
/// The numbers that code read out of tensors with a history (<see cref="Tensor.Item"/>, <see cref="Tensor.ToDoubles"/>), and where one of them comes back as an argument or as a tensor: no gradient flows
/// through it there, as none does in the model itself.
/// </summary>
/// <remarks>
/// A number is known again by its value, exactly as it was read: what is computed of it is not. Numbers that stand in code anyway are never taken for read ones. Reading a number to print it or to decide
/// by it is so no matter.
/// </remarks>
internal sealed class ReadNumbers
{
    /// <summary>A tensor of more elements is data, not a number or a few.</summary>
    private const int MostElements = 4096;

    /// <summary>Beyond so many nothing new is remembered.</summary>
    private const int MostKnown = 1_000_000;

    private readonly Dictionary<double, ReadNumber> _known = [];
    private readonly List<Tensor> _read = [];

    /// <summary>The tensors that were read, those with a history.</summary>
    public IReadOnlyList<Tensor> Tensors => _read;

    /// <summary>A tensor is read.</summary>
    public void Add(Tensor tensor)
    {
        if (!HasHistory(tensor)) return;
        if (!_read.Exists(t => ReferenceEquals(t, tensor))) _read.Add(tensor);
        if (tensor.Count > MostElements || _known.Count > MostKnown) return;
        var numbers = tensor.ToDoubles();
        foreach (var x in numbers) Know(x, tensor, isAlone: numbers.Length == 1);
    }

    /// <summary>Takes down a number and itself in float32, since that is how numbers are read and given where the model is in float32.</summary>
    private void Know(double number, Tensor from, bool isAlone)
    {
        foreach (var x in new[] { number, (float)number })
            if (double.IsFinite(x) && !IsUsual(x) && !(_known.TryGetValue(x, out var known) && (known.IsAlone || !isAlone))) _known[x] = new(from, isAlone);
    }

    /// <summary>Where a number is known from; null where it is not known, or comes from an array and might as well stand in the code.</summary>
    public ReadNumber? Find(double number) => _known.GetValueOrDefault(number) is { } found && (found.IsAlone || !IsShort(number)) ? found : null;

    /// <summary>The same of a tensor that came from outside the program: all of its elements are known or usual, and one at least is known.</summary>
    public ReadNumber? Find(Tensor tensor)
    {
        if (_known.Count == 0 || tensor.Count > MostElements || !tensor.DType.IsFloat()) return null;
        ReadNumber? first = null;
        foreach (var x in tensor.ToDoubles())
        {
            // As many as were read are more than chance.
            if (Find(x) is { } found || (_known.TryGetValue(x, out found) && found.From.Count == tensor.Count)) first ??= found;
            else if (!IsUsual(x)) return null;
        }

        return first;
    }

    /// <summary>Numbers that programs are full of.</summary>
    private static bool IsUsual(double x) => Math.Abs(x) is 0 or 0.5 or 1 or 2 || double.IsNaN(x);

    /// <summary>Whole numbers and simple fractions, as people write them.</summary>
    private static bool IsShort(double x) => Math.Abs(x) <= 4096 && double.IsInteger(16 * x);

    private static bool HasHistory(Tensor tensor)
    {
        try
        {
            return tensor.RequiresGrad;
        }
        catch (AutogradException)
        {
            // A view that may not be looked at since its memory was written to.
            return false;
        }
    }
}

/// <summary>A number that was read.</summary>
/// <param name="From">The tensor that was read.</param>
/// <param name="IsAlone">Whether it was read alone, and not among many.</param>
internal sealed record ReadNumber(Tensor From, bool IsAlone);
