using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>
/// The numerical witness: a program's last backward or grad by central differences, in double-double arithmetic, of what comes before it.
/// It knows nothing of the derivative rules that the last step uses.
/// </summary>
public static class Differences
{
    // The quotient's error is about the step squared, and 1e-32 over the step.
    private static readonly double Step = Math.ScaleB(1, -36);

    /// <summary>The gradient of what the last step starts from, for every element of an input.</summary>
    /// <param name="program">A program whose last step is a backward or a grad; its roots' gradients are inputs, or missing for a scalar.</param>
    /// <param name="input">The name of a float input.</param>
    public static double[] Gradient(Program program, string input)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(input);
        var data = Floats(program, input);
        var gradient = new double[data.Length];
        for (var i = 0; i < data.Length; i++)
        {
            var quotient = (Root(Moved(program, input, i, data[i] + Step)) - Root(Moved(program, input, i, data[i] - Step)))
                / DoubleDouble.Of(data[i] + Step - (data[i] - Step));
            gradient[i] = quotient.Hi;
        }

        return gradient;
    }

    /// <summary>The program with every infinite input replaced by a finite number of the same sign: a stand-in for the limit.</summary>
    public static Program WithFinite(Program program, double standIn)
    {
        ArgumentNullException.ThrowIfNull(program);
        var inputs = program.Inputs.Select(i => i.Tensor.Data is Data.Floats { Item: var x }
            ? With(i, [.. x.Select(v => double.IsInfinity(v) ? Math.CopySign(standIn, v) : v)])
            : i);
        return new Program(ListModule.OfSeq(inputs), program.Steps, program.Observe);
    }

    /// <summary>The value of a variable at the end of a program, in double-double arithmetic.</summary>
    public static double[] Value(Program program, string name)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(name);
        return [.. Elements(program, name).Select(x => x.Hi)];
    }

    /// <summary>The elements of a float input.</summary>
    /// <exception cref="ArgumentException">The input is not of floats.</exception>
    public static double[] Floats(Program program, string input)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(input);
        return program.Inputs.First(i => i.Name == input).Tensor.Data is Data.Floats { Item: var x }
            ? x
            : throw new ArgumentException($"input '{input}' holds no floats");
    }

    // The sum of the last step's roots, each weighted by its gradient.
    private static DoubleDouble Root(Program program)
    {
        var last = program.Steps[program.Steps.Length - 1];
        if (last.Op is not ("backward" or "grad")) throw new ArgumentException($"the last step is '{last.Op}', expected backward or grad");
        var before = new Program(program.Inputs, ListModule.OfSeq(program.Steps.Take(program.Steps.Length - 1)), program.Observe);
        var sum = DoubleDouble.Of(0);
        for (var k = 0; k < last.In.Length; k++)
        {
            if (last.In[k] is not Arg.Name { Item: var root }) continue;
            var values = Elements(before, root);
            var weights = last.Gradients?.Value[k]?.Value is { } gradient ? Floats(program, gradient) : [.. values.Select(_ => 1.0)];
            for (var i = 0; i < values.Length; i++) sum += values[i] * DoubleDouble.Of(weights[i]);
        }

        return sum;
    }

    private static DoubleDouble[] Elements(Program program, string name)
    {
        var observed = new Program(program.Inputs, program.Steps, ListModule.OfSeq([Observed.NewValue(name)]));
        var ran = Run.run<Precise>(RegistryModule.all, observed);
        return !ran.Values.IsEmpty && ran.Values.Head.Item2?.Value.Value.Elements is Elements<Precise>.Floats { Item: var x }
            ? [.. x.Select(p => p.X)]
            : throw new InvalidOperationException($"'{name}' has no value: {ran.Raised?.Value.Message}");
    }

    private static Program Moved(Program program, string input, int index, double value)
    {
        var inputs = program.Inputs.Select(i => i.Name == input ? With(i, [.. Floats(program, input).Select((v, k) => k == index ? value : v)]) : i);
        return new Program(ListModule.OfSeq(inputs), program.Steps, program.Observe);
    }

    private static Input With(Input input, double[] data) =>
        new(input.Name, new Literal(input.Tensor.DType, input.Tensor.Shape, Data.NewFloats(data)), input.RequiresGrad);
}
