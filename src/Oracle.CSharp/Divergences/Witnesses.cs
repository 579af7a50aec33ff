using System.Globalization;
using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>Third witnesses, independent of the rule in question: each sides with the specification against PyTorch's golden, or says
/// in a sentence why it does not.</summary>
internal static class Witnesses
{
    // Beside PyTorch's own rounding, and that of the differences.
    private const double Allowed = 1e-9;

    /// <summary>The gradients of some inputs by central differences in double-double; infinite inputs by a limit.</summary>
    internal static Func<Json.Case, string?> ByDifferences(params string[] inputs) =>
        golden => Compared(golden, inputs.Select(input => (input + ".grad", Limit(golden.Program, input))));

    /// <summary>What the last grad step gives, by central differences of what comes before it.</summary>
    internal static Func<Json.Case, string?> OfLastGrad(string input, string result) => golden =>
    {
        var length = golden.Program.Steps.ToList().FindLastIndex(s => s.Op == "grad") + 1;
        var shorter = new Program(golden.Program.Inputs, ListModule.OfSeq(golden.Program.Steps.Take(length)), golden.Program.Observe);
        return Compared(golden, [(result, Differences.Gradient(shorter, input))]);
    };

    /// <summary>What the last grad step gives, where there is one under create_graph; else the input's gradient.</summary>
    internal static Func<Json.Case, string?> OfLastPull(string input, string result) => golden =>
        (Steps.All(golden.Program.Steps).Any(step => Steps.IsSet(step, "create_graph")) ? OfLastGrad(input, result) : ByDifferences(input))(golden);

    private static string? Compared(Json.Case golden, IEnumerable<(string Name, double[] Witness)> witnesses)
    {
        var differs = golden.Golden?.Value.Raised is not null;
        foreach (var (name, witness) in witnesses)
        {
            if (Specified(golden.Program, name) is not { } specified)
                return $"the specification gives no {name}";
            for (var i = 0; i < witness.Length; i++)
                if (!(Math.Abs(specified[i].V - witness[i]) <= specified[i].E + Allowed * (1 + Math.Abs(witness[i]))))
                    return string.Create(CultureInfo.InvariantCulture, $"differences give {name}[{i}] = {witness[i]:R}, the specification {specified[i].V:R}");
            if (Reported(golden, name) is { } reported)
                differs |= witness.Zip(reported, specified.Zip(witness, (s, w) => s.E + Allowed * Math.Abs(w))).Any(t => !(Math.Abs(t.First - t.Second) <= t.Third));
            else if (golden.Golden?.Value.Values.Any(v => v.Item1 == name && v.Item2 is null) is true)
                differs |= witness.Any(w => Math.Abs(w) > Allowed);
        }

        return differs ? null : "differences agree with PyTorch";
    }

    /// <summary>A value grows with a stand-in for infinity, so that its limit is infinite; PyTorch has NaN.</summary>
    internal static Func<Json.Case, string?> GrowsWithInfinity(string name) => golden =>
    {
        var (near, far) = (Differences.Value(Differences.WithFinite(golden.Program, 1e9), name)[0], Differences.Value(Differences.WithFinite(golden.Program, 1e12), name)[0]);
        if (!(far > 999 * near && near > 1e8)) return $"{name}[0] does not grow: {near} and {far}";
        if (Specified(golden.Program, name) is not { } s || !double.IsPositiveInfinity(s[0].V)) return $"the specification does not give inf for {name}[0]";
        return Reported(golden, name) is { } r && double.IsNaN(r[0]) ? null : $"PyTorch does not give NaN for {name}[0]";
    };

    /// <summary>PyTorch's own float64 lies within the bound of the specification's float32, and PyTorch's float32 does not.</summary>
    internal static Func<Json.Case, string?> ByFloat64(string single, string twice) => golden =>
    {
        if (Specified(golden.Program, single) is not { } specified || Reported(golden, single) is not { } reported || Reported(golden, twice) is not { } witness)
            return $"{single} or {twice} has no value";
        bool Within(double[] values) => values.Zip(specified, (v, s) => v.Equals(s.V) || Math.Abs(v - s.V) <= s.E).All(within => within);
        return !Within(witness) ? "float64 leaves the bound" : Within(reported) ? "float32 lies within the bound" : null;
    };

