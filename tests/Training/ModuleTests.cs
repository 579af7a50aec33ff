using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>What a module finds in its fields, and its state dictionaries.</summary>
public sealed class ModuleTests
{
    [Fact]
    public void Parameters_buffers_and_modules_are_found_in_fields_under_PyTorchs_names()
    {
        var net = new Net();
        Assert.Equal(
            ["scale", "conv1.weight", "conv1.bias", "fc_out.weight", "fc_out.bias", "head.weight", "blocks.0.weight", "blocks.0.bias"],
            net.NamedParameters().Select(p => p.Name));
        Assert.Equal(["running_mean", "scratch"], net.NamedBuffers().Select(b => b.Name));
        Assert.Equal(["", "conv1", "fc_out", "head", "blocks", "blocks.0"], net.NamedModules().Select(m => m.Name));
        Assert.Equal(
            ["scale", "running_mean", "conv1.weight", "conv1.bias", "fc_out.weight", "fc_out.bias", "head.weight", "blocks.0.weight", "blocks.0.bias"],
            net.StateDict().Keys);
        Assert.Equal(
            """
            Net(
              (conv1): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))
              (fc_out): Linear(in_features=4, out_features=2, bias=True)
              (head): Linear(in_features=2, out_features=2, bias=False)
              (blocks): Sequential(
                (0): Linear(in_features=2, out_features=2, bias=True)
              )
            )
            """.ReplaceLineEndings("\n"),
            net.ToString());
        Assert.EndsWith("479 parameters, 479 of them trained", net.Summary(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_shared_module_is_visited_once_and_saved_under_each_name()
    {
        var shared = new Linear(2, 2);
        var chain = new Sequential(shared, shared);
        Assert.Equal(2, chain.Parameters().Count());
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias"], chain.StateDict().Keys);
    }

    [Fact]
    public void Modules_in_an_array_are_refused_by_name()
    {
        var error = Assert.Throws<InvalidOperationException>(() => new Hiding().Parameters().Count());
        Assert.Contains("the field 'layers' of Hiding", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_freezing_types_and_gradients_reach_all_modules_within()
    {
        var net = new Net();
        net.Eval();
        Assert.All(net.NamedModules(), m => Assert.False(m.Module.Training));
        net.Train();
        Assert.All(net.NamedModules(), m => Assert.True(m.Module.Training));
        net.RequiresGrad(false);
        Assert.All(net.Parameters(), p => Assert.False(p.RequiresGrad));
        Assert.EndsWith("479 parameters, 0 of them trained", net.Summary(), StringComparison.Ordinal);
        net.To(DType.Float64);
        Assert.All(net.Parameters(), p => Assert.Equal(DType.Float64, p.DType));
        Assert.All(net.Parameters(), p => Assert.False(p.RequiresGrad));
        foreach (var p in net.RequiresGrad().Parameters()) p.Grad = Tensor.Ones(p.Shape.ToArray(), DType.Float64);
        net.ZeroGrad(setToNone: false);
        Assert.All(net.Parameters(), p => Assert.Equal(0, p.Grad!.Abs().Sum().Item()));
        net.ZeroGrad();
        Assert.All(net.Parameters(), p => Assert.Null(p.Grad));
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_with_PyTorchs_list_and_changes_nothing()
    {
        var state = new Sequential(new Linear(3, 2), new Linear(2, 2)).StateDict();
        state.Remove("0.bias");
        state.Remove("1.weight");
        state["1.weight"] = Tensor.Ones([5, 2]);
        state["2.weight"] = Tensor.Ones([1]);
        state["1.extra"] = Tensor.Ones([1]);
        var target = new Sequential(new Linear(3, 2), new Linear(2, 2));
        var before = target.Parameters().SelectMany(p => p.ToDoubles()).ToArray();
        var error = Assert.Throws<StateDictException>(() => target.LoadStateDict(state));
        Assert.Equal(
            "Error(s) in loading state_dict for Sequential:\n\tMissing key(s) in state_dict: \"0.bias\". \n\tUnexpected key(s) in state_dict: \"2.weight\", \"1.extra\". "
            + "\n\tsize mismatch for 1.weight: copying a param with shape torch.Size([5, 2]) from checkpoint, the shape in current model is torch.Size([2, 2]).",
            error.Message);
        Assert.Equal(before, target.Parameters().SelectMany(p => p.ToDoubles()));

        state["1.weight"] = Tensor.Ones([2, 2]);
        var keys = target.LoadStateDict(state, strict: false);
        Assert.Equal(["0.bias"], keys.MissingKeys);
        Assert.Equal(["2.weight", "1.extra"], keys.UnexpectedKeys);
        Assert.Equal([1, 1, 1, 1], target.StateDict().Tensor("1.weight").ToDoubles());
    }

    [Fact]
    public void A_module_without_a_forward_says_so_as_PyTorch_does()
    {
        var error = Assert.Throws<NotImplementedException>(() => new ModuleList().Forward(Tensor.Ones([1])));
        Assert.Equal("Module [ModuleList] is missing the required \"forward\" function", error.Message);
    }

    private sealed class Net : Module
    {
        private readonly Parameter scale = new(Tensor.Ones([3]));
        private readonly ModuleBuffer runningMean = new(Tensor.Zeros([2]));
        private readonly ModuleBuffer scratch = new(Tensor.Zeros([2]), persistent: false);
        private readonly Conv2d conv1 = new(3, 6, 5);
        private readonly Linear _fcOut = new(4, 2);

        public Net() => RegisterModule("blocks", new Sequential(new Linear(2, 2)));

        public Linear Head { get; } = new(2, 2, bias: false);

        public override Tensor Forward(Tensor input) => _fcOut.Forward(conv1.Forward(input) * scale.Value) + runningMean.Value + scratch.Value;
    }

    private sealed class Hiding : Module
    {
        private readonly Linear[] layers = [new(2, 2)];

        public override Tensor Forward(Tensor input) => layers[0].Forward(input);
    }
}
