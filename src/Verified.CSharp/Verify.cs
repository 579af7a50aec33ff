using Verified.Engine;
using Verified.Oracle;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>What <see cref="Verify"/> may be told.</summary>
public sealed record VerifyOptions
{
    /// <summary>Names for the inputs, in their order; <c>x1</c>, <c>x2</c>, ... where null.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Whether floating-point inputs get gradients too, which are then examined. Not for a model that writes into its inputs.</summary>
    public bool InputGradients { get; init; } = true;

    /// <summary>The seed of the signed random gradient that an output of more than one element is pulled back with.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>An engine that the recorded program is run on as well, such as one with a replaced operator (see <see cref="BuiltInEngine"/>); its findings are shrunk.</summary>
    public IEngine? Engine { get; init; }
}

/// <summary>Checks a model against the specification: what it computes and its gradients, within bounds that follow from its operations.</summary>
public static class Verify
{
    /// <summary>Checks a function of one tensor and its gradients.</summary>
    /// <inheritdoc cref="Model(Func{IReadOnlyList{Tensor}, Tensor}, IReadOnlyList{Tensor}, VerifyOptions?)"/>
    public static ModelReport Model(Func<Tensor, Tensor> model, Tensor input, VerifyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(model);
        return Model(inputs => model(inputs[0]), [input], options);
    }

    /// <summary>
    /// Runs a model once, writes down what it does as a program, pulls a gradient back from its output to the inputs and to every other leaf that it used, and holds all values and gradients against
    /// the specification. The given tensors, the weights and their <see cref="Tensor.Grad"/> stay as they are, unless the model itself writes to them.
    /// </summary>
    /// <param name="model">The model: any C# or F# function of tensors. It must not depend on other threads.</param>
    /// <param name="inputs">What it is called with (copies of these).</param>
    /// <param name="options">Names, seed, another engine.</param>
    /// <returns>The verdict, and where it first goes wrong.</returns>
    public static ModelReport Model(Func<IReadOnlyList<Tensor>, Tensor> model, IReadOnlyList<Tensor> inputs, VerifyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputs);
        options ??= new VerifyOptions();
        Tensor[] given = [.. inputs.Select(x => Copy(x, options.InputGradients))];
        var recorder = new ProgramRecorder();
        Tensor? output = null;
        var kept = new List<(Tensor Leaf, Tensor? Grad)>();
        using (recorder)
        {
            for (var i = 0; i < given.Length; i++) recorder.Name(options.Names?[i] ?? $"x{i + 1}", given[i]);
            try
            {
                output = model(given);
                foreach (var (_, leaf) in recorder.Inputs.ToList())
                {
                    kept.Add((leaf, leaf.Grad));
                    leaf.Grad = null;
                }

                // A custom function that raises is a finding; what lies beside it is examined all the same.
                recorder.GoesOnAfterFailures = true;
                if (output.RequiresGrad) output.Backward(output.Count == 1 ? null : Upstream(output, options.Seed));
            }
            catch (Exception error) when (Ends(recorder, error))
            {
            }
        }

        var report = ModelReport.Of(recorder, output, options.Engine);
        foreach (var (leaf, grad) in kept) leaf.Grad = grad;
        return report;
    }

    /// <summary>
    /// Checks a piece of code that differentiates by itself, such as a training step: it runs once, as it is; every tensor that it used is compared at its end, with its gradient.
    /// </summary>
    /// <param name="code">The code. What it changes stays changed.</param>
    /// <param name="options">An engine to run the recorded program on as well.</param>
    public static ModelReport Step(Action code, VerifyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(code);
        var recorder = new ProgramRecorder();
        using (recorder)
        {
            try
            {
                code();
            }
            catch (Exception error) when (Ends(recorder, error))
            {
            }
        }

        return ModelReport.OfStep(recorder, options?.Engine);
    }

    /// <summary>
    /// Checks a function that computes a loss from tensors that it holds, such as a training step up to its <c>backward</c>: it is called once, a gradient is pulled back from the loss, and all values and the
    /// gradient of every leaf that it used are held against the specification. Gradients that are there stay as they are.
    /// </summary>
    /// <param name="loss">The function. A mask that it draws is an input of the program.</param>
    /// <param name="options">An engine to run the recorded program on as well.</param>
    public static ModelReport Step(Func<Tensor> loss, VerifyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return Model(_ => loss(), [], options);
    }

    /// <summary>Whether an exception is the end of what is examined: the program's, where whether rightly so is examined too, or one that a custom function's backward raised.</summary>
    private static bool Ends(ProgramRecorder recorder, Exception error) => (error is AutogradException && recorder.Error is not null) || recorder.HasFailedBy(error);

    private static Tensor Copy(Tensor x, bool requiresGrad)
    {
        var copy = x.Detach().Clone();
        return requiresGrad && x.DType.IsFloat() ? copy.RequiresGradInPlace() : copy;
    }

    /// <summary>Numbers of either sign between a half and one and a half in size: a gradient of ones hides mistakes.</summary>
    private static Tensor Upstream(Tensor output, int seed)
    {
        var random = new Random(seed);
        var data = new double[output.Count];
        for (var i = 0; i < data.Length; i++) data[i] = (0.5 + random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1);
        return output.DType == DType.Float32
            ? Tensor.Create(Array.ConvertAll(data, x => (float)x), output.Shape.ToArray())
            : Tensor.Create(data, output.Shape.ToArray());
    }
}
