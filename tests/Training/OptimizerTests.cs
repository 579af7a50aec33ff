using System.Text.Json;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>Fifty steps of every optimizer with every option, held against PyTorch's: parameters, state and options.</summary>
public sealed class OptimizerTests
{
    private static readonly int[][] Shapes = [[5, 7], [3], [], [1]];

    public static TheoryData<string> Cases => [.. Golden.Cases("optimizers").Where(c => c.TryGetProperty("optimizer", out _)).Select(c => c.GetProperty("case").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fifty_steps_give_PyTorchs_parameters_and_state(string name)
    {
        var golden = Find(name);
        var (optimizer, parameters, generator) = Make(golden);
        var t = 0;
        foreach (var snapshot in golden.GetProperty("snapshots").EnumerateArray())
        {
            while (t < snapshot.GetProperty("step").GetInt32()) Step(golden, optimizer, parameters, generator, ++t);
            foreach (var (expected, actual) in snapshot.GetProperty("parameters").EnumerateArray().Zip(parameters)) Close(expected.Tensor(), actual);
            var state = snapshot.GetProperty("state").State();
            Same(state.Dictionary("state"), optimizer.StateDict().Dictionary("state"), "state");
            foreach (var (expected, actual) in state.List("param_groups").Zip(optimizer.StateDict().List("param_groups")))
                Same((StateDict)expected!, (StateDict)actual!, "param_groups");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void PyTorchs_state_after_ten_steps_goes_on_to_its_fifty(string name)
    {
        var golden = Find(name);
        var (_, _, generator) = Make(golden);
        var snapshots = golden.GetProperty("snapshots").EnumerateArray().ToArray();
        var parameters = snapshots[2].GetProperty("parameters").EnumerateArray().Select(p => p.Tensor().RequiresGradInPlace()).ToArray();
        var optimizer = Make(golden, parameters);
        optimizer.LoadStateDict(snapshots[2].GetProperty("state").State());
        for (var t = 1; t <= 10; t++) foreach (var p in parameters) Rng.Rand(p.Shape.ToArray(), p.DType, generator);
        for (var t = 11; t <= 50; t++) Step(golden, optimizer, parameters, generator, t);
        foreach (var (expected, actual) in snapshots[3].GetProperty("parameters").EnumerateArray().Zip(parameters)) Close(expected.Tensor(), actual);
    }

    [Fact]
    public void A_step_allocates_nothing_once_every_parameter_has_its_state()
    {
        foreach (var make in (Func<Tensor[], Optimizer>[])[p => new SGD(p, 0.1, momentum: 0.9), p => new Adam(p, amsgrad: true), p => new AdamW(p)])
        {
            Tensor[] parameters = [Tensor.Ones([40, 50], requiresGrad: true), Tensor.Ones([7], requiresGrad: true)];
            foreach (var p in parameters) p.Grad = Tensor.Ones(p.Shape.ToArray());
            var optimizer = make(parameters);
            for (var i = 0; i < 100; i++) optimizer.Step();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++) optimizer.Step();
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [Fact]
    public void A_step_is_a_write_that_a_later_backward_notices()
    {
        var w = Tensor.Ones([3], requiresGrad: true);
        var loss = w.Square().Sum();
        loss.Backward(retainGraph: true);
        new SGD([w], 0.1).Step();
        var error = Assert.Throws<AutogradException>(() => loss.Backward());
        Assert.Contains("modified by an inplace operation", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_and_gradients_that_do_not_lie_in_a_row_are_stepped_alike()
    {
        var dense = Tensor.Create([1f, 2, 3, 4, 5, 6], [2, 3], requiresGrad: true);
        var turned = Tensor.Create([1f, 4, 2, 5, 3, 6], [3, 2]).T().RequiresGradInPlace();
        dense.Grad = Tensor.Create([1f, -2, 3, -4, 5, -6], [2, 3]);
        turned.Grad = Tensor.Create([1f, -4, -2, 5, 3, -6], [3, 2]).T();
        var optimizer = new Adam([dense, turned], 0.1);
        for (var i = 0; i < 3; i++) optimizer.Step();
        Assert.Equal(dense.ToFloats(), turned.ToFloats());
        Assert.NotEqual(1f, dense.ToFloats()[0]);
    }

    [Fact]
    public void Options_out_of_range_and_parameters_given_twice_are_refused()
    {
        var w = Tensor.Ones([3], requiresGrad: true);
        Assert.Equal("Invalid learning rate: -1.0", Assert.Throws<ArgumentException>(() => new SGD([w], -1)).Message);
        Assert.Equal("Nesterov momentum requires a momentum and zero dampening", Assert.Throws<ArgumentException>(() => new SGD([w], nesterov: true)).Message);
        Assert.Equal("Invalid beta parameter at index 1: 1.0", Assert.Throws<ArgumentException>(() => new Adam([w], betas: (0.9, 1))).Message);
        Assert.Equal("some parameters appear in more than one parameter group", Assert.Throws<ArgumentException>(() => new SGD([w, w])).Message);
        Assert.Equal("optimizer got an empty parameter list", Assert.Throws<ArgumentException>(() => new SGD((Tensor[])[])).Message);
        Assert.Equal("can't optimize a non-leaf Tensor", Assert.Throws<ArgumentException>(() => new SGD([w * 2])).Message);
        Assert.Contains("has no option 'momentun'", Assert.Throws<ArgumentException>(() => new SGD([new ParamGroup([w]) { ["momentun"] = 1 }])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_and_changes_nothing()
    {
        var (w, v) = (Tensor.Ones([3], requiresGrad: true), Tensor.Ones([2], requiresGrad: true));
        w.Grad = Tensor.Ones([3]);
        v.Grad = Tensor.Ones([2]);
        var one = new SGD([w], 0.1, momentum: 0.9);
        one.Step();
        var other = new SGD([v], 0.5, momentum: 0.8);
        other.Step();
        Assert.Contains("has shape", Assert.Throws<StateDictException>(() => other.LoadStateDict(one.StateDict())).Message, StringComparison.Ordinal);
        Assert.Equal(0.5, other.ParamGroups[0].Lr);
        var two = new SGD([Tensor.Ones([3], requiresGrad: true), Tensor.Ones([2], requiresGrad: true)]);
        Assert.Throws<StateDictException>(() => two.LoadStateDict(one.StateDict()));
    }

    private static JsonElement Find(string name) => Golden.Cases("optimizers").First(c => c.GetProperty("case").GetString() == name);

    private static (Optimizer Optimizer, Tensor[] Parameters, Generator Generator) Make(JsonElement golden)
    {
        var generator = new Generator(17);
        var dtype = DTypes.Parse(golden.GetProperty("dtype").GetString()!);
        var parameters = Shapes.Select(s => ((Rng.Rand(s, dtype, generator) * 2) - 1).RequiresGradInPlace()).ToArray();
        return (Make(golden, parameters), parameters, generator);
    }

    private static Optimizer Make(JsonElement golden, Tensor[] parameters)
    {
        var options = golden.GetProperty("options").State();
        ParamGroup[] groups = [new(parameters)];
        if (golden.GetProperty("groups") is { ValueKind: JsonValueKind.Object } own)
        {
            groups = [new(parameters[..1]), new(parameters[1..])];
            foreach (var (key, value) in own.State()) groups[1][(string)key] = value;
        }
        double Number(string key, double otherwise) => options.ContainsKey(key) ? options.Number(key) : otherwise;
        bool Truth(string key) => options.ContainsKey(key) && options.Truth(key);
        double Beta(int index, double otherwise) => options.ContainsKey("betas") ? Convert.ToDouble(options.List("betas")[index]) : otherwise;
        return golden.GetProperty("optimizer").GetString() switch
        {
            "SGD" => new SGD(groups, Number("lr", 1e-3), Number("momentum", 0), Number("dampening", 0), Number("weight_decay", 0), Truth("nesterov"), Truth("maximize")),
            "Adam" => new Adam(groups, Number("lr", 1e-3), (Beta(0, 0.9), Beta(1, 0.999)), Number("eps", 1e-8), Number("weight_decay", 0), Truth("amsgrad"), Truth("maximize")),
            _ => new AdamW(groups, Number("lr", 1e-3), (Beta(0, 0.9), Beta(1, 0.999)), Number("eps", 1e-8), Number("weight_decay", 0.01), Truth("amsgrad"), Truth("maximize")),
        };
    }

    private static void Step(JsonElement golden, Optimizer optimizer, Tensor[] parameters, Generator generator, int t)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            var gradient = (Rng.Rand(parameters[i].Shape.ToArray(), parameters[i].DType, generator) * 2) - 1;
            parameters[i].Grad = golden.GetProperty("skip").GetBoolean() && (t + i) % 3 == 0 ? null : gradient;
        }
        optimizer.Step();
    }

    /// <summary>
    /// The updates are made of the same roundings as PyTorch's, so nothing but the C library's power function, in the correction of Adam's start, may
    /// differ: by one unit of its last place, which fifty steps of float64 carry along and float32 hides.
    /// </summary>
    private static void Close(Tensor expected, Tensor actual) =>
        Assert.InRange(Golden.Ulps(expected, actual.Detach()), 0, expected.DType == DType.Float32 ? 0 : 4);

    private static void Same(StateDict expected, StateDict actual, string where)
    {
        // PyTorch lists parameters in the order of their first gradients, here they are in their own.
        Assert.Equal(expected.Keys.OrderBy(k => k as long?).Select(k => $"{where}/{k}"), actual.Keys.Select(k => $"{where}/{k}"));
        foreach (var (key, value) in expected)
        {
            switch (value)
            {
                case Tensor tensor: Close(tensor, actual.Tensor(key)); break;
                case StateDict dictionary: Same(dictionary, actual.Dictionary(key), $"{where}/{key}"); break;
                case object?[] list: Assert.Equal(list.Select(Plain), actual.List(key).Select(Plain)); break;
                default: Assert.Equal(Plain(value), Plain(actual[key])); break;
            }
        }
    }

    private static object? Plain(object? value) => value is long i ? (double)i : value;
}
