using System.Reflection;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>What a caller does with an array after the call changes neither the result nor its derivative.</summary>
public sealed class TensorArguments
{
    private static readonly Dictionary<string, int[]> Lists = new()
    {
        ["View.size"] = [4, 24],
        ["Reshape.shape"] = [4, 24],
        ["Permute.dims"] = [3, 1, 2, 0],
        ["Expand.size"] = [3, 2, 2, 4, 6],
        ["Flip.dims"] = [1, 3],
        ["Repeat.repeats"] = [2, 1, 1, 3],
        ["Pad.pad"] = [1, 2],
        ["Split.splitSizes"] = [1, 1],
        ["LayerNorm.normalizedShape"] = [4, 6],
        ["Interpolate.size"] = [2, 3],
        ["AdaptiveAvgPool2d.outputSize"] = [2, 3],
        ["outputPadding"] = [0, 0],
        ["kernelSize"] = [2, 2],
        ["stride"] = [2, 2],
        ["padding"] = [1, 1],
        ["dilation"] = [1, 1],
        ["dim"] = [1, 3],
        ["shape"] = [2, 3],
    };

    public static TheoryData<string> Methods
    {
        get
        {
            var all = typeof(Tensor).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Where(m => m.GetParameters().Any(p => p.ParameterType == typeof(int[])));
            return [.. all.Select(m => m.ToString()!)];
        }
    }

    private const int Most = int.MaxValue;

    private static readonly Dictionary<string, Func<object>> TooLarge = new()
    {
        ["zeros"] = () => Tensor.Zeros([65536, 65536, 65536, 65536]),
        ["full"] = () => Tensor.Full([65536, 65536], 1),
        ["expand"] = () => Tensor.Ones([1]).Expand(65536, 65536),
        ["expand round to nothing"] = () => Tensor.Ones([1]).Expand(65536, 65536, 65536, 65536),
        ["reshape round to nothing"] = () => Tensor.Zeros([0]).Reshape([65536, 65536, 65536, 65536]),
        ["repeat"] = () => Tensor.Zeros([65536]).Repeat(65536),
        ["pad"] = () => Tensor.Ones([3]).Pad([Most, 5]),
        ["cat"] = () => Tensor.Cat([Tensor.Zeros([1]).Expand(1 << 30), Tensor.Zeros([1]).Expand(1 << 30)]),
        ["narrow"] = () => Tensor.Ones([3]).Narrow(0, 1, Most),
        ["split"] = () => Tensor.Ones([4]).Split([Most, Most, 6]),
        ["dilation"] = () => Tensor.Ones([1, 1, 8, 8]).Conv2d(Tensor.Ones([1, 1, 4, 4]), dilation: [1431655766, 1431655766]),
        ["arange"] = () => Tensor.Arange(-1),
    };

    public static TheoryData<string> TooLargeNames => [.. TooLarge.Keys];

    [Theory]
    [MemberData(nameof(TooLargeNames))]
    public void Sizes_that_no_tensor_can_have_are_an_error(string name) => Assert.Throws<AutogradException>(() => TooLarge[name]());

    [Fact]
    public void Large_steps_and_sizes_beside_a_zero_are_no_error()
    {
        Assert.Equal([1.0], Tensor.Create([1.0, 2, 3]).Slice(0, 0, 3, Most).ToDoubles());
        Assert.Equal(0, Tensor.Zeros([65536, 65536, 0]).Count);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_list_that_is_changed_after_the_call_changes_nothing(string signature)
    {
        var method = typeof(Tensor).GetMethods().Single(m => m.ToString() == signature);
        var (kept, changed) = (Run(method, change: false), Run(method, change: true));
        Assert.Equal(kept.Shapes, changed.Shapes);
        Assert.Equal(kept.Values, changed.Values);
        Assert.Equal(kept.Gradient, changed.Gradient);
    }

    private static (string Shapes, double[] Values, double[] Gradient) Run(MethodInfo method, bool change)
    {
        var x = Tensor.Create([.. Enumerable.Range(0, 96).Select(i => Math.Sin(i + 1))], [2, 2, 4, 6], requiresGrad: true);
        var lists = new List<int[]>();
        object? Argument(ParameterInfo parameter)
        {
            if (parameter.ParameterType == typeof(int[]))
            {
                var list = Lists.GetValueOrDefault($"{method.Name}.{parameter.Name}") ?? Lists[parameter.Name!];
                lists.Add([.. list]);
                return lists[^1];
            }
            return parameter.Name switch
            {
                "weight" when method.Name.StartsWith("Conv", StringComparison.Ordinal) => Tensor.Create([.. Enumerable.Range(0, 16).Select(i => Math.Cos(i))], [2, 2, 2, 2]),
                "padding" => "valid",
                "data" => Array.CreateInstance(parameter.ParameterType.GetElementType()!, 6),
                "value" => 1.5,
                _ => parameter.HasDefaultValue ? parameter.DefaultValue : null,
            };
        }
        var result = method.Invoke(method.IsStatic ? null : x, [.. method.GetParameters().Select(Argument)]);
        Tensor[] results = result is Tensor[] several ? several : [(Tensor)result!];
        if (change) lists.ForEach(Array.Clear);
        var values = results.SelectMany(t => t.ToDoubles()).ToArray();
        if (results[0].RequiresGrad) Autograd.Backward([.. results.Select(t => t.Square().Sum())]);
        return (string.Join(' ', results.Select(t => string.Join(',', t.Shape.ToArray()))), values, x.Grad?.ToDoubles() ?? []);
    }
}
