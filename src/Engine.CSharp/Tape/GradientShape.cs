namespace Verified.Engine;

/// <summary>Brings what a rule returned to the shape and type of the input it belongs to; un-broadcasting is written here, once.</summary>
internal static class GradientShape
{
    /// <summary>The gradient, summed over the dimensions that broadcasting repeated and cast. <paramref name="from"/> is the node it came from; null for a root's own.</summary>
    public static Tensor Fit(Tensor gradient, OutputForm form, Node? from, int input)
    {
        var (shape, dtype) = form;
        if (!Shapes.Same(gradient.Sizes, shape))
        {
            Check(gradient, shape, from, input);
            gradient = SumTo(gradient, shape);
        }
        return gradient.DType == dtype ? gradient : gradient.To(dtype);
    }

    /// <summary>Raises PyTorch's error where a gradient cannot be summed to a shape.</summary>
    public static void Check(Tensor gradient, int[] shape, Node? from, int input)
    {
        if (Shapes.CanExpand(shape, gradient.Sizes)) return;
        throw new AutogradException(
            from is null ? ErrorKind.Shape : ErrorKind.GradientShape,
            $"{(from is null ? "" : $"Function {from.Name} returned an ")}invalid gradient at index {input} - got {Shapes.Text(gradient.Sizes)} but expected shape compatible with {Shapes.Text(shape)}");
    }

    /// <summary>Refuses an operand that has not the shape and the type that a kernel will read it by: derivatives are operators, too, and can be called by name.</summary>
    public static void CheckForm(string name, Tensor operand, int[] shape, DType dtype)
    {
        if (!Shapes.Same(operand.Sizes, shape))
            throw new AutogradException(ErrorKind.Shape, $"{name}: an operand of shape {Shapes.Text(shape)} was expected, but got {Shapes.Text(operand.Sizes)}");
        if (operand.DType != dtype)
            throw new AutogradException(ErrorKind.Dtype, $"{name}: an operand of type {dtype.Name()} was expected, but got {operand.DType.Name()}");
    }

    /// <summary>Sums a tensor over the dimensions in which <paramref name="shape"/> was repeated (aten/src/ATen/ExpandUtils.h, sum_to).</summary>
    public static Tensor SumTo(Tensor gradient, int[] shape)
    {
        if (shape.Length == 0) return gradient.Sum();
        var extra = gradient.Rank - shape.Length;
        var dims = new List<int>(gradient.Rank);
        for (var i = 0; i < gradient.Rank; i++)
            if (i < extra || (shape[i - extra] == 1 && gradient.Sizes[i] != 1)) dims.Add(i);
        if (dims.Count > 0) gradient = gradient.Sum([.. dims], keepdim: true);
        return extra > 0 ? gradient.View(shape) : gradient;
    }
}
