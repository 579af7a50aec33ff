using System.Diagnostics;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>
/// An engine in another process, driven over standard input and output by the line protocol. Requests are sent ahead of the answers.
/// A process that ends, hangs or answers out of form is reported for the program that it was busy with, started again, and the run
/// goes on with the next program; one that does little else is given up.
/// </summary>
public sealed class ProcessEngine : IEngine
{
    private readonly string _command;
    private readonly ProcessEngineOptions _options;
    private readonly Dictionary<string, string> _environment;
    private readonly Stopwatch _life = Stopwatch.StartNew();
    private EngineProcess _connection;
    private long _seq;
    private EngineException? _givenUp;
    private bool _answered;
    private int _inARow;
    private TimeSpan _lost;

    /// <summary>Starts the engine and greets it. Throws <see cref="EngineException"/> where it cannot be started or does not answer.</summary>
    /// <param name="command">A shell command, such as <c>python3 adapters/pytorch.py</c>.</param>
    /// <param name="options">Time limits and how far to send ahead.</param>
    /// <param name="environment">Variables to set for the process.</param>
    public ProcessEngine(string command, ProcessEngineOptions? options = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        _command = command;
        _options = options ?? new ProcessEngineOptions();
        _environment = environment?.ToDictionary() ?? [];
        (_connection, Info) = Start();
    }

    /// <inheritdoc/>
    public EngineInfo Info { get; }

    /// <summary>The last lines that the engine wrote to standard error, for reports.</summary>
    public string StandardError => _connection.StandardError;

    /// <summary>How often the engine had to be started again.</summary>
    public int Restarts { get; private set; }

    /// <inheritdoc/>
    public RunResult Run(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        return RunAll([program]).Single();
    }

    /// <inheritdoc/>
    public IEnumerable<RunResult> RunAll(IEnumerable<Program> programs)
    {
        ArgumentNullException.ThrowIfNull(programs);
        if (_givenUp is not null) throw new EngineException(_givenUp.Message, _givenUp);
        var waiting = new Queue<(long Seq, Program Program)>();
        var answers = new Dictionary<long, RunResult>();
        using var source = programs.GetEnumerator();
        var more = true;
        while (true)
        {
            while (more && waiting.Count < _options.Ahead && (more = source.MoveNext()))
            {
                waiting.Enqueue((_seq, source.Current));
                _connection.Send(LineProtocol.Request(_seq, source.Current));
                _seq++;
            }

            if (waiting.Count == 0) yield break;
            var (head, _) = waiting.Peek();
            if (answers.Remove(head, out var result))
            {
                waiting.Dequeue();
                yield return result;
            }
            else if (Receive(waiting, answers) is { } broken)
            {
                // Which of the programs sent ahead it broke on is found by running them again one at a time.
                Restart();
                while (waiting.TryDequeue(out var item))
                    yield return answers.Remove(item.Seq, out var known) ? known : waiting.Count == 0 && broken.Alone ? broken.Result : Alone(item.Program);
            }
        }
    }

    /// <summary>Takes one answer; null where it tells which program it is for, in form or not.</summary>
    private (RunResult.Broken Result, bool Alone)? Receive(Queue<(long Seq, Program Program)> waiting, Dictionary<long, RunResult> answers)
    {
        var open = waiting.Count(item => !answers.ContainsKey(item.Seq));
        var result = _connection.Receive(_options.Timeout, out var line, _options.Cancel);
        if (result is null)
        {
            try
            {
                var (seq, answer) = LineProtocol.ReadAnswer(line);
                if (waiting.All(item => item.Seq != seq) || answers.ContainsKey(seq))
                    throw new FormatException($"an answer to {seq}, which was not asked or is answered already");
                answers[seq] = answer;
                if (answer is RunResult.Broken broken) Count(broken);
                else (_answered, _inARow) = (true, 0);
                return null;
            }
            catch (FormatException e)
            {
                result = new RunResult.Broken(BreakKind.Protocol, $"{e.Message}: {LineProtocol.Shorten(line)}");
            }
        }

        Count(result);
        return (result, open == 1);
    }

