using System.Globalization;
using System.Text;

namespace Verified.Engine;

/// <summary>The tape below some tensors, to be looked at: as text, as DOT (Graphviz) and as Mermaid. Printing computes nothing and changes nothing.</summary>
public sealed class TapeView
{
    private readonly Tensor[] outputs;
    private readonly IReadOnlyList<Node> nodes;
    private readonly Dictionary<Node, string> names = new(ReferenceEqualityComparer.Instance);

    /// <summary>The tape that leads to these tensors.</summary>
    public TapeView(params Tensor[] outputs)
    {
        this.outputs = outputs;
        nodes = Tape.Nodes(outputs);
        int leaves = 0, operations = 0;
        foreach (var node in nodes) names[node] = Tape.LeafOf(node) is null ? $"n{++operations}" : $"leaf{++leaves}";
    }

    /// <summary>
    /// One line a node, the oldest first: its name, what it is and, for an operation, its inputs (<c>-</c> where no gradient flows), attributes, output shapes, and what it has saved.
    /// The tensors that were asked for stand at the end.
    /// </summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var node in nodes)
        {
            text.Append(names[node]).Append(" = ");
            if (Tape.LeafOf(node) is { } leaf)
            {
                text.Append(CultureInfo.InvariantCulture, $"leaf {Form(leaf.DType, leaf.Shape)}\n");
                continue;
            }
            text.Append(CultureInfo.InvariantCulture, $"{Label(node)}({string.Join(", ", Enumerable.Range(0, node.InputCount).Select(i => Name(node.Input(i))))}");
            foreach (var attribute in Attributes(node)) text.Append(CultureInfo.InvariantCulture, $", {attribute}");
            text.Append(CultureInfo.InvariantCulture, $") -> {Outputs(node)}\n");
            if (Tape.WriteOf(node) is { } write) text.Append(CultureInfo.InvariantCulture, $"    writes a window by {write.Name}\n");
            foreach (var saved in Saved(node)) text.Append(CultureInfo.InvariantCulture, $"    saves {saved}\n");
        }
        foreach (var output in outputs)
            text.Append(CultureInfo.InvariantCulture, $"result {Form(output.DType, output.Shape)} of {Name(Tape.EdgeOf(output))}\n");
        return text.ToString();
    }

    /// <summary>A directed graph for Graphviz: values flow from the leaves (ellipses) to the results (double frames); an edge carries the shape of what flows.</summary>
    public string ToDot()
    {
        var text = new StringBuilder("digraph tape {\n  rankdir = BT;\n  node [shape = box, fontname = \"monospace\"];\n");
        foreach (var node in nodes)
        {
            var shape = Tape.LeafOf(node) is null ? "" : ", shape = ellipse";
            text.Append(CultureInfo.InvariantCulture, $"  {names[node]} [label = \"{string.Join("\\n", Lines(node).Select(DotText))}\"{shape}];\n");
        }
        foreach (var (from, to, label) in Edges()) text.Append(CultureInfo.InvariantCulture, $"  {from} -> {to} [label = \"{DotText(label)}\"];\n");
        foreach (var (id, output) in Results())
            text.Append(CultureInfo.InvariantCulture, $"  {id} [label = \"{DotText(Form(output.DType, output.Shape))}\", peripheries = 2];\n");
        return text.Append("}\n").ToString();
    }

    /// <summary>The same graph for Mermaid, which many places that show Markdown draw: put it into a <c>mermaid</c> code block.</summary>
    public string ToMermaid()
    {
        var text = new StringBuilder("flowchart BT\n");
        foreach (var node in nodes)
        {
            var label = string.Join("<br/>", Lines(node).Select(MermaidText));
            var (open, close) = Tape.LeafOf(node) is null ? ("[", "]") : ("([", "])");
            text.Append(CultureInfo.InvariantCulture, $"  {names[node]}{open}\"{label}\"{close}\n");
        }
        foreach (var (id, output) in Results())
            text.Append(CultureInfo.InvariantCulture, $"  {id}[[\"{MermaidText(Form(output.DType, output.Shape))}\"]]\n");
        foreach (var (from, to, label) in Edges()) text.Append(CultureInfo.InvariantCulture, $"  {from} -->|\"{MermaidText(label)}\"| {to}\n");
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => ToText();

    private IEnumerable<(string Id, Tensor Output)> Results() => outputs.Select((output, i) => ($"result{i + 1}", output));

    private IEnumerable<(string From, string To, string Label)> Edges()
    {
        foreach (var node in nodes)
        {
            for (var i = 0; i < node.InputCount; i++)
                if (node.Input(i) is { Node: { } below } edge) yield return (names[below], names[node], Shapes.Text(below.OutputShape(edge.Output).ToArray()));
        }
        foreach (var (id, output) in Results())
            if (Tape.EdgeOf(output) is { Node: { } root } edge) yield return (names[root], id, Shapes.Text(root.OutputShape(edge.Output).ToArray()));
    }

    private static IEnumerable<string> Lines(Node node)
    {
        if (Tape.LeafOf(node) is { } leaf) return [$"leaf {Form(leaf.DType, leaf.Shape)}"];
        return [Label(node), .. Attributes(node), .. Tape.WriteOf(node) is { } write ? [$"writes by {write.Name}"] : Array.Empty<string>(), .. Saved(node).Select(s => $"saves {s}")];
    }

    private string Name(Edge edge)
    {
        if (edge.Node is not { } node) return "-";
        return node.OutputCount == 1 ? names[node] : $"{names[node]}[{edge.Output}]";
    }

    private static string Label(Node node) => node.Name[(node.Name.LastIndexOf(':') + 1)..];

    private static IEnumerable<string> Attributes(Node node) =>
        (node.Attributes ?? Engine.Attributes.None).Where(a => a.Value is not null).Select(a => $"{a.Key}={Text(a.Value!)}");

    private static string Text(object value) => value switch
    {
        string text => $"'{text}'",
        bool flag => flag ? "True" : "False",
        System.Collections.IEnumerable list => "[" + string.Join(", ", list.Cast<object?>().Select(item => item is null ? "None" : Text(item))) + "]",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Outputs(Node node) => string.Join(", ", Enumerable.Range(0, node.OutputCount).Select(i => Form(node.OutputDType(i), node.OutputShape(i))));

    private static IEnumerable<string> Saved(Node node) =>
        Tape.SavedOf(node).Select(s => $"{(s.IsOutput ? "output" : "input")} {s.Index}: {Form(s.Value.DType, s.Value.Shape)}");

    private static string Form(DType dtype, ReadOnlySpan<int> shape) => dtype.Name() + Shapes.Text(shape.ToArray());

    private static string DotText(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    private static string MermaidText(string text) =>
        text.Replace("&", "#amp;", StringComparison.Ordinal).Replace("\"", "#quot;", StringComparison.Ordinal).Replace("<", "#lt;", StringComparison.Ordinal).Replace(">", "#gt;", StringComparison.Ordinal);
}
