using Xunit;

namespace Verified.Engine.Tests;

/// <summary>Custom functions: what is recorded and what is raised, as PyTorch 2.6.0 does it.</summary>
public class AutogradFunctions
{
    private const string ViewAdvice =
        " This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.";

    private const string MultiAdvice =
        " This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.";

    private static readonly Function Identity = Function.Create("Ident", (_, x) => x, (_, g) => g * 5);

    private static readonly Function SavesInput = Function.Create(
        "SaveX",
        (context, x) =>
        {
            context.SaveForBackward(x);
            return x * x;
        },
        (context, g) => g * 2 * context.Saved(0));

    private static readonly Function Dirty = Function.Create(
        "Dirty",
        (context, x) =>
        {
            x.MulInPlace(2);
            context.MarkDirty(x);
            return x;
        },
        (_, g) => g * 2);

    [Fact]
    public void A_class_holds_its_numbers_and_gives_its_name()
    {
        var x = Leaf(1, 2);
        var y = new Scale(3).Apply(x);
        Assert.Equal("ScaleBackward", y.GradFn!.Name);
        Assert.False(y.IsLeaf);
        y.Sum().Backward();
        Assert.Equal([3.0, 3.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void A_forward_runs_with_recording_off_and_is_recorded_only_where_something_requires_a_gradient()
    {
        bool? enabled = null;
        var f = Function.Create("F", (_, x) =>
        {
            enabled = Autograd.IsGradEnabled;
            return x * 2;
        }, (_, g) => g * 2);
        Assert.False(f.Apply(Tensor.Ones([1])).RequiresGrad);
        Assert.True(f.Apply(Leaf(1)).RequiresGrad);
        Assert.False(enabled);
        using (Autograd.NoGrad()) Assert.Null(f.Apply(Leaf(1)).GradFn);
    }

    [Fact]
    public void Recorded_rules_are_differentiated_again()
    {
        var x = Leaf(1, 3);
        var g = Autograd.Grad([SavesInput.Apply(x * x).Sum()], [x], createGraph: true)[0]!;
        Assert.Equal([4.0, 108.0], g.ToDoubles());
        Assert.Equal([12.0, 108.0], Autograd.Grad([g.Sum()], [x])[0]!.ToDoubles());
    }

    [Fact]
    public void Saved_tensors_are_checked_when_they_are_read()
    {
        var y = Leaf(1, 2) * 1;
        var z = SavesInput.Apply(y);
        y.MulInPlace(2);
        Assert.StartsWith(
            "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.DoubleTensor [2]], which is output 0 of MulBackward0, is at version 1; expected version 0 instead.",
            Error(() => z.Sum().Backward()),
            StringComparison.Ordinal);

        var unread = Function.Create("Unread", (context, x) =>
        {
            context.SaveForBackward(x);
            return x * 2;
        }, (_, g) => g * 2);
        var x = Leaf(1, 2);
        y = x * 1;
        z = unread.Apply(y);
        y.MulInPlace(2);
        z.Sum().Backward();
        Assert.Equal([2.0, 2.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void A_saved_output_is_checked_and_is_named_by_its_node()
    {
        var exp = Function.Create("SaveOut", (context, x) =>
        {
            var y = x.Exp();
            context.SaveForBackward(y);
            return y;
        }, (context, g) => g * context.Saved(0));
        var x = Leaf(1);
        var second = Autograd.Grad([Autograd.Grad([exp.Apply(x).Sum()], [x], createGraph: true)[0]!.Sum()], [x])[0]!;
        Assert.Equal(Math.E, second.Item(), 12);
        var y = exp.Apply(x);
        y.Detach().MulInPlace(2);
        Assert.Contains("[torch.DoubleTensor [1]], which is output 0 of SaveOutBackward, is at version 1; expected version 0", Error(() => y.Sum().Backward()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_backward_fails_only_where_saved_tensors_are_read()
    {
        var z = SavesInput.Apply(Leaf(1, 2)).Sum();
        z.Backward(retainGraph: true);
        z.Backward();
        Assert.StartsWith("Trying to backward through the graph a second time", Error(() => z.Backward()), StringComparison.Ordinal);
        var free = new Scale(2).Apply(Leaf(1)).Sum();
        free.Backward();
        free.Backward();
    }

    [Fact]
    public void Wrong_numbers_of_gradients_are_errors_but_surplus_nulls_are_not()
    {
        Assert.Equal("function FnBackward returned an incorrect number of gradients (expected 1, got 2)", Error(() => Gives((_, g) => [g[0], g[0]]).Backward()));
        Assert.Equal("function FnBackward returned an incorrect number of gradients (expected 1, got 0)", Error(() => Gives((_, _) => []).Backward()));
        Gives((_, g) => [g[0], null, null]).Backward();
        var f = Function.CreateMany("Fn", (_, x) => [x[0]! * 2], (_, g) => [g[0], g[0]]);
        Assert.Equal(
            "function FnBackward returned a gradient different than None at position 2, but the corresponding forward input was not a Variable",
            Error(() => f.Apply(Leaf(1), null).Sum().Backward()));
    }

    [Fact]
    public void Gradients_are_summed_to_the_inputs_shape_and_cast_to_its_type_or_refused()
    {
        Assert.Equal(
            "Function FnBackward returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]",
            Error(() => Gives((_, _) => [Tensor.Ones([3], DType.Float64)]).Backward()));
        var x = Leaf(1, 2);
        Gives((_, _) => [Tensor.Ones([3, 2])], x).Backward();
        Assert.Equal([3.0, 3.0], x.Grad!.ToDoubles());
        Assert.Equal(DType.Float64, x.Grad.DType);
    }

    [Fact]
    public void Null_is_no_gradient_rather_than_zeros()
    {
        var x = Leaf(1, 2);
        Gives((_, _) => [null], x).Backward();
        Assert.Null(x.Grad);
    }

    [Fact]
    public void Missing_gradients_are_zeros_unless_switched_off()
    {
        var seen = new List<string>();
        Function Two(bool materialize) => Function.CreateMany(
            "Two",
            (context, x) =>
            {
                context.MaterializeGrads = materialize;
                return [x[0]! * 2, x[0]! * 3, x[0]!.Gt(0)];
            },
            (_, g) =>
            {
                seen.Add(string.Join(' ', g.Select(t => t is null ? "null" : t.ToString())));
                return [g[0]];
            });
        var x = Leaf(1, 2);
        Two(true).ApplyAll(x)[1].Sum().Backward();
        Assert.Equal([0.0, 0.0], x.Grad!.ToDoubles());
        x.ZeroGrad();
        Two(false).ApplyAll(x)[1].Sum().Backward();
        Assert.Null(x.Grad);
        Assert.Equal(2, seen.Count);
        Assert.StartsWith("tensor([0., 0.], dtype=torch.float64) tensor([1., 1.]", seen[0], StringComparison.Ordinal);
        Assert.EndsWith("tensor([False, False])", seen[0], StringComparison.Ordinal);
        Assert.StartsWith("null tensor([1., 1.]", seen[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Integer_results_and_marked_ones_are_not_differentiable()
    {
        var f = Function.CreateMany(
            "Marked",
            (context, x) =>
            {
                var (a, b) = (x[0]! * 2, x[0]! * 3);
                context.MarkNonDifferentiable(b);
                return [a, b, x[0]!.Gt(0)];
            },
            (_, g) => [g[0]! * 2]);
        var results = f.ApplyAll(Leaf(1));
        Assert.Equal([true, false, false], results.Select(r => r.RequiresGrad));
        Assert.Null(results[1].GradFn);
        var x = Leaf(1);
        var same = Function.Create("Same", (context, t) =>
        {
            context.MarkNonDifferentiable(t);
            return t;
        }, (_, g) => g).Apply(x);
        Assert.NotSame(x, same);
        Assert.Equal((false, true, false), (same.RequiresGrad, x.RequiresGrad, same.IsView));
    }

    [Fact]
    public void Needs_tell_forward_and_backward_which_gradients_are_wanted()
    {
        var seen = new List<string>();
        var f = Function.CreateMany(
            "Many",
            (context, x) =>
            {
                seen.Add(string.Join(',', context.NeedsInputGrad));
                return [x[0]! * x[1]!];
            },
            (context, g) =>
            {
                seen.Add(string.Join(',', context.NeedsInputGrad));
                return [g[0], g[0]];
            });
        f.Apply(Leaf(1), Tensor.Ones([1], DType.Float64)).Sum().Backward();
        Assert.Equal(["True,False", "True,False"], seen);
    }

    [Fact]
    public void Once_differentiable_ends_there()
    {
        var x = Leaf(1, 2);
        var plain = Autograd.Grad([new Once().Apply(x).Sum()], [x], createGraph: true)[0]!;
        Assert.False(plain.RequiresGrad);
        Assert.Equal("element 0 of tensors does not require grad and does not have a grad_fn", Error(() => plain.Sum().Backward()));
        var joined = Autograd.Grad([new Once().Apply(x).Square().Sum()], [x], createGraph: true)[0]!;
        Assert.True(joined.RequiresGrad);
        Assert.Equal("trying to differentiate twice a function that was marked with @once_differentiable", Error(() => joined.Sum().Backward()));
    }

    [Fact]
    public void An_input_that_is_returned_becomes_a_view_that_may_not_be_written_to()
    {
        var x = Leaf(1, 2);
        var y = Identity.Apply(x);
        Assert.NotSame(x, y);
        Assert.True(y.IsView);
        Assert.True(y.SharesMemoryWith(x));
        y.Sum().Backward();
        Assert.Equal([5.0, 5.0], x.Grad!.ToDoubles());
        var z = Identity.Apply(x * 1);
        Assert.Equal("Output 0 of IdentBackward is a view and is being modified inplace." + ViewAdvice, Error(() => z.MulInPlace(2)));
        var under = x * 1;
        z = Identity.Apply(under);
        under.MulInPlace(2);
        Assert.Equal("Output 0 of IdentBackward is a view and its base or another view of its base has been modified inplace." + ViewAdvice, Error(() => _ = z.GradFn));
        var constant = Identity.Apply(Tensor.Ones([2], DType.Float64));
        Assert.True(constant.IsView);
        Assert.Equal("A view was created in no_grad mode and is being modified inplace with grad mode enabled." + ViewAdvice, Error(() => constant.MulInPlace(Leaf(1, 2))));
    }

    [Fact]
    public void Views_made_inside_may_not_be_written_to()
    {
        var view = Function.Create("ViewF", (_, x) => x.View([2, 1]), (_, g) => g.View([2]));
        var x = Leaf(1, 2);
        var y = view.Apply(x);
        (y * y).Sum().Backward();
        Assert.Equal([2.0, 4.0], x.Grad!.ToDoubles());
        Assert.Equal("Output 0 of ViewFBackward is a view and is being modified inplace." + ViewAdvice, Error(() => view.Apply(Leaf(1, 2) * 1).MulInPlace(2)));
        var two = Function.CreateMany("TwoViews", (_, t) => [t[0]!.View([2, 1]), t[0]! * 2], (_, g) => [g[0]!.View([2]) + g[1]! * 2]);
        Assert.Equal("Output 0 of TwoViewsBackward is a view and is being modified inplace." + MultiAdvice, Error(() => two.ApplyAll(Leaf(1, 2) * 1)[0].MulInPlace(2)));
    }

    [Fact]
    public void A_dirty_input_is_returned_itself_with_a_new_history()
    {
        var x = Leaf(1, 3);
        var y = x * 1;
        var z = Dirty.Apply(y);
        Assert.Same(y, z);
        Assert.Equal(2, z.Version);
        Assert.Equal("DirtyBackward", z.GradFn!.Name);
        z.Sum().Backward();
        Assert.Equal([2.0, 2.0], x.Grad!.ToDoubles());
        Assert.Equal("a leaf Variable that requires grad has been used in an in-place operation.", Error(() => Dirty.Apply(Leaf(1))));
        Assert.Equal(2, Dirty.Apply(Tensor.Ones([1])).Version);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_the_backward_of_a_write_to_a_view_keeps_stays_its_own(bool throughLeaf)
    {
        // Large enough for memory that goes back to the pool.
        const int n = 200;
        Tensor? kept = null;
        var writes = Function.CreateMany(
            "Writes",
            (context, t) =>
            {
                t[0]!.AddInPlace(t[1]!);
                context.MarkDirty(t[0]!);
                return [t[0]!];
            },
            (_, g) => [g[0]! * 2, kept = g[0]! * 3]);
        var (x, w) = (Tensor.Ones([2, n], requiresGrad: true), Tensor.Zeros([n], requiresGrad: true));
        var @base = x * 1;
        writes.Apply(@base[0], throughLeaf ? w : w.Exp());
        @base.Sum().Backward();
        Assert.All(kept!.ToDoubles(), value => Assert.Equal(3, value));
        Assert.False(kept.SharesMemoryWith(w.Grad!));
        Assert.All(w.Grad!.ToDoubles(), value => Assert.Equal(3, value));
    }

    [Fact]
    public void A_dirty_view_rewrites_its_bases_history()
    {
        var x = Leaf(1, 2);
        var y = x * 1;
        var view = y.Slice(0, 0, 1);
        Assert.Same(view, Dirty.Apply(view));
        Assert.Equal("torch::autograd::CopySlices", y.GradFn!.Name);
        Assert.Equal("AsStridedBackward0", view.GradFn!.Name);
        y.Sum().Backward();
        Assert.Equal([2.0, 1.0], x.Grad!.ToDoubles());
    }

    [Fact]
    public void Dirty_marks_that_cannot_be_kept_are_errors()
    {
        var two = Function.CreateMany("DirtyTwo", (context, x) =>
        {
            x[0]!.MulInPlace(2);
            context.MarkDirty(x[0]!);
            return [x[0]!, x[0]! * 3];
        }, (_, g) => [g[0]! * 2 + g[1]! * 6]);
        Assert.StartsWith(
            "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot return more than one Tensor.",
            Error(() => two.ApplyAll((Leaf(1, 2) * 1).Slice(0, 0, 1))),
            StringComparison.Ordinal);
        var x = Leaf(1, 2);
        var both = two.ApplyAll(x * 1);
        (both[0].Sum() + both[1].Sum()).Backward();
        Assert.Equal([8.0, 8.0], x.Grad!.ToDoubles());
        var lost = Function.Create("DirtyLost", (context, t) =>
        {
            t.MulInPlace(2);
            context.MarkDirty(t);
            return t * 3;
        }, (_, g) => g * 6);
        Assert.Equal(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.",
            Error(() => lost.Apply(Leaf(1) * 1)));
    }

    [Fact]
    public void What_a_backward_keeps_or_returns_twice_is_not_overwritten()
    {
        Tensor? kept = null;
        var f = Function.CreateMany("Keeps", (_, x) => [x[0]! + x[1]!], (_, g) =>
        {
            kept = g[0]! * 2;
            return [kept, kept];
        });
        var x = Tensor.Ones([100], DType.Float64, requiresGrad: true);
        (f.Apply(x, x * 3) + x).Sum().Backward();
        Assert.Equal(2.0 + 6 + 1, x.Grad!.ToDoubles()[7]);
        Assert.Equal(2.0, kept!.ToDoubles()[7]);
    }

    [Fact]
    public void A_function_may_recompute_and_pull_back_inside()
    {
        Func<Tensor, Tensor> inner = t => (t * t).Exp();
        var checkpoint = Function.Create(
            "Checkpoint",
            (context, x) =>
            {
                context.SaveForBackward(x);
                return inner(x);
            },
            (context, g) =>
            {
                var again = context.Saved(0).Detach().RequiresGradInPlace();
                using (Autograd.EnableGrad()) inner(again).Backward(g);
                return again.Grad;
            });
        Tensor x = Leaf(0.5, 1), plain = Leaf(0.5, 1);
        (checkpoint.Apply(x * 2) * 3).Sum().Backward();
        (inner(plain * 2) * 3).Sum().Backward();
        Assert.Equal(plain.Grad!.ToDoubles(), x.Grad!.ToDoubles());
    }

    private static Tensor Gives(Func<FunctionContext, Tensor?[], Tensor?[]> backward, Tensor? x = null) =>
        Function.CreateMany("Fn", (_, inputs) => [inputs[0]! * 2], backward).Apply(x ?? Leaf(1, 2)).Sum();

    private static string Error(Action act) => Assert.Throws<AutogradException>(act).Message;

    private static Tensor Leaf(params double[] data) => Tensor.Create(data, requiresGrad: true);

    private sealed class Scale(double factor) : Function
    {
        public override Tensor[] Forward(FunctionContext context, Tensor?[] inputs) => [inputs[0]! * factor];

        public override Tensor?[] Backward(FunctionContext context, Tensor?[] gradients) => [gradients[0]! * factor];
    }

    private sealed class Once : Function
    {
        public override bool OnceDifferentiable => true;

        public override Tensor[] Forward(FunctionContext context, Tensor?[] inputs)
        {
            context.SaveForBackward(inputs[0]);
            return [inputs[0]! * inputs[0]!];
        }

        public override Tensor?[] Backward(FunctionContext context, Tensor?[] gradients) => [gradients[0]! * 2 * context.Saved(0)];
    }
}
