using Xunit;

namespace Verified.Engine.Tests;

/// <summary>What tensors print, held against what PyTorch 2.6.0 printed for the same.</summary>
public class TensorPrinting
{
    public static TheoryData<string, string> Table => new()
    {
        { Tensor.Create([1f, 2f, 1e10f]).ToString(), "tensor([1.0000e+00, 2.0000e+00, 1.0000e+10])" },
        { Tensor.Create([1e-5f, 2f]).ToString(), "tensor([1.0000e-05, 2.0000e+00])" },
        { Tensor.Zeros([0]).ToString(), "tensor([])" },
        { Tensor.Zeros([2, 0]).ToString(), "tensor([], size=(2, 0))" },
        { Tensor.Create([true]).Select(0, 0).ToString(), "tensor(True)" },
        { Tensor.Create([1L, -2L]).ToString(), "tensor([ 1, -2])" },
        { Tensor.Scalar(double.NaN).ToString(), "tensor(nan)" },
        { Tensor.Create([float.PositiveInfinity, 1f]).ToString(), "tensor([inf, 1.])" },
        { Tensor.Create([0.03125, 0.09375]).ToString(), "tensor([0.0312, 0.0938], dtype=torch.float64)" },
        { Tensor.Create([1f, 2f], [2, 1]).ToString(), "tensor([[1.],\n        [2.]])" },
        { Tensor.Zeros([1001]).ToString(), "tensor([0., 0., 0.,  ..., 0., 0., 0.])" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void As_PyTorch_prints_it(string actual, string expected) => Assert.Equal(expected, actual);

    [Fact]
    public void The_node_or_the_requirement_stands_at_the_end()
    {
        var x = Tensor.Ones([2, 2], requiresGrad: true);
        Assert.Equal("tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)", x.ToString());
        var z = (x + 2) * (x + 2) * 3;
        Assert.Equal("tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)", z.ToString());
        Assert.Equal("tensor(27., grad_fn=<MeanBackward0>)", z.Mean().ToString());
        z[0].FillInPlace(1);
        Assert.Equal("tensor([[ 1.,  1.],\n        [27., 27.]], grad_fn=<CopySlices>)", z.ToString());
    }
}
