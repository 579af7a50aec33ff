using System.CommandLine;
using Spectre.Console;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Spec;

namespace Verified.Cli;

/// <summary><c>verify replay TOKEN|FILE</c>: one case again, with everything that can be said of it.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var what = new Argument<string>("TOKEN|FILE") { Description = "A replay token or the id of a golden as a report prints it, or a file with a program or a corpus; - is standard input." };
        var engine = new EngineOptions();
        var print = new Option<string>("--print") { Description = "How programs are printed.", DefaultValueFactory = _ => "pytorch" };
        print.AcceptOnlyFromAmong("pytorch", "csharp", "fsharp", "json");
        var command = new Command("replay", "Runs one case again, holds the engine to every law on it, and shows what differs, shrunk.") { what, print };
        engine.AddTo(command);
        command.SetAction((parsed, cancel) =>
        {
            using var started = engine.Start(parsed, cancel);
            return Task.FromResult(Run(parsed.GetRequiredValue(what), started, engine.Name(parsed), parsed.GetRequiredValue(print), cancel));
        });
        return command;
    }

    private static int Run(string what, IEngine engine, string engineName, string language, CancellationToken cancel)
    {
        var cases = what == "-" || File.Exists(what) ? Corpus.ReadPlaced(what) : [(what, FromToken(what, engine.Info))];
        var examiner = new Examiner(engine);
        var (examined, failed) = (false, false);
        foreach (var (place, item) in cases)
        {
            cancel.ThrowIfCancellationRequested();
            if ((ProgramNames.Complaint(item.Program) ?? ProgramNames.Unknown(item.Program)) is { } complaint) throw new CorpusException($"{place}: {complaint}");
            var result = examiner.Examine(item.Id, item.Program, item.Golden?.Value);
            var laws = Law.All.Where(law => law.Concerns(engine.Info)).Select(law => examiner.Hold(law, item.Id, item.Program)).OfType<CaseResult>();
            var findings = (result.IsFinding ? [result] : laws).Where(each => each.IsFinding).ToList();
            foreach (var finding in findings) FailureText.Write(Terminal.Out, Failure.Of(examiner, finding), ReplayLine.Of(what, engineName), language);
            failed |= findings.Count > 0;
            examined |= result.Result is not RunResult.Unsupported;
            if (findings.Count > 0) continue;
            Console.WriteLine(FailureDescription.Printed(item.Program, language, EngineMethods.All));
            if (result.Known is { } known) Terminal.Out.MarkupLineInterpolated($"[yellow]{item.Id}: a known divergence, {known.Id}: {known.What}[/]");
            else if (result.Judgement is { Verdict: Verdict.Inconclusive } undecided) Undecided(item.Id, undecided);
            else Terminal.Out.MarkupLineInterpolated(result.Judgement is { } judgement ? $"[green]{item.Id}: {judgement.Verdict}[/]{Raised(result.Result)}" : (FormattableString)$"[yellow]{item.Id}: not run, the engine does not support {((RunResult.Unsupported)result.Result).What}[/]");
        }

        return failed ? ExitCodes.Failed : examined ? ExitCodes.Held : throw new CorpusException($"{Corpus.Name(what)}: nothing was examined");
    }

    /// <summary>Of a program that ends in an error, as it must: where, and in which.</summary>
    private static string Raised(RunResult result) => result is RunResult.Ran { Outcome.Raised.Value: { } raised }
        ? $", in that it raises at steps[{string.Join("].steps[", raised.Step)}]: {raised.Message}"
        : "";

    /// <summary>Which values cannot be decided, and why.</summary>
    private static void Undecided(string id, Judgement judgement)
    {
        Terminal.Out.MarkupLineInterpolated($"[yellow]{id}: {judgement.Verdict}[/], which is never a pass:");
        foreach (var finding in judgement.Findings.Where(each => each.Verdict == Verdict.Inconclusive)) Console.WriteLine($"  {finding.Message}");
    }

    private static Json.Case FromToken(string text, EngineInfo info)
    {
        if (CheckCommand.GoldenNamed(text) is { } golden) return golden;
        var token = ReplayToken.Parse(text) ?? throw new CorpusException($"'{text}' is neither a file, nor the id of a golden, nor a replay token such as V{GeneratorOptions.Version}-9e3779b97f4a7c15");
        if (token.Operators?.FirstOrDefault(name => !RegistryModule.all.ContainsKey(name)) is { } unknown)
            throw new CorpusException($"{text}: the specification has no operator '{unknown}'");
        var generator = new ProgramGenerator(RegistryModule.all, Examination.For(info, token.Operators));
        return new Json.Case(text, generator.Generate(token.Seed), null, null);
    }
}
