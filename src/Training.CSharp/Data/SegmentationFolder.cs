using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// A folder of images and a folder of masks, matched by name: <c>images/car7.png</c> with <c>masks/car7.png</c>, or <c>masks/car7_mask.png</c> where a suffix
/// is given. An image is read when its record is asked for.
/// </summary>
public sealed class SegmentationFolder : Dataset
{
    private readonly (string Image, string Mask)[] pairs;
    private readonly Func<string, Image> decode;
    private readonly Func<Image, Tensor> maskToTensor;

    /// <summary>Lists the folders; the order is that of the names, the same on every system.</summary>
    /// <param name="images">The folder of images.</param>
    /// <param name="masks">The folder of masks.</param>
    /// <param name="maskSuffix">What a mask's name has after the image's, before the dot.</param>
    /// <param name="decode">From a path to an image, called from several threads at once; where left out <see cref="ImageFile.Read"/>: PNG and PNM.</param>
    /// <param name="maskToTensor">From a mask to the target; where left out <see cref="Binary"/>. <see cref="Image.ToClasses"/> is another.</param>
    /// <exception cref="DirectoryNotFoundException">A folder is not there.</exception>
    /// <exception cref="FileNotFoundException">An image has no mask.</exception>
    /// <exception cref="ArgumentException">There is no image, or a mask's name has two endings.</exception>
    public SegmentationFolder(string images, string masks, string maskSuffix = "", Func<string, Image>? decode = null, Func<Image, Tensor>? maskToTensor = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(masks);
        ArgumentNullException.ThrowIfNull(maskSuffix);
        this.decode = decode ?? ImageFile.Read;
        this.maskToTensor = maskToTensor ?? Binary;
        var byName = Visible(masks).ToLookup(Path.GetFileNameWithoutExtension, StringComparer.Ordinal);
        pairs = [.. Visible(images).Order(StringComparer.Ordinal).Select(image => (image, MaskOf(image)))];
        if (pairs.Length == 0) throw new ArgumentException($"{images} has no file in it", nameof(images));

        string MaskOf(string image)
        {
            var name = Path.GetFileNameWithoutExtension(image) + maskSuffix;
            var found = byName[name].ToArray();
            return found.Length switch
            {
                1 => found[0],
                0 => throw new FileNotFoundException($"{image} has no mask: nothing in {masks} is called {name}"),
                _ => throw new ArgumentException($"{image} has several masks: {string.Join(", ", found.Select(Path.GetFileName))}"),
            };
        }
    }

    /// <inheritdoc/>
    public override int Count => pairs.Length;

    /// <summary>The file of an image.</summary>
    public string ImagePath(int index) => pairs[index].Image;

    /// <summary>Reads an image, float32 (3, height, width) in 0 to 1, and its mask.</summary>
    /// <exception cref="FileFormatException">A file is corrupt, or mask and image differ in size.</exception>
    public override Sample Get(int index, Generator random)
    {
        var (imagePath, maskPath) = pairs[index];
        var image = decode(imagePath);
        var mask = decode(maskPath);
        if ((image.Width, image.Height) != (mask.Width, mask.Height))
            throw new FileFormatException(maskPath, $"the mask is {mask.Width} x {mask.Height}, its image {image.Width} x {image.Height}");
        return new Sample(image.ToRgb().ToTensor(), maskToTensor(mask));
    }

    /// <summary>A mask of two classes: float32 (1, height, width), 1 where the grey value is 128 or more and 0 elsewhere.</summary>
    public static Tensor Binary(Image mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        return Tensor.Create(Array.ConvertAll(mask.ToGrey().Pixels, p => p >= 128 ? 1f : 0f), [1, mask.Height, mask.Width]);
    }

    private static IEnumerable<string> Visible(string folder) => Directory.EnumerateFiles(folder).Where(f => !Path.GetFileName(f).StartsWith('.'));
}
