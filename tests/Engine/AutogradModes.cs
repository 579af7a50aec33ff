using Xunit;

namespace Verified.Engine.Tests;

/// <summary>The modes: nesting, inference, and how they flow through awaits, tasks and threads.</summary>
public class AutogradModes
{
    [Fact]
    public void A_scope_holds_over_an_await_and_ends_there()
    {
        Run(async () =>
        {
            using (Autograd.NoGrad())
            {
                await Task.Delay(5).ConfigureAwait(false);
                Assert.False(Autograd.IsGradEnabled);
                await Task.Run(() => Assert.False(Autograd.IsGradEnabled));
                Assert.False((Leaf() * 2).RequiresGrad);
            }
            Assert.True(Autograd.IsGradEnabled);
            await Task.Delay(5).ConfigureAwait(false);
            Assert.True(Autograd.IsGradEnabled);
        });
    }

    [Fact]
    public void A_scope_that_waits_holds_for_nobody_else()
    {
        Run(async () =>
        {
            var release = new TaskCompletionSource();
            async Task Waits()
            {
                using (Autograd.NoGrad()) await release.Task.ConfigureAwait(false);
            }
            var waiting = Waits();
            Assert.True(Autograd.IsGradEnabled);
            for (var i = 0; i < 50; i++) Assert.True(await Task.Run(() => Autograd.IsGradEnabled));
            release.SetResult();
            await waiting;
            Assert.True(Autograd.IsGradEnabled);
        });
    }

    [Fact]
    public void What_a_task_or_thread_sets_stays_its_own_and_what_it_was_started_in_holds()
    {
        bool? inside = null, after = null;
        using (Autograd.NoGrad())
        {
            var thread = new Thread(() =>
            {
                inside = Autograd.IsGradEnabled;
                _ = Autograd.EnableGrad();
                after = Autograd.IsGradEnabled;
            });
            thread.Start();
            thread.Join();
            Assert.False(Autograd.IsGradEnabled);
        }
        Assert.Equal((false, true), (inside, after));
    }

    [Fact]
    public void Threads_do_not_share_a_mode()
    {
        using var off = new ManualResetEventSlim();
        using var seen = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            using (Autograd.NoGrad())
            {
                off.Set();
                seen.Wait();
            }
        });
        thread.Start();
        off.Wait();
        Assert.True(Autograd.IsGradEnabled);
        seen.Set();
        thread.Join();
    }

    [Fact]
    public void An_exception_ends_the_scopes_it_passes()
    {
        static void Raises()
        {
            using (Autograd.InferenceMode())
            using (Autograd.DetectAnomaly())
            {
                throw new FormatException();
            }
        }
        Assert.Throws<FormatException>(Raises);
        Assert.Equal((true, false, false), (Autograd.IsGradEnabled, Autograd.IsInferenceModeEnabled, Autograd.IsAnomalyEnabled));
    }

    [Fact]
    public void Inference_scopes_nest_and_can_be_left()
    {
        using (Autograd.InferenceMode())
        {
            Assert.True((Leaf() * 2).IsInference);
            using (Autograd.EnableGrad()) Assert.False(Autograd.IsGradEnabled);
            using (Autograd.InferenceMode(enabled: false))
            {
                Assert.Equal((true, false), (Autograd.IsGradEnabled, Autograd.IsInferenceModeEnabled));
                Assert.True((Leaf() * 2).RequiresGrad);
            }
            Assert.True(Autograd.IsInferenceModeEnabled);
        }
    }

    [Fact]
    public void A_view_of_a_normal_tensor_stays_normal_in_inference_and_a_write_counts()
    {
        var x = Tensor.Ones([2]);
        using (Autograd.InferenceMode())
        {
            Assert.False(x.View([2, 1]).IsInference);
            x.AddInPlace(1);
        }
        Assert.Equal(1, x.Version);
        Tensor inside;
        using (Autograd.InferenceMode())
        {
            inside = x * 2;
            inside.AddInPlace(1);
        }
        Assert.True(inside.View([2, 1]).IsInference);
        Assert.Equal([5f, 5f], inside.ToFloats());
        Assert.False(inside.Clone().IsInference);
        Assert.True((Leaf() * inside.Clone()).RequiresGrad);
    }

    [Fact]
    public void A_backward_runs_its_rules_in_its_own_mode_and_restores_the_callers()
    {
        var x = Leaf();
        var modes = new List<bool>();
        x.RegisterHook(g =>
        {
            modes.Add(Autograd.IsGradEnabled);
            return null;
        });
        var y = (x * x).Sum();
        using (Autograd.NoGrad())
        {
            y.Backward(retainGraph: true);
            y.Backward(createGraph: true);
            Assert.False(Autograd.IsGradEnabled);
        }
        Assert.Equal([false, true], modes);
    }

    [Fact]
    public void Zeros_in_the_place_of_unused_inputs()
    {
        Tensor x = Leaf(), unused = Tensor.Ones([2, 2], requiresGrad: true);
        var y = x.Sum();
        Assert.Null(Autograd.Grad([y], [unused], retainGraph: true, allowUnused: true)[0]);
        var zeros = Autograd.Grad([y], [x, unused], materializeGrads: true)[1]!;
        Assert.Equal([0f, 0, 0, 0], zeros.ToFloats());
        Assert.True(zeros.RequiresGrad);
        Assert.Equal(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.",
            Assert.Throws<AutogradException>(() => Autograd.Grad([y], [x], allowUnused: false, materializeGrads: true)).Message);
        Assert.Equal("grad requires non-empty inputs.", Assert.Throws<AutogradException>(() => Autograd.Grad([y], [])).Message);
    }

    // xunit's own synchronization context would hide what happens on other threads.
    private static void Run(Func<Task> test) => Task.Run(test).GetAwaiter().GetResult();

    private static Tensor Leaf() => Tensor.Create([1.0, 2.0], requiresGrad: true);
}
