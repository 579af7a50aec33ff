using System.CommandLine;
using Spectre.Console;
using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary><c>verify</c> and <c>verify check</c>: the examination of an engine.</summary>
internal static class CheckCommand
{
    private static readonly EngineOptions Engine = new();
    private static readonly Option<string[]> Corpora = new("--corpus") { Description = "Corpora or programs to run instead of the committed goldens; - is standard input.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int?> Random = new("--random") { Description = "How many random programs; without it, as many as 60 s allow. 0 for none." };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "The seed of the random programs.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Shard = new("--shard") { Description = "I/N: only the I-th (from 1) of N parts of the random programs." };
    private static readonly Option<string> Ops = new("--ops") { Description = "Random programs of these operators alone, separated by commas; of the goldens and of corpora the programs that hold one of them." };
    private static readonly Option<string> Report = new("--report") { Description = "A folder for the report: report.html, report.json, report.md, and the failing programs." };

    private static readonly Option<string> Record = new("--record") { Description = "A Markdown table, such as docs/records.md, to which a line about the random programs is added." };

    private static readonly Option<string> Example = new("--example") { Description = "One of the tutorials' programs (see verify train): only its training step is examined.", HelpName = "NAME" };

    public static Command Create()
    {
        var command = new Command("check", "Examines an engine: goldens and corpora, then random programs, with verdicts by derived bounds.");
        AddTo(command);
        return command;
    }

    /// <summary>Gives a command the options of the examination: <c>verify</c> alone is <c>verify check</c>.</summary>
    public static void AddTo(Command command)
    {
        Engine.AddTo(command);
        foreach (var option in new Option[] { Corpora, Random, Seed, Shard, Ops, Report, Record, Example }) command.Options.Add(option);
        command.SetAction((parsed, cancel) => Task.FromResult(Run(parsed, cancel)));
    }

    private static int Run(ParseResult parsed, CancellationToken cancel)
    {
        if (parsed.GetValue(Example) is { } example) return ExampleCheck.Run(TrainCommand.Find(example));

        var options = new ExaminationOptions
        {
            Corpora = parsed.GetValue(Corpora) is { Length: > 0 } given ? given : Goldens(),
            Random = parsed.GetValue(Random),
            Seed = parsed.GetValue(Seed),
            Shard = ReadShard(parsed.GetValue(Shard)),
            Operators = ReadOperators(parsed.GetValue(Ops)),
        };
        if (options.Corpora.Count(corpus => corpus == "-") > 1) throw new CorpusException("standard input can be read once: --corpus - is given twice");
        foreach (var corpus in options.Corpora)
            Corpus.Check(corpus);
        if (options.Random < 0) throw new CorpusException("--random wants a number that is not negative");

        // Said before the examination rather than after.
        if (parsed.GetValue(Report) is { } place) ReportFolder.Check("--report", place);
        if (parsed.GetValue(Record) is { } table) WholeFile.Check("--record", table);
        using var engine = Engine.Start(parsed, cancel);
        var name = Engine.Name(parsed);
        var report = WithProgress(progress => new Examination(engine, options).Run(progress, cancel));
        ConsoleReport.Write(report, name, parsed.GetValue(Report));
        if (parsed.GetValue(Report) is { } folder) ReportFolder.Write(report, folder, name);
        if (parsed.GetValue(Record) is { } record) RecordFile.Add(report, record, name);
        foreach (var complaint in report.Complaints) Console.Error.WriteLine($"verify: {complaint}");
        // Of the goldens, which are many, most hold nothing of an operator.
        if (parsed.GetValue(Corpora) is { Length: > 0 })
            foreach (var corpus in report.PassedOver) Console.Error.WriteLine($"verify: {corpus}: no program in it has {string.Join(" or ", options.Operators!)}");
        if (report.GivenUp is { } why) Console.Error.WriteLine($"verify: {why}.");
        return cancel.IsCancellationRequested ? ExitCodes.Interrupted : report.Outcome switch
        {
            "FAIL" => ExitCodes.Failed,
            "NOT DONE" => ExitCodes.NotRun,
            _ when report.Complaints.Count > 0 => ExitCodes.Wrong,
            "NOTHING EXAMINED" => ExitCodes.Wrong,
            _ => ExitCodes.Held,
        };
    }

    /// <summary>A bar for each phase on a terminal; a plain line now and then where there is none.</summary>
    private static ExaminationReport WithProgress(Func<IProgress<ExaminationProgress>, ExaminationReport> run)
    {
        if (Console.IsErrorRedirected)
        {
            using var plain = new PlainProgress();
            return run(plain);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new SpinnerColumn())
            .Start(context => run(new BarProgress(context)));
    }

    private static string[] Goldens()
    {
        var folder = Path.Combine(EngineNames.Root, "tests", "GoldenPyTorch", "goldens");
        return Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.jsonl.gz").Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>The committed golden of an id as reports print it; null where there is none.</summary>
    internal static Json.Case? GoldenNamed(string id) =>
        id.Contains('/', StringComparison.Ordinal) ? Goldens().SelectMany(Corpus.Read).FirstOrDefault(golden => golden.Id == id) : null;

    private static (int, int) ReadShard(string? text)
    {
        if (text is null) return (0, 1);
        var parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], out var index) && int.TryParse(parts[1], out var count) && index >= 1 && index <= count
            ? (index - 1, count)
            : throw new CorpusException($"--shard wants I/N with I from 1 to N, found '{text}'");
    }

    private static string[]? ReadOperators(string? text)
    {
        var names = text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (names is []) throw new CorpusException("--ops wants operators, separated by commas");
        if (names?.FirstOrDefault(name => !RegistryModule.all.ContainsKey(name.TrimEnd('_'))) is { } unknown)
            throw new CorpusException($"--ops: the specification has no operator '{unknown}'");
        return names?.Select(name => name.TrimEnd('_')).ToArray();
    }
}
