using Xunit;

namespace Verified.Engine.Tests;

/// <summary>PyTorch's rules of autograd and its messages, as measured on PyTorch 2.6.0: for each case what must be raised.</summary>
public class AutogradRules
{
    private const string Hint =
        " Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True).";

    private const string Modified = "one of the variables needed for gradient computation has been modified by an inplace operation: ";

    private const string Freed =
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.";

    private const string Multi =
        " This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.";

    private const string NoGradView =
        "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).";

    private const string OverlapInside =
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.";

    private const string OverlapBetween =
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.";

    private const string ChangeFlag =
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().";

    private static string Undifferentiated(string function, string argument) =>
        $"The function '{function}' is not differentiable with respect to argument '{argument}'. This input cannot have requires_grad True.";

    private static readonly Dictionary<string, (ErrorKind Kind, string Message, Action Act)> Cases = new()
    {
        ["int requires_grad at creation"] = (ErrorKind.RequiresGradDtype, "Only Tensors of floating point and complex dtype can require gradients", () => Tensor.Ones([1], DType.Int64, requiresGrad: true)),
        ["int requires_grad by setter"] = (ErrorKind.RequiresGradDtype, "only Tensors of floating point and complex dtype can require gradients", () => Tensor.Ones([1], DType.Int64).RequiresGrad = true),
        ["int requires_grad_()"] = (ErrorKind.RequiresGradDtype, "only Tensors of floating point dtype can require gradients", () => Tensor.Ones([1], DType.Int64).RequiresGradInPlace()),
        ["weight of classes that requires a gradient"] = (ErrorKind.Unsupported, Undifferentiated("nll_loss", "weight"), () => Tensor.Ones([1, 2]).NllLoss(Tensor.Zeros([1], DType.Int64), Leaf())),
        ["weight that requires a gradient"] = (ErrorKind.Unsupported, Undifferentiated("binary_cross_entropy_with_logits", "pos_weight"), () => Tensor.Ones([2]).BinaryCrossEntropyWithLogits(Tensor.Ones([2]), posWeight: Leaf())),
        ["running statistics that require a gradient"] = (ErrorKind.Unsupported, Undifferentiated("batch_norm", "running_mean"), () => Tensor.Ones([2, 2]).BatchNorm(Leaf(), Tensor.Ones([2]))),
        ["computed tensor set to False"] = (ErrorKind.NonleafRequiresGrad, ChangeFlag, () => (Leaf() * 2).RequiresGrad = false),
        ["backward of a vector"] = (ErrorKind.NonScalarBackward, "grad can be implicitly created only for scalar outputs", () => (Leaf() * 2).Backward()),
        ["backward without a graph"] = (ErrorKind.NoGradFn, "element 0 of tensors does not require grad and does not have a grad_fn", () => Tensor.Ones([1]).Backward()),
        ["second root without a graph"] = (ErrorKind.NoGradFn, "element 1 of tensors does not require grad and does not have a grad_fn", () => Autograd.Backward([Leaf().Sum(), Tensor.Ones([1])])),
        ["second backward"] = (ErrorKind.FreedGraph, Freed, () => Twice(Leaf().Exp().Sum())),
        ["second backward through a number"] = (ErrorKind.FreedGraph, Freed, () => Twice((Leaf() * 2).Sum())),
        ["gradient of another shape"] = (ErrorKind.GradientShape, "Mismatch in shape: grad_output[0] has a shape of torch.Size([1]) and output[0] has a shape of torch.Size([2]).", () => (Leaf() * 2).Backward(Tensor.Ones([1]))),
        ["unused input"] = (ErrorKind.UnusedInput, "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.", () => Autograd.Grad([Leaf().Sum()], [Leaf()])),
        ["input without grad"] = (ErrorKind.InputWithoutGrad, "One of the differentiated Tensors does not require grad", () => Autograd.Grad([Leaf().Sum()], [Tensor.Ones([1])])),
        ["empty inputs"] = (ErrorKind.Value, "`inputs` argument to `backward()` cannot be empty.", () => Leaf().Sum().Backward(inputs: [])),
        ["gradient assigned of another size"] = (ErrorKind.GradientShape, "attempting to assign a gradient of size '[1]' to a tensor of size '[2]'. Please ensure that the gradient and the tensor are the same size", () => Leaf().Grad = Tensor.Ones([1], DType.Float64)),
        ["gradient assigned of another dtype"] = (ErrorKind.Dtype, "attempting to assign a gradient with dtype 'float' to a tensor with dtype 'double'. Please ensure that the gradient and the tensor have the same dtype", () => Leaf().Grad = Tensor.Ones([2])),
        ["gradient assigned that repeats an element"] = (ErrorKind.OverlappingWrite, OverlapInside, RepeatedGrad),
        ["gradient assigned to itself"] = (ErrorKind.Other, "can't assign Variable as its own grad", SelfGrad),
        ["retain_grad without grad"] = (ErrorKind.RetainGradWithoutGrad, "can't retain_grad on Tensor that has requires_grad=False", () => Tensor.Ones([1]).RetainGrad()),
        ["hook without grad"] = (ErrorKind.Other, "cannot register a hook on a tensor that doesn't require gradient", () => Tensor.Ones([1]).RegisterHook(g => g)),
        ["accumulation hook on a computed tensor"] = (ErrorKind.Other, "post accumulate grad hooks cannot be registered on non-leaf tensors", () => (Leaf() * 2).RegisterPostAccumulateGradHook(_ => { })),
        ["write to a leaf"] = (ErrorKind.LeafInPlace, "a leaf Variable that requires grad is being used in an in-place operation.", () => Leaf().AddInPlace(1)),
        ["setitem on a leaf"] = (ErrorKind.ViewOfLeafInPlace, "a view of a leaf Variable that requires grad is being used in an in-place operation.", () => Leaf().SetItemInPlace([0L], 5)),
        ["write to a view of a leaf"] = (ErrorKind.ViewOfLeafInPlace, "a view of a leaf Variable that requires grad is being used in an in-place operation.", () => Leaf().View([2, 1]).MulInPlace(2)),
        ["write to a saved output"] = (ErrorKind.ModifiedInPlace, Modified + "[torch.DoubleTensor [2]], which is output 0 of ExpBackward0, is at version 1; expected version 0 instead." + Hint, () => After(Leaf().Exp(), y => y.Detach().ZeroInPlace())),
        ["write to a saved operand"] = (ErrorKind.ModifiedInPlace, Modified + "[torch.DoubleTensor [2]], which is output 0 of AddBackward0, is at version 1; expected version 0 instead." + Hint, SavedOperand),
        ["write to a saved constant"] = (ErrorKind.ModifiedInPlace, Modified + "[torch.DoubleTensor [2]] is at version 1; expected version 0 instead." + Hint, SavedConstant),
        ["write to a part of a saved operand"] = (ErrorKind.ModifiedInPlace, Modified + "[torch.DoubleTensor [2]], which is output 0 of torch::autograd::CopySlices, is at version 1; expected version 0 instead." + Hint, SavedPart),
        ["y.mul_(y)"] = (ErrorKind.ModifiedInPlace, Modified + "[torch.DoubleTensor [2]], which is output 0 of MulBackward0, is at version 1; expected version 0 instead." + Hint, () => After(Leaf() * 1, y => y.MulInPlace(y))),
        ["write to one of unbind's views"] = (ErrorKind.MultiOutputViewInPlace, "Output 0 of UnbindBackward0 is a view and is being modified inplace." + Multi, () => (Leaf() * 1).Unbind()[0].MulInPlace(2)),
        ["write to one of split's views"] = (ErrorKind.MultiOutputViewInPlace, "Output 0 of SplitBackward0 is a view and is being modified inplace." + Multi, () => (Leaf() * 1).Split(1)[0].MulInPlace(2)),
        ["write to a view of one of unbind's views"] = (ErrorKind.MultiOutputViewInPlace, "Output 0 of SelectBackward0 is a view and is being modified inplace." + Multi, () => (Leaf() * 1).View([1, 2]).Unbind()[0].Select(0, 0).MulInPlace(2)),
        ["write to the base of chunk's views"] = (ErrorKind.MultiOutputViewInPlace, "Output 0 of SplitBackward0 is a view and its base or another view of its base has been modified inplace." + Multi, BaseOfChunk),
        ["write to a view made under no_grad"] = (ErrorKind.NoGradViewInPlace, NoGradView, NoGradWrite),
        ["add_ on an expanded tensor"] = (ErrorKind.OverlappingWrite, OverlapInside, () => Tensor.Ones([1]).Expand(3).AddInPlace(1)),
        ["copy_ on an expanded tensor"] = (ErrorKind.OverlappingWrite, OverlapInside, () => Tensor.Ones([1]).Expand(3).CopyInPlace(Tensor.Ones([3]))),
        ["partial overlap"] = (ErrorKind.OverlappingWrite, OverlapBetween, PartialOverlap),
        ["y.mul_(y.t())"] = (ErrorKind.OverlappingWrite, OverlapBetween, Transposed),
        ["detach_ of a view"] = (ErrorKind.DetachView, "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.", () => (Leaf() * 1).View([2, 1]).DetachInPlace()),
        ["saved, then detached in place"] = (ErrorKind.Other, "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, please use out-of-place `.detach()` instead", SavedThenDetached),
        ["inference tensor requires grad"] = (ErrorKind.Other, "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.", () => Inference().RequiresGradInPlace()),
        ["inference tensor saved"] = (ErrorKind.Other, "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd.", () => _ = Leaf() * Inference()),
        ["inference tensor written to"] = (ErrorKind.Other, "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.", () => Inference().AddInPlace(1)),
        ["inference tensor's version"] = (ErrorKind.Other, "Inference tensors do not track version counter.", () => _ = Inference().Version),
        ["view made in inference mode"] = (ErrorKind.NoGradViewInPlace, "A view was created in inference mode and is being modified inplace in normal mode. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).", InferenceView),
        ["hook changes the shape"] = (ErrorKind.Other, "has changed the size of value", () => Hooked(_ => Tensor.Ones([3], DType.Float64))),
        ["hook changes the dtype"] = (ErrorKind.Other, "has changed the type of value (was torch.DoubleTensor got torch.FloatTensor)", () => Hooked(g => g.To(DType.Float32))),
        ["in-place result of a higher kind"] = (ErrorKind.Dtype, "result type Float can't be cast to the desired output type Long", () => Tensor.Create([1L]).AddInPlace(1.5)),
        ["in-place division of integers"] = (ErrorKind.Dtype, "result type Float can't be cast to the desired output type Long", () => Tensor.Create([1L]).DivInPlace(Tensor.Create([2L]))),
        ["mean of integers"] = (ErrorKind.Dtype, "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long", () => Tensor.Create([1L]).Mean()),
        ["matmul of two types"] = (ErrorKind.Dtype, "expected m1 and m2 to have the same dtype, but got: float != double", () => Tensor.Ones([2, 2]).Matmul(Tensor.Ones([2, 2], DType.Float64))),
        ["shapes that do not broadcast"] = (ErrorKind.Shape, "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0", () => _ = Tensor.Ones([2]) + Tensor.Ones([3])),
        ["in-place result of another shape"] = (ErrorKind.Shape, "output with shape [1] doesn't match the broadcast shape [3]", () => Tensor.Ones([1]).AddInPlace(Tensor.Ones([3]))),
        ["copy_ of a larger source"] = (ErrorKind.Shape, "output with shape [1] doesn't match the broadcast shape [2]", () => Tensor.Ones([1]).CopyInPlace(Tensor.Ones([2]))),
        ["matmul shapes"] = (ErrorKind.Shape, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", () => Tensor.Ones([2, 3]).Matmul(Tensor.Ones([2, 3]))),
        ["view of a transposed matrix"] = (ErrorKind.Shape, "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.", () => Tensor.Ones([2, 3]).T().View([6])),
        ["view of another size"] = (ErrorKind.Shape, "shape '[5]' is invalid for input of size 6", () => Tensor.Ones([2, 3]).View([5])),
        ["index out of range"] = (ErrorKind.Index, "index 3 is out of bounds for dimension 0 with size 2", () => Tensor.Ones([2]).GetItem(3L)),
        ["cat of other sizes"] = (ErrorKind.Shape, "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 4 for tensor number 1 in the list.", () => Tensor.Cat([Tensor.Ones([2, 3]), Tensor.Ones([2, 4])])),
        ["as_strided backwards"] = (ErrorKind.Value, "as_strided: Negative strides are not supported at the moment, got strides: [-1]", () => OperatorRegistry.Default.Invoke("as_strided", new OperatorCall([Tensor.Ones([4])], Attributes.Of("size", new[] { 4 }, "stride", new[] { -1 })))),
        ["unknown operator"] = (ErrorKind.Unsupported, "this engine has no operator 'conv17d'", () => OperatorRegistry.Default.Invoke("conv17d", new OperatorCall())),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Raises_what_PyTorch_raises(string name)
    {
        var (kind, message, act) = Cases[name];
        var error = Assert.Throws<AutogradException>(act);
        Assert.EndsWith(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(kind, error.Kind);
    }

    private static Tensor Leaf() => Tensor.Create([1.0, 2.0], requiresGrad: true);

    private static Tensor Inference()
    {
        using (Autograd.InferenceMode()) return Tensor.Ones([2], DType.Float64);
    }

    private static void Twice(Tensor loss)
    {
        loss.Backward();
        loss.Backward();
    }

    private static void After(Tensor y, Action<Tensor> write)
    {
        write(y);
        y.Sum().Backward();
    }

    private static void RepeatedGrad()
    {
        var x = Tensor.Zeros([3], requiresGrad: true);
        x.Grad = Tensor.Ones([1]).Expand(3);
        (x * Tensor.Create([1f, 10f, 100f])).Sum().Backward();
    }

    private static void SelfGrad()
    {
        var x = Leaf();
        x.Grad = x;
    }

    private static void SavedOperand()
    {
        var y = Leaf() * 1;
        var z = y * y;
        y.AddInPlace(1);
        z.Sum().Backward();
    }

    private static void SavedConstant()
    {
        var w = Tensor.Ones([2], DType.Float64);
        var z = Leaf() * w;
        w.AddInPlace(1);
        z.Sum().Backward();
    }

    private static void SavedPart()
    {
        var y = Leaf() * 1;
        var z = y * y;
        y[0].ZeroInPlace();
        z.Sum().Backward();
    }

    private static void BaseOfChunk()
    {
        var y = Leaf() * 1;
        var part = y.Chunk(2)[0];
        y.MulInPlace(2);
        _ = part.GradFn;
    }

    private static void NoGradWrite()
    {
        var y = Leaf() * 1;
        Tensor view;
        using (Autograd.NoGrad()) view = y.View([2, 1]);
        view.MulInPlace(2);
    }

    private static void InferenceView()
    {
        var y = Leaf() * 1;
        Tensor view;
        using (Autograd.InferenceMode()) view = y.View([2, 1]);
        view.MulInPlace(2);
    }

    private static void PartialOverlap()
    {
        var x = Tensor.Ones([4]);
        x.Slice(0, 0, 3).AddInPlace(x.Slice(0, 1, 4));
    }

    private static void Transposed()
    {
        var y = Tensor.Ones([2, 2]);
        y.MulInPlace(y.T());
    }

    private static void SavedThenDetached()
    {
        var m = Leaf() * 1;
        var y = m * m;
        m.DetachInPlace();
        y.Sum().Backward();
    }

    private static void Hooked(Func<Tensor, Tensor?> hook)
    {
        var x = Leaf();
        x.RegisterHook(hook);
        x.Sum().Backward();
    }
}
