using Verified.Engine;
using Verified.Oracle;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>A bug put into the engine on purpose, to see whether the oracle finds it.</summary>
/// <param name="Name">A short name.</param>
/// <param name="What">What is wrong, in one sentence.</param>
/// <param name="Engine">Makes an engine that has it: one entry of its registry or of its structural steps is replaced, or what it reports.</param>
public sealed record PlantedBug(string Name, string What, Func<IEngine> Engine)
{
    /// <summary>The most steps that the shortest program which shows it should have.</summary>
    public int Steps { get; init; } = 4;
}

/// <summary>
/// The catalogue of planted bugs, each of a kind that autodiff libraries have really had. It was fixed before the oracle was first run on
/// it and is not adapted to what the oracle finds; a miss is reported as one.
/// </summary>
public static partial class PlantedBugs
{
    /// <summary>The catalogue.</summary>
    public static IReadOnlyList<PlantedBug> All { get; } =
    [
        Replaced("sigmoid-sign", "sigmoid's derivative has the wrong sign", () =>
            Unary("sigmoid").WithRule(new Rule(Saved.Output, (g, c) => -(g * (1 - c.Output()) * c.Output())))),

        Replaced("mul-factor", "mul's derivative by its second operand misses the factor", () =>
            Binary("mul").WithRules(Binary("mul").Left, new Rule(g => g))),

        Replaced("add-unbroadcast", "add takes the gradient of one copy of a broadcast second operand in the place of their sum", () =>
            Binary("add").WithRules(Binary("add").Left, new Rule(Saved.None, (g, c) => FirstCopy(Binary("add").Right.Derivative!(g, c)!, c.InputShape(1))))),

        Restepped("accumulate-overwrites", "backward overwrites .grad in the place of adding to it", "backward", original => (run, step, path) =>
        {
            foreach (var root in run.Roots(step))
                foreach (var node in Tape.Nodes(root))
                    if (Tape.LeafOf(node) is { } leaf) leaf.Grad = null;
            original(run, step, path);
        }),

        Replaced("mul-saves-copies", "mul saves copies of its operands, so that a later write to them is not noticed", () =>
        {
            var mul = Binary("mul");
            return new CompositeOperator("mul", call => mul.Invoke(Copied(call)))
            {
                Keywords = ["other", "self"], HasInPlaceTwin = true, InPlace = call => mul.InvokeInPlace(call)[0],
            };
        }),

        Restepped("detach-copies", "detach copies in the place of sharing memory", "detach", _ => (run, step, _) =>
            run.Bind(step, [run.Only(step).Detach().Clone()])),

        Replaced("abs-kink", "abs has the derivative 1 at 0, in the place of 0", () =>
            Unary("abs").WithRule(new Rule(Saved.Input0, (g, c) => Tensor.Where(c.Input(0).Ge(0), g, -g)))),

        Replaced("tanh-inaccurate", "tanh's derivative is off by a hundred-thousandth of itself", () =>
            Unary("tanh").WithRule(new Rule(Saved.Output, (g, c) => g * (1 - c.Output() * c.Output()) * 1.00001))),

        Replaced("sum-keepdim", "sum's derivative forgets which dimension was summed wherever the shapes allow that", () =>
        {
            var sum = (FunctionOperator)OperatorRegistry.Default.Operators["sum"];
            return sum.WithRules(new Rule(Saved.None, (g, c) =>
                Broadcasts(g.Shape, c.InputShape(0)) ? g.Expand(c.InputShape(0)) : sum.Rules[0].Derivative!(g, c)));
        }),

        Replaced("clamp-bounds", "clamp's derivative at a bound is 0, in the place of 1", () =>
        {
            var clamp = (FunctionOperator)OperatorRegistry.Default.Operators["clamp"];
            var inside = new Rule(clamp.Rules[0].Saves, (g, c) =>
            {
                var none = Tensor.Scalar(0, g.DType);
                if (c.InputOrNull(1) is { } low) g = Tensor.Where(c.Input(0).Gt(low), g, none);
                return c.InputOrNull(2) is { } high ? Tensor.Where(c.Input(0).Lt(high), g, none) : g;
            });
            return clamp.WithRules(inside, clamp.Rules[1], clamp.Rules[2]);
        }),

        Restepped("zero-grad-nothing", "zero_grad with set_to_none=False leaves the gradient as it is", "zero_grad", original => (run, step, path) =>
        {
            if (!step.Attrs.TryGetValue("set_to_none", out var flag) || flag is not Spec.Attr.Flag { Item: false }) original(run, step, path);
        }),

        Replaced("sin-second-order", "sin's derivative is computed apart from the graph, so that the second one is lost", () =>
            Unary("sin").WithRule(new Rule(Saved.Input0, (g, c) => g * c.Input(0).Detach().Cos()))),
    ];

    private static PlantedBug Replaced(string name, string what, Func<Operator> replacement) =>
        new(name, what, () => new BuiltInEngine(OperatorRegistry.Default.With(replacement())));

    private static PlantedBug Restepped(string name, string what, string step, Func<StructuralStep, StructuralStep> replacement) =>
        new(name, what, () => new BuiltInEngine(null, StructuralSteps.Default.With(step, replacement(StructuralSteps.Default.Find(step)!))));

    private static UnaryOperator Unary(string name) => (UnaryOperator)OperatorRegistry.Default.Operators[name];

    private static BinaryOperator Binary(string name) => (BinaryOperator)OperatorRegistry.Default.Operators[name];

    private static OperatorCall Copied(OperatorCall call) =>
        new([.. call.Inputs.Select(input => input is Tensor tensor ? tensor.Clone() : input)], call.Attributes);

    /// <summary>The part of a gradient that belongs to the first copy of a broadcast operand.</summary>
    private static Tensor FirstCopy(Tensor gradient, int[] shape)
    {
        while (gradient.Shape.Length > shape.Length && gradient.Shape[0] > 0) gradient = gradient.Select(0, 0);
        for (var d = 0; d < shape.Length && gradient.Shape.Length == shape.Length; d++)
            if (shape[d] == 1 && gradient.Shape[d] > 1) gradient = gradient.Narrow(d, 0, 1);
        return gradient;
    }

    private static bool Broadcasts(ReadOnlySpan<int> from, int[] to)
    {
        for (var i = 1; i <= from.Length; i++)
            if (i > to.Length || (from[^i] != 1 && from[^i] != to[^i])) return false;
        return true;
    }
}
