namespace Verified.Training;

/// <summary>Reads and writes image files: PNG, and binary PNM (P5 grey, P6 colour).</summary>
public static class ImageFile
{
    /// <summary>The longest file that is read: 1 GiB.</summary>
    private const long MaxFileBytes = 1L << 30;

    /// <summary>Reads an image, telling the format by its first bytes.</summary>
    /// <exception cref="FileFormatException">It is neither, or corrupt, cut off, or of more than <see cref="Image.MaxPixels"/>.</exception>
    public static Image Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (new FileInfo(path) is { Exists: true, Length: > MaxFileBytes }) throw new FileFormatException(path, "an image file of more than 1 GiB is not read");
        var bytes = File.ReadAllBytes(path);
        if (Png.IsPng(bytes)) return Png.Decode(path, bytes);
        if (Pnm.IsPnm(bytes)) return Pnm.Decode(path, bytes);
        throw new FileFormatException(path, "this is neither PNG nor binary PNM (P5, P6); for other formats hand in a decoder of your own");
    }

    /// <summary>Writes an image as PNG, or as PNM where the name ends in <c>.pgm</c> or <c>.ppm</c>; a file that was there is replaced whole or not at all.</summary>
    public static void Write(string path, Image image)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(image);
        var bytes = Path.GetExtension(path).ToLowerInvariant() is ".pgm" or ".ppm" or ".pnm" ? Pnm.Encode(image) : Png.Encode(image);
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }
}