    /// <summary>
    /// The adjoint identity: a backward is linear in the upstream gradient g, so the gradient of its inner product with w has, with g,
    /// the same inner product. PyTorch's own two values break it, the specification's keep it.
    /// </summary>
    internal static Func<Json.Case, string?> InnerProduct(string backward, string weights, string upstream) => golden =>
    {
        double Gap(IReadOnlyList<double> b, IReadOnlyList<double> g)
        {
            double Dot(IReadOnlyList<double> x, double[] y) => x.Zip(y, (p, q) => p * q).Sum();
            return Math.Abs(Dot(b, Differences.Floats(golden.Program, weights)) - Dot(g, Differences.Floats(golden.Program, upstream)));
        }

        if (Specified(golden.Program, backward) is not { } b || Specified(golden.Program, upstream + ".grad") is not { } g)
            return "the specification lacks a value";
        if (!(Gap([.. b.Select(x => x.V)], [.. g.Select(x => x.V)]) < 1e-6)) return "the specification breaks the adjoint identity";
        return Reported(golden, backward) is { } rb && Reported(golden, upstream + ".grad") is { } rg && Gap(rb, rg) > 1e-3
            ? null
            : "PyTorch keeps the adjoint identity";
    };

    /// <summary>What the text of a failed assertion says of itself.</summary>
    internal const string BugOfPyTorch = "please report a bug to PyTorch";

    /// <summary>PyTorch's own text calls it a fault of PyTorch's.</summary>
    internal static string? SaysSoItself(Json.Case golden) =>
        golden.Golden?.Value.Raised?.Value.Message.Contains(BugOfPyTorch, StringComparison.Ordinal) is true
            ? null
            : "PyTorch does not call it a bug";

    /// <summary>How PyTorch speaks of tensors that are not there.</summary>
    internal static readonly string[] MissingTensors = ["called on an undefined Tensor", "dtype nullptr (uninitialized)"];

    /// <summary>PyTorch complains of a tensor that is not there, though it was given all.</summary>
    internal static string? SpeaksOfAMissingTensor(Json.Case golden) =>
        MissingTensors.Any(text => golden.Golden?.Value.Raised?.Value.Message.Contains(text, StringComparison.Ordinal) is true) ? null : "PyTorch complains of something else";

    /// <summary>PyTorch refuses what it takes in other words: the specification gives it the value of its twin, which is PyTorch's.</summary>
    internal static Func<Json.Case, string?> IsRefusedUnlikeItsTwin(string name, string twin) => golden =>
    {
        if (Specified(golden.Program, name)?.Select(b => b.V) is not { } x || Specified(golden.Program, twin) is not { } y || !x.SequenceEqual(y.Select(b => b.V))) return "the specification's differ";
        if (Reported(golden, twin) is not { } other || !other.Zip(y).All(t => Math.Abs(t.First - t.Second.V) <= t.Second.E)) return "PyTorch's twin is another";
        return golden.Golden?.Value.Raised is null ? "PyTorch refuses nothing" : null;
    };

    /// <summary>PyTorch's complaint is of a dimension, though the only step names none.</summary>
    internal static string? ComplainsOfADimensionThatNothingNames(Json.Case golden) =>
        golden.Program.Steps is not [{ Attrs.IsEmpty: true }] ? "more than one step, or one that names a dimension"
        : golden.Golden?.Value.Raised?.Value.Kind.IsIndexError is true ? null : "PyTorch complains of no index";

    /// <summary>A gradient has another shape than the root that it was given for: read off the tensors before the last step.</summary>
    internal static string? GradientOfAnotherShape(Json.Case golden)
    {
        var step = ListModule.Last(golden.Program.Steps);
        var state = ListModule.Last(Run.states<Real>(RegistryModule.all, golden.Program));
        var shapes = Run.variables(state).ToDictionary(v => v.Name, v => v.Shape);
        var roots = step.In.OfType<Arg.Name>().Select(a => a.Item);
        var differ = roots.Zip(step.Gradients?.Value ?? [], (root, gradient) => gradient is not null && !shapes[root].AsSpan().SequenceEqual(shapes[gradient.Value])).ToList();
        return differ.Count > 1 && differ.Skip(1).Contains(true) ? null : "every gradient has its root's shape";
    }

