using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Microsoft.FSharp.Reflection;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;
using First = Verified.Spec.Numbers.Dual<Verified.Spec.Numbers.Real>;
using Second = Verified.Spec.Numbers.Dual<Verified.Spec.Numbers.Dual<Verified.Spec.Numbers.Real>>;
using Third = Verified.Spec.Numbers.Dual<Verified.Spec.Numbers.Dual<Verified.Spec.Numbers.Dual<Verified.Spec.Numbers.Real>>>;

namespace Verified.Specification.Tests;

/// <summary>
/// The specification does not trust its own derivative rules: what they give, through the interpreter, to third order, is what
/// dual numbers give through the forward alone. Samples are found from the operators' records, away from kinks.
/// </summary>
public class AdjointIsTranspose
{
    private const int Samples = 12;
    private const int Attempts = 4000;

    // Operators whose derivative is on purpose not that of their forward, and the attributes that make it so.
    private static readonly Dictionary<string, (string[] Attributes, string Why)> DiffersOnPurpose = new()
    {
        ["embedding"] = (["padding_idx", "scale_grad_by_freq"], "the padding row is not trained, and frequent rows may be trained less"),
    };

    private static readonly List<string> DifferentiableNames =
        [.. RegistryModule.all.Values.Where(op => !op.Internal && op.IsDifferentiable).Select(op => op.Name)];

    public static TheoryData<string> Differentiable => [.. DifferentiableNames];

    public static TheoryData<string> InPlace =>
        [.. RegistryModule.all.Values.Where(op => op.InPlace && op.Behaviour.IsComputes).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void The_derivative_to_third_order_is_that_of_dual_numbers(string name)
    {
        var found = SamplesOf(name).Where(sample => !IsDifferentOnPurpose(sample)).Take(Samples).ToList();
        Assert.True(found.Count >= 3, $"only {found.Count} calls of {name} were accepted in {Attempts} attempts");
        foreach (var sample in found) Check(sample, RegistryModule.all, false);
    }

    [Theory]
    [MemberData(nameof(InPlace))]
    public void A_write_through_a_view_has_the_same_derivative(string name)
    {
        var found = SamplesOf(name).Where(sample => sample.KeepsShape).Take(Samples / 2).ToList();
        Assert.True(found.Count >= 3, $"only {found.Count} calls of {name}_ were accepted in {Attempts} attempts");
        foreach (var sample in found) Check(sample, RegistryModule.all, true);
    }

    [Fact]
    public void Operators_that_differ_from_their_derivative_on_purpose_do()
    {
        foreach (var name in DiffersOnPurpose.Keys)
            Assert.ThrowsAny<Exception>(() =>
            {
                foreach (var sample in SamplesOf(name).Where(IsDifferentOnPurpose).Take(20)) Check(sample, RegistryModule.all, false);
            });
    }

    [Fact]
    public void Every_operator_that_only_derivatives_use_is_differentiated_by_the_derivative_of_another()
    {
        var reached = new HashSet<string>();
        var watched = MapModule.Map(FuncConvert.FromFunc((string _, Operator op) => Watched(op, reached)), RegistryModule.all);
        var expected = RegistryModule.all.Values.Where(op => op.Internal && op.Derivative is not null).Select(op => op.Name).ToHashSet();
        foreach (var name in DifferentiableNames)
            // Also with a zero among the operands, where a rule may have another formula.
            foreach (var sample in SamplesOf(name).Take(24).SelectMany(sample => new[] { sample, sample.WithZero() }))
                Derive(sample, watched, sample.Op.InPlace && sample.Op.Behaviour.IsComputes && sample.KeepsShape);
        Assert.Empty(expected.Except(reached));
    }

    private static IEnumerable<OperatorSample> SamplesOf(string name)
    {
        var samples = new OperatorSamples(20260 + name.Length * 7 + name[0]);
        for (var attempt = 0; attempt < Attempts; attempt++)
            if (samples.Next(RegistryModule.all[name]) is { } sample)
                // What PyTorch refuses to differentiate is a constant.
                yield return sample with { Constants = [.. sample.Op.Refuses.Invoke(DTypes(sample)).Select(refused => refused.Item1)] };
    }

    private static FSharpOption<DType>?[] DTypes(OperatorSample sample) => [.. sample.Inputs.Select(input => input is null ? null : FSharpOption<DType>.Some(input.DType))];

    private static bool IsDifferentOnPurpose(OperatorSample sample) =>
        DiffersOnPurpose.TryGetValue(sample.Op.Name, out var known) && known.Attributes.Any(sample.Attrs.ContainsKey);

    /// <summary>Directions, upstream gradients, and what the rules make of them.</summary>
    private sealed record Derived(
        Dictionary<int, double[]> V,
        Dictionary<int, double[]> W,
        List<double[]> G,
        Dictionary<int, double[]?> First,
        (Dictionary<int, double[]?> Inputs, List<double[]?> Upstream) Second,
        Dictionary<int, double[]?> Third,
        Dictionary<int, double[]?> Transposed);

    private static Derived Derive(OperatorSample sample, FSharpMap<string, Operator> registry, bool throughView)
    {
        var random = new Random(5);
        double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Round(random.NextDouble() * 4 - 2, 3))];
        double[] Direction(int input) => sample.Constants.Contains(input) ? new double[sample.Numbers(input).Length] : Draw(sample.Numbers(input).Length);

