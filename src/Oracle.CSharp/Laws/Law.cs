using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle.Laws;

/// <summary>
/// A law that needs no tolerance: from a program a twin follows whose outcome is known from that of the first, to the last bit. Whether
/// the values themselves are right is not asked here; that an engine agrees with itself is.
/// </summary>
/// <param name="Name">A short name.</param>
/// <param name="Statement">The law in one sentence.</param>
/// <param name="Twin">Makes the twins of a program; null where the law says nothing of it.</param>
public sealed record Law(string Name, string Statement, Func<LawCase, Twins?> Twin)
{
    /// <summary>Every so many-th random program is held to one of the laws, to each in turn: two programs more, and their making.</summary>
    public const int Every = 4;

    /// <summary>All laws.</summary>
    public static IReadOnlyList<Law> All { get; } =
    [
        RunTwice.Law, LinearInUpstream.Law, AccumulatedTwice.Law, InPlaceTwin.Law, DetachTwin.Law, StridedTwin.Law, BroadcastTwin.Law,
    ];

    /// <summary>The features, dtypes and operators that an engine must declare to be held to the law: what twins hold beyond the program.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Whether an engine declares what the law needs.</summary>
    public bool Concerns(EngineInfo engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return Needs.All(need =>
            engine.Features.Contains(need) || engine.DTypes.Contains(need) || (RegistryModule.all.ContainsKey(need) && engine.Operators?.Contains(need) is not false));
    }

    /// <summary>Holds an engine to the law on one program. What is chosen at random depends on the program alone.</summary>
    public LawResult Check(IEngine engine, Program program)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(program);
        return Check(p => engine.Run(p) is RunResult.Ran ran ? ran.Outcome : null, program);
    }

    /// <summary>The same for whatever runs programs; null where it has no outcome.</summary>
    public LawResult Check(Func<Program, Outcome?> run, Program program)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(program);
        if (Twin(new LawCase(program, new Rng(Convert.ToUInt64(Spec.Hash.ofProgram(program)[..16], 16)), run)) is not { } twins) return LawResult.DoesNotApply;
        return run(twins.First) is { } first && run(twins.Second) is { } second
            ? Relation.Compare(this, twins, first, second)
            : LawResult.DoesNotApply;
    }
}

/// <summary>What a law's twins are made from.</summary>
/// <param name="Program">The program.</param>
/// <param name="Rng">What is chosen at random.</param>
/// <param name="Run">Runs a program on the engine in question; null where it has no outcome.</param>
public sealed record LawCase(Program Program, Rng Rng, Func<Program, Outcome?> Run);

/// <summary>Two programs, and what of the second follows from what of the first.</summary>
/// <param name="First">A program.</param>
/// <param name="Second">Its twin.</param>
/// <param name="Pairs">Observed names whose values correspond.</param>
public sealed record Twins(Program First, Program Second, IReadOnlyList<Pair> Pairs)
{
    /// <summary>Whether one may be refused with a shape error where the other is not: a view that strides do not allow.</summary>
    public bool MayBeRefused { get; init; }
}

/// <summary>The value of one observed name in the second program is that of another in the first, times a power of two.</summary>
public sealed record Pair(string First, string Second, double Factor = 1);

/// <summary>What came of holding an engine to a law.</summary>
/// <param name="Applies">Whether the law says anything of the program.</param>
/// <param name="Violation">What differs, in one sentence; null where the law holds.</param>
/// <param name="Twins">The two programs.</param>
public sealed record LawResult(bool Applies, string? Violation, Twins? Twins)
{
    /// <summary>The law says nothing of the program.</summary>
    public static LawResult DoesNotApply { get; } = new(false, null, null);

    /// <summary>True unless the law is violated.</summary>
    public bool Holds => Violation is null;
}
