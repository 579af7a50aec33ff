using System.Text;

namespace Verified.Engine.Blas;

/// <summary>The committed rule of which backend computes which product: a table of lines, the first that fits decides.</summary>
public sealed class DispatchRule
{
    /// <summary>The variable that names another rule's file.</summary>
    public const string Variable = "VERIFIED_DISPATCH";

    private readonly IReadOnlyList<Line> _lines;

    private DispatchRule(string origin, IReadOnlyList<Line> lines) => (Origin, _lines) = (origin, lines);

    /// <summary>Where the rule comes from: a file, or "built in".</summary>
    public string Origin { get; }

    /// <summary>The rule in force: the file that VERIFIED_DISPATCH names, else the built-in table.</summary>
    /// <exception cref="FormatException">A line of the file is wrong; the message names it.</exception>
    public static DispatchRule Load()
    {
        var file = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(file))
        {
            return File.Exists(file)
                ? Parse(file, File.ReadAllText(file))
                : throw new FileNotFoundException($"{Variable} names the file {file}, which does not exist", file);
        }

        return Parse("built in (src/Engine.CSharp/Blas/dispatch.txt)", BuiltInText());
    }

    /// <summary>The committed table as text.</summary>
    internal static string BuiltInText()
    {
        using var stream = typeof(DispatchRule).Assembly.GetManifestResourceStream("Verified.Engine.Blas.dispatch.txt")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Reads a table.</summary>
    /// <exception cref="FormatException">A line is wrong; the message names it.</exception>
    /// <param name="origin">What the table is called in messages and reports, such as its file.</param>
    /// <param name="text">A line for each processor, instruction set, dtype and shape of products: these, and the backends in their order; <c>#</c> begins a comment.</param>
    public static DispatchRule Parse(string origin, string text)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(text);
        var lines = new List<Line>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var words = raw.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
                continue;
            if (words.Length < 5)
                throw new FormatException($"{origin}, line {number}: expected processor, isa, dtype, shape and at least one backend");
            if (words[2] is not ("*" or "float32" or "float64"))
                throw new FormatException($"{origin}, line {number}: unknown dtype '{words[2]}'");
            if (words[3] != "*" && !Enum.TryParse<ProductShape>(words[3], ignoreCase: true, out _))
                throw new FormatException($"{origin}, line {number}: unknown shape '{words[3]}'");
            var choices = words[4..].Select(word => ParseChoice(word, $"{origin}, line {number}")).ToArray();
            lines.Add(new Line(words[0], words[1], words[2], words[3], choices, $"line {number}: {string.Join(' ', words)}"));
        }

        return new DispatchRule(origin, lines);
    }

    /// <summary>The backend for a dtype ("float32", "float64") and a shape, and the reason in one sentence.</summary>
    internal (Backend Backend, string Why) Choose(Processor processor, string dtype, ProductShape shape, Func<Backend, Version?> installed)
    {
        foreach (var line in _lines)
        {
            if (!(Fits(line.Processor, processor.Vendor) || Fits(line.Processor, $"{processor.Vendor}/{processor.Family}")) || !Fits(line.Isa, processor.Isa) || !Fits(line.Dtype, dtype) || !Fits(line.Shape, shape.ToString()))
                continue;
            var passed = new List<string>();
            foreach (var choice in line.Choices)
            {
                var version = choice.Backend == Backend.Managed ? new Version(0, 0) : installed(choice.Backend);
                if (version is not null && version >= choice.Least)
                {
                    var but = passed.Count > 0 ? $"; {string.Join(", ", passed)}" : "";
                    return (choice.Backend, $"{Origin}, {line.Text}{but}");
                }

                passed.Add(version is null ? $"{choice.Backend} is not there, or runs kernels for an older processor" : $"{choice.Backend} {version} is below {choice.Least}");
            }
        }

        return (Backend.Managed, $"{Origin}: no line's backend is there, so the managed kernel");
    }

    private static bool Fits(string pattern, string value) => pattern == "*" || pattern.Equals(value, StringComparison.OrdinalIgnoreCase);

    private static Choice ParseChoice(string word, string place)
    {
        var parts = word.Split(">=");
        var least = new Version(0, 0);
        if (parts.Length > 2 || !Enum.TryParse<Backend>(parts[0], ignoreCase: true, out var backend) || backend == Backend.MathNet)
            throw new FormatException($"{place}: unknown backend '{word}' (managed, mkl, openblas)");
        if (parts.Length == 2 && !Version.TryParse(parts[1].Contains('.') ? parts[1] : parts[1] + ".0", out least))
            throw new FormatException($"{place}: '{parts[1]}' is no version");
        return new Choice(backend, least!);
    }

    private sealed record Choice(Backend Backend, Version Least);

    private sealed record Line(string Processor, string Isa, string Dtype, string Shape, Choice[] Choices, string Text);
}
