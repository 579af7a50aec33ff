using Xunit;

namespace Verified.Engine.Tests;

/// <summary>What is not an error but easily got wrong: accumulation, order, hooks, views after writes, histories after in-place operations. Values as PyTorch 2.6.0 gave them.</summary>
public class AutogradBehaviour
{
    [Fact]
    public void A_second_backward_is_legal_where_nothing_was_saved()
    {
        var x = Leaf(1);
        var y = (x + 1).Sum();
        y.Backward();
        y.Backward();
        Assert.Equal([2.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void Accumulation_is_in_place_unless_the_graph_is_created()
    {
        var x = Leaf(1, 2);
        (x * x).Sum().Backward();
        var first = x.Grad!;
        (x * x).Sum().Backward(createGraph: true);
        Assert.NotSame(first, x.Grad);
        Assert.Equal([2.0, 4.0], first.ToDoubles());
        Assert.Equal([4.0, 8.0], x.Grad!.ToDoubles());
        Assert.True(x.Grad.RequiresGrad);
        var second = x.Grad;
        (x * x).Sum().Backward();
        Assert.Same(second, x.Grad);
        Assert.Equal([6.0, 12.0], second.ToDoubles());
    }

    [Fact]
    public void Gradients_never_share_memory_with_each_other_or_with_what_was_given()
    {
        Tensor x = Leaf(1, 2), y = Leaf(3, 4);
        var g = Tensor.Create([5.0, 6.0]);
        (x + y).Backward(g);
        Assert.False(x.Grad!.SharesMemoryWith(y.Grad!));
        Assert.False(x.Grad.SharesMemoryWith(g));
        Assert.False(y.Grad!.SharesMemoryWith(g));
        x.Grad.MulInPlace(0);
        Assert.Equal([5.0, 6.0], y.Grad.ToDoubles());
        Assert.Equal([5.0, 6.0], g.ToDoubles());
    }

    [Fact]
    public void Fan_out_adds_whatever_the_rules_share()
    {
        var x = Leaf(1, 2);
        var a = x + 0;
        var y = a + a + (a + a);
        var g = Tensor.Create([1.0, 10.0]);
        y.Backward(g);
        Assert.Equal([4.0, 40.0], x.Grad!.ToDoubles());
        Assert.Equal([1.0, 10.0], g.ToDoubles());
    }

    [Fact]
    public void Duplicated_roots_count_twice_and_dependent_roots_add()
    {
        var x = Leaf(2);
        var y = (x * 3).Sum();
        Autograd.Backward([y, y, y * 10]);
        Assert.Equal([36.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void A_leafs_gradient_has_the_leafs_layout_and_type()
    {
        var x = Tensor.Create([1.0, 2, 3, 4, 5, 6], [2, 3]).T().RequiresGradInPlace();
        (x * 2).Sum().Backward();
        Assert.Equal([1, 3], x.Grad!.Strides.ToArray());
        var single = Tensor.Create([1f], requiresGrad: true);
        (single * Tensor.Create([2.0])).Sum().Backward();
        Assert.Equal(DType.Float32, single.Grad!.DType);
        var z = Leaf(1, 2);
        Assert.Equal([0], Autograd.Grad([z.Sum()], [z])[0]!.Strides.ToArray());
    }

    [Fact]
    public void Hooks_run_in_order_and_the_retained_gradient_comes_last()
    {
        var log = new List<string>();
        var x = Leaf(1);
        var y = x * 2;
        y.RetainGrad();
        y.RegisterHook(g => Log(log, "y1", g * 10));
        y.RegisterHook(g => Log(log, "y2", g + 1));
        x.RegisterHook(g => Log(log, "x", g * 2));
        y.Sum().Backward();
        Assert.Equal(["y1 10", "y2 11", "x 44"], log);
        Assert.Equal([11.0], y.Grad!.ToDoubles());
        Assert.Equal([44.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void A_removed_hook_is_silent_and_a_leafs_hook_sees_the_sum_once()
    {
        var seen = new List<double>();
        var x = Leaf(1);
        x.RegisterHook(g => g * 100).Remove();
        x.RegisterHook(g =>
        {
            seen.Add(g.Item());
            return null;
        });
        ((x * 2) + (x * 3)).Sum().Backward();
        Assert.Equal([5.0], seen);
        Assert.Equal([5.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void Hooks_stay_with_the_node_before_an_in_place_operation()
    {
        var log = new List<string>();
        var x = Leaf(1);
        var y = x * 2;
        y.RegisterHook(g => Log(log, "before", g));
        y.MulInPlace(3);
        y.RegisterHook(g => Log(log, "after", g));
        y.Sum().Backward();
        Assert.Equal(["after 1", "before 3"], log);
    }

    [Fact]
    public void A_retained_gradient_is_with_respect_to_the_latest_version()
    {
        var y = Leaf(1) * 2;
        y.RetainGrad();
        y.MulInPlace(3);
        y.Sum().Backward();
        Assert.Equal([1.0], y.Grad!.ToDoubles());
    }

    [Fact]
    public void Later_recorded_nodes_run_first()
    {
        var log = new List<string>();
        var x = Leaf(1);
        var a = x * 2;
        var b = x * 3;
        var c = x * 4;
        a.RegisterHook(g => Log(log, "a", g));
        b.RegisterHook(g => Log(log, "b", g));
        c.RegisterHook(g => Log(log, "c", g));
        (a + b + c).Sum().Backward();
        Assert.Equal(["c 1", "b 1", "a 1"], log);
    }

    [Fact]
    public void A_captured_gradient_that_flows_on_is_taken_before_its_hooks_and_a_final_one_after()
    {
        static (Tensor X, Tensor Y, Tensor Z) Graph()
        {
            var x = Leaf(1);
            var y = x * 2;
            y.RegisterHook(g => g * 10);
            return (x, y, (y * 3).Sum());
        }
        var (x1, y1, z1) = Graph();
        var both = Autograd.Grad([z1], [y1, x1]);
        Assert.Equal([3.0, 60.0], [both[0]!.Item(), both[1]!.Item()]);
        var (_, y2, z2) = Graph();
        Assert.Equal(30.0, Autograd.Grad([z2], [y2])[0]!.Item());
    }

    [Fact]
    public void Named_inputs_alone_are_accumulated_computed_ones_included()
    {
        Tensor x = Leaf(1), w = Leaf(5);
        var y = x * 2;
        (y * w).Sum().Backward(inputs: [y]);
        Assert.Null(x.Grad);
        Assert.Null(w.Grad);
        Assert.Equal([5.0], y.Grad!.ToDoubles());
    }

    [Fact]
    public void Writes_that_harm_nothing_are_allowed()
    {
        var x = Leaf(0.3);
        var w = Tensor.Create([2.0]);
        var sum = x + w;
        w.AddInPlace(1);
        var y = x * 1;
        y.SigmoidInPlace();
        (sum + y).Sum().Backward();
        var s = 1 / (1 + Math.Exp(-0.3));
        Assert.Equal(1 + (s * (1 - s)), x.Grad!.Item(), 12);
    }

    [Fact]
    public void Overwriting_cuts_the_history_and_leads_to_the_source()
    {
        Tensor x = Leaf(1, 2), source = Leaf(7);
        var y = x * 3;
        y.CopyInPlace(source);
        y.Sum().Backward();
        Assert.Equal([0.0, 0.0], x.Grad!.ToDoubles());
        Assert.Equal([2.0], source.Grad!.ToDoubles());
        var z = x * 3;
        z.ZeroInPlace();
        Assert.Equal("ZeroBackward0", z.GradFn!.Name);
    }

    [Fact]
    public void A_bound_or_a_value_that_is_a_number_has_the_node_of_its_own_overload()
    {
        Tensor x = Leaf(1, 2), bound = Tensor.Create([1.5]), mask = x.Gt(bound);
        Assert.Equal(
            ["ClampBackward1", "ClampBackward0", "ClampMinBackward0", "ClampMaxBackward0", "MaskedFillBackward0", "MaskedFillBackward1"],
            new[] { x.Clamp(max: 2), x.Clamp(bound, null), x.ClampMin(1), x.ClampMax(2), x.MaskedFill(mask, 0), x.MaskedFill(mask, Tensor.Scalar(0)) }.Select(y => y.GradFn!.Name));
        Assert.Equal(["ClampBackward1", "MaskedFillBackward0"], new[] { (x * 1).ClampInPlace(min: 0), (x * 1).MaskedFillInPlace(mask, 0) }.Select(y => y.GradFn!.Name));
        Assert.Throws<AutogradException>(() => x.Clamp());
    }

    [Fact]
    public void A_write_with_a_gradient_makes_a_constant_base_and_its_views_require_one()
    {
        var source = Leaf(2);
        var b = Tensor.Zeros([3], DType.Float64);
        var earlier = b.Slice(0, 1, 3);
        b[1].CopyInPlace(source.Select(0, 0));
        Assert.True(b.RequiresGrad);
        Assert.True(earlier.RequiresGrad);
        Assert.Equal("AsStridedBackward0", earlier.GradFn!.Name);
        (earlier * Tensor.Create([10.0, 1.0])).Sum().Backward();
        Assert.Equal([10.0], source.Grad!.ToDoubles());
    }

    [Fact]
    public void A_view_follows_writes_to_its_base_and_to_other_views()
    {
        var x = Leaf(1, 2, 3, 4);
        var y = x * 1;
        var tail = y.Slice(0, 2, 4);
        var head = y.Slice(0, 0, 3);
        y.MulInPlace(2);
        head.MulInPlace(10);
        Assert.Equal([60.0, 8.0], tail.ToDoubles());
        (tail * tail).Sum().Backward();
        Assert.Equal([0, 0, 2 * 60 * 20.0, 2 * 8 * 2.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void A_chain_of_writes_through_views_of_views_pulls_back()
    {
        var x = Tensor.Create([1.0, 2, 3, 4, 5, 6], [2, 3], requiresGrad: true);
        var w = Leaf(1, 2);
        var y = x * 1;
        var t = y.T();
        t.SetItemInPlace([1L], w * w);
        t[0].MulInPlace(5);
        y.Sum().Backward();
        Assert.Equal([5.0, 0, 1, 5, 0, 1], x.Grad!.ToDoubles());
        Assert.Equal([2.0, 4.0], w.Grad!.ToDoubles());
    }

    [Fact]
    public void Second_derivatives_flow_through_rewritten_histories()
    {
        var x = Leaf(3, 5);
        var y = x * 1;
        y[0].MulInPlace(x[0]);
        var g = Autograd.Grad([y.Sum()], [x], createGraph: true)[0]!;
        Assert.Equal([6.0, 1.0], g.ToDoubles());
        var h = Autograd.Grad([g.Sum()], [x])[0]!;
        Assert.Equal([2.0, 0.0], h.ToDoubles());
    }

    [Fact]
    public void No_grad_writes_to_leaves_count_as_versions()
    {
        var x = Leaf(1, 2);
        using (Autograd.NoGrad()) x.AddInPlace(1);
        Assert.Equal(1, x.Version);
        Assert.True(x.IsLeaf);
        Assert.Equal(1, x.Detach().Version);
        Assert.Equal(0, x.Data.Version);
        x.Data.ZeroInPlace();
        Assert.Equal(1, x.Version);
        Assert.Equal([0.0, 0.0], x.ToDoubles());
    }

    [Fact]
    public void A_view_made_under_no_grad_claims_a_gradient_and_gives_none()
    {
        var x = Leaf(1, 2);
        Tensor v;
        using (Autograd.NoGrad()) v = x.View([2, 1]);
        Assert.True(v.RequiresGrad);
        Assert.True(v.IsLeaf);
        (v * v).Sum().Backward();
        Assert.Null(x.Grad);
    }

    [Fact]
    public void Detaching_in_place_ends_the_path_without_a_version()
    {
        var x = Leaf(1);
        var m = x * 2;
        var y = m + 3;
        m.DetachInPlace();
        Assert.True(m.IsLeaf);
        Assert.False(m.RequiresGrad);
        Assert.Equal(0, m.Version);
        Assert.False((m * 2).RequiresGrad);
        y.Sum().Backward();
        Assert.Equal([2.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void Modes_nest_and_end_with_their_scopes()
    {
        var x = Leaf(1);
        using (Autograd.NoGrad())
        {
            Assert.False((x * 2).RequiresGrad);
            using (Autograd.EnableGrad()) Assert.True((x * 2).RequiresGrad);
            Assert.False((x * 2).RequiresGrad);
        }
        using (Autograd.InferenceMode())
        using (Autograd.EnableGrad())
        {
            Assert.False((x * 2).RequiresGrad);
        }
        Assert.True((x * 2).RequiresGrad);
    }

    [Fact]
    public void A_matrix_transposed_in_place_keeps_its_history()
    {
        var x = Tensor.Create([1.0, 2, 3, 4, 5, 6], [2, 3], requiresGrad: true);
        var y = x * 1;
        y.TInPlace();
        Assert.Equal([3, 2], y.Shape.ToArray());
        Assert.Equal(1, y.Version);
        (y * Tensor.Create([1.0, 2, 3, 4, 5, 6], [3, 2])).Sum().Backward();
        Assert.Equal([1.0, 3, 5, 2, 4, 6], x.Grad!.ToDoubles());
    }

    private static Tensor Leaf(params double[] data) => Tensor.Create(data, requiresGrad: true);

    private static Tensor Log(List<string> log, string name, Tensor g)
    {
        log.Add($"{name} {g.Item()}");
        return g;
    }
}
