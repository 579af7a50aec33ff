using System.Collections.Concurrent;
using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>A right machine that the verdict called wrong.</summary>
/// <param name="Token">What brings the program back.</param>
/// <param name="Machine">Which machine.</param>
/// <param name="Program">The program.</param>
/// <param name="Judgement">The verdict.</param>
public sealed record FalseAlarm(string Token, string Machine, Program Program, Judgement Judgement);

/// <summary>
/// The measure of false alarms: standard random programs run by the specification itself on every kind of machine that it permits, and
/// judged as any engine is. The formulas are tried apart only where a program's outcome depends on them.
/// </summary>
public sealed class FalseAlarms
{
    private readonly ConcurrentBag<FalseAlarm> _found = [];
    private long _judgements;

    /// <summary>Programs that were run.</summary>
    public int Programs { get; private set; }

    /// <summary>Verdicts given: programs times machines.</summary>
    public long Judgements => _judgements;

    /// <summary>What was called wrong though it is right. Should be empty.</summary>
    public IReadOnlyList<FalseAlarm> Found => [.. _found.OrderBy(alarm => alarm.Program.Steps.Length)];

    /// <summary>Counts by operator of the verdicts on the first machine: which operators are often inconclusive.</summary>
    public SortedDictionary<string, Tally> Operators { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts of the verdicts on the first machine.</summary>
    public Tally Total { get; } = new();

    /// <summary>Judges the specification itself, run in float32 as an engine would compute, on random programs: what fails is a false alarm.</summary>
    /// <param name="seed">The seed of the run; case i is the program of <see cref="Rng.CaseSeed"/>.</param>
    /// <param name="count">How many programs.</param>
    /// <param name="machines">The machines; null for all.</param>
    /// <param name="done">Called with the number of programs that are done.</param>
    /// <param name="cancel">Ends the measure early.</param>
    public static FalseAlarms Measure(
        ulong seed, int count, IReadOnlyList<MachineEngine>? machines = null, Action<int>? done = null, CancellationToken cancel = default)
    {
        machines ??= MachineEngine.All;
        var generator = new ProgramGenerator(RegistryModule.all);
        var measure = new FalseAlarms();
        const int batch = 256;
        for (var first = 0; first < count && !cancel.IsCancellationRequested; first += batch)
        {
            var firsts = new CaseResult?[Math.Min(batch, count - first)];
            Parallel.For(0, firsts.Length, i => firsts[i] = cancel.IsCancellationRequested ? null : measure.One(generator, Rng.CaseSeed(seed, first + i), machines));
            foreach (var result in firsts.OfType<CaseResult>()) measure.Count(result);
            done?.Invoke(measure.Programs);
        }

        return measure;
    }

    private CaseResult One(ProgramGenerator generator, ulong seed, IReadOnlyList<MachineEngine> machines)
    {
        var token = new ReplayToken(seed, null).ToString();
        var program = generator.Generate(seed);
        var expectation = Expectation.Of(program);
        CaseResult? first = null;
        var judged = new List<(Outcome Outcome, Judgement Judgement)>();
        var ofFirstFormula = new Dictionary<(int, int), Outcome>();
        var depends = false;
        foreach (var machine in machines.OrderBy(m => (m.Order.Tag, m.Arithmetic.Tag, m.Formula)))
        {
            var place = (machine.Order.Tag, machine.Arithmetic.Tag);
            if (machine.Formula > 0 && ofFirstFormula.Count > 1 && !depends) continue;
            var result = machine.Run(program);
            if (result is not RunResult.Ran ran)
            {
                first ??= new CaseResult(token, program, result, null);
                continue;
            }

            if (machine.Formula == 0) ofFirstFormula[place] = ran.Outcome;
            else depends |= !ofFirstFormula.TryGetValue(place, out var plain) || !plain.Equals(ran.Outcome);
            // Most machines agree to the last bit, and agreeing outcomes have one verdict: all machines declare the same.
            if (judged.Find(each => each.Outcome.Equals(ran.Outcome)).Judgement is not { } judgement)
            {
                judgement = Judge.Outcome(expectation, ran.Outcome, machine.Info);
                judged.Add((ran.Outcome, judgement));
            }

            Interlocked.Increment(ref _judgements);
            first ??= new CaseResult(token, program, result, judgement);
            if (judgement.Verdict is Verdict.Fail or Verdict.LessAccurate) _found.Add(new FalseAlarm(token, machine.Info.Name, program, judgement));
        }

        return first ?? throw new ArgumentException("no machines", nameof(machines));
    }

    private void Count(CaseResult result)
    {
        Programs++;
        Total.Count(result);
        foreach (var op in result.Operators)
        {
            if (!Operators.TryGetValue(op, out var tally)) Operators[op] = tally = new Tally();
            tally.Count(result);
        }
    }
}