        var v = sample.Numbered.ToDictionary(i => i, Direction);
        var w = sample.Numbered.ToDictionary(i => i, Direction);
        var results = sample.Forward(i => Array.ConvertAll(sample.Numbers(i), x => new Real(x)))!;
        var g = results.Select(r => Draw(r.Elements.Length)).ToList();
        var program = new GradientProgram(sample, registry, throughView);
        return new Derived(v, w, g, program.Gradients(g, [.. results.Select(r => r.Shape)]), program.OfGradients(v), program.OfSecond(w), program.OfJacobian(g));
    }

    private static void Check(OperatorSample sample, FSharpMap<string, Operator> registry, bool throughView)
    {
        var (v, w, g, first, second, third, transposed) = Derive(sample, registry, throughView);
        foreach (var i in sample.Floats)
            for (var k = 0; k < v[i].Length; k++)
            {
                double[] Unit(int input) => [.. v[input].Select((_, e) => input == i && e == k ? 1.0 : 0.0)];

                // With the unit vector innermost or outermost the mixed derivative is the same: this is its symmetry, too.
                var dual = sample.Forward(input => Array.ConvertAll(Zip(input, v, w, Unit(input)), Nest))!;
                Agree(sample, $"first, input {i}[{k}]", Weigh(x => x.T.P.P.V), first[i]?[k] ?? 0, 1e-10);
                Agree(sample, $"transposed twice, input {i}[{k}]", Weigh(x => x.T.P.P.V), transposed[i]?[k] ?? 0, 1e-10);
                Agree(sample, $"second, input {i}[{k}]", Weigh(x => x.T.P.T.V), second.Inputs[i]?[k] ?? 0, 1e-9);
                Agree(sample, $"third, input {i}[{k}]", Weigh(x => x.T.T.T.V), third[i]?[k] ?? 0, 1e-8);

                double Weigh(Func<Third, double> part) => dual.Select((r, o) => r.Elements.Select((x, e) => g[o][e] * part(x)).Sum()).Sum();
            }

        // The gradient is linear in the upstream gradient: its derivative in that is the Jacobian.
        var along = sample.Forward(input => sample.Numbers(input).Select((x, e) => First.Along(new Real(x), new Real(v[input][e]))).ToArray())!;
        for (var o = 0; o < along.Count; o++)
            for (var e = 0; e < along[o].Elements.Length; e++)
                Agree(sample, $"in the upstream gradient {o}[{e}]", along[o].Elements[e].T.V, second.Upstream[o]?[e] ?? 0, 1e-10);

        (double X, double V, double W, double U)[] Zip(int input, Dictionary<int, double[]> v, Dictionary<int, double[]> w, double[] u) =>
            [.. sample.Numbers(input).Select((x, e) => (x, v[input][e], w[input][e], u[e]))];
    }

    private static Third Nest((double X, double V, double W, double U) x) =>
        Third.Along(
            Second.Along(First.Along(new Real(x.X), new Real(x.V)), Still<First>(x.W)),
            Still<Second>(x.U));

    private static S Still<S>(double x)
        where S : IScalar<S> => S.Input(Format.Double, x);

    private static void Agree(OperatorSample sample, string what, double expected, double actual, double tolerance) =>
        Assert.True(
            Math.Abs(expected - actual) <= tolerance * (1 + Math.Abs(expected)),
            $"{sample}: {what}: by dual numbers {expected:R}, by the rule {actual:R}");

    private static Operator Watched(Operator op, HashSet<string> reached)
    {
        if (op.Derivative is not { } rule) return op;
        var watched = FuncConvert.FromFunc((IDerivation d) =>
        {
            lock (reached) reached.Add(op.Name);
            return rule.Value.Invoke(d);
        });

        var fields = FSharpValue.GetRecordFields(op, null);
        fields[Array.FindIndex(FSharpType.GetRecordFields(typeof(Operator), null), field => field.Name == nameof(Operator.Derivative))] =
            FSharpOption<FSharpFunc<IDerivation, FSharpList<FSharpOption<Term>?>>>.Some(watched);
        return (Operator)FSharpValue.MakeRecord(typeof(Operator), fields, null);
    }
}
