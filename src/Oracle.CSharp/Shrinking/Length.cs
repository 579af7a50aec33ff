using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle.Shrinking;

/// <summary>
/// How long a program is to read, as an order: what is compared first weighs most. Every step of shrinking lowers it, so that shrinking ends;
/// a repair may otherwise restore what an omission took, under another name, forever.
/// </summary>
internal static class Length
{
    /// <summary>Steps, how late backwards start, observations, attributes, leaves, elements, sizes, and how long the values are to read.</summary>
    public static (int Steps, int Roots, int Observed, int Attributes, int Leaves, int Elements, int Sizes, int Values) Of(Program program)
    {
        var steps = program.Steps.SelectMany(All).ToList();
        return (
            steps.Count,
            Roots.Lateness(program),
            program.Observe.Length,
            steps.Sum(step => step.Attrs.Count),
            program.Inputs.Count(input => input.RequiresGrad),
            program.Inputs.Sum(input => Shape.count(input.Tensor.Shape)),
            program.Inputs.Sum(input => input.Tensor.Shape.Sum(size => 1 + size)),
            program.Inputs.Sum(input => OfValues(input.Tensor.Data)));
    }

    /// <summary>How long values are to read.</summary>
    public static int OfValues(Data data) => data switch
    {
        Data.Floats floats => floats.Item.Sum(OfValue),
        Data.Ints ints => ints.Item.Count(value => value != 0),
        _ => 0,
    };

    private static int OfValue(double value) =>
        value == 0 && !double.IsNegative(value) ? 0
        : value == 1 ? 1
        : value == Math.Round(value) && Math.Abs(value) < 100 ? 2 + (value < 0 ? 1 : 0)
        : 2 + value.ToString("R", System.Globalization.CultureInfo.InvariantCulture).Length;

    private static IEnumerable<Step> All(Step step) => step.Steps.SelectMany(All).Prepend(step);
}
