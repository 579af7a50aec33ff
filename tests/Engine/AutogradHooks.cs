using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Hooks beyond the common ones of <see cref="AutogradBehaviour"/>: order, replacement, removal, nodes, reentrance. As PyTorch 2.6.0 does it.</summary>
public class AutogradHooks
{
    [Fact]
    public void The_order_is_tensor_hooks_retained_gradient_node_before_node_after_leaf_accumulation()
    {
        var log = new List<string>();
        var x = Leaf(1);
        var y = x * 2;
        y.RetainGrad();
        y.RegisterHook(g => Logged(log, "y1", g * 10));
        y.GradFn!.RegisterPrehook(g => Logged(log, "pre", [g[0]! * 2]));
        y.RegisterHook(g => Logged(log, "y2", g + 1));
        y.GradFn.RegisterHook((results, g) => Logged(log, "post", [results[0], g[0]]) is null ? null : [results[0]! * 1, null]);
        x.RegisterHook(g => Logged(log, "x", g));
        x.RegisterPostAccumulateGradHook(t => log.Add($"acc {t.Grad!.Item()}"));
        y.Sum().Backward();
        Assert.Equal(["y1 10", "y2 11", "pre 22", "post 44,22", "x 44", "acc 44"], log);
        Assert.Equal(11.0, y.Grad!.Item());
    }

    [Fact]
    public void A_leafs_node_has_hooks_too_which_grad_does_not_run()
    {
        var log = new List<string>();
        var x = Leaf(1);
        var node = Tape.EdgeOf(x).Node!;
        node.RegisterPrehook(g => Logged(log, "pre", [g[0]! * 3]));
        node.RegisterHook((results, g) =>
        {
            log.Add($"post {results.Count} {g[0]!.Item()}");
            return null;
        });
        x.RegisterHook(g => Logged(log, "t", g));
        x.RegisterPostAccumulateGradHook(t => log.Add($"acc {t.Grad!.Item()}"));
        (x * 2).Sum().Backward();
        Assert.Equal(["t 2", "pre 6", "acc 6", "post 0 6"], log);
        log.Clear();
        _ = Autograd.Grad([(x * 2).Sum()], [x]);
        Assert.Equal(["t 2"], log);
    }

    [Fact]
    public void A_node_hook_replaces_all_gradients_or_none()
    {
        var x = Leaf(1, 2);
        var y = x * 2;
        y.GradFn!.RegisterHook((results, _) => [results[0]! * 10, null]);
        y.Sum().Backward();
        Assert.Equal([20.0, 20.0], x.Grad!.ToDoubles());
        Assert.EndsWith("has changed the size of value", WithNodeHook(_ => [Tensor.Ones([3], DType.Float64), null]).Message);
        Assert.EndsWith("has returned an incorrect number of values (got 3, but expected 2)", WithNodeHook(r => [r[0], null, null]).Message);
        var z = x * 2;
        z.GradFn!.RegisterPrehook(g => [g[0], null]);
        Assert.EndsWith("has returned an incorrect number of values (got 2, but expected 1)", Assert.Throws<AutogradException>(() => z.Sum().Backward()).Message);
    }

    [Fact]
    public void A_kept_result_or_gradient_stays_what_it_was()
    {
        Tensor? result = null, gradient = null;
        var x = Tensor.Ones([100], DType.Float64, requiresGrad: true);
        var y = x * 2;
        y.GradFn!.RegisterHook((results, gradients) =>
        {
            (result, gradient) = (results[0], gradients[0]);
            return null;
        });
        (y + y).Exp().Sum().Backward();
        (x * 3).Exp().Sum().Backward();
        Assert.Equal(2 * Math.Exp(4), gradient!.ToDoubles()[99], 10);
        Assert.Equal(4 * Math.Exp(4), result!.ToDoubles()[99], 10);
    }

    [Fact]
    public void Removal_takes_one_hook_away_and_holds_nothing()
    {
        var log = new List<string>();
        var x = Leaf(1);
        var first = x.RegisterHook(g => Logged(log, "first", g));
        x.RegisterHook(g => Logged(log, "second", g));
        x.Sum().Backward();
        first.Remove();
        first.Remove();
        x.Sum().Backward();
        Assert.Equal(["first 1", "second 1", "second 1"], log);

        var (handle, held) = Registered(x);
        handle.Remove();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(held.IsAlive);
    }

    [Fact]
    public void A_removed_accumulation_hook_is_silent()
    {
        var calls = 0;
        var x = Leaf(1);
        var handle = x.RegisterPostAccumulateGradHook(_ => calls++);
        x.Sum().Backward();
        handle.Remove();
        x.Sum().Backward();
        Assert.Equal(1, calls);
    }

