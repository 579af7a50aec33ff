using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary>The report as files, each written whole or not at all.</summary>
internal static class ReportFolder
{
    /// <summary>Writes report.html, report.md, report.json and a file for each failing program.</summary>
    public static void Write(ExaminationReport report, string folder, string engine)
    {
        string Replay(Failure failure) => ReplayLine.Of(failure, engine, folder)!;

        try
        {
            foreach (var failure in report.Failures)
                WholeFile.Write(Path.Combine(folder, "failures", failure.Hash + ".json"), Json.writeProgram(failure.Shrunk.Program) + "\n");
            WholeFile.Write(Path.Combine(folder, "report.json"), JsonReport.Text(report));
            WholeFile.Write(Path.Combine(folder, "report.md"), MarkdownReport.Text(report, ConsoleReport.Machine(), Replay));
            WholeFile.Write(Path.Combine(folder, "report.html"), HtmlReport.Text(report, ConsoleReport.Machine(), Replay, EngineMethods.All));
            Console.Error.WriteLine($"The report is in {folder}: report.html, report.md, report.json{(report.Failures.Count > 0 ? ", failures/" : "")}");
        }
        catch (Exception e) when (WholeFile.IsNoPlace(e))
        {
            throw new CorpusException($"the report could not be written to {folder}: {WholeFile.Reason(e)}", e);
        }
    }

    /// <summary>Tries whether a report can be written to the folder that an option names, and leaves nothing there.</summary>
    public static void Check(string option, string folder)
    {
        if (File.Exists(folder)) throw new CorpusException($"{option} {folder}: that is a file, not a folder");
        WholeFile.Check(option, Path.Combine(folder, "report.json"));
    }
}
