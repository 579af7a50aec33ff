using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Verified.Oracle;

/// <summary>
/// One life of an engine's process: lines in, lines out. Nothing that the process does, or leaves undone, blocks its user for longer than
/// the time given or takes unbounded memory.
/// </summary>
internal sealed class EngineProcess : IDisposable
{
    private const int LongestLine = 1 << 26;
    private const int KeptErrors = 2000;

    private readonly Process _process;
    private readonly BlockingCollection<string> _received = new(1024);
    private readonly BlockingCollection<string> _toSend = [];
    private readonly StringBuilder _errors = new();
    private Thread? _errorReader;

    /// <summary>Starts a shell command.</summary>
    /// <exception cref="EngineException">It cannot be started.</exception>
    public EngineProcess(string command, Dictionary<string, string> environment)
    {
        var windows = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
        var start = new ProcessStartInfo(windows ? "cmd.exe" : "/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(windows ? "/c" : "-c");
        // Ctrl-C is the user's word to this program, which ends the engine itself: at a terminal the engine would hear it, too, and seem to crash.
        start.ArgumentList.Add(windows ? command : "trap '' INT\n" + command);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        try
        {
            _process = Process.Start(start) ?? throw new EngineException($"'{command}' could not be started");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new EngineException($"'{command}' could not be started: {e.Message}", e);
        }

        Run("engine input", Write);
        Run("engine output", Read);
        _errorReader = Run("engine errors", ReadErrors);
    }

    /// <summary>The end of what the process wrote to standard error, on one line.</summary>
    public string StandardError
    {
        get
        {
            lock (_errors) return string.Join(" | ", _errors.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }
    }

    /// <summary>Sends a line. A process that does not read does not block its user: the line waits.</summary>
    public void Send(string line) => _toSend.Add(line);

    /// <summary>Takes the next line; null where there was one, otherwise how the engine broke down.</summary>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public RunResult.Broken? Receive(TimeSpan timeout, out string line, CancellationToken cancel)
    {
        if (_received.TryTake(out line!, (int)timeout.TotalMilliseconds, cancel)) return null;
        line = "";
        if (!_received.IsCompleted) return new RunResult.Broken(BreakKind.Timeout, $"no answer in {timeout.TotalSeconds:0.#} s");
        // The exit code and the last words arrive a moment after the end of the output.
        var ended = _process.WaitForExit(1000);
        _errorReader?.Join(1000);
        var words = StandardError;
        return new RunResult.Broken(BreakKind.Crash, $"it ended {(ended ? $"with exit code {_process.ExitCode}" : "its output")}{(words.Length == 0 ? "" : ": " + words)}");
    }

    /// <summary>Ends the process with all that it started.</summary>
    public void Dispose()
    {
        _toSend.CompleteAdding();
        _received.CompleteAdding();
        try
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It ended in between.
        }

        _process.Dispose();
    }

    private static Thread Run(string name, Action body)
    {
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // The process has ended, by itself or on purpose; Receive says so.
            }
        })
        { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    private void Write()
    {
        foreach (var line in _toSend.GetConsumingEnumerable())
        {
            _process.StandardInput.Write(line);
            _process.StandardInput.Write('\n');
            if (_toSend.Count == 0) _process.StandardInput.Flush();
        }
    }

    // Bytes, not characters: a reader of characters that has filled its buffer exactly waits for more before it gives out what it has.
    private void Read()
    {
        var output = _process.StandardOutput.BaseStream;
        using var line = new MemoryStream();
        var buffer = new byte[8192];
        void GiveOut()
        {
            _received.Add(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r'));
            line.SetLength(0);
        }

        try
        {
            for (int count; (count = output.Read(buffer, 0, buffer.Length)) > 0;)
            {
                for (var start = 0; start < count;)
                {
                    var end = Array.IndexOf(buffer, (byte)'\n', start, count - start);
                    // What goes on without end is given out in pieces, which are out of form.
                    line.Write(buffer, start, (end < 0 ? count : end) - start);
                    start = end < 0 ? count : end + 1;
                    if (end >= 0 || line.Length >= LongestLine) GiveOut();
                }
            }

            if (line.Length > 0) GiveOut();
        }
        finally
        {
            _received.CompleteAdding();
        }
    }

    private void ReadErrors()
    {
        var buffer = new char[4096];
        for (int count; (count = _process.StandardError.Read(buffer, 0, buffer.Length)) > 0;)
            lock (_errors)
            {
                _errors.Append(buffer, 0, count);
                if (_errors.Length > KeptErrors) _errors.Remove(0, _errors.Length - KeptErrors);
            }
    }
}
