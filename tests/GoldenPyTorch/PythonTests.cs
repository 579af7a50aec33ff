using Verified.Tests;
using Xunit;

namespace Verified.GoldenPyTorch;

/// <summary>The tests of what is written in Python: PyTorch's adapter, and what the exporter's <c>--check</c> says.</summary>
public sealed class PythonTests
{
    [PyTorchFact]
    public void The_adapter_passes_its_own_tests() => Passes("adapter_tests.py");

    [PyTorchFact]
    public void The_exporter_passes_its_own_tests() => Passes("export_tests.py");

    private static void Passes(string script) => PyTorchFactAttribute.Run(Path.Combine(Goldens.Root(), "tests", "GoldenPyTorch", script));
}
