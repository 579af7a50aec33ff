using System.Text.Json;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>Tests that seed the default generator and draw from it, and so run apart from all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DefaultGenerator
{
    public const string Name = "default generator";
}

/// <summary>Layers print, start, compute and differentiate as PyTorch's.</summary>
[Collection(DefaultGenerator.Name)]
public sealed class LayerTests
{
    /// <summary>The layers of <c>goldens/layers.py</c>.</summary>
    private static readonly Dictionary<string, Func<Module>> Layers = new()
    {
        ["Linear"] = () => new Linear(5, 3),
        ["Linear-no-bias"] = () => new Linear(4, 2, bias: false),
        ["Linear-float64"] = () => new Linear(5, 3, dtype: DType.Float64),
        ["Conv2d"] = () => new Conv2d(3, 6, 5),
        ["Conv2d-options"] = () => new Conv2d(4, 6, (3, 5), stride: 2, padding: 1, dilation: (1, 2), groups: 2, bias: false),
        ["Conv2d-same"] = () => new Conv2d(3, 4, 3, padding: "same"),
        ["Conv2d-valid"] = () => new Conv2d(3, 4, 3, padding: "valid", stride: 2),
        ["Conv2d-reflect"] = () => new Conv2d(3, 4, (3, 5), stride: 2, padding: (1, 2), paddingMode: "reflect"),
        ["Conv2d-replicate"] = () => new Conv2d(3, 4, 3, padding: 4, paddingMode: "replicate", bias: false),
        ["Conv2d-circular-same"] = () => new Conv2d(3, 4, (4, 3), padding: "same", dilation: (1, 2), paddingMode: "circular"),
        ["ConvTranspose2d"] = () => new ConvTranspose2d(6, 3, 2, 2),
        ["ConvTranspose2d-options"] = () => new ConvTranspose2d(6, 3, 3, 2, padding: 1, outputPadding: 1, groups: 3, bias: false, dilation: 2),
        ["MaxPool2d"] = () => new MaxPool2d(2, 2),
        ["MaxPool2d-options"] = () => new MaxPool2d((2, 3), ceilMode: true, padding: 1, dilation: 2),
        ["AvgPool2d"] = () => new AvgPool2d(2),
        ["AvgPool2d-options"] = () => new AvgPool2d((2, 3), stride: (1, 2), padding: 1, ceilMode: true, countIncludePad: false, divisorOverride: 3),
        ["BatchNorm2d"] = () => new BatchNorm2d(4),
        ["BatchNorm2d-options"] = () => new BatchNorm2d(4, eps: 1e-3, momentum: 0.25),
        ["BatchNorm2d-cumulative"] = () => new BatchNorm2d(4, momentum: null),
        ["BatchNorm2d-bare"] = () => new BatchNorm2d(4, affine: false, trackRunningStats: false),
        ["LayerNorm"] = () => new LayerNorm(6),
        ["LayerNorm-options"] = () => new LayerNorm([5, 6], eps: 1e-6, elementwiseAffine: false),
        ["LayerNorm-no-bias"] = () => new LayerNorm(6, bias: false),
        ["Dropout"] = () => new Dropout(),
        ["Dropout-options"] = () => new Dropout(0.1, inplace: true),
        ["Embedding"] = () => new Embedding(10, 3),
        ["Embedding-padding"] = () => new Embedding(4, 2, paddingIdx: -1),
        ["Embedding-short"] = () => new Embedding(5, 3, maxNorm: 1.25, normType: 1),
        ["Embedding-by-frequency"] = () => new Embedding(5, 3, paddingIdx: 1, maxNorm: 1.5, scaleGradByFreq: true),
        ["Upsample"] = () => new Upsample(scaleFactor: 2),
        ["Upsample-size"] = () => new Upsample(5),
        ["Upsample-bilinear"] = () => new Upsample(size: (7, 9), mode: "bilinear", alignCorners: true),
        ["Upsample-scales"] = () => new Upsample(scaleFactor: (2.5, 3.0), mode: "bilinear"),
        ["Flatten"] = () => new Flatten(),
        ["Flatten-options"] = () => new Flatten(0, 2),
        ["ReLU"] = () => new ReLU(),
        ["ReLU-inplace"] = () => new ReLU(inplace: true),
        ["LeakyReLU"] = () => new LeakyReLU(),
        ["LeakyReLU-options"] = () => new LeakyReLU(0.2),
        ["GELU"] = () => new GELU(),
        ["GELU-tanh"] = () => new GELU("tanh"),
        ["SiLU"] = () => new SiLU(),
        ["ELU"] = () => new ELU(),
        ["ELU-options"] = () => new ELU(0.5),
        ["Softplus"] = () => new Softplus(),
        ["Softplus-options"] = () => new Softplus(2, 10),
        ["Sigmoid"] = () => new Sigmoid(),
        ["Tanh"] = () => new Tanh(),
        ["Softmax"] = () => new Softmax(1),
        ["LogSoftmax"] = () => new LogSoftmax(-1),
        ["Identity"] = () => new Identity(),
        ["CrossEntropyLoss"] = () => new CrossEntropyLoss(),
        ["BCEWithLogitsLoss"] = () => new BCEWithLogitsLoss(),
        ["MSELoss"] = () => new MSELoss(),
        ["L1Loss"] = () => new L1Loss(),
        ["Sequential-empty"] = () => new Sequential((Module[])[]),
        ["Sequential"] = () => new Sequential(new Linear(6, 4), new Sequential(new ReLU(), new Identity()), new Linear(4, 2)),
        ["ModuleList-alike"] = () => new ModuleList(new Linear(2, 2), new Linear(2, 2), new ReLU()),
        ["ModuleList-nested"] = () => new ModuleList(new Sequential(new Linear(2, 2)), new Sequential(new Linear(2, 2))),
    };

