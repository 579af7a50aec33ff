using System.Globalization;
using System.Text;
using Verified.Spec;

namespace Verified.GoldenPyTorch;

/// <summary>A program of the semantics corpus: its id is <c>semantics/GROUP/RULE/PROGRAM</c>, or <c>.../PROGRAM/VARIANT</c>.</summary>
internal sealed record SemanticsProgram(Json.Case Case)
{
    private string[] Parts => Case.Id.Split('/');

    /// <summary>The rule that it shows.</summary>
    internal string Rule => string.Join('/', Parts[1..3]);

    /// <summary>Its id without the variant: variants of one place count once.</summary>
    internal string Family => string.Join('/', Parts[..4]);

    /// <summary>What it is called beside its rule.</summary>
    internal string Name => string.Join('/', Parts[3..]);

    /// <summary>The corpus, in the order of its files.</summary>
    internal static IReadOnlyList<SemanticsProgram> All { get; } = [.. Goldens.Read("semantics.jsonl.gz").Select(c => new SemanticsProgram(c))];

    /// <summary>How many programs there are that differ in more than a value, a shape, a dtype or the choice of one of several variants.</summary>
    internal static int Structures { get; } = All.DistinctBy(p => p.Family).DistinctBy(p => (p.Rule, Structure.Of(p.Case.Program))).Count();
}

/// <summary>A program without its values, shapes and names: what its steps do with what.</summary>
internal static class Structure
{
    internal static string Of(Program program)
    {
        var names = new Dictionary<string, int>();
        var text = new StringBuilder();
        foreach (var input in program.Inputs) text.Append(CultureInfo.InvariantCulture, $"{Number(input.Name)}{(input.RequiresGrad ? "!" : "")} ");
        Steps(program.Steps);
        return text.ToString();

        int Number(string name) => names.TryGetValue(name, out var n) ? n : names[name] = names.Count;

        string Numbers(IEnumerable<string?> list) => string.Join(',', list.Select(n => n is null ? "_" : Number(n).ToString(CultureInfo.InvariantCulture)));

        void Steps(IEnumerable<Step> steps)
        {
            foreach (var step in steps)
            {
                var arguments = step.In.SelectMany(a => a switch
                {
                    Arg.Name one => [one.Item],
                    Arg.Names several => several.Item.Select(n => n?.Value),
                    _ => [(string?)null],
                });
                text.Append(CultureInfo.InvariantCulture, $"{step.Op}({Numbers(arguments)};{string.Join(',', step.Attrs.Select(a => a.Key))}");
                if (step.Gradients is { } gradients) text.Append(CultureInfo.InvariantCulture, $" with {Numbers(gradients.Value.Select(g => g?.Value))}");
                if (step.Wrt is { } wrt) text.Append(CultureInfo.InvariantCulture, $" wrt {Numbers(wrt.Value)}");
                text.Append(')');
                if (step.Out is Out.Name result) text.Append(CultureInfo.InvariantCulture, $"->{Number(result.Item)}");
                if (step.Out is Out.Names results) text.Append(CultureInfo.InvariantCulture, $"->{Numbers(results.Item.Select(n => n?.Value))}");
                text.Append('{');
                Steps(step.Steps);
                text.Append('}');
            }
        }
    }
}