    /// <summary>Counts a breakdown, and gives the engine up where it is one too many.</summary>
    private void Count(RunResult.Broken broken)
    {
        var hung = broken.Kind == BreakKind.Timeout;
        _inARow++;
        if (hung) _lost += _options.Timeout;
        if (_inARow >= (!_answered ? _options.MaxAtFirst : hung ? _options.MaxTimeoutsInARow : _options.MaxInARow))
            GiveUp($"it broke down {_inARow} times {(_answered ? "in a row" : "and answered no program")}", broken);
        if (_lost > _options.MaxLost && _lost > _life.Elapsed / 2) GiveUp($"most of the time, {_lost.TotalSeconds:0} s, went into its breakdowns", broken);
    }

    /// <summary>The command, on one line, for a message.</summary>
    private string Named => $"'{LineProtocol.Shorten(_command.ReplaceLineEndings(" "))}'";

    private void GiveUp(string why, RunResult.Broken last)
    {
        var hint = last.Kind == BreakKind.Timeout ? " (are its answers flushed, one a line?)" : "";
        _givenUp = new EngineException($"{Named} was given up: {why}, the last time with {last.Kind.ToString().ToLowerInvariant()}: {last.Detail}{hint}");
        throw _givenUp;
    }

    /// <summary>One program with nothing sent ahead, so that a breakdown is its own.</summary>
    private RunResult Alone(Program program)
    {
        var seq = _seq++;
        _connection.Send(LineProtocol.Request(seq, program));
        var waiting = new Queue<(long, Program)>([(seq, program)]);
        var answers = new Dictionary<long, RunResult>();
        if (Receive(waiting, answers) is not { } broken) return answers[seq];
        Restart();
        return broken.Result;
    }

    private void Restart()
    {
        _connection.Dispose();
        Restarts++;
        var before = _life.Elapsed;
        try
        {
            if (Restarts > _options.MaxRestarts)
                throw new EngineException($"{Named} was given up: it broke down {Plural.Of(Restarts, "time")}{(_connection.StandardError is { Length: > 0 } words ? $"; its last words: {words}" : "")}");
            (_connection, _) = Start();
            _lost += _life.Elapsed - before;
        }
        catch (EngineException e)
        {
            _givenUp = e;
            throw;
        }
    }

    private (EngineProcess Connection, EngineInfo Info) Start()
    {
        var connection = new EngineProcess(_command, _environment);
        connection.Send(LineProtocol.Hello);
        RunResult.Broken? failure;
        string line;
        try
        {
            failure = connection.Receive(_options.StartTimeout, out line, _options.Cancel);
        }
        catch (OperationCanceledException)
        {
            connection.Dispose();
            throw;
        }

        if (failure is null)
        {
            try
            {
                return (connection, LineProtocol.ReadHello(line));
            }
            catch (FormatException e)
            {
                failure = new RunResult.Broken(BreakKind.Protocol, $"{e.Message}: {LineProtocol.Shorten(line)}");
            }
        }

        var detail = failure.Detail;
        connection.Dispose();
        throw new EngineException($"{Named} could not be run as an engine: {detail}");
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();
}

/// <summary>How long an engine in another process is waited for, and how often it may break down.</summary>
public sealed record ProcessEngineOptions
{
    /// <summary>How long one program may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the answer to <c>hello</c> may take: an interpreter with a large library starts slowly.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Ends every wait for the engine, with an <see cref="OperationCanceledException"/>; the engine is of no use after it.</summary>
    public CancellationToken Cancel { get; init; }

    /// <summary>How many requests are sent ahead of the answers.</summary>
    public int Ahead { get; init; } = 16;

    /// <summary>After how many breakdowns an engine is given up that has not answered a program yet.</summary>
    public int MaxAtFirst { get; init; } = 3;

    /// <summary>After how many breakdowns without an answer in between it is given up.</summary>
    public int MaxInARow { get; init; } = 20;

    /// <summary>The same, where the last of them was that it did not answer in time, which is dear.</summary>
    public int MaxTimeoutsInARow { get; init; } = 5;

    /// <summary>How much time may be lost to its breakdowns, where that is more than half of all.</summary>
    public TimeSpan MaxLost { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often in all it is started again.</summary>
    public int MaxRestarts { get; init; } = 100;
}
