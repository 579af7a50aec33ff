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
            Directory.CreateDirectory(Path.Combine(folder, "failures"));
            foreach (var failure in report.Failures)
                WholeFile.Write(Path.Combine(folder, "failures", failure.Hash + ".json"), Json.writeProgram(failure.Shrunk.Program) + "\n");
            WholeFile.Write(Path.Combine(folder, "report.json"), JsonReport.Text(report));
            WholeFile.Write(Path.Combine(folder, "report.md"), MarkdownReport.Text(report, ConsoleReport.Machine(), Replay));
            WholeFile.Write(Path.Combine(folder, "report.html"), HtmlReport.Text(report, ConsoleReport.Machine(), Replay, EngineMethods.All));
            Console.Error.WriteLine($"The report is in {folder}: report.html, report.md, report.json{(report.Failures.Count > 0 ? ", failures/" : "")}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CorpusException($"the report could not be written to {folder}: {WholeFile.Reason(e)}", e);
        }
    }

    /// <summary>Sees whether a report can be written to a folder, and leaves nothing there.</summary>
    public static void Check(string folder)
    {
        if (File.Exists(folder)) throw new CorpusException($"--report: {folder} is a file, not a folder");
        var missing = new Stack<string>();
        for (var each = Path.GetFullPath(folder); !Directory.Exists(each); each = Path.GetDirectoryName(each)!) missing.Push(each);
        try
        {
            Directory.CreateDirectory(folder);
            var trial = Path.Combine(folder, Path.GetRandomFileName());
            File.WriteAllText(trial, "");
            File.Delete(trial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CorpusException($"--report: the folder {folder} {(missing.Count > 0 ? "cannot be created" : "cannot be written to")}: {WholeFile.Reason(e)}", e);
        }
        finally
        {
            foreach (var made in missing.Reverse()) // the innermost first
                if (Directory.Exists(made)) Directory.Delete(made);
        }
    }
}
