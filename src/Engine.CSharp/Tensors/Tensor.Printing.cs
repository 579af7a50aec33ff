using System.Text;

namespace Verified.Engine;

public sealed partial class Tensor
{
    private const int LineWidth = 80;
    private const int EdgeItems = 3;
    private const int SummaryThreshold = 1000;

    /// <summary>The elements as PyTorch prints them, with the dtype where it is not the usual one, the node or <c>requires_grad=True</c>.</summary>
    public override string ToString()
    {
        const string Prefix = "tensor(";
        var suffixes = new List<string>();
        string body;
        if (Count == 0)
        {
            if (Rank != 1) suffixes.Add($"size=({string.Join(", ", Sizes)}{(Rank == 1 ? "," : "")})");
            if (dtype != DType.Float32) suffixes.Add($"dtype=torch.{dtype.Name()}");
            body = "[]";
        }
        else
        {
            if (dtype == DType.Float64) suffixes.Add("dtype=torch.float64");
            var summarize = Count > SummaryThreshold;
            using var scope = Autograd.NoGrad();
            var shown = new List<double>();
            Visit(this, summarize, shown);
            var formatter = new NumberFormatter(dtype, [.. shown]);
            body = Format(this, Prefix.Length, summarize, formatter);
        }
        if (GradNode is { } made) suffixes.Add($"grad_fn=<{made.Name[(made.Name.LastIndexOf(':') + 1)..]}>");
        else if (RequiresGrad) suffixes.Add("requires_grad=True");

        var text = new StringBuilder(Prefix).Append(body);
        var lastLine = Prefix.Length + body.Length - (Prefix + body).LastIndexOf('\n') + 1;
        foreach (var suffix in suffixes)
        {
            if (lastLine + suffix.Length + 2 > LineWidth)
            {
                text.Append(",\n").Append(' ', Prefix.Length).Append(suffix);
                lastLine = Prefix.Length + suffix.Length;
            }
            else
            {
                text.Append(", ").Append(suffix);
                lastLine += suffix.Length + 2;
            }
        }
        return text.Append(')').ToString();
    }

    /// <summary>Collects the elements that are printed: all, or those at the edges of a large tensor.</summary>
    private static void Visit(Tensor t, bool summarize, List<double> shown)
    {
        if (t.Rank == 0 || !summarize)
        {
            shown.AddRange(t.ToDoubles());
            return;
        }
        foreach (var i in Places(t, summarize))
            if (i >= 0) Visit(t.RawRow(i), summarize, shown);
    }

    /// <summary>The places of the first dimension that are printed, -1 for the dots between.</summary>
    private static IEnumerable<int> Places(Tensor t, bool summarize)
    {
        var n = t.Sizes[0];
        if (!summarize || n <= 2 * EdgeItems) return Enumerable.Range(0, n);
        return [.. Enumerable.Range(0, EdgeItems), -1, .. Enumerable.Range(n - EdgeItems, EdgeItems)];
    }

    private static string Format(Tensor t, int indent, bool summarize, NumberFormatter formatter)
    {
        if (t.Rank == 0) return formatter.Format(t.DType, t.Item());
        if (t.Rank == 1)
        {
            var values = t.ToDoubles();
            var items = Places(t, summarize).Select(i => i < 0 ? " ..." : formatter.Format(t.DType, values[i])).ToArray();
            var perLine = Math.Max(1, (LineWidth - indent) / (formatter.Width + 2));
            var lines = items.Chunk(perLine).Select(line => string.Join(", ", line));
            return "[" + string.Join(",\n" + new string(' ', indent + 1), lines) + "]";
        }
        var parts = Places(t, summarize).Select(i => i < 0 ? "..." : Format(t.RawRow(i), indent + 1, summarize, formatter));
        return "[" + string.Join("," + new string('\n', t.Rank - 1) + new string(' ', indent + 1), parts) + "]";
    }

    /// <summary>One place of the first dimension, off the tape and unknown to it.</summary>
    private Tensor RawRow(int index) => Alias(Sizes[1..], Steps[1..], Offset + (index * Steps[0]));
}
