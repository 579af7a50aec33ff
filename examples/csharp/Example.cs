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

    /// <summary>Whether it saves checkpoints, and so can go on from one.</summary>
    public virtual bool Resumes => false;

    /// <summary>Whether there is a real data set for it.</summary>
    public virtual bool TakesData => false;

    /// <summary>Runs it, and says whether it reached its target.</summary>
    public abstract Outcome Run(ExampleOptions options);

    /// <summary>
    /// Its training step in a small form, for the oracle: a function that computes the loss anew, from parameters and a batch of at most two records
    /// that are made when this is called.
    /// </summary>
    public abstract Func<Tensor> Step();
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
