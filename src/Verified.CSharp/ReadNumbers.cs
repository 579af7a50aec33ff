using Verified.Engine;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>
/// The numbers that code read out of tensors with a history (<see cref="Tensor.Item"/>, <see cref="Tensor.ToDoubles"/>), and where one of them comes back as an argument or as a tensor: no gradient flows
/// through it there, as none does in the model itself.
/// </summary>
/// <remarks>
/// A number is known again by its value, exactly: as it was read, or as what one function of a few makes of it. Numbers that stand in code anyway are never taken for read ones; what else is computed of a
/// number is not known again. Reading a number to print it or to decide by it is so no matter.
/// </remarks>
internal sealed class ReadNumbers
{
    /// <summary>A tensor of more elements is data, not a number or a few.</summary>
    private const int MostElements = 4096;

    private static readonly (string Words, Func<double, double> Apply)[] Made =
    [
        ("a number", x => x),
        ("the negative of a number", x => -x),
        ("the inverse of a number", x => 1 / x),
        ("the square of a number", x => x * x),
        ("the root of a number", Math.Sqrt),
        ("the inverse of the root of a number", x => 1 / Math.Sqrt(x)),
        ("the exponential of a number", Math.Exp),
        ("the logarithm of a number", Math.Log),
    ];

    private readonly Dictionary<double, (string Words, Tensor From)> _known = [];
    private readonly List<Tensor> _read = [];

    /// <summary>The tensors that were read, those with a history.</summary>
    public IReadOnlyList<Tensor> Tensors => _read;

    /// <summary>A tensor is read.</summary>
    public void Add(Tensor tensor)
    {
        if (!HasHistory(tensor)) return;
        if (!_read.Exists(t => ReferenceEquals(t, tensor))) _read.Add(tensor);
        if (tensor.Count > MostElements) return;
        foreach (var x in tensor.ToDoubles().Where(x => !IsUsual(x)))
        {
            foreach (var (words, apply) in Made)
            {
                var made = apply(x);
                if (!double.IsFinite(made)) continue;
                // In float32 too, since that is how it was read where the model is in float32.
                foreach (var number in new[] { made, (float)made })
                    if (!IsUsual(number)) _known.TryAdd(number, (words, tensor));
            }
        }
    }

    /// <summary>What a number was made of, and the tensor that this was read out of; null where it is not known.</summary>
    public (string Words, Tensor From)? Find(double number) => _known.TryGetValue(number, out var found) ? found : null;

    /// <summary>The same of a tensor that came from outside the program: all of its elements are known or usual, and one at least is known.</summary>
    public (string Words, Tensor From)? Find(Tensor tensor)
    {
        if (_known.Count == 0 || tensor.Count > MostElements || !tensor.DType.IsFloat()) return null;
        (string, Tensor)? first = null;
        foreach (var x in tensor.ToDoubles())
        {
            if (Find(x) is { } found) first ??= found;
            else if (!IsUsual(x)) return null;
        }

        return first;
    }

    /// <summary>Numbers that programs are full of.</summary>
    private static bool IsUsual(double x) => Math.Abs(x) is 0 or 0.5 or 1 or 2 || double.IsNaN(x);

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
