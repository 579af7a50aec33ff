using Xunit;

namespace Verified.Engine.Tests;

/// <summary>The tape printed as text, as DOT and as Mermaid.</summary>
public class TapeViewTests
{
    private static TapeView Small()
    {
        var x = Tensor.Ones([2, 2], requiresGrad: true);
        var y = x + 2;
        return Tape.View((y * y * 3).Sum([0]));
    }

    [Fact]
    public void As_text() => Assert.Equal(
        """
        leaf1 = leaf float32[2, 2]
        n1 = AddBackward0(leaf1, -, other=2) -> float32[2, 2]
        n2 = MulBackward0(n1, n1) -> float32[2, 2]
            saves input 0: float32[2, 2]
            saves input 1: float32[2, 2]
        n3 = MulBackward0(n2, -, other=3) -> float32[2, 2]
            saves input 1: float64[]
        n4 = SumBackward1(n3, dim=[0], keepdim=False) -> float32[2]
        result float32[2] of n4

        """.ReplaceLineEndings("\n"),
        Small().ToText());

    [Fact]
    public void As_DOT() => Assert.Equal(
        """
        digraph tape {
          rankdir = BT;
          node [shape = box, fontname = "monospace"];
          leaf1 [label = "leaf float32[2, 2]", shape = ellipse];
          n1 [label = "AddBackward0\nother=2"];
          n2 [label = "MulBackward0\nsaves input 0: float32[2, 2]\nsaves input 1: float32[2, 2]"];
          n3 [label = "MulBackward0\nother=3\nsaves input 1: float64[]"];
          n4 [label = "SumBackward1\ndim=[0]\nkeepdim=False"];
          leaf1 -> n1 [label = "[2, 2]"];
          n1 -> n2 [label = "[2, 2]"];
          n1 -> n2 [label = "[2, 2]"];
          n2 -> n3 [label = "[2, 2]"];
          n3 -> n4 [label = "[2, 2]"];
          n4 -> result1 [label = "[2]"];
          result1 [label = "float32[2]", peripheries = 2];
        }

        """.ReplaceLineEndings("\n"),
        Small().ToDot());

    [Fact]
    public void As_Mermaid() => Assert.Equal(
        """
        flowchart BT
          leaf1(["leaf float32[2, 2]"])
          n1["AddBackward0<br/>other=2"]
          n2["MulBackward0<br/>saves input 0: float32[2, 2]<br/>saves input 1: float32[2, 2]"]
          n3["MulBackward0<br/>other=3<br/>saves input 1: float64[]"]
          n4["SumBackward1<br/>dim=[0]<br/>keepdim=False"]
          result1[["float32[2]"]]
          leaf1 -->|"[2, 2]"| n1
          n1 -->|"[2, 2]"| n2
          n1 -->|"[2, 2]"| n2
          n2 -->|"[2, 2]"| n3
          n3 -->|"[2, 2]"| n4
          n4 -->|"[2]"| result1

        """.ReplaceLineEndings("\n"),
        Small().ToMermaid());

    [Fact]
    public void After_a_backward_nothing_is_saved_and_a_write_through_a_view_is_shown()
    {
        var x = Tensor.Ones([3], requiresGrad: true);
        var y = x.Exp();
        y.Slice(0, 1).MulInPlace(Tensor.Ones([2], requiresGrad: true));
        var text = Tape.View(y).ToText();
        Assert.Contains("writes a window by MulBackward0", text, StringComparison.Ordinal);
        var z = x.Sigmoid().Sum();
        Assert.Contains("saves output 0", Tape.View(z).ToText(), StringComparison.Ordinal);
        z.Backward();
        Assert.DoesNotContain("saves", Tape.View(z).ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_results_name_which_of_a_nodes_outputs_they_are()
    {
        var x = Tensor.Ones([2, 3], requiresGrad: true);
        var rows = x.Unbind();
        Assert.Contains("result float32[3] of n1[1]", Tape.View(rows[0], rows[1]).ToText(), StringComparison.Ordinal);
    }
}
