using Verified.Engine;

namespace Verified.Training;

/// <summary>What stands beyond the border of an image: PyTorch's <c>padding_mode</c>. Everything but zeros is picked out of the image itself.</summary>
internal static class PaddingMode
{
    /// <summary>Refuses a word that is none.</summary>
    public static string Checked(string mode) => mode is "zeros" or "reflect" or "replicate" or "circular"
        ? mode
        : throw new ArgumentException($"padding_mode must be one of {{'zeros', 'reflect', 'replicate', 'circular'}}, but got padding_mode='{mode}'");

    /// <summary>The image [.., H, W] with so many rows and columns before and behind.</summary>
    public static Tensor Pad(Tensor image, string mode, (int Before, int Behind) rows, (int Before, int Behind) columns) =>
        Along(Along(image, -2, mode, rows), -1, mode, columns);

    private static Tensor Along(Tensor image, int dim, string mode, (int Before, int Behind) pad)
    {
        if (pad is (0, 0)) return image;
        var size = image.Size(dim);
        var most = mode switch { "reflect" => size - 1, "circular" => size, _ => int.MaxValue };
        if (Math.Max(pad.Before, pad.Behind) > most)
            throw new ArgumentException($"padding_mode '{mode}' takes at most {most} from a dimension of size {size}, but got padding ({pad.Before}, {pad.Behind})");
        var places = Enumerable.Range(-pad.Before, size + pad.Before + pad.Behind).Select(i => (long)Place(i, size, mode)).ToArray();
        return image.IndexSelect(dim, Tensor.Create(places));
    }

    private static int Place(int i, int size, string mode) => mode switch
    {
        "reflect" => i < 0 ? -i : i < size ? i : (2 * (size - 1)) - i,
        "circular" => (i + size) % size,
        _ => Math.Clamp(i, 0, size - 1),
    };
}
