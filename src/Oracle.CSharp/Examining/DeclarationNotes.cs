using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>What an engine declares and nobody knows: a slip of the pen there would quietly leave out what it meant to have examined.</summary>
internal static class DeclarationNotes
{
    private const int Shown = 20;

    /// <summary>A sentence for each unknown feature, dtype, ulp and field, and one for all operators that the specification does not have.</summary>
    public static IEnumerable<string> Of(EngineInfo engine)
    {
        foreach (var note in Unknown(engine, "the feature", engine.Features, EngineFeatures.All.Order(StringComparer.Ordinal))) yield return note;
        foreach (var note in Unknown(engine, "the dtype", engine.DTypes, new EngineInfo { Name = "" }.DTypes)) yield return note;
        foreach (var note in Unknown(engine, "the ulp of", engine.Ulp.Keys, Allowance.Names)) yield return note;
        foreach (var field in engine.UnknownFields)
        {
            var parent = field.Contains('.', StringComparison.Ordinal) ? field[..field.IndexOf('.', StringComparison.Ordinal)] : "";
            yield return Sentence(engine, "the field", field, LineProtocol.HelloFields[parent].Select(name => parent.Length == 0 ? name : $"{parent}.{name}"));
        }

        string[] operators = [.. (engine.Operators ?? new HashSet<string>()).Where(name => !ProgramNames.Exists(name)).Order(StringComparer.Ordinal)];
        if (operators.Length > 0)
            yield return $"{engine.Name} declares operators that the specification does not have, which are not examined: {string.Join(", ", operators.Take(Shown))}{(operators.Length > Shown ? $" and {operators.Length - Shown} more" : "")}.";
    }

    private static IEnumerable<string> Unknown(EngineInfo engine, string what, IEnumerable<string> declared, IEnumerable<string> known) =>
        declared.Except(known).Order(StringComparer.Ordinal).Select(name => Sentence(engine, what, name, known));

    private static string Sentence(EngineInfo engine, string what, string name, IEnumerable<string> known) =>
        $"{engine.Name} declares {what} '{name}', which there is not: there are {string.Join(", ", known)}.";
}
