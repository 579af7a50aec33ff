namespace Verified.Engine.Kernels;

/// <summary>A place in a <see cref="Loop"/> and the offset of one operand there; goes forward along the innermost dimension.</summary>
internal unsafe ref struct Walk
{
    private readonly Loop loop;
    private readonly int* strides;
    private readonly Span<int> index;
    private readonly int inner;

    public long Offset;

    public Walk(in Loop loop, int operand, long begin, Span<int> index)
    {
        this.loop = loop;
        this.index = index;
        strides = loop.Strides(operand);
        inner = loop.Rank - 1;
        for (var d = inner; d >= 0; d--)
        {
            var size = loop.Size(d);
            var i = (int)(begin % size);
            begin /= size;
            index[d] = i;
            Offset += (long)i * strides[d];
        }
    }

    /// <summary>The stride along the innermost dimension.</summary>
    public readonly int Stride => inner < 0 ? 0 : strides[inner];

    /// <summary>How many of <paramref name="count"/> visits are left in this row; they are taken off it.</summary>
    public readonly int Take(ref int count)
    {
        var take = inner < 0 ? 1 : Math.Min(count, loop.Size(inner) - index[inner]);
        count -= take;
        return take;
    }

    /// <summary>Goes on by what <see cref="Take"/> gave.</summary>
    public void Advance(int taken)
    {
        if (inner < 0) return;
        index[inner] += taken;
        Offset += (long)taken * strides[inner];
        for (var d = inner; index[d] == loop.Size(d) && d > 0; d--)
        {
            Offset -= (long)index[d] * strides[d];
            index[d] = 0;
            index[d - 1]++;
            Offset += strides[d - 1];
        }
    }
}
