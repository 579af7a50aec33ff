using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// The specification as a real machine would compute it: in the formats of the program, with one order of summation, one arithmetic and one
/// of the permitted formulas. All of these are right, so that a FAIL of one is a false alarm.
/// </summary>
public sealed class MachineEngine : IEngine
{
    private readonly Func<Program, Outcome> _run;

    private MachineEngine(SummationOrder order, Arithmetic arithmetic, int formula, Func<Program, Outcome> run)
    {
        (Order, Arithmetic, Formula, _run) = (order, arithmetic, formula, run);
        Info = new EngineInfo
        {
            Name = $"specification, {order}, {arithmetic}, formula {formula + 1}",
            Language = "F#",
            Operators = RegistryModule.all.Values.Where(op => !op.Internal).Select(op => op.Name).ToHashSet(),
        };
    }

    /// <summary>The order in which it adds.</summary>
    public SummationOrder Order { get; }

    /// <summary>How it rounds products and very small numbers.</summary>
    public Arithmetic Arithmetic { get; }

    /// <summary>Which of the permitted formulas it uses, from 0; the last where there are fewer.</summary>
    public int Formula { get; }

    /// <inheritdoc/>
    public EngineInfo Info { get; }

    /// <summary>Every variant: four orders of summation, products rounded, fused, or fused and flushing, three formulas.</summary>
    public static IReadOnlyList<MachineEngine> All { get; } =
        [.. Ordered<ForwardsOrder>(), .. Ordered<BackwardsOrder>(), .. Ordered<PairwiseOrder>(), .. Ordered<LanesOrder>()];

    /// <summary>A few variants in which every order, arithmetic and formula occurs.</summary>
    public static IReadOnlyList<MachineEngine> Few { get; } =
        [.. All.Where(v => (int)v.Order.Tag % 3 == (int)v.Arithmetic.Tag && v.Formula == v.Order.Tag % 3)];

    /// <inheritdoc/>
    public RunResult Run(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var outcome = _run(program);
        return outcome.Raised is { Value: { Kind.IsUnsupported: true } raised } ? new RunResult.Unsupported(raised.Message) : new RunResult.Ran(outcome);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static IEnumerable<MachineEngine> Ordered<TOrder>()
        where TOrder : struct, IOrder =>
        [.. Rounding<TOrder, SeparateArithmetic>(), .. Rounding<TOrder, FusedArithmetic>(), .. Rounding<TOrder, FlushingArithmetic>()];

    private static IEnumerable<MachineEngine> Rounding<TOrder, TArithmetic>()
        where TOrder : struct, IOrder
        where TArithmetic : struct, IArithmetic =>
        [Of<TOrder, TArithmetic, FirstFormula>(), Of<TOrder, TArithmetic, SecondFormula>(), Of<TOrder, TArithmetic, ThirdFormula>()];

    private static MachineEngine Of<TOrder, TArithmetic, TFormula>()
        where TOrder : struct, IOrder
        where TArithmetic : struct, IArithmetic
        where TFormula : struct, IFormula =>
        new(
            TOrder.Order, TArithmetic.Kind, TFormula.Index,
            program => Spec.Run.outcomeOf(Spec.Run.run<Machine<TOrder, TArithmetic, TFormula>>(RegistryModule.all, program)));
}
