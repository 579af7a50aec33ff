using System.Globalization;
using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>A finding as a person reads it: the shortest program that shows it, what was expected and what came, where it begins, how to see it again.</summary>
public static class FailureDescription
{
    /// <summary>The whole text, for a test's message or a file.</summary>
    public static string Text(Failure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return string.Join(
            Environment.NewLine,
            [
                failure.Signature,
                "",
                Printed(failure),
                "",
                failure.Message,
                .. Details(failure),
                $"found in {failure.Original.Id}; as JSON:",
                Json.writeProgram(failure.Shrunk.Program),
            ]);
    }

    /// <summary>What shows the fault, in one of the languages: the shrunk program, or both programs of a law.</summary>
    public static string Printed(Failure failure, string language = "pytorch", FSharpList<EngineMethod>? methods = null)
    {
        ArgumentNullException.ThrowIfNull(failure);
        ArgumentNullException.ThrowIfNull(language);
        return string.Join(
            Environment.NewLine + Environment.NewLine,
            Programs(failure).Select(shown => (shown.Title.Length == 0 ? "" : shown.Title + Environment.NewLine) + Printed(shown.Program, language, methods)));
    }

    /// <summary>The programs that show the fault, each with its title: the shrunk one, or the two of a law.</summary>
    internal static IReadOnlyList<(string Title, Program Program)> Programs(Failure failure) => failure.Shrunk.Twins is { } twins
        ? [("The first:", twins.First), ("Its twin:", twins.Second)]
        : [("", failure.Shrunk.Program)];

    /// <summary>A program in one of the languages <c>pytorch</c>, <c>csharp</c>, <c>fsharp</c> and <c>json</c>.</summary>
    /// <param name="program">The program.</param>
    /// <param name="language">The language.</param>
    /// <param name="methods">The built-in engine's methods, for C# and F#; what is not among them is called by its operator's name.</param>
    /// <exception cref="ArgumentException">It is none of these languages.</exception>
    public static string Printed(Program program, string language, FSharpList<EngineMethod>? methods = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(language);
        return language switch
        {
            "pytorch" => PrintPyTorch.print(program).TrimEnd(),
            "csharp" => PrintDotNet.printCSharp(methods ?? FSharpList<EngineMethod>.Empty, program).TrimEnd(),
            "fsharp" => PrintDotNet.printFSharp(methods ?? FSharpList<EngineMethod>.Empty, program).TrimEnd(),
            "json" => Json.writeProgram(program),
            _ => throw new ArgumentException($"there is no printer for '{language}'", nameof(language)),
        };
    }

    /// <summary>A step as it stands in the PyTorch script; of a block its first line.</summary>
    public static string Line(Step step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return PrintPyTorch.line(step);
    }

    /// <summary>Lines about where the engine threw, about the numbers, about the first step that differs, and about PyTorch's golden where there is one.</summary>
    public static IEnumerable<string> Details(Failure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        foreach (var frame in failure.Trace) yield return $"  {frame}";
        if (failure.Shrunk.Law is { } law) yield return $"the law: {law.Statement}";
        if (failure.Finding is { Ratio: > 1 } finding && double.IsFinite(finding.Ratio)) yield return string.Create(CultureInfo.InvariantCulture, $"largest distance over bound: {finding.Ratio:G3}");
        if (failure.First is { } first)
            yield return $"first differs after '{Line(first.Step)}'{(first.Finding.Message == failure.Message ? "" : $": {first.Finding.Message}")}";
        if (failure.Shrunk.Golden is { } golden)
            yield return $"PyTorch's golden is {(golden.Verdict == Verdict.Fail ? "also outside the specification's bound" : "with the specification")}";
    }
}
