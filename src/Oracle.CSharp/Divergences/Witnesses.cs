using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.FSharp.Collections;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>Third witnesses, independent of the rule in question: each sides with the specification against PyTorch's golden, or says
/// in a sentence why it does not.</summary>
internal static partial class Witnesses
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

    /// <summary>PyTorch's own text calls it a fault of PyTorch's.</summary>
    internal static string? SaysSoItself(Json.Case golden) =>
        golden.Golden?.Value.Raised?.Value.Message.Contains("please report a bug to PyTorch", StringComparison.Ordinal) is true
            ? null
            : "PyTorch does not call it a bug";

    /// <summary>PyTorch's text names a shape that is not that of the tensor which the program wrote to.</summary>
    internal static string? NamesAnotherShape(Json.Case golden)
    {
        var message = golden.Golden?.Value.Raised?.Value.Message ?? "";
        var named = Shapes().Match(message).Groups[1].Value;
        var written = golden.Program.Steps.Where(s => s.Op.EndsWith('_')).Select(s => s.In[0]).OfType<Arg.Name>().Select(a => a.Item).ToHashSet();
        var states = Run.states<Real>(RegistryModule.all, golden.Program);
        var shapes = states.SelectMany(Run.variables).Where(v => written.Contains(v.Name)).Select(v => Shape.show(v.Shape)).ToHashSet();
        return named.Length > 0 && shapes.Count > 0 && !shapes.Contains(named) ? null : $"a tensor that was written to has the shape {named}";
    }

    [GeneratedRegex(@"Tensor (\[[^\]]*\])")]
    private static partial Regex Shapes();

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
