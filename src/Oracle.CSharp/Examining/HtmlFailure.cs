using System.Globalization;
using System.Text;
using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>One fault as a part of the HTML report: the sentence, the numbers, the program, how to see it again.</summary>
internal static class HtmlFailure
{
    public static void Write(StringBuilder page, Failure failure, string replay, FSharpList<EngineMethod>? methods, bool open)
    {
        var program = failure.Shrunk.Program;
        page.Append(CultureInfo.InvariantCulture, $"""
            <details class="failure"{(open ? " open" : "")}>
            <summary><span class="badge">{Escape(Badge(failure))}</span> <span class="ops">{Escape(string.Join("  ", failure.Shrunk.Operators))}</span> <span class="steps">{Steps(program)}</span></summary>
            <p class="message">{Escape(failure.Message)}</p>

            """);
        if (failure.Trace.Count > 0) page.Append(CultureInfo.InvariantCulture, $"<pre>{Escape(string.Join("\n", failure.Trace))}</pre>\n");
        Numbers(page, failure);
        if (failure.Shrunk.Law is { } law) page.Append(CultureInfo.InvariantCulture, $"<p>The law: {Escape(law.Statement)}</p>\n");
        if (failure.First is { } first)
            page.Append(CultureInfo.InvariantCulture, $"<p>First differs after <code>{Escape(FailureDescription.Line(first.Step))}</code>{(first.Finding.Message == failure.Message ? "." : ": " + Escape(first.Finding.Message))}</p>\n");
        if (failure.Shrunk.Golden is { } golden)
            page.Append(CultureInfo.InvariantCulture, $"<p>PyTorch's recorded outcome is {(golden.Verdict == Verdict.Fail ? "also outside the specification's bound" : "with the specification")}.</p>\n");
        page.Append(CultureInfo.InvariantCulture, $"""
            <figure><figcaption>as PyTorch</figcaption><pre>{Escape(FailureDescription.Printed(failure))}</pre></figure>
            <details class="json"><summary>as C#</summary><pre>{Escape(FailureDescription.Printed(failure, "csharp", methods))}</pre></details>
            <details class="json"><summary>as F#</summary><pre>{Escape(FailureDescription.Printed(failure, "fsharp", methods))}</pre></details>
            <details class="json"><summary>as JSON</summary><pre>{Escape(Json.writeProgram(program))}</pre></details>
            <p class="again">Again: <kbd>{Escape(replay)}</kbd><br>Found in <code>{Escape(failure.Original.Id)}</code>, {Steps(failure.Original.Program)} before shrinking.</p>
            </details>

            """);
    }

    private static string Escape(string text) => HtmlReport.Escape(text);

    private static string Steps(Program program) => Plural.Of(program.Steps.Length, "step");

    /// <summary>In what it is wrong, in two or three words.</summary>
    internal static string Badge(Failure failure) => failure.Shrunk.Result switch
    {
        RunResult.Broken broken => broken.Kind.ToString().ToLowerInvariant(),
        RunResult.Failed => "gave up",
        _ when failure.Shrunk.Law is not null => "broken law",
        _ when failure.Finding is { } finding => (finding.Verdict == Verdict.LessAccurate ? "less accurate " : "wrong ") + Words(finding.Difference),
        _ => "failed",
    };

    private static string Words(Difference difference) => difference switch
    {
        Difference.Class => "class (NaN, infinity, zero)",
        Difference.Null => "null gradient",
        Difference.Presence => "set of values",
        Difference.RequiresGrad => "requires_grad",
        Difference.IsLeaf => "is_leaf",
        Difference.GradFn => "grad_fn",
        Difference.DType => "dtype",
        Difference.Raised => "error",
        Difference.Message => "error text",
        _ => difference.ToString().ToLowerInvariant(),
    };

    private static void Numbers(StringBuilder page, Failure failure)
    {
        if (failure.Finding is not { Numbers: var (expected, actual) } finding) return;
        static string Cell(string name, double value) =>
            $"<div><dt>{name}</dt><dd>{value.ToString("R", CultureInfo.InvariantCulture)}</dd></div>";
        page.Append(CultureInfo.InvariantCulture, $"""
            <dl class="numbers">{Cell("expected", expected)}{Cell("actual", actual)}{Cell("distance", Math.Abs(actual - expected))}<div><dt>bound</dt><dd>{finding.Bound:G3}</dd></div></dl>

            """);
    }
}
