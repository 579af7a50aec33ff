using Verified.Oracle;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>The engine, on every committed golden: inside the specification's bounds, with PyTorch's errors, flags and versions.</summary>
public sealed class EngineOnGoldensTests
{
    public static TheoryData<string> Files => [.. Goldens.Files()];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_engine_agrees(string file)
    {
        using var engine = new BuiltInEngine();
        var examiner = new Examiner(engine);
        var wrong = new List<string>();
        var count = 0;
        foreach (var golden in Goldens.Read(file))
        {
            count++;
            var result = examiner.Examine(golden.Id, golden.Program);
            if (result.Judgement is { Verdict: Verdict.Pass or Verdict.Inconclusive }) continue;
            wrong.Add($"{golden.Id}: {result.Judgement?.Worst?.Message ?? result.Result.ToString()}");
        }

        Assert.True(count > 0, $"{file} is empty");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} goldens:\n{string.Join('\n', wrong.Take(40))}");
    }
}
