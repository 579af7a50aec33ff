using System.Diagnostics;
using System.Globalization;

namespace Verified.Benchmarks.Measuring;

/// <summary>
/// Another process that does work on demand. It says what it is in its first line; then each line "NAME CALLS" is answered with
/// "WALL PROCESSOR", in seconds. Between questions it waits, so its samples interleave with ours.
/// </summary>
internal sealed class Worker : IDisposable
{
    private readonly Process process;

    private Worker(Process process, string introduction) => (this.process, Introduction) = (process, introduction);

    /// <summary>What it says of itself.</summary>
    public string Introduction { get; }

    /// <summary>Starts a process.</summary>
    /// <exception cref="InvalidOperationException">It ended without a word.</exception>
    public static Worker Start(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} could not be started");
        var first = process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException($"{start.FileName} {string.Join(' ', start.ArgumentList)} ended at once; what it wrote stands above");
        return new Worker(process, first);
    }

    /// <summary>This program itself, with other arguments.</summary>
    public static ProcessStartInfo Itself(params string[] arguments) =>
        new(Environment.ProcessPath!, Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(Worker).Assembly.Location, .. arguments] : arguments);

    /// <summary>One of its cases as a contender.</summary>
    public Contender Contender(string name, string work) => new(name, calls => Ask(work, calls));

    /// <inheritdoc/>
    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(2000)) process.Kill();
        process.Dispose();
    }

    /// <summary>The other side: answers until the input ends.</summary>
    public static void Serve(string introduction, Func<string, Action> find)
    {
        Console.WriteLine(introduction);
        var known = new Dictionary<string, Action>();
        while (Console.ReadLine() is { } line)
        {
            var space = line.LastIndexOf(' ');
            var work = line[..space];
            if (!known.TryGetValue(work, out var action)) known[work] = action = find(work);
            var elapsed = Elapsed.Of(action, int.Parse(line[(space + 1)..], CultureInfo.InvariantCulture));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{elapsed.Wall:R} {elapsed.Processor:R}"));
        }
    }

    private Elapsed Ask(string work, int calls)
    {
        process.StandardInput.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{work} {calls}"));
        process.StandardInput.Flush();
        var answer = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{Introduction}: ended while it ran {work}");
        var numbers = answer.Split(' ');
        return new(double.Parse(numbers[0], CultureInfo.InvariantCulture), double.Parse(numbers[1], CultureInfo.InvariantCulture));
    }
}
