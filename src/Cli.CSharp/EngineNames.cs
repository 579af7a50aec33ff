using Verified.Oracle;

namespace Verified.Cli;

/// <summary>The engines that <c>--engine</c> can name.</summary>
internal static class EngineNames
{
    public const string Help =
        "engine (the built-in one), spec (the specification), pytorch (real PyTorch through adapters/pytorch.py), "
        + "or '$ COMMAND' for any program that speaks the line protocol";

    /// <summary>Starts an engine by name; an unknown name is a wrong command line, an engine that cannot be run an <see cref="EngineException"/>.</summary>
    public static IEngine Start(string name, ProcessEngineOptions? options = null) => name switch
    {
        "engine" => new BuiltInEngine(),
        "spec" => new SpecEngine(),
        "pytorch" => PyTorch(options),
        _ when name.StartsWith('$') && name[1..].Trim() is { Length: > 0 } command => new ProcessEngine(command, options),
        _ => throw new CorpusException($"--engine: there is no engine '{name}'; there are {Help}"),
    };

    private static ProcessEngine PyTorch(ProcessEngineOptions? options)
    {
        try
        {
            return new ProcessEngine($"{Quoted(Python)} {Quoted(Path.Combine(Root, "adapters", "pytorch.py"))}", options);
        }
        catch (EngineException e)
        {
            throw new EngineException($"{e.Message}; where the Python lacks PyTorch, set VERIFIED_PYTHON to a Python that has it", e);
        }
    }

    /// <summary>Where the repository lies: the script says so; otherwise upwards of the program.</summary>
    public static string Root
    {
        get
        {
            if (Environment.GetEnvironmentVariable("VERIFIED_ROOT") is { Length: > 0 } root) return root;
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "Verified.sln"))) return folder.FullName;
            return Directory.GetCurrentDirectory();
        }
    }

    /// <summary>The command that runs a Python which has torch.</summary>
    private static string Python => Environment.GetEnvironmentVariable("VERIFIED_PYTHON") is { Length: > 0 } python ? python : "python3";

    /// <summary>A path as one word of a shell; a command of several words, such as a wrapper with arguments, stays as it is.</summary>
    private static string Quoted(string text) => File.Exists(text) && text.Contains(' ') ? $"'{text}'" : text;
}
