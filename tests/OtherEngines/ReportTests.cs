using System.Text.Json;
using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;
using Xunit;

namespace Verified.OtherEngines.Tests;

/// <summary>The report: what is wrong stands in each of its forms, and the page needs nothing beside it.</summary>
public sealed class ReportTests
{
    private static readonly ExaminationReport Failed =
        new Examination(new WrongExp(), new ExaminationOptions { Random = 200, Operators = ["exp", "add"] }).Run();

    [Fact]
    public void The_page_says_what_is_wrong_and_how_to_see_it_again()
    {
        var page = HtmlReport.Text(Failed, "a machine", failure => $"again <{failure.Hash}>");
        Assert.NotEmpty(Failed.Failures);
        foreach (var failure in Failed.Failures) Assert.Contains($"again &lt;{failure.Hash}&gt;", page, StringComparison.Ordinal);
        foreach (var part in new[] { "FAIL", "&lt;wrong &amp; proud&gt;", "a machine", ".exp()", "First differs at step 0", "expected", "&quot;op&quot;:&quot;exp&quot;" })
            Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.DoesNotContain("<wrong", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_refers_to_nothing_outside_itself()
    {
        var page = HtmlReport.Text(Failed, "a machine");
        foreach (var reference in new[] { "http:", "https:", "src=", "href=", "url(", "@import", "<script" })
            Assert.DoesNotContain(reference, page, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_operator_at_fault_is_red()
    {
        var page = HtmlReport.Text(Failed, "a machine");
        Assert.Contains("class=\"fail\" data-tip=\"exp:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("class=\"fail\" data-tip=\"add:", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_engine_passes_in_every_form()
    {
        var report = new Examination(new SpecEngine(), new ExaminationOptions { Random = 64, Operators = ["exp", "add"] }).Run();
        Assert.Contains("PASS", HtmlReport.Text(report, ""), StringComparison.Ordinal);
        Assert.StartsWith("# PASS", MarkdownReport.Text(report, ""), StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse(JsonReport.Text(report)).RootElement.GetProperty("holds").GetBoolean());
    }

    [Fact]
    public void Markdown_shows_the_program()
    {
        var text = MarkdownReport.Text(Failed, "a machine");
        Assert.StartsWith("# FAIL", text, StringComparison.Ordinal);
        Assert.Contains("```python\nimport torch", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_names_every_backend_and_how_to_pin_it()
    {
        var result = Command.Run("doctor");
        Assert.Equal(0, result.Code);
        foreach (var part in new[] { "processor", "Managed", "Mkl", "OpenBlas", "MathNet", "used for", "VERIFIED_BLAS=mkl", "VERIFIED_BLAS=managed" })
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
    }

    /// <summary>The specification with one fault: its exp is expm1.</summary>
    private sealed class WrongExp : IEngine
    {
        private readonly SpecEngine _right = new();

        public EngineInfo Info { get; } = new() { Name = "<wrong & proud>", Operators = new HashSet<string> { "exp", "add" }, Features = new HashSet<string>() };

        public RunResult Run(Program program) => _right.Run(new Program(program.Inputs, ListModule.OfSeq(program.Steps.Select(Changed)), program.Observe));

        public void Dispose() => _right.Dispose();

        private static Step Changed(Step step) =>
            step.Op == "exp" ? new Step("expm1", step.In, step.Attrs, step.Out, step.Wrt, step.Gradients, step.Steps) : step;
    }
}