    [Fact]
    public void An_accumulation_hook_may_step_and_clear()
    {
        var x = Leaf(3);
        x.RegisterPostAccumulateGradHook(p =>
        {
            using (Autograd.NoGrad()) p.SubInPlace(p.Grad! * 0.5);
            p.ZeroGrad();
        });
        (x * x).Sum().Backward();
        Assert.Equal([0.0], x.ToDoubles());
        Assert.Null(x.Grad);
    }

    [Fact]
    public void A_hook_sees_the_sum_of_all_paths_once_and_none_where_no_gradient_arrives()
    {
        var log = new List<string>();
        var x = Leaf(2);
        var y = x * 3;
        var unused = x * 5;
        y.RegisterHook(g => Logged(log, "y", g));
        unused.RegisterHook(g => Logged(log, "unused", g));
        (y * 2 + y * y).Sum().Backward();
        Assert.Equal(["y 14"], log);
    }

    [Fact]
    public void A_hook_may_run_another_backward()
    {
        var x = Leaf(2);
        var w = Leaf(5);
        var y = x * 3;
        y.RegisterHook(g =>
        {
            using (Autograd.EnableGrad()) (w * g).Sum().Backward();
            return g * w.Grad!;
        });
        (y * y).Sum().Backward();
        Assert.Equal(12.0, w.Grad!.Item());
        Assert.Equal(12.0 * 12 * 3, x.Grad!.Item());
    }

    [Fact]
    public void A_hook_is_called_in_an_error_what_its_author_calls_it()
    {
        static Tensor? Clip(Tensor g) => g.To(DType.Float32);
        void Says(string name, Func<Tensor, Tensor?> hook)
        {
            var y = Leaf(1, 2) * 2;
            y.RegisterHook(hook);
            Assert.StartsWith($"hook '{name}' has changed the type of value", Assert.Throws<AutogradException>(() => y.Sum().Backward()).Message, StringComparison.Ordinal);
        }

        Says("Clip", Clip);
        Says(nameof(Narrowed), Narrowed);
        Says($"lambda in {nameof(A_hook_is_called_in_an_error_what_its_author_calls_it)}", g => g.To(DType.Float32));
        Assert.StartsWith(
            $"hook 'lambda in {nameof(WithNodeHook)}' has returned an incorrect number of values", WithNodeHook(_ => []).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_raising_hook_leaves_the_engine_usable()
    {
        var x = Leaf(2);
        var y = x * 3;
        var handle = y.RegisterHook(_ => throw new InvalidOperationException("mine"));
        Assert.Equal("mine", Assert.Throws<InvalidOperationException>(() => y.Sum().Backward(retainGraph: true)).Message);
        Assert.True(Autograd.IsGradEnabled);
        handle.Remove();
        y.Sum().Backward();
        Assert.Equal(3.0, x.Grad!.Item());
    }

    [Fact]
    public void Backwards_nest_deeper_than_a_thread_has_stack()
    {
        const int depth = 20_000;
        var reached = 0;
        void Nest()
        {
            var x = Leaf(1);
            x.RegisterHook(_ =>
            {
                if (++reached == depth) return null;
                using (Autograd.EnableGrad()) Nest();
                return null;
            });
            (x * 2).Sum().Backward();
        }
        Nest();
        Assert.Equal(depth, reached);
    }

    [Fact]
    public void A_replaced_gradient_under_create_graph_is_differentiated()
    {
        var x = Leaf(2);
        var y = x * x;
        y.RegisterHook(g => g * x);
        var g = Autograd.Grad([y.Sum()], [x], createGraph: true)[0]!;
        Assert.Equal(8.0, g.Item());
        Assert.Equal(8.0, Autograd.Grad([g.Sum()], [x])[0]!.Item());
    }

    private static Tensor? Narrowed(Tensor g) => g.To(DType.Float32);

    private static AutogradException WithNodeHook(Func<IReadOnlyList<Tensor?>, IReadOnlyList<Tensor?>?> hook)
    {
        var y = Leaf(1, 2) * 2;
        y.GradFn!.RegisterHook((results, _) => hook(results));
        return Assert.Throws<AutogradException>(() => y.Sum().Backward());
    }

    private static (HookHandle Handle, WeakReference Held) Registered(Tensor x)
    {
        var held = new byte[1000];
        return (x.RegisterHook(g => held.Length > 0 ? null : g), new WeakReference(held));
    }

    private static Tensor Leaf(params double[] data) => Tensor.Create(data, requiresGrad: true);

    private static Tensor Logged(List<string> log, string name, Tensor g)
    {
        log.Add($"{name} {g.Item()}");
        return g;
    }

    private static IReadOnlyList<Tensor?> Logged(List<string> log, string name, IReadOnlyList<Tensor?> all)
    {
        log.Add($"{name} {string.Join(',', all.Select(g => g?.Item()))}");
        return all;
    }
}
