using Verified.Spec;

namespace Verified.Oracle;

/// <summary>Which observed names hold gradients, or what was computed of them.</summary>
internal static class Tainted
{
    internal static IReadOnlySet<string> ByGradients(Program program)
    {
        var names = program.Observe.OfType<Observed.Gradient>().Select(g => g.Text).ToHashSet();
        Walk(program.Steps, names);
        return names;
    }

    private static void Walk(IEnumerable<Step> steps, HashSet<string> names)
    {
        foreach (var step in steps)
        {
            var arguments = step.In.SelectMany(Names).ToList();
            if (step.Op is "grad" or "get_grad" || arguments.Any(names.Contains))
            {
                names.UnionWith(Names(step.Out));
                // What it writes to.
                if (step.Op.EndsWith('_') && arguments.Count > 0) names.Add(arguments[0]);
            }

            Walk(step.Steps, names);
        }
    }

    private static IEnumerable<string> Names(Arg arg) => arg switch
    {
        Arg.Name { Item: var name } => [name],
        Arg.Names { Item: var names } => names.Where(n => n is not null).Select(n => n!.Value),
        _ => [],
    };

    private static IEnumerable<string> Names(Out result) => result switch
    {
        Out.Name { Item: var name } => [name],
        Out.Names { Item: var names } => names.Where(n => n is not null).Select(n => n!.Value),
        _ => [],
    };
}
