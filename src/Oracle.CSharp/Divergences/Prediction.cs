using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>A known divergence as a prediction: the specification run over what PyTorch really does.</summary>
internal static class Prediction
{
    /// <summary>Whether what a finding found is what is predicted.</summary>
    internal static bool Predicts(this Expectation predicted, Finding finding)
    {
        var raised = predicted.Ran.Raised?.Value;
        if (finding.Raised is { } found)
            return raised is not null && raised.Kind.Equals(found.Kind) && raised.Step.Equals(found.Step);
        if (finding.Difference == Difference.Raised) return raised is null;
        if (finding.Difference == Difference.Message) return raised is not null && finding.Message.StartsWith($"the message is \"{raised.Message}\",", StringComparison.Ordinal);
        var observed = predicted.Ran.Values.FirstOrDefault(v => v.Item1 == finding.Name)?.Item2?.Value;
        if (finding.Difference == Difference.Null) return observed is null == finding.Message.StartsWith($"{finding.Name} is null,", StringComparison.Ordinal);
        if (observed is not { } expected) return false;
        bool Has(string property, object? value) => finding.Message.StartsWith($"{finding.Name} has {property} {value},", StringComparison.Ordinal);
        return finding.Difference switch
        {
            Difference.Version => expected.Version is { } version && Has("version", version.Value),
            Difference.Shape => Has("shape", Shape.show(expected.Value.Shape)),
            Difference.RequiresGrad => Has("requires_grad", expected.RequiresGrad),
            Difference.IsLeaf => expected.IsLeaf is { } leaf && Has("is_leaf", leaf.Value),
            Difference.GradFn => expected.GradFn is { } node && Has("grad_fn", node.Value is null ? "None" : "a node"),
            Difference.Value or Difference.Class when finding.Index is { } i => expected.Value.Elements switch
            {
                Elements<Bounded>.Floats { Item: var x } when i < x.Length => finding.Actual.Equals(x[i].V) || Math.Abs(finding.Actual - x[i].V) <= x[i].E,
                Elements<Bounded>.Ints { Item1: var n, decided: true } when i < n.Length => finding.Actual.Equals(n[i]),
                _ => false,
            },
            _ => false,
        };
    }
}
