using Verified.Engine;

namespace Verified.Examples;

/// <summary>A tutorial's program. <c>./verify train NAME</c> runs it; <c>./verify check --example NAME</c> has its step examined.</summary>
public abstract class Example
{
    /// <summary>All of them, easiest first.</summary>
    public static IReadOnlyList<Example> All { get; } =
        [new AutogradBasics(), new LinearRegression(), new ConvEdge(), new SoftmaxFashion(), new GradientAccumulation(), new Cifar10Example(), new UNetSegmentation()];

    /// <summary>The name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it shows, in one line.</summary>
    public abstract string Summary { get; }

    /// <summary>Which of the options it heeds; others are refused rather than passed over.</summary>
    public abstract ExampleUses Uses { get; }

    /// <summary>Runs it, and says whether it reached its target.</summary>
    public abstract Outcome Run(ExampleOptions options);

    /// <summary>
    /// Its training step in a small form, for the oracle: a function that computes the loss anew, from parameters and a batch of at most two records
    /// that are made when this is called.
    /// </summary>
    public abstract Func<Tensor> Step();

    /// <summary>The folder of the real data: the one given or, where there is one, <c>data/NAME</c> of the current folder; null where there is neither.</summary>
    protected string? DataFolder(ExampleOptions options) => options.Data ?? (Directory.Exists(DefaultDataFolder) ? DefaultDataFolder : null);

    /// <summary>Where real data are looked for.</summary>
    protected string DefaultDataFolder => Path.Combine("data", Name);
}

/// <summary>The options that an example heeds.</summary>
[Flags]
public enum ExampleUses
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The number of epochs.</summary>
    Epochs = 1,

    /// <summary>It has a small form.</summary>
    Small = 2,

    /// <summary>There is a real data set for it.</summary>
    Data = 4,

    /// <summary>It writes files: checkpoints, pictures, event files.</summary>
    Folder = 8,

    /// <summary>It saves checkpoints, and can go on from one.</summary>
    Resume = 16,

    /// <summary>All of them.</summary>
    All = Epochs | Small | Data | Folder | Resume,
}

/// <summary>How an example is run.</summary>
public sealed record ExampleOptions
{
    /// <summary>Fewer records and epochs, for a quick look; the target is then a lower one.</summary>
    public bool Small { get; init; }

    /// <summary>The folder that holds the real data; where null, generated data of the same shapes are used.</summary>
    public string? Data { get; init; }

    /// <summary>How many epochs; the example's own number where null.</summary>
    public int? Epochs { get; init; }

    /// <summary>Where pictures, event files and checkpoints go.</summary>
    public string Folder { get; init; } = "runs";

    /// <summary>Whether to go on from the checkpoint of an earlier run.</summary>
    public bool Resume { get; init; }

    /// <summary>Where the example prints.</summary>
    public TextWriter Output { get; init; } = Console.Out;

    /// <summary>Ends the run in good order.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>How a run ended.</summary>
/// <param name="Reached">Whether it reached its target.</param>
/// <param name="Target">The target and what came of it, in a sentence.</param>
public readonly record struct Outcome(bool Reached, string Target);
