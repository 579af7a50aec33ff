using Verified.Oracle;
using Verified.Testing;

namespace ScalarLoop.Tests;

/// <summary>The whole examination of the engine: a row for each of its operators, and one for each group of rules that it has.</summary>
public sealed class ScalarLoopExamination : EngineExamination
{
    protected override IEngine CreateEngine() => new ScalarLoopAdapter();
}
