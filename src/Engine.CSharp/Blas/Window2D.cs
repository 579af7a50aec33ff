namespace Verified.Engine.Blas;

/// <summary>A kernel's window sliding over an image of some channels (PyTorch's unfold; all sizes in elements).</summary>
/// <param name="Channels">Channels of the image.</param>
/// <param name="Height">Rows of the image.</param>
/// <param name="Width">Columns of the image.</param>
/// <param name="KernelHeight">Rows of the window.</param>
/// <param name="KernelWidth">Columns of the window.</param>
/// <param name="StrideHeight">Rows from one window to the next.</param>
/// <param name="StrideWidth">Columns from one window to the next.</param>
/// <param name="PaddingHeight">Rows of zeros above and below.</param>
/// <param name="PaddingWidth">Columns of zeros left and right.</param>
/// <param name="DilationHeight">Rows from one of the window's rows to the next.</param>
/// <param name="DilationWidth">Columns from one of the window's columns to the next.</param>
public readonly record struct Window2D(
    int Channels,
    int Height,
    int Width,
    int KernelHeight,
    int KernelWidth,
    int StrideHeight = 1,
    int StrideWidth = 1,
    int PaddingHeight = 0,
    int PaddingWidth = 0,
    int DilationHeight = 1,
    int DilationWidth = 1)
{
    /// <summary>Windows from top to bottom and from left to right where these do not follow from the padding (it may differ at the far ends), else 0.</summary>
    public (int Height, int Width) Given { get; init; }

    /// <summary>Windows from top to bottom; 0 where none fits.</summary>
    public int OutHeight => Given.Height > 0 ? Given.Height : Windows(Height, KernelHeight, StrideHeight, PaddingHeight, DilationHeight);

    /// <summary>Windows from left to right; 0 where none fits.</summary>
    public int OutWidth => Given.Width > 0 ? Given.Width : Windows(Width, KernelWidth, StrideWidth, PaddingWidth, DilationWidth);

    /// <summary>Elements of a window: rows of the column matrix, ordered (channel, kernel row, kernel column).</summary>
    public int Rows => Channels * KernelHeight * KernelWidth;

    /// <summary>Windows: columns of the column matrix, ordered (row, column).</summary>
    public int Columns => OutHeight * OutWidth;

    /// <summary>Whether the column matrix is the image itself, so that no copy is needed.</summary>
    public bool IsIdentity =>
        KernelHeight == 1 && KernelWidth == 1 && StrideHeight == 1 && StrideWidth == 1 && PaddingHeight == 0 && PaddingWidth == 0
        && OutHeight == Height && OutWidth == Width;

    private static int Windows(int size, int kernel, int stride, int padding, int dilation)
    {
        var room = size + 2 * padding - dilation * (kernel - 1) - 1;
        return room < 0 ? 0 : room / stride + 1;
    }
}