    /// <summary>PyTorch itself says of a tensor that it is no leaf, and treats it as one.</summary>
    internal static Func<Json.Case, string?> IsNoLeaf(string name) => golden =>
    {
        var outcome = golden.Golden!.Value;
        Report? Of(string observed) => outcome.Values.FirstOrDefault(v => v.Item1 == observed)?.Item2?.Value;
        if (Of(name)?.IsLeaf?.Value is not false) return $"PyTorch does not say that {name} is no leaf";
        return Of(name + ".grad") is null || outcome.Raised?.Value.Kind.IsLeafInPlace is true ? null : $"PyTorch does not treat {name} as a leaf";
    };

    /// <summary>PyTorch says of a tensor that it requires a gradient, but neither whether it is a leaf nor what its history is.</summary>
    internal static Func<Json.Case, string?> CannotSayWhetherItIsALeaf(string name) => golden =>
        golden.Golden!.Value.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value is { RequiresGrad.Value: true, IsLeaf: null } ? null : $"PyTorch says whether {name} is a leaf";

    /// <summary>PyTorch raises nothing, though an index is not below the size of the dimension that it is for.</summary>
    internal static Func<Json.Case, string?> TakesAnIndexOutOfBounds(string of, string index) => golden =>
    {
        Literal Input(string name) => golden.Program.Inputs.First(input => input.Name == name).Tensor;
        return golden.Golden!.Value.Raised is null && Input(index).Data is Data.Ints { Item: var at } && at.Any(i => i >= Input(of).Shape[0]) ? null : "PyTorch refuses, or the index is in bounds";
    };

    /// <summary>PyTorch raises nothing, though a value has another dtype than the tensor that it is written to, or more dimensions than what a mask chooses of it, or the mask has none.</summary>
    internal static Func<Json.Case, string?> TakesAValueThatDoesNotFit(string of, string mask, string value) => golden =>
    {
        Literal Input(string name) => golden.Program.Inputs.First(input => input.Name == name).Tensor;
        var chosen = Input(of).Shape.Length - Input(mask).Shape.Length + 1;
        var fits = Input(mask).Shape.Length > 0 && Input(of).DType.Equals(Input(value).DType) && Input(value).Shape.Length <= chosen;
        return golden.Golden!.Value.Raised is null && !fits ? null : "PyTorch refuses, or the value fits";
    };

    /// <summary>PyTorch's outcome of the only step is that of the same without its mask, whatever that holds.</summary>
    internal static string? LeavesOutTheMask(Json.Case golden)
    {
        if (golden.Program.Steps.Length != 1) return "more than one step";
        var without = Run.run<Real>(RegistryModule.all, ProgramFacts.WithoutMasksOfNoDimension(golden.Program));
        var outcome = golden.Golden!.Value;
        if (outcome.Raised?.Value is { } raised)
            return without.Raised?.Value.Kind is { } kind && kind.Equals(raised.Kind) ? null : "PyTorch complains of something else";
        foreach (var (name, report) in outcome.Values)
            if (without.Values.FirstOrDefault(value => value.Item1 == name)?.Item2?.Value.Value is not { Elements: Elements<Real>.Floats { Item: var expected } } value
                || report?.Value.Tensor is not { Data: Data.Floats { Item: var reported } } tensor
                || !value.Shape.AsSpan().SequenceEqual(tensor.Shape) || !expected.Select(x => x.V).SequenceEqual(reported)) return $"{name} is another";
        return null;
    }

    /// <summary>PyTorch complains of no shape, though the last step has not the tensors that it asks for: of one size each, or in evaluation at all.</summary>
    internal static Func<Json.Case, string?> NormalisesByWhatDoesNotFit(string of) => golden =>
    {
        Literal Input(string name) => golden.Program.Inputs.First(input => input.Name == name).Tensor;
        var last = golden.Program.Steps[golden.Program.Steps.Length - 1];
        var others = last.In.Skip(1).OfType<Arg.Name>().Select(arg => Input(arg.Item)).ToList();
        return golden.Golden!.Value.Raised?.Value.Kind is null or { IsShapeError: false } && (others.Count == 0 || others.Exists(other => other.Shape[0] != Input(of).Shape[1])) ? null : "PyTorch refuses, or all fit";
    };

    /// <summary>PyTorch raises nothing, though classes are not given as integers.</summary>
    internal static Func<Json.Case, string?> TakesClassesThatAreNoIntegers(string name) => golden =>
        golden.Golden!.Value.Raised is null && !golden.Program.Inputs.First(input => input.Name == name).Tensor.DType.IsInt64 ? null : "PyTorch refuses, or they are integers";

