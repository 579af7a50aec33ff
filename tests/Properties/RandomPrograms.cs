using Verified.Oracle;
using FsCheck;
using FsCheck.Fluent;
using Verified.Engine.Tests;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;

namespace Verified.Properties;

/// <summary>A random program of pointwise and other operators without in-place writes, detached parts or blocks.</summary>
public sealed record SmoothProgram(Program Program)
{
    /// <inheritdoc/>
    public override string ToString() => Show.Text(Program);
}

/// <summary>A random program that holds products or convolutions: what a BLAS library computes.</summary>
public sealed record ProductProgram(Program Program)
{
    /// <inheritdoc/>
    public override string ToString() => Show.Text(Program);
}

/// <summary>A random program of the standard distribution.</summary>
public sealed record StandardProgram(Program Program)
{
    /// <inheritdoc/>
    public override string ToString() => Show.Text(Program);
}

/// <summary>Random programs for FsCheck: made by the oracle's generator, shrunk by its shrinker.</summary>
public static class RandomPrograms
{
    /// <summary>What the engine has, so that no case is wasted on what it does not.</summary>
    private static readonly GeneratorOptions Standard = Oracle.Examination.For(Sound.Engine.Info);

    /// <summary>Products and convolutions, by name.</summary>
    internal static readonly HashSet<string> ProductOperators = ["matmul", "mm", "bmm", "mv", "dot", "outer", "linear", "conv2d", "conv_transpose2d"];

    /// <summary>Programs of the standard distribution.</summary>
    public static Arbitrary<StandardProgram> Programs() => Of(new ProgramGenerator(RegistryModule.all, Standard), p => new StandardProgram(p), p => p.Program);

    /// <summary>Programs without writes, detached parts and blocks, most of them with leaves.</summary>
    public static Arbitrary<SmoothProgram> Smooth() => Of(SmoothGenerator, p => new SmoothProgram(p), p => p.Program);

    /// <summary>Programs of products among a few pointwise operators.</summary>
    public static Arbitrary<ProductProgram> Products() => Of(
        new ProgramGenerator(RegistryModule.all, Standard with
        {
            Operators = ProductOperators.Concat(["add", "mul", "reshape", "transpose", "tanh", "sum"]).Where(name => Standard.Operators!.Contains(name)).ToHashSet(),
            Heavy = 1,
            Backward = 0.8,
            Errors = 0,
        }),
        p => new ProductProgram(p), p => p.Program);

    internal static ProgramGenerator SmoothGenerator { get; } = new(RegistryModule.all, Standard with
    {
        Features = new HashSet<string> { EngineFeatures.Attributes, EngineFeatures.Broadcasting, "views", "retain_graph" },
        Backward = 1,
        Errors = 0,
        InPlace = 0,
    });

    private static Arbitrary<T> Of<T>(ProgramGenerator generator, Func<Program, T> wrap, Func<T, Program> unwrap) => Arb.From(
        from high in Gen.Choose(0, int.MaxValue) from low in Gen.Choose(0, int.MaxValue) select wrap(generator.Generate(((ulong)high << 32) | (uint)low)),
        item => Shrinker.Smaller(unwrap(item)).Select(wrap));
}

/// <summary>The built-in engine as it stands.</summary>
internal static class Sound
{
    public static BuiltInEngine Engine { get; } = new();

    /// <summary>A program's outcome to the last bit, with so many threads, and with the least work shared among them or not.</summary>
    public static string Bits(Program program, int threads, bool shared)
    {
        using var _ = new PoolOf(threads, shared);
        return Engine.Run(program) is RunResult.Ran ran ? Json.writeOutcome(ran.Outcome) : "not run";
    }
}

/// <summary>Programs in messages: as JSON, which <c>./verify replay</c> takes.</summary>
internal static class Show
{
    public static string Text(Program program) => Json.writeProgram(program);
}
