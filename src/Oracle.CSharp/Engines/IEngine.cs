using Verified.Spec;

namespace Verified.Oracle;

/// <summary>An engine under examination. In process or behind the line protocol, it runs programs and reports outcomes.</summary>
public interface IEngine : IDisposable
{
    /// <summary>What the engine says of itself; it is asked only for what it declares.</summary>
    EngineInfo Info { get; }

    /// <summary>Runs one program. An error that the program ends in is an outcome, not an exception.</summary>
    RunResult Run(Program program);

    /// <summary>
    /// Runs programs and gives their results in the same order. An engine that can work ahead (another process) overrides this.
    /// </summary>
    IEnumerable<RunResult> RunAll(IEnumerable<Program> programs) => programs.Select(Run);
}

/// <summary>What an engine declares of itself: the answer to the protocol's <c>hello</c>.</summary>
public sealed record EngineInfo
{
    /// <summary>The engine's name, as reports print it.</summary>
    public required string Name { get; init; }

    /// <summary>Its version, or an empty string.</summary>
    public string Version { get; init; } = "";

    /// <summary>The language it is written in, or an empty string.</summary>
    public string Language { get; init; } = "";

    /// <summary>The operators it has, by PyTorch's names; null where it has all and says so program by program.</summary>
    public IReadOnlySet<string>? Operators { get; init; }

    /// <summary>The dtypes it has: <c>float32</c>, <c>float64</c>, <c>int64</c>, <c>bool</c>.</summary>
    public IReadOnlySet<string> DTypes { get; init; } = new HashSet<string> { "float32", "float64", "int64", "bool" };

    /// <summary>
    /// The features it has; those of the protocol. <c>versions</c>, <c>grad_fn</c>, <c>requires_grad</c>, <c>is_leaf</c> and
    /// <c>messages</c> say that these are compared, <c>layouts</c> that strides change no bit.
    /// </summary>
    public IReadOnlySet<string> Features { get; init; } = EngineFeatures.All;

    /// <summary>The accuracy in ulp that it declares for elementary functions; those not named count as the default.</summary>
    public IReadOnlyDictionary<string, double> Ulp { get; init; } = new Dictionary<string, double>();

    /// <summary>Fields of its answer to <c>hello</c> that the protocol does not have, such as <c>numerics.upl</c>.</summary>
    public IReadOnlyList<string> UnknownFields { get; init; } = [];

    /// <summary>What the engine wants every reader of the report to know of how it runs here, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>The names of the features that an engine can declare.</summary>
public static class EngineFeatures
{
    /// <summary>The promise that how elements lie in memory changes no bit: strided as contiguous, broadcast as expanded.</summary>
    public const string Layouts = "layouts";

    /// <summary>The promise that gradients share memory with what PyTorch's share it with: programs may write to what <c>grad</c> and <c>get_grad</c> give, and to what was given.</summary>
    public const string GradientMemory = "gradient_memory";

    /// <summary>Operators with attributes that may be left out: <c>sum</c> over a dimension, <c>add</c> of a number.</summary>
    public const string Attributes = "attributes";

    /// <summary>Operands of several shapes, and of several ranks, in one pointwise operator.</summary>
    public const string Broadcasting = "broadcasting";

    /// <summary>Every feature, for an engine that follows PyTorch in all of them.</summary>
    public static IReadOnlySet<string> All { get; } = new HashSet<string>
    {
        Attributes, Broadcasting, "in_place", "views", "detach", "accumulate", "retain_graph", "create_graph", "no_grad", "inference_mode", "hooks",
        "versions", "grad_fn", "requires_grad", "is_leaf", "messages", "errors", Layouts, GradientMemory,
    };
}

/// <summary>What came of running one program on an engine.</summary>
public abstract record RunResult
{
    private RunResult() { }

    /// <summary>The engine ran the program and reports this outcome.</summary>
    public sealed record Ran(Outcome Outcome) : RunResult;

    /// <summary>The engine lacks an operator or a feature; the program is skipped and counted.</summary>
    public sealed record Unsupported(string What) : RunResult;

    /// <summary>The engine or its adapter could not do it, and said why.</summary>
    public sealed record Failed(string Reason) : RunResult;

    /// <summary>The engine ended, hung or answered out of form. A finding of its own: it hides no wrong value found before.</summary>
    public sealed record Broken(BreakKind Kind, string Detail) : RunResult
    {
        /// <summary>The first frames of what an engine in process threw, its own, a line each; none where nothing was thrown.</summary>
        public IReadOnlyList<string> Trace { get; init; } = [];
    }
}

/// <summary>How an engine broke down.</summary>
public enum BreakKind
{
    /// <summary>Its process ended.</summary>
    Crash,

    /// <summary>It did not answer in time.</summary>
    Timeout,

    /// <summary>It answered out of form.</summary>
    Protocol,
}

/// <summary>The engine could not be run at all: exit code 3 of the command.</summary>
public sealed class EngineException : Exception
{
    /// <summary>An engine that could not be run, and why, in one sentence.</summary>
    public EngineException(string message) : base(message) { }

    /// <summary>An engine that could not be run, and why, in one sentence, with its cause.</summary>
    public EngineException(string message, Exception inner) : base(message, inner) { }
}
