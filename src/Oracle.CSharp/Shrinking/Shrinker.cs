using Verified.Spec;

namespace Verified.Oracle.Shrinking;

/// <summary>
/// Makes a failing program short: deletes steps and rewires what used them, drops observations, inputs and attributes, makes shapes
/// smaller and values simpler, as long as the program still fails. Greedy, in chunks first, to a fixed point or the end of its budget.
/// </summary>
public sealed class Shrinker
{
    private readonly Func<Program, bool> _fails;
    private int _budget;

    /// <summary>A shrinker.</summary>
    /// <param name="fails">Whether a candidate still fails; a candidate that cannot be run does not.</param>
    /// <param name="budget">How many candidates are tried at most.</param>
    public Shrinker(Func<Program, bool> fails, int budget = 3000)
    {
        ArgumentNullException.ThrowIfNull(fails);
        _fails = fails;
        _budget = budget;
    }

    private static Func<Program, IEnumerable<Program>>[] Passes { get; } =
    [
        Deletions.Observations, Deletions.Steps, Roots.Earlier, Cuts.Steps, Cuts.Flags, Deletions.Blocks, Deletions.Observations, Deletions.Attributes,
        Simplifications.Flags, Simplifications.Shapes, Simplifications.Values,
    ];

    /// <summary>Programs that are a little smaller than this one, the smallest first by kind: for another tool's shrinking.</summary>
    public static IEnumerable<Program> Smaller(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        return Passes.SelectMany(pass => pass(program));
    }

    /// <summary>How many candidates were tried.</summary>
    public int Tried { get; private set; }

    /// <summary>The shortest program found that still fails; the given one where nothing smaller does.</summary>
    public Program Shrink(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        for (var progress = true; progress && _budget > 0;)
        {
            progress = false;
            foreach (var pass in Passes)
                while (First(program, pass(program)) is { } smaller)
                {
                    program = Deletions.Unused(smaller) is { } tidy && (tidy.Equals(smaller) || Fails(tidy)) ? tidy : smaller;
                    progress = true;
                }
        }

        return program;
    }

    /// <summary>The first shorter candidate that still fails, as it is or with what its omission broke repaired.</summary>
    private Program? First(Program program, IEnumerable<Program> candidates)
    {
        var length = Length.Of(program);
        bool IsShorter(Program candidate) => Length.Of(candidate).CompareTo(length) < 0;
        foreach (var candidate in candidates)
        {
            if (_budget <= 0) return null;
            if (IsShorter(candidate) && Fails(candidate)) return candidate;
            if (Repairs.Of(candidate) is { } repaired && IsShorter(repaired) && Fails(repaired)) return repaired;
        }

        return null;
    }

    private bool Fails(Program candidate)
    {
        _budget--;
        Tried++;
        return _fails(candidate);
    }
}
