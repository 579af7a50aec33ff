using System.Diagnostics;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>What an examination consists of.</summary>
public sealed record ExaminationOptions
{
    /// <summary>Corpora and goldens to run.</summary>
    public IReadOnlyList<string> Corpora { get; init; } = [];

    /// <summary>How many random programs; null: as many as <see cref="RandomTime"/> allows.</summary>
    public int? Random { get; init; }

    /// <summary>How long random programs are run where their number is not given.</summary>
    public TimeSpan RandomTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The seed of the run.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>This shard of so many: case i belongs to shard i mod N.</summary>
    public (int Index, int Count) Shard { get; init; } = (0, 1);

    /// <summary>Only these operators, without underscore; null for all that the engine has.</summary>
    public IReadOnlyList<string>? Operators { get; init; }

    /// <summary>After how many findings the examination stops looking for more.</summary>
    public int MaxFailures { get; init; } = 20;

    /// <summary>How long findings are made short, all together.</summary>
    public TimeSpan ShrinkTime { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary>How far an examination has come.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">Cases done in this phase.</param>
/// <param name="Share">The part of the phase that is done, from 0 to 1.</param>
/// <param name="Findings">Findings so far.</param>
public sealed record ExaminationProgress(string Phase, int Done, double Share, int Findings);

/// <summary>The examination of one engine: goldens and corpora, random programs, laws.</summary>
public sealed class Examination
{
    /// <summary>The phase of the random programs.</summary>
    public const string RandomPhase = "random programs";

    private const int Batch = 64;

    private readonly Examiner _examiner;
    private readonly ExaminationOptions _options;
    private readonly ExaminationReport _report;
    private readonly Dictionary<string, bool> _exists = [];

    /// <summary>An examination that has not begun.</summary>
    public Examination(IEngine engine, ExaminationOptions options)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        _examiner = new Examiner(engine);
        _options = options;
        _report = new ExaminationReport(engine.Info, options);
    }

    /// <summary>Runs it. Cancelled, it ends early with a report of what was done.</summary>
    public ExaminationReport Run(IProgress<ExaminationProgress>? progress = null, CancellationToken cancel = default)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            foreach (var corpus in _options.Corpora)
            {
                if (cancel.IsCancellationRequested) break;
                RunCorpus(corpus, progress, cancel);
            }

            if (_options.Random is not 0 && !cancel.IsCancellationRequested) RunRandom(progress, cancel);
        }
        catch (Exception e) when (Cause(e) is EngineException or SpecificationException)
        {
            // What was found before it was given up stands.
            _report.GivenUp = Cause(e).Message;
        }
        catch (Exception e) when (Cause(e) is OperationCanceledException && cancel.IsCancellationRequested)
        {
            // A wait for the engine was cut short; the report says so.
        }

