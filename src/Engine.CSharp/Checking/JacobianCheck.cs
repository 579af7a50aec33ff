namespace Verified.Engine;

/// <summary>The Jacobian that the derivative rules give, against numerical derivatives of the function: entry by entry where it is small, along random directions where it is large.</summary>
internal sealed class JacobianCheck
{
    private const int Starts = 6;

    /// <summary>The part of the largest slope that an estimate's error may be for the estimate to say anything at all.</summary>
    private const double Looseness = 0.05;

    private readonly CheckedFunction function;
    private readonly GradCheckReport report;
    private readonly double[] point;
    private readonly double[] middle;
    private readonly double largestValue;
    private readonly double largestInput;

    private JacobianCheck(CheckedFunction function, GradCheckReport report)
    {
        this.function = function;
        this.report = report;
        point = function.Point;
        middle = function.Values(point);
        largestValue = Largest(middle);
        largestInput = Largest(point);
    }

    /// <summary>The part of an estimate's size that its error may be for the estimate to count.</summary>
    private double Exactness => function.Epsilon < 1e-10 ? 1e-6 : 1e-2;

    /// <summary>Checks a function at its point.</summary>
    public static void Check(CheckedFunction function, GradCheckOptions options, Random random, GradCheckReport report)
    {
        var check = new JacobianCheck(function, report);
        if (check.point.Length == 0 || check.middle.Length == 0) return;
        if ((long)check.point.Length * check.middle.Length <= options.MaxEntries) check.CheckEntries();
        else check.CheckDirections(options.Directions, random);
    }

    private static double Largest(IEnumerable<double> values) => values.Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty(0).Max();

    private void CheckEntries()
    {
        var rows = Rows();
        var slope = Largest(rows.SelectMany(row => row));
        // Of what is wrong everywhere the report keeps a few: the rest would cost most, since what does not agree is tried with every step.
        for (var input = 0; input < point.Length && !report.IsFull(GradCheckRule.Jacobian); input++)
        {
            var column = Array.ConvertAll(rows, row => row[input]);
            var along = new double[point.Length];
            along[input] = 1;
            var size = Math.Max(Math.Abs(point[input]), 0.125 * Math.Max(largestInput, 1));
            var outcomes = Decide(t => function.Values(Moved(along, t)), middle, column, Steps(size, Math.Abs(point[input])), slope, size);
            for (var output = 0; output < outcomes.Length; output++) Count(outcomes[output], input, output);
        }
    }

    /// <summary>Along a direction u, weighted by v, the slope is v J u: an inner product of what the rules give with u.</summary>
    private void CheckDirections(int directions, Random random)
    {
        for (var direction = 0; direction < directions; direction++)
        {
            var v = Signed(middle.Length, random);
            var u = Signed(point.Length, random);
            var gradient = Pull(v);
            var outcome = Along(gradient, u, v);
            if (outcome.Kind != Outcome.Wrong)
            {
                Count(outcome, -1, -1);
                continue;
            }

            // With the steps that showed it, which are a few of all; where they lead nowhere, with all.
            if (!Locate(gradient, u, v, [outcome.Start]) && !Locate(gradient, u, v, Steps(1, 0))) Count(outcome, -1, -1);
            return;
        }
    }

    /// <summary>Counts an element of the input and one of the output that a wrong slope comes from: halves of the input, then of the output, that are still wrong lead there. False where none is found.</summary>
    private bool Locate(double[] gradient, double[] u, double[] v, IEnumerable<double> steps)
    {
        var input = Halve(point.Length, part => Along(gradient, Part(u, part), v, steps).Kind == Outcome.Wrong);
        var single = Part(u, (input, input + 1));
        var output = Halve(middle.Length, part => Along(Pull(Part(v, part)), single, Part(v, part), steps).Kind == Outcome.Wrong);
        var one = Part(v, (output, output + 1));
        // This counts, so it is tried with every step.
        var entry = Along(Pull(one), single, one);
        if (entry.Kind != Outcome.Wrong) return false;
        var unit = u[input] * Size(input) * v[output];
        Count(entry with { Analytic = entry.Analytic / unit, Numeric = entry.Numeric / unit, Allowance = entry.Allowance / Math.Abs(unit) }, input, output);
        return true;
    }

