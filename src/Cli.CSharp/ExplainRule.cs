using System.Globalization;
using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Cli;

/// <summary>The rules of autograd, in plain words and each with the program that shows it.</summary>
internal static class ExplainRule
{
    /// <summary>Writes a line for each rule.</summary>
    public static void WriteAll()
    {
        foreach (var rule in AutogradRules.all) Console.WriteLine($"{rule.Name,-48} {rule.Says}");
    }

    /// <summary>Writes one rule, the first program that shows it, and what comes of it with and without the rule.</summary>
    public static void Write(string name)
    {
        if (AutogradRules.all.FirstOrDefault(each => each.Name == name) is not { } rule)
            throw new CorpusException($"there is no rule '{name}'; ./verify explain rules lists them all");
        Console.WriteLine(rule.Name);
        Console.WriteLine($"  {rule.Says}");
        Console.WriteLine($"  Without the rule: {char.ToLowerInvariant(rule.Without[0])}{rule.Without[1..]}");
        var corpus = Path.Combine(EngineNames.Root, "tests", "GoldenPyTorch", "goldens", "semantics.jsonl.gz");
        if (!File.Exists(corpus) || Corpus.Read(corpus).FirstOrDefault(item => item.Id.StartsWith($"semantics/{rule.Name}/", StringComparison.Ordinal)) is not { } shown) return;
        Console.WriteLine();
        Console.WriteLine($"{PrintPyTorch.print(shown.Program).TrimEnd()}");
        Console.WriteLine();
        var with = Lines(Run.outcome(RegistryModule.all, shown.Program));
        var without = Lines(Run.outcomeOf(Run.runWithout<Real>(new FSharpSet<string>([rule.Name]), RegistryModule.all, shown.Program)));
        foreach (var line in with.Except(without)) Console.WriteLine($"as it is:          {line}");
        foreach (var line in without.Except(with)) Console.WriteLine($"without the rule:  {line}");
        Console.WriteLine();
        Console.WriteLine($"{shown.Id}; docs/semantics.md has the others.");
    }

    /// <summary>What an outcome holds, a line for each name and one for an error.</summary>
    private static List<string> Lines(Outcome outcome) =>
    [
        .. outcome.Values.Select(value => $"{value.Item1} is {(value.Item2 is null ? "None" : Text(value.Item2.Value))}"),
        outcome.Raised is { Value: var raised } ? $"raises {raised.Kind.Name}: {raised.Message}" : "raises nothing",
    ];

    private static string Text(Report report)
    {
        IEnumerable<string> elements = report.Tensor.Data switch
        {
            Data.Floats floats => floats.Item.Select(x => x.ToString("G7", CultureInfo.InvariantCulture)),
            Data.Ints ints => ints.Item.Select(i => i.ToString(CultureInfo.InvariantCulture)),
            _ => [],
        };
        var facts = new[]
        {
            $"{report.Tensor.DType.Name} [{string.Join(", ", elements)}] of shape {Shape.show(report.Tensor.Shape)}",
            report.RequiresGrad is { Value: true } ? "requires_grad" : "",
            report.IsLeaf is { Value: true } ? "leaf" : "",
            report.Version is { Value: > 0 and var version } ? $"version {version}" : "",
        };
        return string.Join(", ", facts.Where(fact => fact.Length > 0));
    }
}
