using System.Collections.Concurrent;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Spec;
using Xunit;
using Xunit.Sdk;

namespace Verified.Testing;

/// <summary>
/// The whole examination of an autodiff engine as xunit tests: derive from it, give your engine, and run <c>dotnet test</c>. A row for
/// each operator that the engine declares, and one for each group of autograd's rules; a failing row's message is the shortest program
/// that shows what is wrong.
/// </summary>
/// <example><code>
/// public sealed class MyEngineExamination : EngineExamination
/// {
///     protected override IEngine CreateEngine() => new MyEngine();
/// }
/// </code></example>
public abstract class EngineExamination
{
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

    internal IEngine Engine => Engines.GetOrAdd(GetType(), _ => CreateEngine());

    /// <summary>Random programs of one operator, forward and backward, within the specification's bounds.</summary>
    /// <param name="name">PyTorch's name.</param>
    [Theory]
    [OperatorRows]
    public void Operator(string name) =>
        Examine(ExaminationRow.OfOperator(Engine.Info, name), Options.ProgramsPerOperator);

    /// <summary>Random programs about one group of autograd's rules.</summary>
    /// <param name="name">The group.</param>
    [Theory]
    [RuleRows]
    public void Rule(string name) => Examine(ExaminationRow.Rules(Engine.Info).Single(row => row.Name == name), Options.ProgramsPerRule);

    /// <summary>The corpora of <see cref="EngineExaminationOptions.Corpora"/>, if any.</summary>
    [Fact]
    public void Corpora()
    {
        foreach (var corpus in Options.Corpora) Examine(Corpus.Read(corpus), corpus);
    }

    /// <summary>
    /// Runs one case again, for a test of your own that keeps a failure from coming back: a replay token as a failing row prints it
    /// (<c>exp/V6-9e3779b97f4a7c15</c>), or a program as JSON.
    /// </summary>
    /// <exception cref="ArgumentException">The text is neither.</exception>
    protected void Replay(string tokenOrProgram)
    {
        ArgumentNullException.ThrowIfNull(tokenOrProgram);
        Examine([Case(tokenOrProgram)], "the replayed program");
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

    private void Examine(ExaminationRow row, int count) => Examine(row.Programs(Options.Seed, count), row.Name);

    private void Examine(IEnumerable<Json.Case> cases, string name)
    {
        var examiner = new Examiner(Engine);
        var (judged, unsupported) = (0, new SortedDictionary<string, int>(StringComparer.Ordinal));
        foreach (var result in examiner.Examine(cases))
        {
            if (result.IsFinding) throw new XunitException(FailureDescription.Text(Failure.Of(examiner, result, Options.ShrinkBudget)));
            if (result.Judgement is not null) judged++;
            if (result.Result is RunResult.Unsupported { What: var what }) unsupported[what] = unsupported.GetValueOrDefault(what) + 1;
        }

        // A row that judged nothing has shown nothing.
        if (judged == 0)
            throw new XunitException($"{name}: no program could be judged{(unsupported.Count == 0 ? "" : $": the engine does not support {string.Join(", ", unsupported.Keys)}")}");
    }
}
