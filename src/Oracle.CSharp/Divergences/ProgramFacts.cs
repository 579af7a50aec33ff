using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>What a program does, as far as a divergence depends on it: found by running the specification over it.</summary>
internal static class ProgramFacts
{
    /// <summary>The first operand of an in-place step that shares elements with what the step writes, laid out in another way, where one of the two has gaps.</summary>
    internal static string? SharedOperand(State<Real> state, Step step)
    {
        if (!step.Op.EndsWith('_')) return null;
        var operands = step.In.OfType<Arg.Name>().Select(arg => arg.Item).ToList();
        return operands.Skip(1).FirstOrDefault(operand =>
            Find(state, operands[0]) is { } written && Find(state, operand) is { } read
            && written.Storage == read.Storage && (!written.Geometry.Equals(read.Geometry) || step.Op == "index_put_")
            && (step.Op == "setitem_" || !(Strides.isDense(written.Geometry) && Strides.isDense(read.Geometry)))
            && Positions.ofGeometry(written.Geometry).Intersect(Positions.ofGeometry(read.Geometry)).Any());
    }

    /// <summary>Whether a tensor retains its gradient at a history that it no longer has, where t_ and squeeze_ leave there what was retained.</summary>
    internal static bool IsRetainedElsewhere(Program program, string name) =>
        Expectation.Without([Spec.Rules.Gradients.retainedFollowsGeometry], program).Ran.Last is var state
        && state.Names.TryGetValue(name, out var id) && id is not null && State.tensor(state, id.Value) is { RetainsGrad: true, GradFn.Value: { } edge }
        && !(state.Retained.TryGetValue(new ValueTuple<int, int>(edge.Node.Sequence, edge.Output), out var retains) && retains == id.Value);

    /// <summary>Whether a tensor, or what it is a view of, is the result of a step that read memory of inference mode.</summary>
    internal static bool IsMadeOfInferenceTensors(Program program, string name)
    {
        var states = ToTheEnd(program);
        var inference = states.SelectMany(OfInference).ToHashSet();
        var made = new HashSet<int>();
        foreach (var (before, after, step) in states.Zip(states.Skip(1), program.Steps))
            foreach (var inner in Steps.All([step]))
                if (StepNames.Read(inner).SelectMany(read => new[] { Find(before, read), Find(after, read) }).Any(operand => operand is not null && inference.Contains(operand.Storage)))
                    made.UnionWith(StepNames.Bound(inner).Select(bound => Find(after, bound)).OfType<Tensor<Real>>().Select(result => result.Storage));
        return states.Count > 0 && Find(states[^1], name) is { } tensor && made.Contains(tensor.Storage) && !inference.Contains(tensor.Storage);
    }

    /// <summary>Whether a tensor, as it is at the end or in a state, has the memory of one of inference mode, and is none itself.</summary>
    internal static bool IsDetachedFromInference(Program program, string name, State<Real>? at = null)
    {
        var states = ToTheEnd(program);
        return states.Count > 0 && Find(at ?? states[^1], name) is { Inference: false } tensor && states.SelectMany(OfInference).Contains(tensor.Storage);
    }

    /// <summary>Whether a step's first operand lies in memory that was made in inference mode.</summary>
    internal static bool IsOfInference(State<Real> state, Step step) => Find(state, First(step)) is { } tensor && state.Storages[tensor.Storage].OfInference;

    /// <summary>Whether a program writes in place inside inference mode.</summary>
    internal static bool WritesInInferenceMode(Program program) =>
        Steps.All(program.Steps).Any(step => step.Op == "inference_mode" && Steps.All(step.Steps).Any(inner => inner.Op.EndsWith('_')));

    // The states before and after each step, and where one raised, what it had made until then.
    private static List<State<Real>> ToTheEnd(Program program) =>
        [.. Run.states<Real>(RegistryModule.all, program), .. Run.run<Real>(RegistryModule.all, program) is { Raised: not null, Last: var last } ? [last] : Array.Empty<State<Real>>()];

    private static IEnumerable<int> OfInference(State<Real> state) =>
        state.Names.Keys.Select(name => Find(state, name)).OfType<Tensor<Real>>().Where(tensor => tensor.Inference).Select(tensor => tensor.Storage);

