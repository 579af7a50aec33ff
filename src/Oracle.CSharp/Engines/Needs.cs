using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>
/// Which features a step needs of an engine: read where programs are made for an engine, and where it is decided whether it is asked to run one.
/// </summary>
internal static class Needs
{
    private static readonly Dictionary<string, string[]> Structural = new()
    {
        ["detach"] = ["detach"],
        ["data"] = ["detach"],
        ["detach_"] = ["detach", "in_place"],
        ["no_grad"] = ["no_grad"],
        ["enable_grad"] = ["no_grad"],
        ["inference_mode"] = ["inference_mode"],
        ["requires_grad_"] = ["requires_grad"],
        ["register_hook"] = ["hooks"],
        ["remove_hook"] = ["hooks"],
        ["retain_grad"] = ["accumulate"],
        ["get_grad"] = ["accumulate"],
        ["zero_grad"] = ["accumulate"],
    };

    // Each is a feature of the same name.
    private static readonly string[] Attributes = ["retain_graph", "create_graph"];

    /// <summary>The features that a step of this name needs.</summary>
    internal static IReadOnlyList<string> Of(string op) => Structural.TryGetValue(op, out var features) ? features : op.EndsWith('_') ? ["in_place"] : [];

    /// <summary>The features that a step needs, its attributes' among them; those of the steps inside it left out.</summary>
    internal static IEnumerable<string> Of(Step step) =>
        Of(step.Op).Concat(Attributes.Where(attribute => Steps.IsSet(step, attribute))).Concat(GivesWhatMayBeLeftOut(step) ? [EngineFeatures.Attributes] : []);

    /// <summary>The record of a step's operator, in place or not; null where it is no operator.</summary>
    internal static Operator? Record(Step step) =>
        RegistryModule.all.TryGetValue(step.Op, out var op) || RegistryModule.all.TryGetValue(step.Op.TrimEnd('_'), out op) ? op : null;

    private static bool GivesWhatMayBeLeftOut(Step step) =>
        !step.Attrs.IsEmpty && Record(step) is { } op && op.Attrs.Any(attr => !attr.Required && !attr.OneOf && step.Attrs.ContainsKey(attr.Name));
}
