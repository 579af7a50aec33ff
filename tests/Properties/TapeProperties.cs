using FsCheck.Xunit;
using Verified.Engine;
using Verified.Oracle;
using Verified.Oracle.Laws;
using Verified.Spec;
using Xunit;
using Autograd = Verified.Engine.Autograd;
using Rng = Verified.Oracle.Generation.Rng;
using Tensor = Verified.Engine.Tensor;

namespace Verified.Properties;

/// <summary>A tape never changes: what is recorded later, and who else pulls back, does not matter to what it gives.</summary>
public sealed class TapeProperties
{
    [Property(MaxTest = 150, Replay = "7001,1", Arbitrary = [typeof(RandomPrograms)])]
    public void Recording_more_never_changes_what_an_earlier_tape_gives(SmoothProgram p) => OnTape(p.Program, (run, root, upstream, leaves) =>
    {
        var before = Pulled(root, upstream, leaves);
        var nodes = Tape.Nodes(root).Select(node => (node.Name, node.Sequence)).ToList();
        foreach (var tensor in leaves.Append(root))
        {
            var later = (tensor * tensor).Sin() + tensor.Sigmoid();
            later.Sum().Backward(inputs: [leaves[0]], retainGraph: true, gradient: null);
        }

        Assert.Equal(nodes, Tape.Nodes(root).Select(node => (node.Name, node.Sequence)));
        Same(before, Pulled(root, upstream, leaves));
    });

    [Property(MaxTest = 150, Replay = "7002,1", Arbitrary = [typeof(RandomPrograms)])]
    public void A_tape_pulled_back_from_several_threads_at_once_gives_the_same_bits(SmoothProgram p) => OnTape(p.Program, (run, root, upstream, leaves) =>
    {
        var alone = Pulled(root, upstream, leaves);
        var together = new double[]?[4][];
        var threads = together.Select((_, i) => new Thread(() => together[i] = Pulled(root, upstream, leaves))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        foreach (var each in together) Same(alone, each);
    });

    /// <summary>Records a program's forward on the engine, and hands on what to pull back.</summary>
    private static void OnTape(Program program, Action<ProgramRun, Tensor, Tensor, Tensor[]> check)
    {
        var forward = ForwardPart.Of(program);
        if (ForwardPart.WithRoot(forward, new Rng(Convert.ToUInt64(Hash.ofProgram(program)[..16], 16))) is not { } pullback) return;
        var run = new ProgramRun(OperatorRegistry.Default, StructuralSteps.Default);
        if (run.Run(forward).Raised is not null) return;
        var leaves = pullback.Leaves.Select(run.Tensor).ToArray();
        if (leaves.Length == 0) return;
        check(run, run.Tensor(pullback.Root), Literals.ToTensor(pullback.Upstream.Tensor, false), leaves);
    }

    private static double[]?[] Pulled(Tensor root, Tensor upstream, Tensor[] leaves) =>
        [.. Autograd.Grad([root], leaves, [upstream], retainGraph: true, allowUnused: true).Select(g => g is null ? null : ((Data.Floats)Literals.ToLiteral(g).Data).Item)];

    private static void Same(double[]?[] expected, double[]?[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i] is null, actual[i] is null);
            if (expected[i] is { } e) Assert.Equal(e.Select(BitConverter.DoubleToInt64Bits), actual[i]!.Select(BitConverter.DoubleToInt64Bits));
        }
    }
}
