using System.Security.Cryptography;

namespace Verified.Training;

/// <summary>
/// PyTorch's generator of random numbers on the processor: the same seed gives the same numbers as <c>torch.Generator</c> of PyTorch 2.6.
/// What is drawn from it stands in <see cref="Rng"/>. May be used from several threads at once; each draw of a whole tensor is one step.
/// </summary>
/// <remarks>Source: Mersenne Twister MT19937; the order of its words in each kind of draw is PyTorch's, measured (tests/Training/goldens).</remarks>
public sealed class Generator : IStateful
{
    /// <summary>The seed of a generator that was given none, PyTorch's.</summary>
    public const long DefaultSeed = 67280421310721;

    private readonly MersenneTwister twister;

    /// <summary>A generator with a seed of its own; any value, of which the low 32 bits decide.</summary>
    public Generator(long seed = DefaultSeed)
    {
        twister = new MersenneTwister((uint)seed);
        InitialSeed = seed;
    }

    /// <summary>The generator that is used where none is given: dropout, initial weights, shuffling.</summary>
    public static Generator Default { get; } = new();

    /// <summary>The seed that was given last.</summary>
    public long InitialSeed { get; private set; }

    /// <summary>The second of a pair of normal draws, kept for the next one.</summary>
    internal double? SpareNormal { get; set; }

    /// <summary>Held while a tensor is drawn.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Starts again from a seed and gives the generator back, as <c>torch.manual_seed</c>.</summary>
    public Generator ManualSeed(long seed)
    {
        lock (Gate)
        {
            twister.Reset((uint)seed);
            InitialSeed = seed;
            SpareNormal = null;
        }
        return this;
    }

    /// <summary>Starts again from a seed that the operating system gives, and returns it.</summary>
    public long Seed()
    {
        var seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));
        ManualSeed(seed);
        return seed;
    }

    /// <summary>The whole state as the 5056 bytes of <c>torch.get_rng_state()</c>; PyTorch can go on from them.</summary>
    public byte[] GetState()
    {
        lock (Gate) return GeneratorState.Write(InitialSeed, twister, SpareNormal);
    }

    /// <summary>Goes on from a state that <see cref="GetState"/> or <c>torch.get_rng_state()</c> gave.</summary>
    /// <exception cref="ArgumentException">The bytes are no such state; the generator is left as it was.</exception>
    public void SetState(ReadOnlySpan<byte> state)
    {
        var saved = GeneratorState.Read(state);
        lock (Gate)
        {
            twister.Restore(saved.Words, saved.Left, saved.Next);
            InitialSeed = saved.Seed;
            SpareNormal = saved.SpareNormal;
        }
    }

    /// <summary>The state as a checkpoint holds it.</summary>
    public StateDict StateDict() => new() { ["state"] = GetState() };

    /// <inheritdoc/>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        try
        {
            SetState(state.Bytes("state"));
        }
        catch (ArgumentException e)
        {
            throw new StateDictException(e.Message);
        }
    }

    /// <summary>The next 32 bits.</summary>
    internal uint Draw32() => twister.Draw();

    /// <summary>The next 64 bits: the first word drawn is the high one.</summary>
    internal ulong Draw64()
    {
        var high = (ulong)twister.Draw();
        return (high << 32) | twister.Draw();
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-24.</summary>
    internal float DrawSingle() => (twister.Draw() & 0xffffff) * (1f / (1 << 24));

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    internal double DrawDouble() => (Draw64() & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));

    /// <summary>Standard normal, by Box and Muller's method in pairs.</summary>
    internal double DrawNormal()
    {
        if (SpareNormal is { } spare)
        {
            SpareNormal = null;
            return spare;
        }
        var angle = 2 * Math.PI * DrawDouble();
        // 1 - u is exact, u being a multiple of 2^-53.
        var radius = Math.Sqrt(-2 * Math.Log(1 - DrawDouble()));
        SpareNormal = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }
}
