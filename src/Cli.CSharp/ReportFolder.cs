using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary>The report as files, each written whole or not at all.</summary>
internal static class ReportFolder
{
    public static void Write(ExaminationReport report, string folder)
    {
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "failures"));
            foreach (var failure in report.Failures)
                WriteWhole(Path.Combine(folder, "failures", failure.Hash + ".json"), Json.writeProgram(failure.Shrunk.Program) + "\n");
            WriteWhole(Path.Combine(folder, "report.json"), JsonReport.Text(report));
            Console.Error.WriteLine($"The report is in {folder}: report.json{(report.Failures.Count > 0 ? ", failures/" : "")}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CorpusException($"the report could not be written to {folder}: {e.Message}", e);
        }
    }

    private static void WriteWhole(string path, string text)
    {
        var temporary = path + ".part";
        File.WriteAllText(temporary, text);
        File.Move(temporary, path, overwrite: true);
    }
}
