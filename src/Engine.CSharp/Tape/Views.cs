namespace Verified.Engine;

/// <summary>PyTorch's rules for views and in-place writes: which writes are forbidden, and how histories are rewritten after those that are not.</summary>
internal static class Views
{
    private const string MultiAdvice =
        " This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. "
        + "You should replace the inplace operation by an out-of-place one.";

    private const string CustomAdvice =
        " This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom "
        + "backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.";

    /// <summary>Makes <paramref name="view"/> known as a view of <paramref name="of"/>, or of what that is a view of.</summary>
    public static void Register(Tensor view, Tensor of, bool multiple)
    {
        if (of.IsInference) return;
        var origin = GradMode.Inference ? ViewOrigin.Inference
            : !GradMode.Enabled ? ViewOrigin.NoGrad
            : multiple ? ViewOrigin.MultipleOutputs
            : ViewOrigin.Default;
        var @base = of;
        if (of.ViewOf is { } parent)
        {
            @base = parent.Base;
            if (origin == ViewOrigin.Default || parent.Origin == ViewOrigin.Inference) origin = parent.Origin;
        }
        view.ViewOf = new ViewInfo(@base, origin, view.Storage.Version);
    }

    /// <summary>The node of a view, made anew from its base's where the memory was written to since.</summary>
    public static Node? CurrentNode(Tensor tensor, ViewInfo view)
    {
        if (tensor.NodeWithoutChecks is null && !view.Base.RequiresGrad) return null;
        var version = tensor.Storage.Version;
        if (view.Version == version) return tensor.NodeWithoutChecks;
        CheckOrigin(tensor, view, indirect: true);
        var node = new Node(
            AsStrided.Definition, AsStrided.Describe(tensor), [view.Base.GradEdge], [new OutputForm(tensor.Sizes, tensor.DType)], null, new AsStrided.Window(tensor, view.Base));
        HookTable.Move(tensor, tensor.NodeWithoutChecks, node);
        tensor.SetNode(node, 0);
        view.Version = version;
        return node;
    }

    /// <summary>Raises where autograd forbids writing to <paramref name="self"/>; <paramref name="differentiable"/> tells whether it or an operand requires a gradient.</summary>
    public static void CheckInPlace(Tensor self, bool differentiable)
    {
        if (differentiable && GradMode.Records)
        {
            if (self.ViewOf is { } view)
            {
                CheckOrigin(self, view, indirect: false);
                if (self.RequiresGrad && view.Base.IsLeaf)
                {
                    throw new AutogradException(
                        ErrorKind.ViewOfLeafInPlace, "a view of a leaf Variable that requires grad is being used in an in-place operation.");
                }
            }
            // A view made before its base had a history counts as a leaf until its own is asked for, as in PyTorch.
            if (self.RequiresGrad && self.NodeWithoutChecks is null)
                throw new AutogradException(ErrorKind.LeafInPlace, "a leaf Variable that requires grad is being used in an in-place operation.");
        }
    }

    /// <summary>Counts a write. PyTorch writes to an inference tensor before it notices that it may not.</summary>
    public static void CountWrite(Tensor self)
    {
        if (self.IsInference && !GradMode.Inference)
        {
            throw new AutogradException(
                ErrorKind.Other,
                "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update."
                + "See https://github.com/pytorch/rfcs/pull/17 for more details.");
        }
        self.Storage.Bump();
    }

    /// <summary>After a write: the node becomes the tensor's, or, where it is a view, part of its base's history.</summary>
    public static void Rebase(Tensor self, Node node, int output = 0)
    {
        if (self.ViewOf is not { } view)
        {
            var old = self.NodeWithoutChecks;
            self.SetNode(node, output);
            HookTable.Move(self, old, node, output);
            return;
        }
        var @base = view.Base;
        var before = @base.NodeWithoutChecks;
        var rewritten = CopySlices.Wrap(@base, self, node);
        @base.SetNode(rewritten, 0);
        HookTable.Move(@base, before, rewritten);
        _ = self.GradNode;
    }

    private static void CheckOrigin(Tensor tensor, ViewInfo view, bool indirect)
    {
        if (view.Origin == ViewOrigin.Default) return;
        var what = indirect ? "its base or another view of its base has been" : "is being";
        var node = tensor.NodeWithoutChecks;
        string message;
        if (view.Origin is ViewOrigin.Inference or ViewOrigin.NoGrad || node is null)
        {
            var prefix = node is null ? "A view was created in" : $"Output {tensor.OutputNumber} of {node.Name} is a view of a view which was created in";
            message = view.Origin == ViewOrigin.Inference
                ? $"{prefix} inference mode and {what} modified inplace in normal mode."
                : $"{prefix} no_grad mode and {what} modified inplace with grad mode enabled.";
        }
        else
        {
            message = $"Output {tensor.OutputNumber} of {node.Name} is a view and {what} modified inplace.";
        }
        message += view.Origin switch
        {
            ViewOrigin.MultipleOutputs => MultiAdvice,
            ViewOrigin.NoGrad => Advice("no_grad", "tracked"),
            ViewOrigin.CustomFunction => CustomAdvice,
            _ => Advice("inference_mode", "tracked"),
        };
        var kind = view.Origin switch
        {
            ViewOrigin.MultipleOutputs => ErrorKind.MultiOutputViewInPlace,
            ViewOrigin.CustomFunction => ErrorKind.Other,
            _ => ErrorKind.NoGradViewInPlace,
        };
        throw new AutogradException(kind, message);
    }

    private static string Advice(string block, string tracked) =>
        " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the "
        + $"{block} block (if you don't want the inplace to be {tracked}) or both outside (if you want the inplace to be {tracked}).";
}
