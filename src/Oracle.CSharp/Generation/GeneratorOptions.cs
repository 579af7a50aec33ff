using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>What random programs may hold. The defaults are the standard distribution.</summary>
public sealed record GeneratorOptions
{
    /// <summary>The version of the generator: a seed gives the same program only with the same version.</summary>
    public const int Version = 13;

    /// <summary>The most elements of any tensor in an ordinary program.</summary>
    public int MaxElements { get; init; } = 64;

    /// <summary>
    /// The share of large programs: what engines do with buffers, tiles, vectors and threads begins beyond the sizes that show the rest best.
    /// </summary>
    public double Large { get; init; } = 0.02;

    /// <summary>The most elements of any tensor in a large program.</summary>
    public int MaxElementsOfLarge { get; init; } = 4096;

    /// <summary>The most steps of a program, nested ones included.</summary>
    public int MaxSteps { get; init; } = 25;

    /// <summary>The operators to use, by name without underscore; null for all.</summary>
    public IReadOnlySet<string>? Operators { get; init; }

    /// <summary>What the engine under examination has: nothing else is generated.</summary>
    public IReadOnlySet<string> Features { get; init; } = EngineFeatures.All;

    /// <summary>The float dtypes to use.</summary>
    public IReadOnlyList<DType> FloatTypes { get; init; } = [DType.Float32, DType.Float64];

    /// <summary>The share of programs with a backward.</summary>
    public double Backward { get; init; } = 0.5;

    /// <summary>The share of programs with an in-place write.</summary>
    public double InPlace { get; init; } = 1.0 / 3;

    /// <summary>The share of programs with second-order gradients.</summary>
    public double SecondOrder { get; init; } = 0.2;

    /// <summary>The share of programs with products, convolutions or reductions.</summary>
    public double Heavy { get; init; } = 0.2;

    /// <summary>The share of programs with integers and booleans among their operands.</summary>
    public double Integers { get; init; } = 0.05;

    /// <summary>The share of programs that end in an error.</summary>
    public double Errors { get; init; } = 0.115;
}
