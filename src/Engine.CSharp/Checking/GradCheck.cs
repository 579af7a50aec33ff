namespace Verified.Engine;

/// <summary>
/// Checks the derivative of a function at a point, whatever rules it comes from: against numerical derivatives with an error estimate of their own (Ridders' method, in float64
/// wherever the function allows it), and against the laws that every derivative keeps without any tolerance worth mentioning. No step width and no tolerance is asked for.
/// </summary>
/// <remarks>What is checked, and what PyTorch's gradcheck lets pass of it, stands in <c>docs/autograd-beyond-programs.md</c>.</remarks>
public static class GradCheck
{
    /// <summary>Checks a function of one tensor.</summary>
    /// <param name="f">The function; any code, recorded or with rules of its own. It may be called some hundred times for each element.</param>
    /// <param name="x">The point, of floating point.</param>
    /// <param name="options">How to check.</param>
    /// <exception cref="AutogradException">The input cannot be differentiated by, or its elements share memory.</exception>
    public static GradCheckReport Check(Func<Tensor, Tensor> f, Tensor x, GradCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        ArgumentNullException.ThrowIfNull(x);
        return CheckAll(t => [f(t[0])], [x], options);
    }

    /// <summary>Checks a function of several tensors and several results.</summary>
    /// <param name="f">The function.</param>
    /// <param name="inputs">The point. It is differentiated by those that require a gradient or, where none does, by all of floating point.</param>
    /// <param name="options">How to check.</param>
    /// <exception cref="AutogradException">No input can be differentiated by, or elements of one share memory.</exception>
    public static GradCheckReport CheckAll(Func<Tensor[], Tensor[]> f, IReadOnlyList<Tensor> inputs, GradCheckOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(f);
        ArgumentNullException.ThrowIfNull(inputs);
        options ??= new GradCheckOptions();
        var point = inputs.ToArray();
        var flagged = Array.Exists(point, t => t.RequiresGrad);
        var differentiated = Array.ConvertAll(point, t => flagged ? t.RequiresGrad : t.DType.IsFloat());
        if (!differentiated.Contains(true))
        {
            throw new AutogradException(
                ErrorKind.Value, "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.");
        }
        for (var i = 0; i < point.Length; i++)
            if (differentiated[i]) CheckMemory(point[i], i);
        var report = new GradCheckReport(options.Seed ?? Random.Shared.Next());
        Run(f, point, differentiated, options, report);
        return report;
    }

    private static void Run(Func<Tensor[], Tensor[]> f, Tensor[] point, bool[] differentiated, GradCheckOptions options, GradCheckReport report)
    {
        try
        {
            var random = new Random(report.Seed);
            var given = new CheckedFunction(f, point, differentiated, widened: false);
            var wide = given.Epsilon < 1e-10 ? given : Widened(f, point, differentiated, given);
            UpstreamLaws.Check(given, options, random, report);
            JacobianCheck.Check(wide ?? given, options, random, report);
            if (wide is not null && !ReferenceEquals(wide, given)) UpstreamLaws.CheckPrecision(given, wide, random, report);
            if (options.Order > 1 && report.Findings.Count == 0) CheckNextOrder(f, point, differentiated, given, options, random, report);
        }
        catch (CheckedFunction.FormChangedException)
        {
            report.Add(new GradCheckFinding(GradCheckRule.FormChanged, "the shape or type of a result depends on the values of the inputs"));
        }
        catch (AutogradException error)
        {
            report.Add(new GradCheckFinding(GradCheckRule.Raised, error.Message));
        }
    }

    /// <summary>The function in float64; null where it does not allow that, by raising or by answering in less.</summary>
    private static CheckedFunction? Widened(Func<Tensor[], Tensor[]> f, Tensor[] point, bool[] differentiated, CheckedFunction given)
    {
        try
        {
            var wide = new CheckedFunction(f, point, differentiated, widened: true);
            return wide.Epsilon < 1e-10 && wide.Forms.Length == given.Forms.Length ? wide : null;
        }
        catch (AutogradException)
        {
            return null;
        }
    }

    /// <summary>The function that pulls back is itself a function, of the point and of the gradients that arrive.</summary>
    private static void CheckNextOrder(
        Func<Tensor[], Tensor[]> f, Tensor[] point, bool[] differentiated, CheckedFunction given, GradCheckOptions options, Random random, GradCheckReport report)
    {
        var outputs = given.Record().Outputs;
        var live = Enumerable.Range(0, outputs.Length).Where(i => outputs[i].RequiresGrad).ToArray();
        if (live.Length == 0) return;
        Tensor[] Pulled(Tensor[] all)
        {
            var results = Array.FindAll(f(all[..point.Length]), t => t.DType.IsFloat());
            var by = all[..point.Length].Where((_, i) => differentiated[i]).ToArray();
            var pulled = Autograd.Grad([.. live.Select(i => results[i])], by, all[point.Length..], createGraph: true, allowUnused: true);
            return [.. pulled.Select((g, i) => g ?? Tensor.Zeros(by[i].Sizes, by[i].DType))];
        }
        Tensor[] upstream = [.. live.Select(i => UpstreamLaws.Signed(given.Forms[i], random))];
        var next = new GradCheckReport(random.Next());
        Run(Pulled, [.. point, .. upstream], [.. differentiated, .. live.Select(_ => true)], options with { Order = options.Order - 1 }, next);
        report.Take(next, "of the derivative: ");
    }

    private static void CheckMemory(Tensor input, int index)
    {
        if (!input.DType.IsFloat()) throw new AutogradException(ErrorKind.RequiresGradDtype, "only Tensors of floating point dtype can require gradients");
        for (var d = 0; d < input.Rank; d++)
        {
            if (input.Steps[d] != 0 || input.Sizes[d] < 2) continue;
            throw new AutogradException(
                ErrorKind.OverlappingWrite,
                $"The {index}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to compute the numerical gradients "
                + "correctly. You should call .contiguous on the input before passing it to gradcheck.");
        }
        if (input.IsContiguous || Overlap.IsNonOverlappingAndDense(input)) return;
        var places = new HashSet<long>();
        var position = new int[input.Rank];
        for (var n = 0; n < input.Count; n++)
        {
            var place = 0L;
            var rest = n;
            for (var d = position.Length - 1; d >= 0; d--)
            {
                place += (long)(rest % input.Sizes[d]) * input.Steps[d];
                rest /= input.Sizes[d];
            }
            if (!places.Add(place))
            {
                throw new AutogradException(
                    ErrorKind.OverlappingWrite, $"elements of input {index} share memory, so that none of them can be varied alone; call Clone() on it before it is checked");
            }
        }
    }
}
