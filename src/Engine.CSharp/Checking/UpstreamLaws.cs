namespace Verified.Engine;

/// <summary>The laws that a derivative keeps in the gradient that arrives, for every function; none of them needs the function's numerical derivative.</summary>
internal static class UpstreamLaws
{
    /// <summary>Checks all laws, on the function as it was given.</summary>
    public static void Check(CheckedFunction function, GradCheckOptions options, Random random, GradCheckReport report)
    {
        var run = function.Record();
        if (run.Changed >= 0) report.Add(new GradCheckFinding(GradCheckRule.InputChanged, $"the function writes to its input {run.Changed}") { Input = run.Changed });
        var values = run.Outputs.SelectMany(t => t.ToDoubles()).ToArray();
        Compare(
            GradCheckRule.Deterministic, "a second run on the same input gives another value", [values], [function.Values(function.Point)],
            _ => options.NondeterminismTolerance, report, null);

        var tolerance = 4096 * function.Epsilon;
        Tensor[] first = [.. function.Forms.Select(form => Signed(form, random))], second = [.. function.Forms.Select(form => Signed(form, random))];
        double[][] Pull(Tensor?[] gradients)
        {
            var before = Array.ConvertAll(gradients, g => (g?.Version, Values: g?.ToDoubles()));
            var pulled = run.Pull(gradients);
            for (var i = 0; i < gradients.Length; i++)
            {
                if (gradients[i] is not { } g || (g.Version == before[i].Version && before[i].Values.AsSpan().SequenceEqual(g.ToDoubles()))) continue;
                report.Add(new GradCheckFinding(GradCheckRule.UpstreamChanged, $"a rule writes to the gradient of output {i} that it is given") { Output = i });
                Copying.Copy(Tensor.Create(before[i].Values!, [.. g.Sizes]), g);
            }
            return pulled;
        }
        var (one, two) = (Pull(first), Pull(second));
        var scale = Enumerable.Range(0, one.Length).Select(i => Largest(one[i]) + Largest(two[i])).ToArray();

        Compare(GradCheckRule.Deterministic, "pulling back again gives another gradient", one, Pull(first), _ => options.NondeterminismTolerance, report, function);
        Compare(GradCheckRule.Deterministic, "a second run pulls back another gradient", one, function.Record().Pull(first), _ => options.NondeterminismTolerance, report, function);
        Compare(
            GradCheckRule.Linearity, "the derivative of 2.5 g - 1.5 h is not 2.5 times that of g less 1.5 times that of h",
            Pull(Combine(first, second, (g, h) => 2.5 * g - 1.5 * h)), Combine(one, two, (g, h) => 2.5 * g - 1.5 * h), i => 4 * tolerance * scale[i], report, function);
        foreach (var factor in new[] { -1, 4096, 1.0 / 4096 })
        {
            Compare(
                GradCheckRule.Linearity, $"the derivative of {factor:G4} g is not {factor:G4} times that of g",
                Pull(Combine(first, first, (g, _) => factor * g)), Combine(one, one, (g, _) => factor * g), i => Math.Abs(factor) * tolerance * scale[i], report, function);
        }
        Compare(GradCheckRule.ZeroUpstream, "a gradient of zeros does not give zeros", Pull(Combine(first, first, (_, _) => 0)), Combine(one, one, (g, _) => double.IsFinite(g) ? 0 : g), _ => 0, report, function);
        foreach (var (name, lay) in new (string, Func<Tensor, Tensor>)[] { ("in column order", ByColumns), ("with gaps", WithGaps) })
        {
            Compare(
                GradCheckRule.StridedUpstream, $"a gradient that lies {name} gives another result than one in row order", Pull(Array.ConvertAll(first, g => (Tensor?)lay(g))), one,
                i => tolerance * scale[i], report, function);
        }
        var constant = Array.ConvertAll(function.Forms, form => Tensor.Full(form.Shape, -0.75, form.DType));
        Compare(
            GradCheckRule.StridedUpstream, "a gradient that repeats one element gives another result than one that is written out",
            Pull(Array.ConvertAll(function.Forms, form => (Tensor?)Tensor.Scalar(-0.75, form.DType).Expand(form.Shape))), Pull(constant), i => tolerance * scale[i], report, function);
        CheckUndefined(Pull, first, run, tolerance, scale, report, function);
    }

