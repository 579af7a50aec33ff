using Verified.Oracle;

namespace Verified.Cli;

/// <summary>The command that shows a case again, ready to be pasted.</summary>
internal static class ReplayLine
{
    /// <summary>The command line for a failure; null where its program is in no file and no token brings it back.</summary>
    /// <param name="failure">What is to be seen again.</param>
    /// <param name="engine">The engine as it was named on the command line.</param>
    /// <param name="folder">The report's folder, where one was written.</param>
    public static string? Of(Failure failure, string engine, string? folder) =>
        ReplayToken.Parse(failure.Original.Id) is not null ? Of(failure.Original.Id, engine)
        : folder is not null ? Of(Path.Combine(folder, "failures", failure.Hash + ".json"), engine)
        : null;

    /// <summary>The command line for a token or a file.</summary>
    public static string Of(string what, string engine) => $"./verify replay {Quoted(what)}{(engine == "engine" ? "" : $" --engine {Quoted(engine)}")}";

    /// <summary>A word of a shell's command.</summary>
    private static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./+,".Contains(c)) ? word : "'" + word.Replace("'", "'\\''") + "'";
}
