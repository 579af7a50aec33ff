using Verified.Engine;

namespace Verified.Training;

/// <summary>An image as files hold it: bytes in rows, the channels of a pixel together.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Channels">1 (grey), 3 (red, green, blue) or 4 (with opacity).</param>
/// <param name="Pixels">Height x width x channels bytes, row by row.</param>
public sealed record Image(int Width, int Height, int Channels, byte[] Pixels)
{
    /// <summary>The most pixels that a reader takes from a file's header: 16,384 x 16,384.</summary>
    public const long MaxPixels = 1L << 28;

    /// <summary>As torchvision's <c>ToTensor</c>: float32 (channels, height, width), bytes divided by 255.</summary>
    public Tensor ToTensor()
    {
        var plane = Width * Height;
        var values = new float[plane * Channels];
        for (var c = 0; c < Channels; c++)
            for (var i = 0; i < plane; i++) values[(c * plane) + i] = Pixels[(i * Channels) + c] / 255f;
        return Tensor.Create(values, [Channels, Height, Width]);
    }

    /// <summary>The bytes as int64 (height, width): the classes of a mask.</summary>
    /// <exception cref="InvalidOperationException">The image has several channels.</exception>
    public Tensor ToClasses()
    {
        if (Channels != 1) throw new InvalidOperationException($"a mask of classes has one channel, this image {Channels}");
        return Tensor.Create(Array.ConvertAll(Pixels, b => (long)b), [Height, Width]);
    }

    /// <summary>One channel: the image itself, or its luminance by ITU-R 601-2 (0.299 R + 0.587 G + 0.114 B) as PIL's mode L; opacity is dropped.</summary>
    public Image ToGrey()
    {
        if (Channels == 1) return this;
        var grey = new byte[Width * Height];
        for (var i = 0; i < grey.Length; i++)
        {
            var p = Pixels.AsSpan(i * Channels);
            grey[i] = (byte)(((p[0] * 19595) + (p[1] * 38470) + (p[2] * 7471) + 0x8000) >> 16);
        }

        return new Image(Width, Height, 1, grey);
    }

    /// <summary>Three channels: grey is repeated, opacity is dropped.</summary>
    public Image ToRgb()
    {
        if (Channels == 3) return this;
        var rgb = new byte[Width * Height * 3];
        for (var i = 0; i < Width * Height; i++)
            for (var c = 0; c < 3; c++) rgb[(i * 3) + c] = Pixels[(i * Channels) + (Channels == 1 ? 0 : c)];
        return new Image(Width, Height, 3, rgb);
    }

    /// <summary>The image of a tensor whose values lie in 0 to 1; what lies outside is cut off, NaN is 0. Rounded to the nearest byte.</summary>
    /// <param name="x">(height, width) or (channels, height, width) with 1, 3 or 4 channels.</param>
    /// <exception cref="ArgumentException">The tensor has another shape.</exception>
    public static Image FromTensor(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        var (channels, height, width) = x.Rank switch
        {
            2 => (1, x.Size(0), x.Size(1)),
            3 => (x.Size(0), x.Size(1), x.Size(2)),
            _ => (0, 0, 0),
        };
        if (channels is not (1 or 3 or 4) || height == 0 || width == 0)
            throw new ArgumentException($"an image is (height, width) or (channels, height, width) with 1, 3 or 4 channels, not {ShapeText.Of(x)}", nameof(x));
        var values = x.Detach().ToFloats();
        var pixels = new byte[values.Length];
        var plane = width * height;
        for (var c = 0; c < channels; c++)
        {
            for (var i = 0; i < plane; i++)
            {
                var v = values[(c * plane) + i];
                pixels[(i * channels) + c] = float.IsNaN(v) ? (byte)0 : (byte)Math.Round(Math.Clamp(v, 0, 1) * 255);
            }
        }

        return new Image(width, height, channels, pixels);
    }
}
