namespace Verified.Engine;

/// <summary>Walks up to three operands of one shape by rows of the last dimension.</summary>
internal struct RowWalk
{
    private readonly int[] sizes;
    private readonly int[] steps0;
    private readonly int[] steps1;
    private readonly int[]? steps2;
    private readonly int[] at;
    private bool started;

    public RowWalk(int[] sizes, int[] steps0, int[] steps1, int[]? steps2 = null)
    {
        this.sizes = sizes;
        this.steps0 = steps0;
        this.steps1 = steps1;
        this.steps2 = steps2;
        at = sizes.Length > 1 ? new int[sizes.Length - 1] : [];
        Length = sizes.Length == 0 ? 1 : sizes[^1];
        if (sizes.Length == 0) return;
        Step0 = steps0[^1];
        Step1 = steps1[^1];
        Step2 = steps2 is null ? 0 : steps2[^1];
    }

    public int Length { get; }

    public nint Step0 { get; }

    public nint Step1 { get; }

    public nint Step2 { get; }

    public nint Offset0 { get; private set; }

    public nint Offset1 { get; private set; }

    public nint Offset2 { get; private set; }

    public bool Next()
    {
        if (!started)
        {
            started = true;
            return Array.IndexOf(sizes, 0) < 0;
        }
        for (var d = at.Length - 1; d >= 0; d--)
        {
            at[d]++;
            Move(d, 1);
            if (at[d] < sizes[d]) return true;
            Move(d, -sizes[d]);
            at[d] = 0;
        }
        return false;
    }

    private void Move(int d, int by)
    {
        Offset0 += (nint)by * steps0[d];
        Offset1 += (nint)by * steps1[d];
        if (steps2 is not null) Offset2 += (nint)by * steps2[d];
    }
}