    /// <summary>PyTorch complains, but not of a dtype, though the only step is of an input that holds no floats.</summary>
    internal static Func<Json.Case, string?> ComplainsOfNoDTypeButOf(string name) => golden =>
        golden.Golden!.Value.Raised?.Value.Kind is { IsDTypeError: false } && !golden.Program.Inputs.First(input => input.Name == name).Tensor.DType.IsFloat ? null : "PyTorch complains of the dtype";

    /// <summary>PyTorch complains of an index, in a program that has none.</summary>
    internal static string? ComplainsOfAnIndex(Json.Case golden) =>
        golden.Golden!.Value.Raised?.Value.Kind.IsIndexError == true && !Steps.All(golden.Program.Steps).Any(step => step.Attrs.ContainsKey("index") || step.Attrs.ContainsKey("dim"))
            ? null
            : "PyTorch raises something else, or nothing";

    /// <summary>How PyTorch speaks of the sizes of a view that cannot be.</summary>
    internal static readonly string[] SizesOfViews = ["only one dimension can be inferred", "invalid shape dimension"];

    /// <summary>PyTorch complains of the sizes of a view, in a program that asks for none.</summary>
    internal static string? ComplainsOfTheSizesOfAView(Json.Case golden) =>
        SizesOfViews.Any(text => golden.Golden?.Value.Raised?.Value.Message.Contains(text, StringComparison.Ordinal) is true) && !Steps.All(golden.Program.Steps).Any(step => step.Attrs.ContainsKey("size"))
            ? null
            : "PyTorch complains of something else";

    /// <summary>How PyTorch speaks of an `out=` that is to be differentiated.</summary>
    internal const string GivenOut = "functions with out=... arguments don't support automatic differentiation";

    /// <summary>PyTorch complains of an `out=`, which no program gives.</summary>
    internal static string? ComplainsOfAnOutThatNothingGives(Json.Case golden) =>
        golden.Golden?.Value.Raised?.Value.Message.Contains(GivenOut, StringComparison.Ordinal) is true && !Steps.All(golden.Program.Steps).Any(step => step.Attrs.ContainsKey("out"))
            ? null
            : "PyTorch complains of something else";

    /// <summary>PyTorch says of integers that they require a gradient, which it refuses when it is asked for by name.</summary>
    internal static string? AreIntegersThatRequireAGradient(Json.Case golden) =>
        golden.Golden!.Value.Values.Any(v => v.Item2?.Value is { RequiresGrad.Value: true, Tensor.DType.IsFloat: false }) ? null : "no integers require a gradient";

    /// <summary>PyTorch's gradient of a tensor has another shape than the tensor, where the specification's has the same.</summary>
    internal static Func<Json.Case, string?> HasAGradientOfAnotherShape(string name) => golden =>
    {
        int[]? Reported(string observed) => ShapeOf(golden, observed);
        var specified = Expectation.Of(golden.Program).Ran;
        int[]? Specified(string observed) => specified.Values.FirstOrDefault(v => v.Item1 == observed)?.Item2?.Value.Value.Shape;
        bool IsAlike(Func<string, int[]?> of) => of(name) is { } shape && of(name + ".grad") is { } gradient && shape.AsSpan().SequenceEqual(gradient);
        if (specified.Raised is not null && (golden.Golden!.Value.Raised is not null || Reported(name) is null || Reported(name + ".grad") is null)) return "PyTorch refuses, or reports no gradient";
        return specified.Raised is null && !IsAlike(Specified) ? "the specification's has another shape" : IsAlike(Reported) ? "PyTorch's has the tensor's shape" : null;
    };

    private static int[]? ShapeOf(Json.Case golden, string observed) => golden.Golden!.Value.Values.FirstOrDefault(v => v.Item1 == observed)?.Item2?.Value.Tensor.Shape;

    /// <summary>PyTorch says of a tensor that it has no history, though it is computed of one that requires a gradient, or of a view of one.</summary>
    internal static Func<Json.Case, string?> HasNoHistoryOfALeaf(string name) => golden =>
    {
        var values = golden.Golden!.Value.Values;
        var requires = values.Where(v => v.Item2?.Value.RequiresGrad?.Value == true).Select(v => v.Item1).ToHashSet();
        foreach (var step in Steps.All(golden.Program.Steps).Where(step => step.Op == "view" && StepNames.Read(step).Any(requires.Contains)).ToList()) requires.UnionWith(StepNames.Bound(step));
        return values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value is { RequiresGrad.Value: false }
            && Steps.All(golden.Program.Steps).Any(step => StepNames.Bound(step).Contains(name) && StepNames.Read(step).Any(requires.Contains))
                ? null
                : $"{name} has a history, or needs none";
    };

