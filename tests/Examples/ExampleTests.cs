using System.IO.Compression;
using Verified.Engine;
using Verified.Training;
using Xunit;

namespace Verified.Examples.Tests;

/// <summary>Every example in its small form.</summary>
[Collection(DefaultGenerator.Name)]
public sealed class ExampleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("verified-examples-").FullName;

    public static TheoryData<string> Names => [.. Example.All.Select(e => e.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Reaches_its_target(string name)
    {
        var (outcome, printed) = Run(name);
        Assert.True(outcome.Reached, $"{outcome.Target}\n{printed}");
    }

    /// <summary>What the target says is worth something: a linear model in the network's place, trained the same way, misses it.</summary>
    [Fact]
    public void A_linear_model_misses_the_targets_that_the_networks_reach()
    {
        Example[] linear =
        [
            new Cifar10Example(() => new Sequential(new Flatten(), new Linear(3 * 32 * 32, 10))),
            new UNetSegmentation(kinds => new Conv2d(3, kinds, kernelSize: 9, padding: 4)),
        ];
        foreach (var example in linear)
        {
            var outcome = example.Run(new ExampleOptions { Small = true, Folder = folder, Output = TextWriter.Null });
            Assert.False(outcome.Reached, outcome.Target);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_step_is_a_finite_loss_that_has_a_gradient(string name)
    {
        var loss = Example.All.Single(e => e.Name == name).Step()();
        Assert.Equal(1, loss.Count);
        Assert.True(double.IsFinite(loss.Item()));
        Assert.True(loss.RequiresGrad);
        loss.Backward();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_step_holds_against_the_specification(string name)
    {
        var report = Verify.Step(Example.All.Single(e => e.Name == name).Step());
        Assert.True(report.HoldsInFloat64, report.ToString());
    }

    [Theory]
    [InlineData("softmax-fashion", "Generated images of Fashion-MNIST's shape")]
    [InlineData("cifar10", "Generated images of CIFAR-10's shape")]
    [InlineData("unet", "Generated images with masks")]
    public void Says_in_its_first_line_that_data_are_generated(string name, string line) => Assert.StartsWith(line, Run(name, epochs: 1).Printed);

    [Fact]
    public void A_folder_of_images_and_masks_is_trained_on()
    {
        var random = new Random(1);
        for (var i = 0; i < 20; i++)
        {
            // A red disc on dark noise.
            var (y, x, radius) = (random.Next(6, 18), random.Next(6, 26), random.Next(3, 6));
            var (image, mask) = (new byte[24 * 32 * 3], new byte[24 * 32]);
            random.NextBytes(image);
            for (var pixel = 0; pixel < mask.Length; pixel++)
            {
                foreach (ref var channel in image.AsSpan(pixel * 3, 3)) channel /= 3;
                if (Math.Pow(pixel / 32 - y, 2) + Math.Pow(pixel % 32 - x, 2) > radius * radius) continue;
                (mask[pixel], image[pixel * 3]) = (255, 255);
            }

            ImageFile.Write(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "real", "images")).FullName, $"{i}.png"), new Image(32, 24, 3, image));
            ImageFile.Write(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "real", "masks")).FullName, $"{i}.png"), new Image(32, 24, 1, mask));
        }

        var (outcome, printed) = Run("unet", data: Path.Combine(folder, "real"));
        Assert.StartsWith("Images and masks from ", printed);
        Assert.Contains("Dice coefficient", outcome.Target);

        ImageFile.Write(Path.Combine(folder, "real", "images", "0.png"), new Image(30, 24, 3, new byte[30 * 24 * 3]));
        ImageFile.Write(Path.Combine(folder, "real", "masks", "0.png"), new Image(30, 24, 1, new byte[30 * 24]));
        Assert.EndsWith("must be multiples of 8", Assert.Throws<FileFormatException>(() => Run("unet", data: Path.Combine(folder, "real"))).Message);
    }

    [Fact]
    public void Fashion_MNISTs_files_are_trained_on()
    {
        var random = new Random(1);
        var real = Directory.CreateDirectory(Path.Combine(folder, "real")).FullName;
        foreach (var (part, count) in new[] { ("train", 2000), ("t10k", 300) })
        {
            // A class is a bright row.
            var (images, labels) = (new byte[count * 784], new byte[count]);
            random.NextBytes(images);
            for (var i = 0; i < count; i++)
            {
                labels[i] = (byte)random.Next(10);
                images.AsSpan(i * 784 + labels[i] * 56, 56).Fill(255);
            }

            Write($"{part}-images-idx3-ubyte.gz", [0, 0, 8, 3, .. Size(count), .. Size(28), .. Size(28), .. images]);
            Write($"{part}-labels-idx1-ubyte.gz", [0, 0, 8, 1, .. Size(count), .. labels]);
        }

        var (outcome, printed) = Run("softmax-fashion", data: real);
        Assert.StartsWith("Fashion-MNIST from ", printed);
        Assert.True(outcome.Reached, printed);

        static byte[] Size(int n) => [(byte)(n >> 24), (byte)(n >> 16), (byte)(n >> 8), (byte)n];

        void Write(string name, byte[] bytes)
        {
            using var file = new GZipStream(File.Create(Path.Combine(real, name)), CompressionLevel.Fastest);
            file.Write(bytes);
        }
    }

    [Fact]
    public void Cifar10_prints_as_the_tutorial_does()
    {
        var lines = Lines(Run("cifar10").Printed);
        Assert.Matches(@"^\[1,   250\] loss: \d\.\d{3}$", lines[1]);
        Assert.Contains("Finished Training", lines);
    }

    [Fact]
    public void The_edge_kernel_ends_where_PyTorchs_does()
    {
        // PyTorch 2.6 with manual_seed(0): tests/Examples/conv_edge.py prints them.
        var printed = Run("conv-edge").Printed;
        Assert.Contains("epoch 2, loss 8.330", printed);
        Assert.Contains("epoch 10, loss 0.043", printed);
        Assert.Contains("kernel: tensor([[ 1.0063, -0.9662]])", printed);
    }

    [Fact]
    public void Softmax_regression_draws_its_curves()
    {
        Run("softmax-fashion");
        foreach (var name in new[] { "by-hand.svg", "by-library.svg" })
        {
            var svg = File.ReadAllText(Path.Combine(folder, "softmax-fashion", name));
            Assert.Contains("train loss", svg);
            Assert.Contains("test acc", svg);
        }
    }

    /// <summary>Stopped after so many lines: in an epoch, between epochs, and in the second of two stages.</summary>
    [Theory]
    [InlineData("softmax-fashion", 3)]
    [InlineData("softmax-fashion", 6)]
    [InlineData("cifar10", 3)]
    [InlineData("unet", 2)]
    public void A_stopped_run_goes_on_to_the_same_bits_and_prints_the_same_lines(string name, int lines)
    {
        var (outcome, printed) = Run(name, epochs: 2);
        var whole = Saved(name);

        using var stop = new StopAfter(lines);
        Assert.Throws<OperationCanceledException>(() => Run(name, epochs: 2, stop: stop));
        Assert.Contains("--resume goes on from", stop.ToString());
        Assert.NotEqual(whole, Saved(name));

        var (resumed, rest) = Run(name, epochs: 2, resume: true);
        Assert.Contains("Going on from", rest);
        Assert.Equal(whole, Saved(name));
        Assert.Equal(outcome, resumed);
        // What was printed before and after is what was printed at once, but for what tells of stopping, and a headline that came twice.
        var expected = Lines(printed);
        Assert.Equal(expected, Lines(stop.ToString()).Concat(Lines(rest)).Where(expected.Contains).Distinct());
    }

    [Theory]
    [InlineData("softmax-fashion")]
    [InlineData("cifar10")]
    [InlineData("unet")]
    public void A_finished_run_that_is_resumed_says_its_outcome_again(string name)
    {
        var (outcome, _) = Run(name, epochs: 1);
        Assert.Equal(outcome, Run(name, epochs: 1, resume: true).Outcome);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Every value of an example's checkpoint.</summary>
    private string[] Saved(string name) =>
    [
        .. CheckpointContents.Read(Path.Combine(folder, name, "checkpoint.pt")).Entries
            .Select(e => $"{string.Join('.', e.Path)}: {(e.Value is Tensor t ? string.Join(' ', t.ToDoubles()) : e.Value)}"),
    ];

    private (Outcome Outcome, string Printed) Run(string name, int? epochs = null, bool resume = false, StopAfter? stop = null, string? data = null)
    {
        var output = stop ?? new StringWriter();
        var options = new ExampleOptions
        {
            Small = true,
            Data = data,
            Epochs = epochs,
            Folder = folder,
            Resume = resume,
            Output = output,
            Cancellation = stop?.Token ?? CancellationToken.None,
        };
        return (Example.All.Single(e => e.Name == name).Run(options), output.ToString()!);
    }

    /// <summary>Cancels once so many lines were printed: in the middle of what comes next.</summary>
    private sealed class StopAfter(int lines) : StringWriter
    {
        private readonly CancellationTokenSource source = new();
        private int seen;

        public CancellationToken Token => source.Token;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (++seen == lines) source.Cancel();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) source.Dispose();
            base.Dispose(disposing);
        }
    }
}
