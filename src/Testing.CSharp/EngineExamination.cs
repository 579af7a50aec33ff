using System.Collections.Concurrent;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;
using Xunit;
using Xunit.Sdk;

namespace Verified.Testing;

/// <summary>
/// The whole examination of an autodiff engine as xunit tests: derive from it, give your engine, and run <c>dotnet test</c>. A row for
/// each operator that the engine declares, and one for each group of autograd's rules; every fourth program is also held to a law that
/// needs no tolerance. A failing row's message is the shortest program that shows what is wrong. A row in which nothing passes, or more
/// than half is inconclusive, fails too: it has shown nothing.
/// </summary>
/// <example><code>
/// public sealed class MyEngineExamination : EngineExamination
/// {
///     protected override IEngine CreateEngine() => new MyEngine();
/// }
/// </code></example>
public abstract class EngineExamination
{
    /// <summary>The share of a row's judged programs that may be inconclusive.</summary>
    private const double MostInconclusive = 0.5;

    // xunit makes an instance for every row; an engine in another process is slow to start, so that the rows of a class share one.
    private static readonly ConcurrentDictionary<Type, IEngine> Engines = new();

    static EngineExamination() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var engine in Engines.Values) engine.Dispose();
    };

    /// <summary>The engine under examination. It is made once for the rows of a class, which run one after the other.</summary>
    protected abstract IEngine CreateEngine();

    /// <summary>How thorough the examination is.</summary>
    protected virtual EngineExaminationOptions Options { get; } = new();

    internal IReadOnlyList<string> Corpora => Options.Corpora;

    internal IEngine Engine => Engines.GetOrAdd(GetType(), _ => CreateEngine());

    /// <summary>Random programs of one operator, forward and backward, within the specification's bounds.</summary>
    /// <param name="name">PyTorch's name.</param>
    [Theory]
    [OperatorRows]
    public void Operator(string name) =>
        Examine(ExaminationRow.OfOperator(Engine.Info, name), Options.ProgramsPerOperator, nameof(Options.ProgramsPerOperator));

    /// <summary>Random programs about one group of autograd's rules, or one of the corpora of <see cref="EngineExaminationOptions.Corpora"/>: where none is given there is no row that would pass on nothing.</summary>
    /// <param name="name">The group, or the corpus's path.</param>
    [Theory]
    [RuleRows]
    [CorpusRows]
    public void Rule(string name)
    {
        if (Options.Corpora.Contains(name)) Examine(Corpus.Read(name), name);
        else Examine(ExaminationRow.Rules(Engine.Info).Single(row => row.Name == name), Options.ProgramsPerRule, nameof(Options.ProgramsPerRule));
    }

    /// <summary>
    /// Runs one case again, for a test of your own that keeps a failure from coming back: a replay token as a failing row prints it
    /// (the operator or rule, a slash, and the token), or a program as JSON. It is held to every law as well.
    /// </summary>
    /// <exception cref="ArgumentException">The text is neither.</exception>
    protected void Replay(string tokenOrProgram)
    {
        ArgumentNullException.ThrowIfNull(tokenOrProgram);
        Examine([Case(tokenOrProgram)], "the replayed program", everyLaw: true);
    }

    private Json.Case Case(string text)
    {
        if (text.TrimStart().StartsWith('{'))
        {
            var read = Json.readProgram(text);
            return read.IsOk ? new Json.Case("replay", read.ResultValue, null, null) : throw new ArgumentException(read.ErrorValue.ToString(), nameof(text));
        }

        var slash = text.LastIndexOf('/');
        if (slash < 0 || ReplayToken.Parse(text[(slash + 1)..]) is not { } token)
            throw new ArgumentException($"'{text}' is neither a program nor a replay token such as exp/V{GeneratorOptions.Version}-9e3779b97f4a7c15", nameof(text));
        var name = text[..slash];
        var row = ExaminationRow.Rules(Engine.Info).FirstOrDefault(rule => rule.Name == name)
            ?? (RegistryModule.all.ContainsKey(name) ? ExaminationRow.OfOperator(Engine.Info, name) : throw new ArgumentException($"there is no row '{name}'", nameof(text)));
        return row.Program(token.Seed);
    }

    private void Examine(ExaminationRow row, int count, string option) =>
        Examine(row.Programs(Options.Seed, count), row.Name, help: $"; more programs (Options.{option}, now {count}) or another Options.Seed may show something");

    /// <param name="cases">The programs.</param>
    /// <param name="name">What a failure is of.</param>
    /// <param name="everyLaw">Whether each program is held to every law.</param>
    /// <param name="help">What may show something where they show nothing.</param>
    private void Examine(IEnumerable<Json.Case> cases, string name, bool everyLaw = false, string help = "")
    {
        var examiner = new Examiner(Engine);
        var laws = Law.All.Where(law => law.Concerns(Engine.Info)).ToArray();
        var tally = new Tally();
        var unsupported = new Reasons();
        var undecided = new List<CaseResult>();
        // All of them first: an engine in another process works ahead, and is not asked for other things in between.
        foreach (var (i, result) in examiner.Examine(cases).ToList().Index())
        {
            Check(examiner, result);
            tally.Count(result);
            if (result.Result is RunResult.Unsupported { What: var what }) unsupported.Add(what);
            if (result.Judgement?.Verdict == Verdict.Inconclusive) undecided.Add(result);
            if (result.Result is not RunResult.Ran) continue;
            foreach (var law in everyLaw ? laws : i % Law.Every == 0 ? [laws[i / Law.Every % laws.Length]] : [])
                if (examiner.Hold(law, result.Id, result.Program) is { } held) Check(examiner, held);
        }

        if (tally.Total == 0) throw new XunitException($"{name}: no program was drawn, which shows nothing{help}");
        if (tally.Judged == 0) throw new XunitException($"{name}: no program could be judged: the engine does not support {unsupported}, which shows nothing");
        if (tally.Passed == 0 || tally.InconclusiveShare > MostInconclusive)
        {
            var example = undecided.MinBy(result => result.Program.Steps.Length) is { Judgement.Worst: { } worst } shortest ? $". For example {shortest.Id}: {worst.Message}" : "";
            throw new XunitException($"{name}: of {Plural.Of(tally.Judged, "program")} judged {tally.Passed} passed and {Plural.Of(tally.Inconclusive, "was", "were")} inconclusive, which shows nothing{help}{example}");
        }
    }

    private void Check(Examiner examiner, CaseResult result)
    {
        if (result.IsFinding) throw new XunitException(FailureDescription.Text(Failure.Of(examiner, result, Options.ShrinkBudget)));
    }
}
