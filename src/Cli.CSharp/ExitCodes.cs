namespace Verified.Cli;

/// <summary>What the command's exit codes mean.</summary>
internal static class ExitCodes
{
    /// <summary>All held.</summary>
    public const int Held = 0;

    /// <summary>Something failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a file was wrong.</summary>
    public const int Wrong = 2;

    /// <summary>The engine could not be run.</summary>
    public const int NotRun = 3;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}
