using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle.Shrinking;

/// <summary>Candidates with something left out, the largest omissions first.</summary>
internal static class Deletions
{
    /// <summary>Fewer observations: none, halves, then single ones.</summary>
    public static IEnumerable<Program> Observations(Program program)
    {
        var all = program.Observe.ToList();
        if (all.Count > 0) yield return program.WithObserve([]);
        foreach (var (start, count) in Chunks(all.Count))
            if (count < all.Count)
                yield return program.WithObserve(Without(all, start, count));
    }

    /// <summary>Fewer steps: chunks of them, what used their results rewired to their first argument, or of a single step to another one.</summary>
    public static IEnumerable<Program> Steps(Program program)
    {
        var steps = program.Steps.ToList();
        foreach (var (start, count) in Chunks(steps.Count))
        {
            yield return Without(program, steps, start, count, rewire: true);
            if (count > 1) continue;
            for (var argument = 1; argument < StepNames.Read(steps[start]).Count(); argument++)
                yield return Without(program, steps, start, count, rewire: true, argument);
            yield return Without(program, steps, start, count, rewire: false);
        }
    }

    /// <summary>Blocks with fewer steps, or their steps without the block.</summary>
    public static IEnumerable<Program> Blocks(Program program)
    {
        var steps = program.Steps.ToList();
        for (var i = 0; i < steps.Count; i++)
        {
            var inner = steps[i].Steps.ToList();
            if (inner.Count == 0) continue;
            yield return program.WithSteps([.. steps.Take(i), .. inner, .. steps.Skip(i + 1)]);
            foreach (var (start, count) in Chunks(inner.Count))
                if (count < inner.Count)
                    yield return program.WithSteps([.. steps.Take(i), steps[i].WithSteps(Without(inner, start, count)), .. steps.Skip(i + 1)]);
        }
    }

    /// <summary>Steps without one of their attributes.</summary>
    public static IEnumerable<Program> Attributes(Program program)
    {
        var steps = program.Steps.ToList();
        for (var i = 0; i < steps.Count; i++)
            foreach (var name in steps[i].Attrs.Keys)
                yield return program.WithSteps([.. steps.Take(i), steps[i].WithAttrs(steps[i].Attrs.Remove(name)), .. steps.Skip(i + 1)]);
    }

    /// <summary>The program without inputs that nothing reads or observes.</summary>
    public static Program Unused(Program program)
    {
        var used = program.Observe.Select(Name).ToHashSet();
        void Visit(IEnumerable<Step> steps)
        {
            foreach (var step in steps)
            {
                used.UnionWith(StepNames.Read(step));
                Visit(step.Steps);
            }
        }

        Visit(program.Steps);
        return program.WithInputs(program.Inputs.Where(input => used.Contains(input.Name)));
    }

    public static string Name(Observed observed) => observed switch
    {
        Observed.Gradient gradient => gradient.Item,
        Observed.Value value => value.Item,
        _ => throw new ArgumentOutOfRangeException(nameof(observed)),
    };

    /// <summary>Some steps left out; what used their results uses what they were made from, or is left out as well.</summary>
    internal static Program Without(Program program, List<Step> steps, int start, int count, bool rewire, int argument = 0)
    {
        var renames = new Dictionary<string, string>();
        string To(string name) => renames.TryGetValue(name, out var other) ? other : name;
        var gone = new HashSet<string>();
        var kept = new List<Step>(steps.Take(start));
        foreach (var step in steps.Skip(start).Take(count))
        {
            var first = StepNames.Read(step).Select(To).ElementAtOrDefault(argument);
            foreach (var name in AllBound(step))
                if (rewire && first is not null) renames[name] = first;
                else gone.Add(name);
        }

        foreach (var step in steps.Skip(start + count))
        {
            // A later binding of the same name is a new variable.
            var renamed = step.Renamed(To);
            foreach (var name in AllBound(step)) renames.Remove(name);
            if (!StepNames.Read(renamed).Any(gone.Contains)) kept.Add(renamed);
            else gone.UnionWith(AllBound(renamed));
        }

        var observe = program.Observe
            .Where(observed => !gone.Contains(Name(observed)))
            .Select(observed => observed.IsGradient ? Observed.NewGradient(To(Name(observed))) : Observed.NewValue(To(Name(observed))))
            .Distinct();
        return program.WithSteps(kept).WithObserve(observe);
    }

    private static IEnumerable<string> AllBound(Step step) => StepNames.Bound(step).Concat(step.Steps.SelectMany(AllBound));

    private static IEnumerable<T> Without<T>(List<T> items, int start, int count) => items.Take(start).Concat(items.Skip(start + count));

    /// <summary>Ranges to leave out, from halves down to single items, the last ones first.</summary>
    private static IEnumerable<(int Start, int Count)> Chunks(int length)
    {
        for (var count = Math.Max(1, length / 2); length > 0; count /= 2)
        {
            for (var start = length - count; start >= 0; start -= count) yield return (start, count);
            if (count == 1) yield break;
        }
    }
}