    private Verdict Along(double[] gradient, double[] u, double[] v) => Along(gradient, u, v, Steps(1, 0));

    private Verdict Along(double[] gradient, double[] u, double[] v, IEnumerable<double> steps)
    {
        var direction = new double[u.Length];
        for (var i = 0; i < u.Length; i++) direction[i] = u[i] * Size(i);
        double Weighted(double[] values) => values.Zip(v, (y, w) => w == 0 ? 0 : w * y).Sum();
        var analytic = gradient.Zip(direction, (g, d) => d == 0 ? 0 : g * d).ToArray();
        return Decide(
            t => [Weighted(function.Values(Moved(direction, t)))], [Weighted(middle)], [analytic.Sum()], steps, Math.Sqrt(analytic.Where(double.IsFinite).Sum(a => a * a)), 1)[0];
    }

    /// <summary>Compares the components of a derivative with estimates from ever smaller steps, until each has agreed with one that is exact enough.</summary>
    private Verdict[] Decide(Func<double, double[]> f, double[] at, double[] analytic, IEnumerable<double> steps, double slope, double size)
    {
        var epsilon = function.Epsilon;
        var floor = 1e-3 * Math.Max(slope, largestValue / size);
        var best = new Verdict[at.Length];
        foreach (var start in steps)
        {
            var estimates = Ridders.Derivatives(f, at, start, new Rounding(400 * epsilon, epsilon * size));
            for (var k = 0; k < at.Length; k++)
            {
                if (best[k].Kind == Outcome.Agrees) continue;
                var (a, e) = (analytic[k], estimates[k]);
                if (!e.IsKink && !double.IsFinite(e.Error)) continue;
                // What is not finite does not agree with anything; it is wrong where the function surely has a finite slope.
                var finite = double.IsFinite(a);
                var scale = Math.Max(finite ? Math.Abs(a) : 0, slope);
                var allowance = (e.IsKink ? 4 * e.SlopeError : e.Error) + 256 * epsilon * scale;
                var near = e.IsKink
                    ? a >= Math.Min(e.Left, e.Right) - allowance && a <= Math.Max(e.Left, e.Right) + allowance
                    : Math.Abs(a - e.Value) <= allowance;
                var largest = Math.Max(floor, finite ? Math.Abs(a) : 0);
                var exact = e.IsKink
                    ? finite || e.SlopeError <= Exactness * Math.Max(largest, Math.Max(Math.Abs(e.Left), Math.Abs(e.Right)))
                    : e.Error <= Exactness * Math.Max(largest, Math.Abs(e.Value));
                var kind = exact ? (near ? (e.IsKink ? Outcome.Kink : Outcome.Agrees) : e.IsKink ? Outcome.WrongKink : Outcome.Wrong)
                    : near && !e.IsKink && e.Error <= Looseness * scale ? Outcome.AgreesLoosely : Outcome.Undecided;
                // A kink that smaller steps do not see is not at the point; of two estimates that disagree the exact one counts.
                var replaces = best[k].Kind switch
                {
                    Outcome.Undecided => true,
                    Outcome.AgreesLoosely => exact,
                    Outcome.Kink or Outcome.WrongKink => exact,
                    _ => kind == Outcome.Agrees,
                };
                if (replaces)
                    best[k] = new Verdict(kind, a, e.IsKink ? (e.Left + e.Right) / 2 : e.Value, allowance, start);
            }
            if (Array.TrueForAll(best, verdict => verdict.Kind == Outcome.Agrees)) break;
        }
        return best;
    }