    /// <summary>PyTorch counts a tensor's versions, which a tensor of inference mode has not.</summary>
    internal static Func<Json.Case, string?> HasAVersion(string name) => golden =>
        golden.Golden!.Value.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value.Version is not null ? null : $"PyTorch counts no versions of {name}";

    /// <summary>PyTorch's result has neither been refused nor the dtype to which those of the operands are promoted.</summary>
    internal static Func<Json.Case, string?> IsNotPromoted(string a, string b, string result) => golden =>
    {
        DType Of(string name) => golden.Program.Inputs.First(input => input.Name == name).Tensor.DType;
        var promoted = Of(a).IsFloat64 || Of(b).IsFloat64 ? DType.Float64 : DType.Float32;
        return golden.Golden!.Value.Values.FirstOrDefault(v => v.Item1 == result)?.Item2?.Value.Tensor.DType is { } given && !given.Equals(promoted)
            ? null
            : "PyTorch refuses, or promotes";
    };

    /// <summary>PyTorch raises nothing, though two operands are of different dtypes.</summary>
    internal static Func<Json.Case, string?> TakesTwoDTypes(string a, string b) => golden =>
    {
        DType Of(string name) => golden.Program.Inputs.First(input => input.Name == name).Tensor.DType;
        return golden.Golden!.Value.Raised is null && !Of(a).Equals(Of(b)) ? null : "PyTorch refuses, or the dtypes are the same";
    };

    /// <summary>A function into real numbers has a result of integers.</summary>
    internal static Func<Json.Case, string?> IsOfIntegers(string result) => golden =>
        golden.Golden!.Value.Values.FirstOrDefault(v => v.Item1 == result)?.Item2?.Value.Tensor.DType is { IsFloat32: false, IsFloat64: false } ? null : "PyTorch refuses, or gives real numbers";

    /// <summary>An attribute of the last step changes nothing: PyTorch's result is the specification's without it.</summary>
    internal static Func<Json.Case, string?> IsAsWithout(string attribute, string result) => golden =>
    {
        var last = golden.Program.Steps[golden.Program.Steps.Length - 1];
        var without = new Step(last.Op, last.In, last.Attrs.Remove(attribute), last.Out, last.Wrt, last.Gradients, last.Steps);
        var program = golden.Program.WithSteps([.. golden.Program.Steps.SkipLast(1), without]);
        return Reported(golden, result) is { } reported && Differences.Value(program, result).Zip(reported, (a, b) => Math.Abs(a - b) <= 1e-12).All(alike => alike) ? null : $"PyTorch's {result} is another";
    };

    /// <summary>A gradient is that of the program in which what was written without being counted had been written before such a step, by central differences.</summary>
    internal static Func<Json.Case, string?> AsIfWrittenBefore(string op, string input) => golden =>
    {
        var steps = golden.Program.Steps.ToList();
        var write = steps.Single(step => step.Op.EndsWith('_'));
        steps.Remove(write);
        steps.Insert(steps.FindIndex(step => step.Op == op), write);
        return Compared(golden, [(input + ".grad", Differences.Gradient(golden.Program.WithSteps(steps), input))]);
    };

    /// <summary>PyTorch raises nothing, though a target names a class that there is not.</summary>
    internal static Func<Json.Case, string?> TakesATargetOutOfBounds(string of, string target) => golden =>
        golden.Golden!.Value is { Raised: null, Values: var values } && values.FirstOrDefault(v => v.Item1 == target)?.Item2?.Value.Tensor.Data is Data.Ints { Item: var classes }
            && classes.Any(c => c >= golden.Program.Inputs.First(input => input.Name == of).Tensor.Shape[1]) ? null : "PyTorch refuses, or there is such a class";

    /// <summary>The last step writes its last operand to places that are not told apart: its first element is not there afterwards.</summary>
    internal static Func<Json.Case, string?> LosesWhatItWrote(string written, string source) => golden =>
        Reported(golden, written) is { } reported && reported[0] != Differences.Floats(golden.Program, source).First() ? null : $"{written} has what was written to it";

