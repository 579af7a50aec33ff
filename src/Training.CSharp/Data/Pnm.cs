using System.Text;

namespace Verified.Training;

/// <summary>Binary PNM: P5 (grey) and P6 (colour) with up to 8 bits.</summary>
/// <remarks>Source: the netpbm formats' manual pages pgm(5) and ppm(5).</remarks>
internal static class Pnm
{
    public static bool IsPnm(ReadOnlySpan<byte> bytes) => bytes is [(byte)'P', (byte)'5' or (byte)'6', ..];

    public static Image Decode(string path, byte[] bytes)
    {
        var at = 2;
        var channels = bytes[1] == '5' ? 1 : 3;
        var width = Number("width");
        var height = Number("height");
        var max = Number("largest value");
        if (width == 0 || height == 0 || (long)width * height > Image.MaxPixels)
            throw new FileFormatException(path, $"an image of {width} x {height} pixels is not read");
        if (max is 0 or > 255) throw new FileFormatException(path, $"the largest value is {max}; 1 to 255 are read");
        at++;
        var expected = (long)width * height * channels;
        if (bytes.Length - at != expected)
        {
            throw new FileFormatException(
                path,
                bytes.Length - at > expected ? $"{bytes.Length - at - expected} bytes follow the pixels"
                    : $"row {Math.Max(0, bytes.Length - at) / ((long)width * channels)} of {height} is cut off");
        }

        var pixels = bytes.AsSpan(at).ToArray();
        if (max < 255)
        {
            for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)Math.Min(255, ((pixels[i] * 255) + (max / 2)) / max);
        }

        return new Image(width, height, channels, pixels);

        int Number(string what)
        {
            while (at < bytes.Length && (char.IsWhiteSpace((char)bytes[at]) || bytes[at] == '#'))
            {
                if (bytes[at] == '#')
                    while (at < bytes.Length && bytes[at] != '\n') at++;
                else at++;
            }

            var (value, start) = (0, at);
            while (at < bytes.Length && char.IsAsciiDigit((char)bytes[at]) && value < 1_000_000) value = (value * 10) + bytes[at++] - '0';
            if (at == start || at >= bytes.Length || !char.IsWhiteSpace((char)bytes[at])) throw new FileFormatException(path, $"the header's {what} is no number");
            return value;
        }
    }

    public static byte[] Encode(Image image)
    {
        var plain = image.Channels == 4 ? image.ToRgb() : image;
        return [.. Encoding.ASCII.GetBytes($"P{(plain.Channels == 1 ? 5 : 6)}\n{plain.Width} {plain.Height}\n255\n"), .. plain.Pixels];
    }
}
