using System.Collections.Concurrent;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Deep tapes, long training, many threads.</summary>
[Collection(WholeProcess.Name)]
public class AutogradEndurance
{
    [Fact]
    public void A_chain_of_a_million_nodes_pulls_back_and_is_dropped()
    {
        var x = Tensor.Scalar(1, DType.Float64, requiresGrad: true);
        var held = Chain(x);
        Assert.Equal(1_000_001.0, x.Grad!.Item());
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.All(held, reference => Assert.False(reference.IsAlive));
        GC.KeepAlive(x);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference[] Chain(Tensor x)
    {
        var y = x + x;
        var first = new WeakReference(y.GradFn);
        for (var i = 1; i < 1_000_000; i++) y = y + x;
        y.Backward();
        return [first, new(y.GradFn), new(y)];
    }

    [Fact]
    public void A_million_nodes_take_at_most_a_kilobyte_each()
    {
        const int nodes = 1_000_000;
        var x = Tensor.Scalar(1, DType.Float64, requiresGrad: true);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var y = x;
        for (var i = 0; i < nodes; i++) y = y * x;
        y.Backward();
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / nodes, 100, 1024);
        Assert.Equal(1_000_001.0, x.Grad!.Item());
    }

    [Fact]
    public void A_dropped_graph_holds_nothing()
    {
        var x = Tensor.Scalar(1, DType.Float64, requiresGrad: true);
        var held = Recorded(x);
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.All(held, reference => Assert.False(reference.IsAlive));
        GC.KeepAlive(x);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference[] Recorded(Tensor x)
    {
        var f = Function.Create("Keeps", (context, t) =>
        {
            var y = t * 2;
            context.SaveForBackward(t, y);
            return y;
        }, (context, g) => g * 2 + context.Saved(1) * 0);
        var (a, b) = (f.Apply(x), x.Exp());
        a.RegisterHook(g => g * b);
        var c = a;
        for (var i = 0; i < 100_000; i++) c = i % 1000 == 0 ? f.Apply(c) : c.Unsqueeze(0).Squeeze(0);
        (c + b).Backward(retainGraph: true);
        return [new(a), new(b), new(c), new(a.GradFn), new(c.GradFn)];
    }

    [Fact]
    public void Ten_thousand_training_steps_that_dispose_nothing_leave_memory_flat()
    {
        var random = new Random(1);
        float[] Values(int n) => [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() - 0.5))];
        var input = Tensor.Create(Values(32 * 40), [32, 40]);
        var w1 = Tensor.Create(Values(40 * 50), [40, 50], requiresGrad: true);
        var w2 = Tensor.Create(Values(50 * 10), [50, 10], requiresGrad: true);
        void Step()
        {
            var loss = (input.Matmul(w1).Relu().Matmul(w2) - 1).Sigmoid().Mean();
            loss.Backward();
            using (Autograd.NoGrad())
            {
                w1.SubInPlace(w1.Grad! * 0.01);
                w2.SubInPlace(w2.Grad! * 0.01);
            }
            w1.ZeroGrad();
            w2.ZeroGrad();
        }
        // What the tests before left behind, and how much they once needed, is not the steps'.
        NativePool.Settle();
        for (var i = 0; i < 1000; i++) Step();
        var native = NativePool.LiveBytes + NativePool.CachedBytes;
        for (var i = 0; i < 9000; i++) Step();
        Assert.InRange(NativePool.LiveBytes + NativePool.CachedBytes, 0, Math.Max(2 * native, 32L << 20));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 64L << 20);
    }

    [Fact]
    public void Several_threads_pull_back_one_tape_with_the_same_bits()
    {
        var x = Tensor.Create([.. Enumerable.Range(0, 300).Select(i => (float)Math.Sin(i))], [300], requiresGrad: true);
        var w = Tensor.Create([.. Enumerable.Range(0, 300).Select(i => (float)Math.Cos(i))], [300], requiresGrad: true);
        var y = x;
        for (var i = 0; i < 40; i++) y = (y * w).Sigmoid() + x;
        var loss = y.Sum();
        var expected = Autograd.Grad([loss], [x, w], retainGraph: true).SelectMany(g => g!.ToFloats()).ToArray();
        var results = new ConcurrentBag<float[]>();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            for (var k = 0; k < 20; k++) results.Add([.. Autograd.Grad([loss], [x, w], retainGraph: true).SelectMany(g => g!.ToFloats())]);
        });
        Assert.Equal(160, results.Count);
        Assert.All(results, r => Assert.True(r.AsSpan().SequenceEqual(expected)));
    }

    [Fact]
    public void Backwards_from_several_threads_accumulate_into_the_same_leaves()
    {
        var x = Tensor.Create([1.0, 2.0], requiresGrad: true);
        var shared = (x * x).Exp();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            for (var k = 0; k < 50; k++) (shared * (i + 1)).Sum().Backward(retainGraph: true);
        });
        var expected = new[] { 1.0, 2.0 }.Select(v => 50 * 36 * 2 * v * Math.Exp(v * v)).ToArray();
        Assert.Equal(expected[0], x.Grad!.ToDoubles()[0], 6);
        Assert.Equal(expected[1], x.Grad.ToDoubles()[1], 4);
    }

    [Fact]
    public void A_graph_released_under_another_thread_is_PyTorchs_error()
    {
        var outcomes = new ConcurrentBag<bool>();
        for (var round = 0; round < 50; round++)
        {
            var x = Tensor.Create([1.0, 2.0], requiresGrad: true);
            var y = x;
            for (var i = 0; i < 50; i++) y = y.Sigmoid();
            var loss = y.Sum();
            Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
            {
                try
                {
                    loss.Backward();
                    outcomes.Add(true);
                }
                catch (AutogradException e) when (e.Kind == ErrorKind.FreedGraph)
                {
                    outcomes.Add(false);
                }
            });
            Assert.NotNull(x.Grad);
        }
        Assert.Equal(200, outcomes.Count);
        Assert.Contains(true, outcomes);
        Assert.Contains(false, outcomes);
    }

    [Fact]
    public void A_value_is_read_whole_or_found_released_while_another_thread_releases_it()
    {
        var x = Tensor.Ones([1]);
        var node = (x.Detach().RequiresGradInPlace() * 2).GradFn!;
        var leases = Enumerable.Range(0, 4_000).Select(_ => new SavedValues(1)).ToArray();
        Array.ForEach(leases, lease => lease.SaveInput(0, x));
        var at = -1;
        var releasing = new Thread(() =>
        {
            for (var i = 0; i < leases.Length; i++)
            {
                while (Volatile.Read(ref at) < i) Thread.SpinWait(1);
                leases[i].End();
            }
        });
        releasing.Start();
        for (var i = 0; i < leases.Length; i++)
        {
            Volatile.Write(ref at, i);
            while (IsHeld(leases[i])) continue;
        }
        releasing.Join();

        bool IsHeld(SavedValues lease)
        {
            try
            {
                Assert.Same(x, lease.Input(0, node));
                return true;
            }
            catch (AutogradException e) when (e.Kind == ErrorKind.FreedGraph)
            {
                return false;
            }
        }
    }

    [Fact]
    public void Recording_more_never_changes_what_an_earlier_tape_gives()
    {
        var x = Tensor.Create([0.1, 0.2, 0.3], requiresGrad: true);
        var y = (x * x).Exp();
        var before = Autograd.Grad([y.Sum()], [x], retainGraph: true)[0]!.ToDoubles();
        var z = y.Sigmoid() * x;
        _ = Autograd.Grad([z.Sum()], [x], retainGraph: true);
        Assert.Equal(before, Autograd.Grad([y.Sum()], [x], retainGraph: true)[0]!.ToDoubles());
    }
}
