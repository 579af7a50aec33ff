using System.Runtime.CompilerServices;

namespace Verified.Training;

/// <summary>
/// MT19937 of Matsumoto and Nishimura (1998), with the counters as PyTorch keeps them: <c>left</c> numbers until the state is made anew, and the place
/// of the next one. Seeded by the low 32 bits of the seed.
/// </summary>
internal sealed class MersenneTwister
{
    public const int Size = 624;

    private const int Middle = 397;
    private const uint Matrix = 0x9908b0df;

    private readonly uint[] state = new uint[Size];
    private int left;
    private int next;

    public MersenneTwister(uint seed) => Reset(seed);

    /// <summary>How many numbers may be taken before the state is made anew, plus one; 1 where it is due.</summary>
    public int Left => left;

    /// <summary>The place of the next number.</summary>
    public int Next => next;

    /// <summary>The 624 words.</summary>
    public ReadOnlySpan<uint> Words => state;

    /// <summary>Starts again from a seed.</summary>
    public void Reset(uint seed)
    {
        state[0] = seed;
        for (var i = 1; i < Size; i++) state[i] = (1812433253 * (state[i - 1] ^ (state[i - 1] >> 30))) + (uint)i;
        left = 1;
        next = 0;
    }

    /// <summary>Goes on from a saved state.</summary>
    public void Restore(ReadOnlySpan<uint> words, int savedLeft, int savedNext)
    {
        words.CopyTo(state);
        left = savedLeft;
        next = savedNext;
    }

    /// <summary>The next 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Draw()
    {
        if (--left == 0) Renew();
        var y = state[next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >> 18);
    }

    private static uint Twist(uint u, uint v) => (((u & 0x80000000) | (v & 0x7fffffff)) >> 1) ^ ((v & 1) * Matrix);

    private void Renew()
    {
        left = Size;
        next = 0;
        for (var i = 0; i < Size; i++) state[i] = state[(i + Middle) % Size] ^ Twist(state[i], state[(i + 1) % Size]);
    }
}
