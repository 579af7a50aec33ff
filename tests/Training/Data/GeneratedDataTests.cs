using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>Generated data: the shapes of the real, the same for the same seed, and beyond a linear model.</summary>
[Collection(DefaultGenerator.Name)]
public class GeneratedDataTests
{
    [Fact]
    public void Shapes_are_those_of_the_real_data_and_the_seed_decides_everything()
    {
        foreach (var make in new Func<long, Dataset>[] { s => Generated.CifarLike(20, s), s => Generated.FashionLike(20, s), s => Generated.Segmentation(3, 32, s) })
        {
            Assert.Equal(All(make(1)), All(make(1)));
            Assert.NotEqual(All(make(1)), All(make(2)));
        }

        Assert.Equal([3, 32, 32], Generated.CifarLike(2, 0)[1].Input.Shape.ToArray());
        Assert.Equal([1, 28, 28], Generated.FashionLike(2, 0)[1].Input.Shape.ToArray());
        var (image, mask) = Generated.Segmentation(2, 48, 0)[0];
        Assert.Equal([3, 48, 48], image.Shape.ToArray());
        Assert.Equal([2, 48, 48], mask.Shape.ToArray());
        Assert.All(mask.ToFloats(), v => Assert.True(v is 0 or 1));
        Assert.InRange(mask.Mean().Item(), 0.02, 0.4);

        static string All(Dataset data) => string.Join(' ', new DataLoader(data, data.Count).Single().Input.ToFloats());
    }

    [Fact]
    public void Linear_data_has_the_weights_that_were_asked_for()
    {
        var (features, labels) = Generated.LinearData([2, -3.4], 4.2, 1000, new Generator(0));
        Assert.Equal([1000, 2], features.Shape.ToArray());
        Assert.Equal([1000, 1], labels.Shape.ToArray());
        var x = features.ToFloats();
        Assert.All(labels.ToFloats().Select((y, i) => y - (2 * x[2 * i]) + (3.4f * x[(2 * i) + 1]) - 4.2f), e => Assert.InRange(e, -0.06, 0.06));
    }

    [Fact]
    public void A_linear_model_is_mostly_wrong_on_images_like_CIFARs_where_a_small_convolutional_one_learns()
    {
        var (train, test) = (Generated.CifarLike(1500, 1), Generated.CifarLike(500, 2));
        Rng.ManualSeed(0);
        var linear = Accuracy(new Sequential(new Flatten(), new Linear(3072, 10)), 0.001, train, test, epochs: 3);
        var convolutional = Accuracy(
            new Sequential(new Conv2d(3, 6, 5), new ReLU(), new MaxPool2d(2), new Conv2d(6, 16, 5), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(400, 84), new ReLU(), new Linear(84, 10)),
            0.002, train, test, epochs: 5);
        Assert.InRange(linear, 0, 0.4);
        Assert.InRange(convolutional, 0.7, 1);
    }

    [Fact]
    public void On_images_like_Fashion_MNISTs_a_linear_model_does_what_it_does_on_the_real_and_a_layer_more_does_better()
    {
        var (train, test) = (Generated.FashionLike(4000, 1), Generated.FashionLike(1000, 2));
        Rng.ManualSeed(0);
        var linear = Accuracy(new Sequential(new Flatten(), new Linear(784, 10)), 0.001, train, test, epochs: 4);
        var layered = Accuracy(new Sequential(new Flatten(), new Linear(784, 128), new ReLU(), new Linear(128, 10)), 0.001, train, test, epochs: 10);
        Assert.InRange(linear, 0.72, 0.89);
        Assert.InRange(layered, linear + 0.04, 1);
    }

    [Fact]
    public void On_images_with_masks_a_linear_filter_finds_little_where_a_small_network_finds_most()
    {
        var (train, test) = (Generated.Segmentation(64, 32, 1), Generated.Segmentation(16, 32, 2));
        Rng.ManualSeed(0);
        var linear = Dice(new Sequential(new Conv2d(3, 2, 7, padding: 3)), train, test);
        var layered = Dice(
            new Sequential(new Conv2d(3, 16, 5, padding: 2), new ReLU(), new Conv2d(16, 16, 5, padding: 2), new ReLU(), new Conv2d(16, 2, 3, padding: 1)), train, test);
        Assert.InRange(linear, 0, 0.35);
        Assert.InRange(layered, 0.6, 1);
    }

    /// <summary>Twice what mask and answer have in common, divided by both together.</summary>
    private static double Dice(Module model, Dataset train, Dataset test)
    {
        var optimizer = new Adam(model.Parameters(), lr: 0.01);
        for (var epoch = 0; epoch < 12; epoch++)
        {
            foreach (var (input, target) in new DataLoader(train, 8, shuffle: true))
            {
                optimizer.ZeroGrad();
                model.Forward(input - 0.5).BinaryCrossEntropyWithLogits(target).Backward();
                optimizer.Step();
            }
        }

        using var off = Autograd.NoGrad();
        var batch = new DataLoader(test, test.Count).Single();
        var answer = model.Forward(batch.Input - 0.5).Gt(0).To(DType.Float32);
        return 2 * (answer * batch.Target).Sum().Item() / (answer.Sum().Item() + batch.Target.Sum().Item());
    }

    private static double Accuracy(Module model, double lr, Dataset train, Dataset test, int epochs)
    {
        var optimizer = new Adam(model.Parameters(), lr: lr);
        var criterion = new CrossEntropyLoss();
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            foreach (var (input, target) in new DataLoader(train, 32, shuffle: true))
            {
                optimizer.ZeroGrad();
                criterion.Forward(model.Forward(input - 0.5), target).Backward();
                optimizer.Step();
            }
        }

        using var off = Autograd.NoGrad();
        var batch = new DataLoader(test, test.Count).Single();
        return model.Forward(batch.Input - 0.5).Argmax(1).Eq(batch.Target).To(DType.Float32).Mean().Item();
    }
}
