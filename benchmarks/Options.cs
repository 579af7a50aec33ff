namespace Verified.Benchmarks;

/// <summary>The command line. See <c>./bench --help</c>.</summary>
internal sealed class Options
{
    public static readonly string[] Parts = ["products", "pointwise", "steps", "memory", "depth"];

    private bool threadsGiven;

    public bool Quick { get; private set; }

    /// <summary>A tree of PyTorch with its own Python.</summary>
    public string? PyTorch { get; private set; }

    /// <summary>A command that is a Python with PyTorch.</summary>
    public string? Python { get; private set; }

    public bool HasPyTorch => PyTorch is not null || Python is not null;

    /// <summary>Which tables.</summary>
    public IReadOnlyList<string> Only { get; private set; } = Parts;

    /// <summary>The beginning of the names of the steps to measure; null for all.</summary>
    public string? Step { get; private set; }

    /// <summary>The file to write; null for none.</summary>
    public string? Write { get; private set; }

    /// <summary>Numbers of threads: one, and two where there are as many processors.</summary>
    public IReadOnlyList<int> Threads { get; private set; } = Environment.ProcessorCount > 1 ? [1, 2] : [1];

    /// <summary>Numbers of threads for whole steps: a quick run leaves the second out, unless it was asked for.</summary>
    public IReadOnlyList<int> StepThreads => Quick && !threadsGiven ? [1] : Threads;

    /// <summary>The repository's root.</summary>
    public string Root { get; } = Environment.GetEnvironmentVariable("VERIFIED_ROOT") ?? Directory.GetCurrentDirectory();

    /// <exception cref="ArgumentException">An argument is unknown or lacks its value.</exception>
    public static Options Parse(string[] arguments)
    {
        var options = new Options();
        var write = true;
        for (var i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{arguments[i - 1]} needs a value");
            switch (arguments[i])
            {
                case "--quick": options.Quick = true; break;
                case "--pytorch": options.PyTorch = Value(); break;
                case "--python": options.Python = Value(); break;
                case "--write": options.Write = Value(); break;
                case "--no-write": write = false; break;
                case "--step": options.Step = Value(); break;
                case "--threads": options.Threads = [.. Value().Split(',').Select(int.Parse)]; options.threadsGiven = true; break;
                case "--only":
                    options.Only = Value().Split(',');
                    if (options.Only.FirstOrDefault(part => !Parts.Contains(part)) is { } unknown)
                        throw new ArgumentException($"--only: there is no part '{unknown}'; there are {string.Join(", ", Parts)}");
                    break;
                default: throw new ArgumentException($"unknown argument '{arguments[i]}'; see ./bench --help");
            }
        }
        // A part of the tables, or samples too short for a record, do not replace the record unasked.
        if (write && options.Write is null && !options.Quick && options.Only.Count == Parts.Length && options.Step is null)
            options.Write = Path.Combine(options.Root, "benchmarks", "RESULTS.md");
        return options;
    }
}