    private void Count(Verdict verdict, int input, int output)
    {
        switch (verdict.Kind)
        {
            case Outcome.Agrees:
                report.Agreed++;
                return;
            case Outcome.Kink:
                report.AtKinks++;
                return;
            case Outcome.AgreesLoosely:
                report.AgreedLoosely++;
                return;
            case Outcome.Undecided:
                report.Undecided++;
                return;
        }
        var rule = verdict.Kind == Outcome.WrongKink ? GradCheckRule.Kink : GradCheckRule.Jacobian;
        var what = verdict.Kind == Outcome.WrongKink ? "the derivative does not lie between the slopes to both sides" : "the derivative is not that of the function";
        var numbers = $"{verdict.Analytic:G9} by the rules, {verdict.Numeric:G9} numerically, which may differ by {verdict.Allowance:G3}";
        if (input < 0)
        {
            report.Add(new GradCheckFinding(rule, $"along a random direction {what}: {numbers}") { Analytic = verdict.Analytic, Numeric = verdict.Numeric, Allowance = verdict.Allowance });
            return;
        }
        var (inputTensor, inputElement) = function.InputAt(input);
        var (outputTensor, outputElement) = function.OutputAt(output);
        report.Add(new GradCheckFinding(
            rule, $"{what}: element {Shapes.Text(outputElement)} of output {outputTensor} by element {Shapes.Text(inputElement)} of input {inputTensor}: {numbers}")
        {
            Input = inputTensor,
            InputElement = inputElement,
            Output = outputTensor,
            OutputElement = outputElement,
            Analytic = verdict.Analytic,
            Numeric = verdict.Numeric,
            Allowance = verdict.Allowance,
        });
    }

    /// <summary>First steps from an eighth of the size down; where the point lies nearer to zero than that, one that does not cross it.</summary>
    private static IEnumerable<double> Steps(double size, double distance)
    {
        for (var i = 0; i < Starts; i++) yield return Math.ScaleB(1, Math.ILogB(size) - 3 - (4 * i));
        if (distance > 0 && distance < size) yield return Math.ScaleB(1, Math.ILogB(distance) - 2);
    }

    private double Size(int input) => Math.Max(Math.Abs(point[input]), 0.125 * Math.Max(largestInput, 1e-3));

    private double[] Moved(double[] along, double t)
    {
        var moved = new double[point.Length];
        for (var i = 0; i < moved.Length; i++) moved[i] = point[i] + t * along[i];
        return moved;
    }

    private double[][] Rows()
    {
        var run = function.Record();
        var rows = new double[middle.Length][];
        for (var i = 0; i < rows.Length; i++)
        {
            var unit = new double[rows.Length];
            unit[i] = 1;
            rows[i] = Flat(run.Pull(Upstream(unit)));
        }
        return rows;
    }

    private double[] Pull(double[] v) => Flat(function.Record().Pull(Upstream(v)));

    private Tensor?[] Upstream(double[] v)
    {
        var next = 0;
        return Array.ConvertAll(function.Forms, form =>
        {
            var count = Shapes.Count(form.Shape);
            next += count;
            return (Tensor?)Tensor.Create(v.AsSpan(next - count, count), form.Shape).To(form.DType);
        });
    }

    private static double[] Flat(double[][] parts) => [.. parts.SelectMany(part => part)];

    private static double[] Signed(int count, Random random) =>
        [.. Enumerable.Range(0, count).Select(_ => (random.Next(2) * 2 - 1) * (0.5 + 0.5 * random.NextDouble()))];

    private static double[] Part(double[] values, (int From, int To) part) => [.. values.Select((x, i) => i >= part.From && i < part.To ? x : 0)];

    /// <summary>One element of those that a test holds of, found by halving; the test holds of all of them together.</summary>
    private static int Halve(int count, Func<(int From, int To), bool> wrong)
    {
        var (from, to) = (0, count);
        while (to - from > 1)
        {
            var half = (from + to) / 2;
            if (wrong((from, half))) to = half;
            else from = half;
        }
        return from;
    }

    private enum Outcome
    {
        Undecided,
        AgreesLoosely,
        Agrees,
        Kink,
        Wrong,
        WrongKink,
    }

    private readonly record struct Verdict(Outcome Kind, double Analytic, double Numeric, double Allowance, double Start);
}