    /// <summary>
    /// Checks the derivative as given against that in float64: by the rounding of the result, and by what rounding of the inputs makes of it, which is measured by varying them.
    /// </summary>
    public static void CheckPrecision(CheckedFunction given, CheckedFunction wide, Random random, GradCheckReport report)
    {
        var upstream = given.Forms.Select(form => Signed(form, random)).ToArray();
        var narrow = given.Record().Pull(upstream);
        Tensor?[] widened = [.. upstream.Select((g, i) => g.To(wide.Forms[i].DType))];
        var exact = wide.Record().Pull(widened);
        var spread = Array.ConvertAll(exact, g => new double[g.Length]);
        for (var trial = 0; trial < 4; trial++)
        {
            var moved = wide.RecordAt([.. wide.Point.Select(x => x * (1 + given.Epsilon * (random.Next(2) * 2 - 1)))]).Pull(widened);
            for (var i = 0; i < spread.Length; i++)
                for (var k = 0; k < spread[i].Length; k++) spread[i][k] = Math.Max(spread[i][k], Math.Abs(moved[i][k] - exact[i][k]));
        }
        for (var i = 0; i < exact.Length; i++)
        {
            var floor = 64 * given.Epsilon * Largest(exact[i]);
            for (var k = 0; k < exact[i].Length; k++)
            {
                var allowance = floor + 64 * spread[i][k];
                if (Math.Abs(narrow[i][k] - exact[i][k]) <= allowance || !double.IsFinite(exact[i][k])) continue;
                Report(GradCheckRule.Precision, "the derivative in the given type is not that in float64, rounded", i, k, narrow[i][k], exact[i][k], allowance, report, given);
                return;
            }
        }
    }

    /// <summary>Random numbers of both signs, none near zero.</summary>
    public static Tensor Signed(OutputForm form, Random random)
    {
        var data = new double[Shapes.Count(form.Shape)];
        for (var i = 0; i < data.Length; i++) data[i] = (random.Next(2) * 2 - 1) * (0.5 + 2 * random.NextDouble());
        return Tensor.Create(data, form.Shape).To(form.DType);
    }

    private static void CheckUndefined(
        Func<Tensor?[], double[][]> pull, Tensor[] first, CheckedFunction.Recording run, double tolerance, double[] scale, GradCheckReport report, CheckedFunction function)
    {
        if (run.Outputs.Count(t => t.RequiresGrad) < 2) return;
        for (var i = 0; i < first.Length; i++)
        {
            var only = i;
            var missing = first.Select((g, k) => k == only ? (Tensor?)g : null).ToArray();
            var zeros = first.Select((g, k) => k == only ? (Tensor?)g : Tensor.Zeros(g.Sizes, g.DType)).ToArray();
            Compare(
                GradCheckRule.UndefinedUpstream, $"a gradient that arrives at output {i} alone gives another result than with zeros at the others", pull(missing), pull(zeros),
                k => tolerance * scale[k], report, function);
        }
    }

    private static Tensor?[] Combine(Tensor[] a, Tensor[] b, Func<double, double, double> f) =>
        [.. a.Select((t, i) => Tensor.Create([.. t.ToDoubles().Zip(b[i].ToDoubles(), f)], t.Sizes).To(t.DType))];

    private static double[][] Combine(double[][] a, double[][] b, Func<double, double, double> f) => [.. a.Select((row, i) => row.Zip(b[i], f).ToArray())];

    private static Tensor ByColumns(Tensor g)
    {
        var steps = new int[g.Rank];
        for (int d = 0, step = 1; d < steps.Length; d++)
        {
            steps[d] = step;
            step *= Math.Max(1, g.Sizes[d]);
        }
        return CheckedFunction.Copy(g, g.DType, steps);
    }

    private static Tensor WithGaps(Tensor g) => CheckedFunction.Copy(g, g.DType, Array.ConvertAll(Shapes.ContiguousStrides(g.Sizes), step => 2 * step));

    private static double Largest(double[] values) => values.Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty(0).Max();

    private static void Compare(
        GradCheckRule rule, string message, double[][] actual, double[][] expected, Func<int, double> allowance, GradCheckReport report, CheckedFunction? function)
    {
        for (var i = 0; i < actual.Length; i++)
        {
            for (var k = 0; k < actual[i].Length; k++)
            {
                var (a, e) = (actual[i][k], expected[i][k]);
                // What is not finite is compared by its kind alone: zero times infinity is nobody's fault here.
                if (a.Equals(e) || Math.Abs(a - e) <= allowance(i) || (!double.IsFinite(e) && !double.IsFinite(a))) continue;
                Report(rule, message, i, k, a, e, allowance(i), report, function);
                return;
            }
        }
    }

    private static void Report(
        GradCheckRule rule, string message, int tensor, int place, double actual, double expected, double allowance, GradCheckReport report, CheckedFunction? function)
    {
        var (input, element) = function?.InputAt(tensor, place) ?? (-1, []);
        var where = function is null ? "" : $" at element {Shapes.Text(element)} of input {input}";
        report.Add(new GradCheckFinding(rule, $"{message}: {actual:G9} and {expected:G9}{where}, which may differ by {allowance:G3}")
        {
            Input = function is null ? null : input,
            InputElement = function is null ? null : element,
            Analytic = actual,
            Numeric = expected,
            Allowance = allowance,
        });
    }
}
