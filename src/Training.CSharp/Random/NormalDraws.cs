namespace Verified.Training;

/// <summary>
/// PyTorch's two ways to normal draws. Fewer than 16 come one by one, in double precision. From 16 on uniform draws fill the memory first and are turned into
/// normal ones in blocks of 16, the first half of a block giving radii and the second half angles; a last block that is not whole is drawn anew with its
/// predecessors.
/// </summary>
/// <remarks>
/// PyTorch's blocks of singles go through vectorised approximations of the logarithm, the sine and the cosine; here they are exact roundings. So the results agree
/// within 1e-6 and not bit for bit.
/// </remarks>
internal static class NormalDraws
{
    private const int Block = 16;
    private const int Half = Block / 2;

    public static void Fill(Span<float> data, double mean, double std, Generator generator)
    {
        if (data.Length < Block)
        {
            for (var i = 0; i < data.Length; i++) data[i] = (float)((generator.DrawNormal() * std) + mean);
            return;
        }
        for (var i = 0; i < data.Length; i++) data[i] = generator.DrawSingle();
        for (var at = 0; at + Block <= data.Length; at += Block) Transform(data.Slice(at, Block), (float)mean, (float)std);
        if (data.Length % Block == 0) return;
        var last = data[^Block..];
        for (var i = 0; i < Block; i++) last[i] = generator.DrawSingle();
        Transform(last, (float)mean, (float)std);
    }

    public static void Fill(Span<double> data, double mean, double std, Generator generator)
    {
        if (data.Length < Block)
        {
            for (var i = 0; i < data.Length; i++) data[i] = (generator.DrawNormal() * std) + mean;
            return;
        }
        for (var i = 0; i < data.Length; i++) data[i] = generator.DrawDouble();
        for (var at = 0; at + Block <= data.Length; at += Block) Transform(data.Slice(at, Block), mean, std);
        if (data.Length % Block == 0) return;
        var last = data[^Block..];
        for (var i = 0; i < Block; i++) last[i] = generator.DrawDouble();
        Transform(last, mean, std);
    }

    private static void Transform(Span<float> block, float mean, float std)
    {
        for (var i = 0; i < Half; i++)
        {
            var radius = MathF.Sqrt(-2 * (float)Math.Log(1 - block[i]));
            // The angle is rounded to single precision before its sine and cosine are taken.
            var (sin, cos) = Math.SinCos(2 * MathF.PI * block[i + Half]);
            block[i] = MathF.FusedMultiplyAdd(radius * (float)cos, std, mean);
            block[i + Half] = MathF.FusedMultiplyAdd(radius * (float)sin, std, mean);
        }
    }

    private static void Transform(Span<double> block, double mean, double std)
    {
        for (var i = 0; i < Half; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - block[i]));
            var (sin, cos) = Math.SinCos(2 * Math.PI * block[i + Half]);
            block[i] = (radius * cos * std) + mean;
            block[i + Half] = (radius * sin * std) + mean;
        }
    }
}
