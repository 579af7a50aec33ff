using Verified.Spec;

namespace Verified.Oracle;

/// <summary>
/// An engine in another process, driven over standard input and output by the line protocol. Requests are sent ahead of the answers.
/// A process that ends, hangs or answers out of form is reported for the program that it was busy with, started again, and the run
/// goes on with the next program.
/// </summary>
public sealed class ProcessEngine : IEngine
{
    private readonly string _command;
    private readonly ProcessEngineOptions _options;
    private readonly Dictionary<string, string> _environment;
    private EngineProcess _connection;
    private long _seq;
    private EngineException? _givenUp;

    /// <summary>Starts the engine and greets it. Throws <see cref="EngineException"/> where it cannot be started or does not answer.</summary>
    /// <param name="command">A shell command, such as <c>python3 adapters/pytorch.py</c>.</param>
    /// <param name="options">Time limits and how far to send ahead.</param>
    /// <param name="environment">Variables to set for the process.</param>
    public ProcessEngine(string command, ProcessEngineOptions? options = null, IReadOnlyDictionary<string, string>? environment = null)
    {
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
    public RunResult Run(Program program) => RunAll([program]).Single();

    /// <inheritdoc/>
    public IEnumerable<RunResult> RunAll(IEnumerable<Program> programs)
    {
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

    /// <summary>Takes one answer; null where it was in form.</summary>
    private (RunResult.Broken Result, bool Alone)? Receive(Queue<(long Seq, Program Program)> waiting, Dictionary<long, RunResult> answers)
    {
        var open = waiting.Count(item => !answers.ContainsKey(item.Seq));
        var result = _connection.Receive(_options.Timeout, out var line);
        if (result is null)
        {
            try
            {
                var (seq, answer) = LineProtocol.ReadAnswer(line);
                if (waiting.All(item => item.Seq != seq) || answers.ContainsKey(seq))
                    throw new FormatException($"an answer to {seq}, which was not asked or is answered already");
                answers[seq] = answer;
                return null;
            }
            catch (FormatException e)
            {
                result = new RunResult.Broken(BreakKind.Protocol, $"{e.Message}: {Shorten(line)}");
            }
        }

        return (result, open == 1);
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
        try
        {
            if (Restarts > _options.MaxRestarts)
                throw new EngineException($"'{_command}' broke down {Restarts} times and was given up{(_connection.StandardError is { Length: > 0 } words ? $"; its last words: {words}" : "")}");
            (_connection, _) = Start();
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
        var failure = connection.Receive(_options.StartTimeout, out var line);
        if (failure is null)
        {
            try
            {
                return (connection, LineProtocol.ReadHello(line));
            }
            catch (FormatException e)
            {
                failure = new RunResult.Broken(BreakKind.Protocol, $"{e.Message}: {Shorten(line)}");
            }
        }

        var detail = failure.Detail;
        connection.Dispose();
        throw new EngineException($"'{_command}' could not be run as an engine: {detail}");
    }

    private static string Shorten(string line) => line.Length <= 200 ? line : line[..200] + "...";

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();
}

/// <summary>Time limits for an engine in another process.</summary>
public sealed record ProcessEngineOptions
{
    /// <summary>How long one program may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the answer to <c>hello</c> may take: an interpreter with a large library starts slowly.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How many requests are sent ahead of the answers.</summary>
    public int Ahead { get; init; } = 16;

    /// <summary>After how many restarts the run is given up.</summary>
    public int MaxRestarts { get; init; } = 100;
}
