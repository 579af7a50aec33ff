using Verified.Engine;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>Which of a model's inputs and leaves its gradient reached, so that a report does not say of a gradient that was never there that it is right.</summary>
internal static class GradientReach
{
    /// <summary>Why no gradient was compared; null where one was.</summary>
    /// <param name="recorder">The finished recording.</param>
    /// <param name="output">What the model gave; null for code that differentiates by itself.</param>
    /// <param name="leaves">Its inputs and leaves that require a gradient.</param>
    public static string? WhyNone(ProgramRecorder recorder, Tensor? output, IReadOnlyList<Tensor> leaves)
    {
        if (recorder.Error is not null) return leaves.Any(leaf => leaf.Grad is not null) ? null : "the model ends in an error";
        if (output is null) return recorder.Steps.Any(step => step.Step.Op is "backward" or "grad") ? null : "the code pulls none back";
        if (leaves.Any(leaf => leaf.Grad is not null)) return null;
        return output.RequiresGrad ? "none reaches an input or a leaf that requires one" : "no recorded way leads from what requires one to the result";
    }

    /// <summary>A note for each input or leaf that requires a gradient and got none.</summary>
    public static IEnumerable<string> Notes(ProgramRecorder recorder, Tensor output, IReadOnlyList<Tensor> leaves)
    {
        foreach (var leaf in leaves.Where(leaf => leaf.Grad is null))
        {
            if (recorder.NameOf(leaf) is not { } name) continue;
            var reached = From(recorder, name);
            var read = recorder.Read.Where(t => recorder.NameOf(t) is { } of && reached.Contains(of)).Select(t => recorder.NameOf(t)!).ToList();
            var why = recorder.NameOf(output) is { } result && reached.Contains(result)
                ? "it leads to the result only where no gradient flows, such as through detach, a comparison or a block without recording"
                : "it does not lead to the result";
            var numbers = read.Count == 0 ? "" : $"; numbers were read out of {string.Join(", ", read)}: what is computed of them counts as constant";
            yield return $"no gradient reaches {name} ({leaf.DType.ToString().ToLowerInvariant()} [{string.Join(", ", leaf.Shape.ToArray())}]): {why}{numbers}";
        }
    }

    /// <summary>All that depends on a tensor, itself included.</summary>
    private static HashSet<string> From(ProgramRecorder recorder, string name)
    {
        var reached = new HashSet<string> { name };
        foreach (var (step, i) in recorder.Steps.Select((step, i) => (step, i)))
        {
            foreach (var applied in recorder.Functions.Where(applied => applied.End == i)) Through(applied, reached);
            if (step.Step.Op is not "backward" && step.Step.In.SelectMany(StepByStep.NamesOf).Any(reached.Contains)) reached.UnionWith(step.Values.Keys);
        }

        foreach (var applied in recorder.Functions.Where(applied => applied.End >= recorder.Steps.Count)) Through(applied, reached);
        return reached;
    }

    private static void Through(RecordedFunction applied, HashSet<string> reached)
    {
        if (applied.Inputs.Any(input => input is not null && reached.Contains(input))) reached.UnionWith(applied.Results);
    }
}
