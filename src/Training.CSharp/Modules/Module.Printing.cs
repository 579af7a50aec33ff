using System.Globalization;
using System.Text;

namespace Verified.Training;

public abstract partial class Module
{
    /// <summary>The module as PyTorch prints it: its class, its arguments, the modules within one a line.</summary>
    public override string ToString()
    {
        var extra = ExtraRepr();
        var children = Own().Where(m => m.Value is Module).Select(m => (m.Name, Text: m.Value.ToString()!)).ToArray();
        if (children.Length == 0 && !extra.Contains('\n', StringComparison.Ordinal)) return $"{GetType().Name}({extra})";
        var lines = extra.Length == 0 ? [] : extra.Split('\n').ToList();
        lines.AddRange(Lines(children));
        return $"{GetType().Name}(\n  {string.Join("\n  ", lines)}\n)";
    }

    /// <summary>The module as printed, the size of each parameter, and the number of parameters altogether and of those that are trained.</summary>
    public string Summary()
    {
        var parameters = NamedParameters().ToArray();
        var text = new StringBuilder().AppendLine(ToString());
        var width = parameters.Select(p => p.Name.Length).DefaultIfEmpty(0).Max();
        foreach (var (name, value) in parameters)
            text.AppendLine(CultureInfo.InvariantCulture, $"{name.PadRight(width)}  {value.Count,12:N0}  [{string.Join(", ", value.Shape.ToArray())}]{(value.RequiresGrad ? "" : "  frozen")}");
        long all = parameters.Sum(p => (long)p.Value.Count), trained = parameters.Where(p => p.Value.RequiresGrad).Sum(p => (long)p.Value.Count);
        return text.Append(CultureInfo.InvariantCulture, $"{all:N0} parameters, {trained:N0} of them trained").ToString();
    }

    /// <summary>What stands between the brackets when the module is printed, in Python's notation: <c>in_features=3, bias=True</c>.</summary>
    protected virtual string ExtraRepr() => "";

    /// <summary>A line or several for each module within.</summary>
    private protected virtual IEnumerable<string> Lines(IReadOnlyList<(string Name, string Text)> children) =>
        children.Select(c => $"({c.Name}): {Indented(c.Text)}");

    /// <summary>A text of several lines, all but the first moved in.</summary>
    private protected static string Indented(string text) => text.Replace("\n", "\n  ", StringComparison.Ordinal);
}