    public static TheoryData<string> Names => [.. Golden.Cases("layers").Select(c => c.GetProperty("case").GetString()!).Where(Layers.ContainsKey)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_layer_prints_as_PyTorchs(string name) => Assert.Equal(Find(name).GetProperty("repr").GetString(), Layers[name]().ToString());

    [Theory]
    [MemberData(nameof(Names))]
    public void Initial_values_after_a_seed_are_PyTorchs_bit_for_bit(string name)
    {
        Rng.ManualSeed(4);
        var module = Layers[name]();
        var expected = Find(name).GetProperty("state").State();
        var actual = module.StateDict();
        Assert.Equal(expected.Keys, actual.Keys);
        foreach (var (key, value) in expected)
        {
            // An embedding's values are normal draws, which agree within a millionth.
            if (name.StartsWith("Embedding", StringComparison.Ordinal)) Assert.InRange(Golden.Difference((Tensor)value!, actual.Tensor(key)), 0, 1e-6);
            else Assert.Equal(0, Golden.Ulps((Tensor)value!, actual.Tensor(key)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Values_gradients_and_buffers_are_PyTorchs(string name)
    {
        var golden = Find(name);
        if (!golden.TryGetProperty("input", out var input)) return;
        var module = Layers[name]();
        module.LoadStateDict(golden.GetProperty("state").State());
        module.To(DType.Float64);
        var x = input.Tensor();
        var hasGrads = golden.TryGetProperty("grads", out var grads);
        x.RequiresGrad = hasGrads;
        // The default generator, since dropout draws from it between input and upstream gradient.
        Rng.ManualSeed(5);
        Rng.Rand(x.Shape.ToArray(), DType.Float64);
        var y = module.Forward(hasGrads ? x : x.Clone());
        Close(golden.GetProperty("train").Tensor(), y);
        if (hasGrads)
        {
            y.Backward(Rng.Rand(y.Shape.ToArray(), DType.Float64));
            Close(grads.GetProperty("input").Tensor(), x.Grad!);
            foreach (var (parameter, value) in module.NamedParameters()) Close(grads.GetProperty(parameter).Tensor(), value.Grad!);
        }
        module.Forward(Rng.Rand(x.Shape.ToArray(), DType.Float64));
        foreach (var (buffer, value) in module.NamedBuffers()) Close(golden.GetProperty("after").GetProperty(buffer).Tensor(), value);
        module.Eval();
        Close(golden.GetProperty("eval").Tensor(), module.Forward(input.Tensor()));
    }

    [Theory]
    [InlineData("Embedding-short")]
    [InlineData("Embedding-by-frequency")]
    public void A_table_shortens_the_rows_that_are_looked_up_and_shares_gradients_as_PyTorchs(string name)
    {
        var golden = Find(name);
        var module = (Embedding)Layers[name]();
        module.LoadStateDict(golden.GetProperty("state").State());
        var version = module.Weight.Version;
        var y = module.Forward(golden.GetProperty("indices").Tensor());
        y.Backward((Tensor.Arange(y.Count).To(y.DType) + 1).Reshape(y.Shape.ToArray()));
        // A norm is a sum of three: a few last bits of numbers about 1, and of gradients about 20.
        Assert.InRange(Golden.Difference(golden.GetProperty("looked_up").Tensor(), y.Detach()), 0, 1e-6);
        Assert.InRange(Golden.Difference(golden.GetProperty("table").Tensor(), module.Weight.Detach()), 0, 1e-6);
        Assert.InRange(Golden.Difference(golden.GetProperty("grad").Tensor(), module.Weight.Grad!), 0, 1e-5);
        Assert.True(module.Weight.Version > version, "a write to the table is counted");
    }

    [Fact]
    public void A_stride_that_cannot_keep_sizes_is_refused() =>
        Assert.Equal("padding='same' is not supported for strided convolutions", Assert.Throws<ArgumentException>(() => new Conv2d(1, 1, 3, padding: "same", stride: 2)).Message);

    [Fact]
    public void A_padding_mode_that_is_none_or_too_wide_is_refused()
    {
        Assert.Contains("padding_mode must be one of", Assert.Throws<ArgumentException>(() => new Conv2d(1, 1, 3, padding: 1, paddingMode: "mirror")).Message);
        var wide = new Conv2d(1, 1, 3, padding: 4, paddingMode: "reflect");
        Assert.Contains("at most 3", Assert.Throws<ArgumentException>(() => wide.Forward(Tensor.Zeros([1, 1, 4, 4]))).Message);
    }

    private static JsonElement Find(string name) => Golden.Cases("layers").First(c => c.GetProperty("case").GetString() == name);

    /// <summary>Float64 results of sums of at most some hundred terms of magnitude one; the operators themselves are held against the specification elsewhere.</summary>
    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.DType, actual.DType);
        Assert.InRange(Golden.Difference(expected, actual.Detach()), 0, 1e-13);
    }
}
