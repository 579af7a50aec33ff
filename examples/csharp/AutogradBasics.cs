using Verified.Engine;

namespace Verified.Examples;

/// <summary>What backward, accumulation, detach and in-place writes do, printed line by line and compared with what the tutorials print.</summary>
public sealed class AutogradBasics : Example
{
    /// <inheritdoc/>
    public override string Name => "autograd-basics";

    /// <inheritdoc/>
    public override string Summary => "backward, accumulation, detach, in-place errors: what the tutorials print";

    /// <inheritdoc/>
    public override ExampleUses Uses => ExampleUses.None;

    /// <inheritdoc/>
    public override Outcome Run(ExampleOptions options)
    {
        var lesson = new Lesson(options.Output);
        Backward(lesson);
        Accumulation(lesson);
        Detach(lesson);
        WriteToDetached(lesson);
        DetachInPlace(lesson);
        TwoModels(lesson);
        return new Outcome(lesson.Surprises == 0, $"every line is what PyTorch prints: {lesson.Lines - lesson.Surprises} of {lesson.Lines} are");
    }

    /// <inheritdoc/>
    public override Func<Tensor> Step()
    {
        var x = Tensor.Ones([2, 2], requiresGrad: true);
        return () =>
        {
            var y = x + 2;
            var z = y * y * 3;
            return z.Mean();
        };
    }

    private static void Backward(Lesson lesson)
    {
        lesson.Title("A first gradient");
        var x = Tensor.Ones([2, 2], requiresGrad: true);
        var y = x + 2;
        var z = y * y * 3;
        var mean = z.Mean();
        lesson.Print("z", z, "tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)");
        lesson.Print("mean", mean, "tensor(27., grad_fn=<MeanBackward0>)");
        mean.Backward();
        lesson.Print("x.grad", x.Grad, "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])");
    }

    private static void Accumulation(Lesson lesson)
    {
        lesson.Title("Gradients accumulate until they are zeroed");
        var x = Tensor.Ones([2, 2], requiresGrad: true);
        x.Sum().Backward();
        x.Sum().Backward();
        lesson.Print("x.grad after two backwards", x.Grad, "tensor([[2., 2.],\n        [2., 2.]])");
        x.Grad!.ZeroInPlace();
        x.Sum().Backward();
        lesson.Print("x.grad, zeroed between", x.Grad, "tensor([[1., 1.],\n        [1., 1.]])");
    }

    private static void Detach(Lesson lesson)
    {
        lesson.Title("detach: the same memory without a history");
        var a = Tensor.Create([1f, 2f, 3f], requiresGrad: true);
        lesson.Print("a.grad before", a.Grad, "None");
        var squares = a * a;
        var c = squares.Detach();
        lesson.Print("c", c, "tensor([1., 4., 9.])");
        lesson.Print("c.requires_grad", c.RequiresGrad, "False");
        lesson.Print("c shares memory", c.SharesMemoryWith(squares), "True");
        squares.Sum().Backward();
        lesson.Print("a.grad", a.Grad, "tensor([2., 4., 6.])");
        lesson.PrintError("c.sum().backward()", () => c.Sum().Backward(), "element 0 of tensors does not require grad and does not have a grad_fn");
    }

    private static void WriteToDetached(Lesson lesson)
    {
        lesson.Title("A write to the detached tensor is a write to the original");
        var a = Tensor.Create([1f, 2f, 3f], requiresGrad: true);
        var y = a.Sigmoid();
        lesson.Print("y", y, "tensor([0.7311, 0.8808, 0.9526], grad_fn=<SigmoidBackward0>)");
        y.Sum().Backward();
        lesson.Print("a.grad", a.Grad, "tensor([0.1966, 0.1050, 0.0452])");

        y = a.Sigmoid();
        var c = y.Detach();
        c.ZeroInPlace();
        lesson.Print("c", c, "tensor([0., 0., 0.])");
        lesson.Print("y", y, "tensor([0., 0., 0.], grad_fn=<SigmoidBackward0>)");
        lesson.PrintError(
            "y.sum().backward()",
            () => y.Sum().Backward(),
            "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [3]], which is output 0 of SigmoidBackward0, is at version 1; expected version 0 instead.");
    }

    private static void DetachInPlace(Lesson lesson)
    {
        lesson.Title("detach_ in the middle: the backward pass stops there");
        var x = Tensor.Create([1f, 2f, 3f], requiresGrad: true);
        var m = x * x;
        m.DetachInPlace();
        lesson.Print("m.is_leaf", m.IsLeaf, "True");
        lesson.Print("m.requires_grad", m.RequiresGrad, "False");
        lesson.Print("m", m, "tensor([1., 4., 9.])");
        m.RequiresGrad = true;
        var y = (m * 2).Sum();
        y.Backward();
        lesson.Print("m.grad", m.Grad, "tensor([2., 2., 2.])");
        lesson.Print("x.grad", x.Grad, "None");
    }

    private static void TwoModels(Lesson lesson)
    {
        lesson.Title("Two models in a row: detach trains the second alone");
        var a = Tensor.Create([2f], requiresGrad: true);
        var b = Tensor.Create([3f], requiresGrad: true);
        var input = Tensor.Create([1f]);
        var outputA = a * input;
        var inputB = outputA.Detach();
        var outputB = b * inputB;
        outputB.Sum().Backward();
        lesson.Print("a.grad", a.Grad, "None");
        lesson.Print("b.grad", b.Grad, "tensor([2.])");
    }

    /// <summary>Prints, and counts what is not as the tutorial has it.</summary>
    private sealed class Lesson(TextWriter output)
    {
        public int Lines { get; private set; }

        public int Surprises { get; private set; }

        public void Title(string title) => output.WriteLine($"\n# {title}");

        public void Print(string name, object? value, string expected)
        {
            var text = value?.ToString() ?? "None";
            output.WriteLine($"{name}: {text}");
            Compare(text == expected, expected);
        }

        public void PrintError(string name, Action action, string expected)
        {
            try
            {
                action();
                output.WriteLine($"{name}: no error");
                Compare(false, expected);
            }
            catch (AutogradException e)
            {
                output.WriteLine($"{name}: {e.Message}");
                Compare(e.Message.StartsWith(expected, StringComparison.Ordinal), expected);
            }
        }

        private void Compare(bool same, string expected)
        {
            Lines++;
            if (same) return;
            Surprises++;
            output.WriteLine($"  (the tutorial has: {expected})");
        }
    }
}