    /// <summary>The only step raises, and the input that it would have written to is not what it was.</summary>
    internal static Func<Json.Case, string?> ChangesInARefusedStep(string written) => golden =>
        golden.Program.Steps.Length != 1 || golden.Golden?.Value.Raised is null ? "more than one step, or no error"
        : Reported(golden, written) is { } reported && !Differences.Floats(golden.Program, written).SequenceEqual(reported) ? null : $"{written} is as it was";

    /// <summary>PyTorch counts writes to a tensor in a program that writes to nothing.</summary>
    internal static Func<Json.Case, string?> HasAVersionThoughNothingWrites(string name) => golden =>
        Steps.All(golden.Program.Steps).Any(step => step.Op.EndsWith('_')) ? "a step writes"
        : golden.Golden!.Value.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value.Version?.Value > 0 ? null : $"PyTorch counts no writes to {name}";

    /// <summary>Nothing writes to an input but a backward that it was given to: the specification leaves it as it was, PyTorch does not.</summary>
    internal static string? ChangesWhatNothingWritesTo(Json.Case golden)
    {
        var written = Steps.All(golden.Program.Steps).Where(s => s.Op.EndsWith('_')).SelectMany(s => s.In).OfType<Arg.Name>().Select(a => a.Item).ToHashSet();
        foreach (var input in golden.Program.Inputs.Where(i => !written.Contains(i.Name)))
        {
            if (Reported(golden, input.Name) is not { } reported || Specified(golden.Program, input.Name) is not { } specified) continue;
            var before = Differences.Floats(golden.Program, input.Name);
            if (!before.SequenceEqual(specified.Select(b => b.V))) return $"the specification changes {input.Name}";
            if (!before.SequenceEqual(reported)) return null;
        }

        return "PyTorch changes nothing that no step writes to";
    }

    /// <summary>The same program with a copy in the place of the operand that shares memory with what is written, in double-double arithmetic.</summary>
    internal static Func<Json.Case, string?> ByACopyOfTheOperand(string name) => golden =>
    {
        var (state, step) = ProgramFacts.Before(golden.Program).First(at => ProgramFacts.SharedOperand(at.State, at.Step) is not null);
        var operand = ProgramFacts.SharedOperand(state, step)!;
        const string copy = "copy of the operand";
        var steps = golden.Program.Steps.SelectMany(s => ReferenceEquals(s, step) ? [Steps.Call("clone", [operand], copy), Reading(s, operand, copy)] : new[] { s });
        var witness = Differences.Value(new Program(golden.Program.Inputs, ListModule.OfSeq(steps), golden.Program.Observe), name);
        return Compared(golden, [(name, witness)]);
    };

    /// <summary>What is treated alike in all that matters is alike in the specification, and not in PyTorch, whose twin is as specified.</summary>
    internal static Func<Json.Case, string?> DiffersFromItsTwin(string name, string twin) => golden =>
    {
        if (Specified(golden.Program, name)?.Select(b => b.V) is not { } x || Specified(golden.Program, twin)?.Select(b => b.V) is not { } y || !x.SequenceEqual(y)) return "the specification's differ";
        if (Reported(golden, twin) is not { } other || !other.SequenceEqual(y)) return "PyTorch's twin is another";
        return Reported(golden, name) is { } reported && reported.SequenceEqual(x) ? "PyTorch's are alike" : null;
    };

    private static Step Reading(Step step, string operand, string instead) =>
        new(step.Op, ListModule.OfSeq(step.In.Select((arg, i) => i > 0 && arg is Arg.Name { Item: var name } && name == operand ? Arg.NewName(instead) : arg)),
            step.Attrs, step.Out, step.Wrt, step.Gradients, step.Steps);

    private static double[] Limit(Program program, string input)
    {
        var near = Differences.Gradient(Differences.WithFinite(program, 1e3), input);
        var far = Differences.Gradient(Differences.WithFinite(program, 1e5), input);
        return [.. near.Zip(far, (n, f) => Math.Abs(f - n) <= Allowed * (1 + Math.Abs(n)) ? n : double.NaN)];
    }

    private static Bounded[]? Specified(Program program, string name) =>
        Expectation.Of(program).Ran.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value.Value.Elements is Elements<Bounded>.Floats { Item: var x } ? x : null;

    private static double[]? Reported(Json.Case golden, string name) =>
        golden.Golden?.Value.Values.FirstOrDefault(v => v.Item1 == name)?.Item2?.Value.Tensor.Data is Data.Floats { Item: var x } ? x : null;
}
