namespace Verified.Engine.Kernels;

/// <summary>Planes of one image size and a window that moves over them: [planes, Height, Width] to [planes, OutHeight, OutWidth].</summary>
internal readonly record struct Window(
    int Height,
    int Width,
    int OutHeight,
    int OutWidth,
    int KernelHeight,
    int KernelWidth,
    int StrideHeight,
    int StrideWidth,
    int PadHeight,
    int PadWidth,
    int DilationHeight = 1,
    int DilationWidth = 1)
{
    /// <summary>
    /// The number of places of a window along one dimension, as PyTorch counts them: with ceilMode a last window that goes beyond the end
    /// counts, if it starts inside the image or its left padding.
    /// </summary>
    public static int OutputSize(int size, int kernel, int stride, int pad, int dilation, bool ceilMode)
    {
        var room = size + (2L * pad) - ((long)dilation * (kernel - 1)) - 1 + (ceilMode ? stride - 1 : 0);
        // Rounded down, also below zero.
        var count = (room >= 0 ? room / stride : -((-room + stride - 1) / stride)) + 1;
        if (ceilMode && (count - 1) * stride >= size + (long)pad) count--;
        return (int)count;
    }
}
