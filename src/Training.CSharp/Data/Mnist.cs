namespace Verified.Training;

/// <summary>Handwritten digits: 60,000 images to train on and 10,000 to test with, grey, 28 x 28.</summary>
/// <remarks>The files are those of http://yann.lecun.com/exdb/mnist and its mirrors.</remarks>
public static class Mnist
{
    /// <summary>Reads <c>train-images-idx3-ubyte</c> and <c>train-labels-idx1-ubyte</c> (or <c>t10k-...</c>), with or without <c>.gz</c>.</summary>
    /// <param name="folder">Where the files are.</param>
    /// <param name="train">The training part, otherwise the test part.</param>
    /// <returns>Inputs float32 (1, 28, 28) in 0 to 1, targets 0 to 9.</returns>
    /// <exception cref="FileNotFoundException">A file is not there; the message names what was looked for.</exception>
    /// <exception cref="FileFormatException">A file is truncated, corrupt, or does not belong to the other.</exception>
    public static ImageDataset Load(string folder, bool train) => Load(folder, train, [.. Enumerable.Range(0, 10).Select(i => i.ToString())]);

    /// <summary>Whether the files of a part are in a folder.</summary>
    public static bool IsIn(string folder, bool train) => Find(folder, ImagesName(train)) is not null && Find(folder, LabelsName(train)) is not null;

    internal static ImageDataset Load(string folder, bool train, IReadOnlyList<string> classNames)
    {
        var imagesPath = Required(folder, ImagesName(train));
        var labelsPath = Required(folder, LabelsName(train));
        var labels = IdxFile.Read(labelsPath, 1);
        var images = IdxFile.Read(imagesPath, 3);
        if (images.Shape[0] != labels.Shape[0])
            throw new FileFormatException(labelsPath, $"there are {labels.Shape[0]} labels for the {images.Shape[0]} images of {imagesPath}");
        if (Array.FindIndex(labels.Data, label => label >= classNames.Count) is var bad and >= 0)
            throw new FileFormatException(labelsPath, $"record {bad} has label {labels.Data[bad]}, not 0 to {classNames.Count - 1}");
        return new ImageDataset(images.Data, labels.Data, [1, images.Shape[1], images.Shape[2]], classNames);
    }

    private static string ImagesName(bool train) => train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte";

    private static string LabelsName(bool train) => train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte";

    private static string Required(string folder, string name) => Find(folder, name)
        ?? throw new FileNotFoundException($"{Path.Combine(folder, name)} is not there, nor with .gz at its end", Path.Combine(folder, name));

    private static string? Find(string folder, string name)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new[] { name, name + ".gz" }.Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists);
    }
}

/// <summary>Articles of clothing in the format of <see cref="Mnist"/>.</summary>
/// <remarks>The files are those of https://github.com/zalandoresearch/fashion-mnist (folder data/fashion).</remarks>
public static class FashionMnist
{
    /// <summary>What the labels 0 to 9 stand for.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];

    /// <inheritdoc cref="Mnist.Load(string, bool)"/>
    public static ImageDataset Load(string folder, bool train) => Mnist.Load(folder, train, ClassNames);

    /// <inheritdoc cref="Mnist.IsIn"/>
    public static bool IsIn(string folder, bool train) => Mnist.IsIn(folder, train);

    /// <summary>The names of labels, as <c>get_fashion_mnist_labels</c> of the tutorials.</summary>
    public static string[] Labels(IEnumerable<long> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return [.. labels.Select(label => ClassNames[checked((int)label)])];
    }
}