        _report.Shrink(_examiner, progress, cancel);
        _report.Finish(watch.Elapsed, cancel.IsCancellationRequested);
        return _report;
    }

    // What was thrown on several threads came in one wrapper.
    private static Exception Cause(Exception e) => e is AggregateException { InnerException: { } inner } ? inner : e;

    private void RunCorpus(string path, IProgress<ExaminationProgress>? progress, CancellationToken cancel)
    {
        var phase = Path.GetFileName(Corpus.Name(path)).Split('.')[0];
        var (cases, passedOver, wanted) = (new List<Json.Case>(), false, false);
        foreach (var (place, item) in Corpus.ReadPlaced(path))
        {
            if (!Wanted(item))
            {
                passedOver = true;
                continue;
            }

            wanted = true;
            if ((ProgramNames.Complaint(item.Program) ?? NamesNothing(item.Program)) is { } complaint) _report.Complain($"{place}: {complaint}");
            else cases.Add(item);
        }

        if (passedOver && !wanted) _report.PassOver(Corpus.Name(path));
        var done = 0;
        progress?.Report(new ExaminationProgress(phase, 0, 0, _report.Findings.Count));
        // For an engine that lacks little the specification has to look into each.
        var asked = cases.AsParallel().AsOrdered().Select(item => (Item: item, Lacking: Declared.Lacks(_examiner.Engine.Info, item))).AsEnumerable().ToLookup(each => each.Lacking, each => each.Item);
        var unasked = asked.Where(lacking => lacking.Key is not null)
            .SelectMany(lacking => lacking.Select(item => new CaseResult(item.Id, item.Program, new RunResult.Unsupported(lacking.Key!), null) { Unasked = true }));
        foreach (var result in unasked.Concat(asked[null].Chunk(Batch).SelectMany(Examine)))
        {
            _report.Add(phase, result);
            if (cancel.IsCancellationRequested) return;
            progress?.Report(new ExaminationProgress(phase, ++done, (double)done / cases.Count, _report.Findings.Count));
        }
    }

    /// <summary>The place at which the specification comes upon an operator that there is not; it is run only where one is named.</summary>
    private string? NamesNothing(Program program) =>
        Steps.All(program.Steps).Any(step => !Exists(step.Op)) ? ProgramNames.Unknown(program, namesAlone: true) : null;

    private bool Exists(string op)
    {
        if (!_exists.TryGetValue(op, out var exists)) _exists[op] = exists = ProgramNames.Exists(op);
        return exists;
    }

    private bool Wanted(Json.Case item) =>
        _options.Operators is null || new CaseResult("", item.Program, new RunResult.Unsupported(""), null).Operators.Any(op => _options.Operators.Contains(op.TrimEnd('_')));

    private void RunRandom(IProgress<ExaminationProgress>? progress, CancellationToken cancel)
    {
        const string phase = RandomPhase;
        var generator = new ProgramGenerator(RegistryModule.all, For(_examiner.Engine.Info, _options.Operators));
        var laws = Law.All.Where(law => law.Concerns(_examiner.Engine.Info)).ToArray();
        var watch = Stopwatch.StartNew();
        var run = 0;
        progress?.Report(new ExaminationProgress(phase, 0, 0, _report.Findings.Count));
        for (long first = 0; !cancel.IsCancellationRequested; first += Batch)
        {
            var count = _options.Random is { } limit ? (int)Math.Min(Batch, limit - first) : watch.Elapsed < _options.RandomTime ? Batch : 0;
            if (count <= 0) break;
            if (_report.Findings.Count >= 10 * _options.MaxFailures)
            {
                _report.EndedEarly = run;
                break;
            }

            var indices = Enumerable.Range(0, count).Select(i => first + i).Where(i => i % _options.Shard.Count == _options.Shard.Index).ToArray();
            var cases = new Json.Case[indices.Length];
            Parallel.For(0, indices.Length, i =>
            {
                var seed = Rng.CaseSeed(_options.Seed, indices[i]);
                var token = new ReplayToken(seed, _options.Operators).ToString();
                cases[i] = new Json.Case(token, SpecificationException.Guard(token, () => generator.Generate(seed)), null, null);
            });
            var results = new List<CaseResult>();
            foreach (var result in Examine(cases))
            {
                results.Add(result);
                _report.Add(phase, result);
                if (cancel.IsCancellationRequested) return;
            }

            run += results.Count;
            foreach (var (law, result) in Hold(laws, indices, results)) _report.Add(law, result);
            var share = _options.Random is { } all ? (double)(first + count) / all : watch.Elapsed / _options.RandomTime;
            progress?.Report(new ExaminationProgress(phase, (int)(first + count), Math.Min(1, share), _report.Findings.Count));
        }
    }

    /// <summary>A program that counts against the engine, or that it did not run, says nothing about laws.</summary>
    private IEnumerable<(Law Law, CaseResult Result)> Hold(Law[] laws, long[] indices, List<CaseResult> results)
    {
        var held = new CaseResult?[results.Count];
        Law Of(int i) => laws[indices[i] / Law.Every % laws.Length];
        void One(int i)
        {
            if (indices[i] % Law.Every == 0 && results[i] is { IsFinding: false, Result: RunResult.Ran }) held[i] = _examiner.Hold(Of(i), results[i].Id, results[i].Program);
        }

        if (_examiner.Engine is ProcessEngine)
            for (var i = 0; i < held.Length; i++) One(i);
        else Parallel.For(0, held.Length, One);
        for (var i = 0; i < held.Length; i++)
            if (held[i] is { } result) yield return (Of(i), result);
    }

    /// <summary>In process the cases of a batch run on all cores; the results stand in order all the same.</summary>
    private IEnumerable<CaseResult> Examine(Json.Case[] cases)
    {
        if (_examiner.Engine is ProcessEngine) return _examiner.Examine(cases);
        var results = new CaseResult[cases.Length];
        Parallel.For(0, cases.Length, i => results[i] = _examiner.Examine(cases[i].Id, cases[i].Program, cases[i].Golden?.Value));
        return results;
    }

    /// <summary>What is generated for an engine: only what it declares.</summary>
    public static GeneratorOptions For(EngineInfo info, IReadOnlyList<string>? operators = null)
    {
        ArgumentNullException.ThrowIfNull(info);
        var names = operators?.ToHashSet() ?? info.Operators?.Select(name => name.TrimEnd('_')).ToHashSet();
        if (operators is not null && info.Operators is not null) names!.RemoveWhere(name => !info.Operators.Contains(name) && !info.Operators.Contains(name + "_"));
        return new GeneratorOptions
        {
            Operators = names,
            Features = info.Features,
            Integers = info.DTypes.Contains("int64") && info.DTypes.Contains("bool") ? new GeneratorOptions().Integers : 0,
            FloatTypes = [.. new[] { DType.Float32, DType.Float64 }.Where(dtype => info.DTypes.Contains(dtype.Name))],
        };
    }
}
