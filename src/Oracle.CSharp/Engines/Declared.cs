using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>What an engine declares, held against what a program asks for: it is asked for nothing else.</summary>
internal static class Declared
{
    /// <summary>The first thing that a case asks for and the engine does not declare; null where there is none.</summary>
    internal static string? Lacks(EngineInfo engine, Json.Case item)
    {
        var steps = Steps.All(item.Program.Steps).ToList();
        return item.Program.Inputs.Select(input => input.Tensor.DType.Name).FirstOrDefault(dtype => !engine.DTypes.Contains(dtype))
            ?? steps.Select(step => OperatorThatLacks(engine, step)).FirstOrDefault(lacking => lacking is not null)
            ?? Features(item, steps).FirstOrDefault(feature => !engine.Features.Contains(feature))
            ?? (!engine.Features.Contains(EngineFeatures.Broadcasting) && Broadcasting.In(item.Program) ? EngineFeatures.Broadcasting : null);
    }

    private static string? OperatorThatLacks(EngineInfo engine, Step step) =>
        engine.Operators is { } operators && Needs.Record(step) is not null && !operators.Contains(step.Op) && !operators.Contains(step.Op.TrimEnd('_')) ? step.Op : null;

    private static IEnumerable<string> Features(Json.Case item, List<Step> steps)
    {
        foreach (var feature in steps.SelectMany(Needs.Of)) yield return feature;
        // Without writes a view is as good as a copy.
        if (steps.Exists(step => step.Op.EndsWith('_')) && steps.Exists(step => Needs.Record(step)?.Behaviour.IsAliases is true)) yield return "views";
        if (steps.Count(step => step.Op == "backward") > 1) yield return "accumulate";
        // An engine may free all of a graph after the first pass.
        if (steps.Exists(step => step.Op == "grad") && steps.Count(step => step.Op is "backward" or "grad") > 1) yield return "retain_graph";
        if (item.Golden?.Value.Raised is not null) yield return "errors";
    }
}