    /// <summary>Whether a program is refused at mv or bmm, or a matmul that is one, of two dtypes, one of the operands being empty.</summary>
    internal static bool EndsInAProductOfNothing(Program program) =>
        EndsInACallOfNothing(program, (state, step) => step.Op is "mv" or "bmm" or "matmul" && IsOfTwoDTypes(state, step));

    /// <summary>Whether a program is refused at an index_put into a tensor without elements, or by an index without any.</summary>
    internal static bool EndsInIndexPutIntoNothing(Program program) =>
        Raised(program) is { Kind.IsIndexError: true }
        && EndsInACallOfNothing(program, (_, step) => step.Op is "index" or "index_put" or "index_put_");

    /// <summary>Whether a program is refused at an index_put of one value by a mask alone, for the value's dtype or shape, or since the mask has no dimension.</summary>
    internal static bool EndsInIndexPutOfOneByAMask(Program program) =>
        Raised(program) is { Kind: var kind }
        && Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).LastOrDefault() is { Op: "index_put" or "index_put_" } step
        && !Accumulates(step) && step.In.Length > 2 && step.In[1] is Arg.Names { Item: var names } && step.In[2] is Arg.Name { Item: var value }
        && names.Where(name => name is not null).ToList() is [{ Value: var mask }] && Find(state, mask) is { DType.IsBool: true, Shape: var holds }
        && (kind.IsDTypeError || kind.IsShapeError || (kind.IsIndexError && holds.Length == 0))
        && Find(state, value)?.Shape.All(size => size == 1) == true;

    /// <summary>Whether a program is refused for a mask without dimensions, that is not the only index into a tensor that has elements.</summary>
    internal static bool EndsInAMaskOfNoDimension(Program program) =>
        Raised(program) is { Kind.IsIndexError: true, Message: "a mask must have a dimension" }
        && Before(program).LastOrDefault() is { Step: { } last } && Steps.All([last]).LastOrDefault() is { } step && Run.run<Real>(RegistryModule.all, program).Last is var state
        && (step.Op is "index_put" or "index_put_" || StepNames.Read(step).Count() > 2 || Find(state, First(step))?.Shape.Contains(0) == true);

    /// <summary>A program in whose last step before its error masks without dimensions are left out of the index; where nothing is left, it is the whole tensor.</summary>
    internal static Program WithoutMasksOfNoDimension(Program program)
    {
        // What a block has made until it raised is there, too.
        var state = Run.run<Real>(RegistryModule.all, program).Last;
        bool IsMask(FSharpOption<string>? name) => name is not null && Find(state, name.Value) is { DType.IsBool: true, Shape.Length: 0 };
        Step Without(Step step)
        {
            if (!step.Steps.IsEmpty) return step.WithSteps(step.Steps.Select(Without));
            if (step.Op is not ("index" or "index_put" or "index_put_") || step.In.ElementAtOrDefault(1) is not Arg.Names { Item: var names }) return step;
            var left = names.Where(name => !IsMask(name)).ToList();
            return left.Count == 0 && step is { Op: "index", Out: Out.Name { Item: var result } }
                ? Steps.Call("clone", [First(step)], result)
                : step.On(ListModule.OfSeq([step.In[0], Arg.NewNames(ListModule.OfSeq(left)), .. step.In.Skip(2)]), null);
        }

        var last = Before(program).Count() - 1;
        return program.WithSteps(program.Steps.Select((step, at) => at == last ? Without(step) : step));
    }

    /// <summary>Whether a program is refused at a batch_norm of a tensor without elements.</summary>
    internal static bool EndsInBatchNormOfNothing(Program program) =>
        EndsInACallOfNothing(program, IsBatchNormOfNothing) && Raised(program) is not null;

    /// <summary>Whether a step is batch_norm of a tensor without elements.</summary>
    internal static bool IsBatchNormOfNothing(State<Real> state, Step step) => step.Op == "batch_norm" && IsOfNothing(state, step);

    /// <summary>Whether the last step before the program's error gives a root after the first a gradient of another shape.</summary>
    internal static bool EndsInALaterRootOfAnotherShape(Program program) =>
        Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).Any(step => GivesALaterRootAnotherShape(state, step));

    /// <summary>Whether a step gives a backward what has the memory of a gradient that a tensor keeps, laid out in another way.</summary>
    internal static bool IsGivenAGradientLaidOutOtherwise(State<Real> state, Step step) =>
        step is { Op: "backward", Gradients: not null } && step.Gradients.Value.Any(given =>
            given is not null && Find(state, given.Value) is { } gradient
            && state.Names.Values.Any(id => id is not null && State.tensor(state, id.Value).Grad is { } kept && State.tensor(state, kept.Value) is var own
                && own.Storage == gradient.Storage && !own.Geometry.Equals(gradient.Geometry)));

    /// <summary>Whether a program is refused at a product, a softmax or an adaptive pooling that has no kernel for its operands' dtype, one of them or what is pooled being empty.</summary>
    internal static bool EndsInAKernelOfNothing(Program program) =>
        Raised(program) is { Kind.IsDTypeError: true, Message: var message } && message.Contains("not implemented for '", StringComparison.Ordinal)
        && (EndsInACallOfNothing(program, (_, step) => step.Op is "mv" or "mm" or "bmm" or "matmul" or "linear" or "softmax" or "log_softmax" or "adaptive_avg_pool2d")
            || (Before(program).LastOrDefault() is { Step: { } last } && Steps.All([last]).LastOrDefault() is { Op: "adaptive_avg_pool2d" } step
                && step.Attrs.TryGetValue("output_size", out var size) && (size is Attr.Integer { Item: 0 } || (size is Attr.Items { Item: var sizes } && sizes.Contains(Attr.NewInteger(0))))));

    private static bool EndsInACallOfNothing(Program program, Func<State<Real>, Step, bool> isIt) =>
        Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).Any(step =>
            isIt(state, step) && StepNames.Read(step).Any(name => Find(state, name) is { } operand && operand.Shape.Contains(0)));

    /// <summary>A program whose last step before its error is index_put, where it is index_put_.</summary>
    internal static Program WithIndexPutOutOfPlace(Program program)
    {
        var last = Before(program).Count() - 1;
        return program.WithSteps([.. program.Steps.Select((step, at) =>
            at == last && step.Op == "index_put_" ? new Step("index_put", step.In, step.Attrs, Out.NewName("what it would have written"), step.Wrt, step.Gradients, step.Steps) : step)]);
    }

    /// <summary>Whether the last step before the program's error is index_put_ into memory that several elements share.</summary>
    internal static bool EndsInIndexPutIntoSharedMemory(Program program) =>
        Raised(program) is { Kind.IsOverlappingWrite: true }
        && Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).LastOrDefault() is { Op: "index_put_" } step
        && Find(state, First(step)) is { Geometry: var g } && g.Shape.Zip(g.Strides).Any(d => d.First > 1 && d.Second == 0);

    /// <summary>Whether a program is refused at an nll_loss of one group of classes by as many targets as there are classes.</summary>
    internal static bool EndsInALossOfOneGroupBySeveral(Program program) =>
        Raised(program) is { Kind.IsShapeError: true }
        && Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).Any(step =>
            step.Op == "nll_loss" && step.In.OfType<Arg.Name>().Take(2).Select(arg => Find(state, arg.Item)).ToList() is [{ Shape: [var classes] }, { Shape: [var targets] }] && targets == classes);

    /// <summary>Whether a program is refused at a conv_transpose2d, or a conv2d with padding in words, by a bias of another dtype than its input's.</summary>
    internal static bool EndsInAConvolutionByABiasOfAnotherDType(Program program) =>
        Raised(program) is { Kind.IsDTypeError: true }
        && Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).Any(step =>
            (step.Op == "conv_transpose2d" || (step.Op == "conv2d" && step.Attrs.TryGetValue("padding", out var padding) && padding.IsText)) && step.In.OfType<Arg.Name>().Select(arg => Find(state, arg.Item)).ToList() is [{ } x, { } weight, { } bias]
            && weight.DType.Equals(x.DType) && !bias.DType.Equals(x.DType));

    /// <summary>Whether a program is refused at a convolution of a tensor without elements, for a dtype.</summary>
    internal static bool EndsInAConvolutionOfNothing(Program program) =>
        Raised(program) is { Kind.IsDTypeError: true } && EndsInACallOfNothing(program, IsConvolutionOfNothing);

    /// <summary>Whether a step is a convolution of a tensor without elements.</summary>
    internal static bool IsConvolutionOfNothing(State<Real> state, Step step) => step.Op is "conv2d" or "conv_transpose2d" && IsOfNothing(state, step);

    /// <summary>Whether a program is refused at the loss of a tensor without elements, for the dtype of its target.</summary>
    internal static bool EndsInALossOfNothing(Program program) =>
        Raised(program) is { Kind.IsDTypeError: true } && EndsInACallOfNothing(program, (state, step) =>
            step.Op is "nll_loss" or "cross_entropy" && IsOfNothing(state, step) && step.In.Skip(1).FirstOrDefault() is Arg.Name { Item: var target } && Find(state, target) is { DType.IsInt64: false });

    /// <summary>Whether a step is cross_entropy of a tensor of integers or booleans without elements.</summary>
    internal static bool IsCrossEntropyOfNoNumbers(State<Real> state, Step step) =>
        step.Op == "cross_entropy" && IsOfNothing(state, step) && Find(state, First(step)) is { DType.IsFloat: false };

    /// <summary>Whether a program is refused at a batch_norm in training, for a dtype, and a tensor has the memory of its running statistics.</summary>
    internal static bool IsMovedByARefusedBatchNorm(Program program, string name) =>
        Raised(program) is { Kind.IsDTypeError: true }
        && Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).LastOrDefault() is { Op: "batch_norm" } step && Steps.IsSet(step, "training")
        && Find(state, name) is { } tensor && step.In.Skip(1).Take(2).OfType<Arg.Name>().Any(statistic => Find(state, statistic.Item)?.Storage == tensor.Storage);

    private static bool IsOfNothing(State<Real> state, Step step) => Find(state, First(step))?.Shape.Contains(0) == true;

    /// <summary>Whether the last step before the program's error is cross_entropy with a label smoothing below zero.</summary>
    internal static bool EndsInSmoothingBelowZero(Program program) =>
        Before(program).LastOrDefault() is { Step: { } last } && Steps.All([last]).Any(step =>
            step.Op == "cross_entropy" && step.Attrs.TryGetValue("label_smoothing", out var smoothing) && smoothing is Attr.Float { Item: < 0 } or Attr.Integer { Item: < 0 });

    /// <summary>Whether a program ends in an index_put_ that is refused, and a tensor has the memory that it writes to.</summary>
    internal static bool IsWrittenByARefusedIndexPut(Program program, string name) =>
        Run.states<Real>(RegistryModule.all, program).Length <= program.Steps.Length && Before(program).LastOrDefault() is { State: { } state, Step: { } last } && Steps.All([last]).LastOrDefault() is { Op: "index_put_" } step
        && Find(state, First(step)) is { } written && Find(state, name) is { } tensor && tensor.Storage == written.Storage;

    /// <summary>Whether a step takes gelu of a float32 infinity.</summary>
    internal static bool TakesGeluOfInfinity(State<Real> state, Step step) =>
        step.Op == "gelu" && Find(state, First(step)) is { DType.IsFloat32: true } x
        && State.read(state, x).Elements is Elements<Real>.Floats { Item: var values } && values.Any(v => Math.Abs(v.V) > float.MaxValue);

    /// <summary>Whether a step takes gelu, not by tanh, of a float32 of more than half the largest number.</summary>
    internal static bool TakesGeluOfMoreThanHalf(State<Real> state, Step step) =>
        step.Op == "gelu" && !IsGeluByTanh(step) && Find(state, First(step)) is { DType.IsFloat32: true } x
        && State.read(state, x).Elements is Elements<Real>.Floats { Item: var values } && values.Any(v => v.V is > float.MaxValue / 2 and <= float.MaxValue);

    /// <summary>Whether a step takes gelu by tanh of a number whose square its format cannot hold.</summary>
    internal static bool TakesGeluTanhFarOut(State<Real> state, Step step) => IsGeluByTanh(step) && HasAPowerThatOverflows(state, step, 2);

    /// <summary>Whether a step takes gelu of a number whose square, or for gelu by tanh cube, its format cannot hold.</summary>
    internal static bool TakesGeluFarOut(State<Real> state, Step step) => step.Op == "gelu" && HasAPowerThatOverflows(state, step, IsGeluByTanh(step) ? 3 : 2);

    /// <summary>Whether a step is layer_norm of one number at a time, one of which has a square that its format cannot hold.</summary>
    internal static bool NormalisesOneFarOut(State<Real> state, Step step) =>
        step.Op == "layer_norm" && step.Attrs.TryGetValue("normalized_shape", out var shape) && shape is Attr.Items { Item: var sizes }
        && sizes.All(size => size is Attr.Integer { Item: 1 }) && HasAPowerThatOverflows(state, step, 2);

    /// <summary>Whether a step takes gelu by tanh of a number so far out that the hyperbolic cosine of what tanh is taken of overflows.</summary>
    internal static bool TakesGeluTanhWhereCoshOverflows(State<Real> state, Step step) =>
        IsGeluByTanh(step) && Find(state, First(step)) is { } x && State.read(state, x).Elements is Elements<Real>.Floats { Item: var values }
        && values.Any(v => Math.Sqrt(2 / Math.PI) * (Math.Abs(v.V) + (0.044715 * Math.Pow(Math.Abs(v.V), 3))) > Math.Log(x.DType.IsFloat32 ? float.MaxValue : double.MaxValue));

    private static bool IsGeluByTanh(Step step) => step.Op == "gelu" && step.Attrs.TryGetValue("approximate", out var named) && named is Attr.Text { Item: "tanh" };

    private static bool HasAPowerThatOverflows(State<Real> state, Step step, int power) =>
        Find(state, First(step)) is { } x
        && State.read(state, x).Elements is Elements<Real>.Floats { Item: var values }
        && values.Any(v => Math.Pow(Math.Abs(v.V), power) > (x.DType.IsFloat32 ? float.MaxValue : double.MaxValue));

    /// <summary>Whether a step takes log1p of a float32 of more than 1e38, or of a float64 of more than 1e307.</summary>
    internal static bool TakesLog1pFarOut(State<Real> state, Step step) =>
        step.Op.TrimEnd('_') == "log1p" && Find(state, First(step)) is { } x
        && State.read(state, x).Elements is Elements<Real>.Floats { Item: var values } && values.Any(v => v.V > (x.DType.IsFloat32 ? 1e38 : 1e307));

    /// <summary>A program in which clamp by one number alone that is NaN leaves its operand as it is, and passes nothing back.</summary>
    internal static Program WithClampsByNaNLeftOut(Program program)
    {
        const string constant = "what is clamped, as a constant";
        const string never = "nowhere";
        const string kept = "what is clamped, as it was kept";
        return program.WithSteps(program.Steps.Select(step => LeftOut(step, Recording)));

        static Step LeftOut(Step step, string mode)
        {
            if (!ClampsByNaNAlone(step)) return step.WithSteps(step.Steps.Select(inner => LeftOut(inner, step.Op)));
            var (clamped, result, below) = (First(step), (step.Out as Out.Name)?.Item, Attr.NewFloat(double.NegativeInfinity));
            Step[] copied = [Steps.Call("detach", [clamped], constant), Steps.Call("mul", [constant], constant).With("other", Attr.NewFloat(1))];
            if (!step.Op.EndsWith('_'))
            {
                // The other clamp keeps its operand, which is looked at in going back, as PyTorch does.
                Step[] chosen = [Steps.Call("lt", [clamped], never).With("other", below), Steps.Call("clamp", [clamped], kept).With("min", below), Steps.Call("where", [never, kept, constant], result!)];
                return Steps.Block(mode, [.. copied, .. chosen]);
            }

            var written = Steps.Act("copy_", clamped, constant);
            return Steps.Block(mode, [.. copied, result is null ? written : written.Binding(result)]);
        }
    }

    // A block in which nothing is other than around it, at the top of a program; elsewhere it is one as the innermost that is there.
    private const string Recording = "enable_grad";

    /// <summary>Whether a step clamps by one number alone, which is NaN.</summary>
    internal static bool ClampsByNaNAlone(Step step) =>
        step.Op.TrimEnd('_') == "clamp" && step.In is [Arg.Name, ..] && step.In.Skip(1).All(bound => bound is not Arg.Name) && (step.Out is Out.Name || step.Op.EndsWith('_'))
        && step.Attrs.Where(attr => attr.Key is "min" or "max" && !attr.Value.IsNull).Select(attr => attr.Value).ToList() is [Attr.Float { Item: double.NaN } or Attr.Text { Item: "nan" }];

    /// <summary>A program in which the derivative of var and std over an empty list of dimensions counts one element, as many as the product over no size is.</summary>
    internal static Program WithVariancesThatCountOne(Program program) =>
        program.WithSteps(program.Steps.Index().Select(at => CountingOne(ToTheEnd(program), at.Index, at.Item, Recording)));

    private static Step CountingOne(List<State<Real>> states, int at, Step step, string mode)
    {
        const string counted = "what is counted as one";
        if (!step.Steps.IsEmpty) return step.WithSteps(step.Steps.Select(inner => CountingOne(states, at, inner, step.Op)));
        // What a block makes is found in the state after it.
        if (mode != Recording || !IsVarianceOverNoNamedDimension(step) || step.Out is not Out.Name { Item: var result } || Between(states, at, First(step)) is not var (state, x) || !History.requiresGrad(state, x)) return step;
        // The hook is on what the derivative starts from, and is met once in those of any order.
        var (count, correction) = (x.Shape.Aggregate(1.0, (product, size) => product * size), Correction(step));
        return Steps.Block(mode,
        [
            step.Binding(counted),
            Steps.Act("register_hook", counted).With("scale", Attr.NewFloat((count - correction) / (1 - correction))),
            Steps.Call("clone", [counted], result),
        ]);
    }

    /// <summary>Whether a step is var or std over an empty list of dimensions.</summary>
    internal static bool IsVarianceOverNoNamedDimension(Step step) => step.Op is "var" or "std" && step.In is [Arg.Name, ..] && NamesNoDimension(step);

    /// <summary>Whether it has no fewer elements to correct by than it has elements, so that its derivative, infinite, is no factor of the right one.</summary>
    internal static bool CorrectsByAllElements(State<Real> state, Step step) =>
        IsVarianceOverNoNamedDimension(step) && Find(state, First(step)) is { } x && x.Shape.Aggregate(1.0, (product, size) => product * size) <= Correction(step);

    private static double Correction(Step step) =>
        step.Attrs.TryGetValue("correction", out var given) ? given switch { Attr.Integer { Item: var whole } => whole, Attr.Float { Item: var real } => real, _ => 1 }
            : step.Attrs.TryGetValue("unbiased", out var unbiased) && unbiased is Attr.Flag { Item: false } ? 0 : 1;

    // A tensor as it is before a step at the top of a program, or after it.
    private static (State<Real> State, Tensor<Real> Tensor)? Between(List<State<Real>> states, int at, string name)
    {
        foreach (var state in states.Skip(at).Take(2))
            if (Find(state, name) is { } tensor) return (state, tensor);
        return null;
    }

    /// <summary>Whether a step is index_put by no index at all.</summary>
    internal static bool PutsByNoIndex(State<Real> state, Step step) =>
        step.Op.TrimEnd('_') == "index_put" && step.In.Length > 1 && step.In[1] is Arg.Names { Item: var names } && names.All(name => name is null);

    /// <summary>Whether a step names an empty list of dimensions.</summary>
    internal static bool NamesNoDimension(Step step) => step.Attrs.TryGetValue("dim", out var dim) && dim is Attr.Items { Item.IsEmpty: true };

    // The specification's error.
    private static Raised? Raised(Program program) => Run.run<Real>(RegistryModule.all, program).Raised?.Value;

    /// <summary>Whether a step is batch_norm in evaluation by running statistics that do not lie one beside the other.</summary>
    internal static bool NormalisesByStridedStatistics(State<Real> state, Step step) =>
        step.Op == "batch_norm" && !Steps.IsSet(step, "training") && IsStrided(state, step.In.Skip(1).Take(2));

    /// <summary>Whether a step is batch_norm by a weight whose elements do not lie one beside the other.</summary>
    internal static bool NormalisesByAStridedWeight(State<Real> state, Step step) => step.Op == "batch_norm" && IsStrided(state, step.In.Skip(3).Take(1));

    private static bool IsStrided(State<Real> state, IEnumerable<Arg> arguments) =>
        arguments.OfType<Arg.Name>().Any(argument => Find(state, argument.Item) is { } tensor && !Layout.isContiguous(tensor.Geometry));

    /// <summary>Whether a step clamps by tensors that are wider than what is clamped.</summary>
    internal static bool IsClampWiderThanItsInput(State<Real> state, Step step) =>
        step.Op == "clamp" && Find(state, First(step)) is { } x
        && step.In.Skip(1).OfType<Arg.Name>().Select(bound => Find(state, bound.Item)).OfType<Tensor<Real>>()
            .Any(bound => bound.Shape.Length > x.Shape.Length || Enumerable.Range(1, bound.Shape.Length).Any(i => x.Shape[^i] == 1 && bound.Shape[^i] != 1));

    /// <summary>Whether a step's first two operands have different dtypes.</summary>
    internal static bool IsOfTwoDTypes(State<Real> state, Step step) =>
        step.In.OfType<Arg.Name>().Take(2).Select(arg => Find(state, arg.Item)?.DType).OfType<DType>().Distinct().Count() > 1;

    /// <summary>A program in which huber_loss has its input's dtype, whatever its target's.</summary>
    internal static Program WithHuberLossesOfTheInputsDType(Program program) => program.WithSteps([.. Before(program).Select(at =>
        at.Step is { Op: "huber_loss", Out: Out.Name } && IsOfTwoDTypes(at.State, at.Step) && Find(at.State, First(at.Step)) is { DType: var dtype }
            // It is computed in that dtype, rounded at each step.
            ? Steps.Block("enable_grad", [Steps.Call("to", [StepNames.Read(at.Step).ElementAt(1)], AsTheInput).With("dtype", Attr.NewText(dtype.Name)), at.Step.On(ListModule.OfSeq([at.Step.In[0], Arg.NewName(AsTheInput)]), null)])
            : at.Step)]);

    private const string AsTheInput = "the target in the input's dtype";

    /// <summary>Whether a step is addcdiv by a denominator that holds no floats.</summary>
    internal static bool DividesByIntegers(State<Real> state, Step step) =>
        step.Op is "addcdiv" or "addcdiv_" && step.In.OfType<Arg.Name>().Select(arg => Find(state, arg.Item)).ElementAtOrDefault(2) is { DType.IsFloat: false };

    /// <summary>Whether a step gives a root after the first a gradient of another shape.</summary>
    internal static bool GivesALaterRootAnotherShape(State<Real> state, Step step) =>
        step.Gradients is not null && StepNames.Roots(step).Zip(step.Gradients.Value).Skip(1).Any(pair =>
            pair.Second is not null && Find(state, pair.First) is { } root && Find(state, pair.Second.Value) is { } gradient
            && !root.Shape.AsSpan().SequenceEqual(gradient.Shape));

    /// <summary>Whether a step is an index_put that writes several values to one place.</summary>
    internal static bool WritesAPlaceTwice(State<Real> state, Step step) =>
        step.Op is "index_put" or "index_put_"
        && !Accumulates(step)
        && step.In.Length > 1 && step.In[1] is Arg.Names { Item: var names }
        && Find(state, First(step)) is { } written
        && Places(state, written.Shape, names.Select(name => name is null ? null : Find(state, name.Value))) is var places
        && places.Distinct().Count() < places.Count;

    /// <summary>Whether a step is an index_put by indices that name one place once, but at another point of the program name it several times.</summary>
    internal static Func<State<Real>, Step, bool> WritesAPlaceTwiceByNow(Program program)
    {
        var states = ToTheEnd(program);
        return (state, step) =>
        {
            if (step.Op is not ("index_put" or "index_put_") || Accumulates(step) || WritesAPlaceTwice(state, step)) return false;
            if (step.In.ElementAtOrDefault(1) is not Arg.Names { Item: var names } || Find(state, First(step)) is not { } written) return false;
            var indices = names.Select(name => name is null ? null : Find(state, name.Value)).ToList();
            return states.Any(other => Places(other, written.Shape, indices) is var places && places.Distinct().Count() < places.Count);
        };
    }

    /// <summary>
    /// Whether a step is batch_norm of what lies with its channels last but for a dimension of size 1, whose stride hides it: is_contiguous says so, suggest_memory_format does not.
    /// </summary>
    internal static bool NormalisesWhatHidesItsChannels(State<Real> state, Step step)
    {
        if (step.Op != "batch_norm" || Find(state, First(step)) is not { Shape: { Length: 4 or 5 } shape, Geometry: var geometry } || Layout.isContiguous(geometry)) return false;
        var (dense, suggested, hidden) = (1, 0, false);
        foreach (var d in Enumerable.Range(2, shape.Length - 2).Reverse().Prepend(1).Append(0))
        {
            if (shape[d] != 1 && geometry.Strides[d] != dense) return false;
            dense *= shape[d];
            hidden |= geometry.Strides[d] < suggested || (d == 0 && suggested == geometry.Strides[1]);
            suggested = geometry.Strides[d] * shape[d];
        }

        return hidden;
    }

    /// <summary>Whether a step is index of what is transposed, or by what is.</summary>
    internal static bool IndexesInAnotherOrder(State<Real> state, Step step) =>
        step.Op == "index" && StepNames.Read(step).Any(name => Find(state, name) is { } tensor && !Layout.isContiguous(tensor.Geometry));

    /// <summary>Whether a step is norm of the order NaN, over one element at a time.</summary>
    internal static bool IsNormOfOneByNaN(State<Real> state, Step step) =>
        step.Op == "norm" && step.Attrs.TryGetValue("p", out var p) && p is Attr.Float { Item: double.NaN } or Attr.Text { Item: "nan" }
        && Find(state, First(step)) is { } x && Reduced(step, x.Shape).All(size => size == 1);

    // The sizes of the dimensions that a step names; without names, of all.
    private static IEnumerable<int> Reduced(Step step, int[] shape)
    {
        if (!step.Attrs.TryGetValue("dim", out var dim) || dim.IsNull || NamesNoDimension(step)) return shape;
        var dims = dim is Attr.Items { Item: var items } ? items.AsEnumerable() : [dim];
        return shape.Length == 0 ? [] : dims.OfType<Attr.Integer>().Select(d => shape[(d.Item + shape.Length) % shape.Length]);
    }

    /// <summary>The steps at the top of a program, each with the state before it.</summary>
    internal static IEnumerable<(State<Real> State, Step Step)> Before(Program program) =>
        Run.states<Real>(RegistryModule.all, program).Zip(program.Steps);

    // What integer tensors of indices, one a dimension, name together, where they are broadcast from one another; a mask names nothing twice.
    private static List<string> Places(State<Real> state, int[] shape, IEnumerable<Tensor<Real>?> tensors)
    {
        var indices = new List<long[]>();
        var dimension = 0;
        foreach (var index in tensors)
        {
            if (index is { DType.IsInt64: true } && dimension < shape.Length && State.read(state, index).Elements is Elements<Real>.Ints { Item1: var x })
                indices.Add([.. x.Select(i => i < 0 ? i + shape[dimension] : i)]);
            dimension += index is { DType.IsBool: true } ? index.Shape.Length : 1;
        }

        var count = indices.Select(i => i.Length).DefaultIfEmpty(0).Max();
        return [.. Enumerable.Range(0, count).Select(k => string.Join(',', indices.Select(i => i[k % i.Length])))];
    }

    private static bool Accumulates(Step step) => step.Attrs.TryGetValue("accumulate", out var flag) && flag is Attr.Flag { Item: true };

    // What there is none of has no name.
    internal static string First(Step step) => StepNames.Read(step).FirstOrDefault() ?? "";

    /// <summary>The tensor of a name; null where there is none.</summary>
    internal static Tensor<Real>? Find(State<Real> state, string name) =>
        state.Names.TryGetValue(name, out var id) && id is not null ? State.tensor(state, id.Value) : null;
}
