using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Reads the window of a pooling call, with PyTorch's checks in PyTorch's order and words.</summary>
internal static class PoolingWindow
{
    /// <summary>Of the attributes PyTorch looks at how many numbers they have before it looks at the input.</summary>
    public static void CheckLengths(Attributes attributes)
    {
        foreach (var name in (string[])["kernel_size", "stride", "padding", "dilation"]) _ = SizePair.Of(attributes, name, 1);
    }

    /// <summary>The window over the last two dimensions of a shape.</summary>
    public static Window Of(string name, Attributes attributes, int[] shape)
    {
        if (attributes.Ints("kernel_size") is null) throw Bad($"{name}() needs the attribute 'kernel_size'");
        var kernel = SizePair.Of(attributes, "kernel_size", 1);
        var stride = SizePair.Of(attributes, "stride", kernel);
        var padding = SizePair.Of(attributes, "padding", 0);
        var dilation = SizePair.Of(attributes, "dilation", 1);
        var ceil = attributes.Bool("ceil_mode", false);
        if (kernel.H <= 0 || kernel.W <= 0) throw Bad($"kernel size should be greater than zero, but got kH: {kernel.H} kW: {kernel.W}");
        if (stride.H == 0 || stride.W == 0) throw Bad("stride should not be zero");
        if (stride.H < 0 || stride.W < 0) throw Bad($"stride should be greater than zero, but got dH: {stride.H} dW: {stride.W}");
        if (dilation.H <= 0 || dilation.W <= 0) throw Bad($"dilation should be greater than zero, but got dilationH: {dilation.H} dilationW: {dilation.W}");
        if (padding.H < 0 || padding.W < 0) throw Bad($"pad must be non-negative, but got pad: {Math.Min(padding.H, padding.W)}");
        CheckPadding(padding.H, kernel.H, dilation.H);
        CheckPadding(padding.W, kernel.W, dilation.W);
        if (shape.Length is not (3 or 4) || Array.IndexOf(shape, 0, 1) >= 0 || (shape.Length == 3 && shape[0] == 0))
        {
            throw new AutogradException(
                ErrorKind.Shape, $"{name}: Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got: {Shapes.Text(shape)}");
        }
        // Once more, without the dilation.
        if (padding.H > kernel.H / 2 || padding.W > kernel.W / 2)
        {
            throw Bad(
                $"pad should be smaller than or equal to half of kernel size, but got padW = {padding.W}, padH = {padding.H}, kW = {kernel.W}, kH = {kernel.H}");
        }
        int height = shape[^2], width = shape[^1];
        var outHeight = Window.OutputSize(height, kernel.H, stride.H, padding.H, dilation.H, ceil);
        var outWidth = Window.OutputSize(width, kernel.W, stride.W, padding.W, dilation.W, ceil);
        if (outHeight <= 0 || outWidth <= 0)
        {
            throw new AutogradException(
                ErrorKind.Shape,
                $"Given input size: ({shape[^3]}x{height}x{width}). Calculated output size: ({shape[^3]}x{outHeight}x{outWidth}). Output size is too small");
        }
        return new Window(height, width, outHeight, outWidth, kernel.H, kernel.W, stride.H, stride.W, padding.H, padding.W, dilation.H, dilation.W);
    }

    /// <summary>Whether a window lies on padding alone.</summary>
    public static bool HasEmptyPlaces(Window w) =>
        HasEmpty(w.Height, w.OutHeight, w.KernelHeight, w.StrideHeight, w.PadHeight, w.DilationHeight)
        || HasEmpty(w.Width, w.OutWidth, w.KernelWidth, w.StrideWidth, w.PadWidth, w.DilationWidth);

    private static bool HasEmpty(int size, int places, int kernel, int stride, int padding, int dilation)
    {
        for (var place = 0; place < places; place++)
        {
            var first = (place * stride) - padding;
            // The first of the window's elements that is not before the image.
            var skipped = first >= 0 ? 0 : (-first + dilation - 1) / dilation;
            if (skipped >= kernel || first + (skipped * dilation) >= size) return true;
        }
        return false;
    }

    private static void CheckPadding(int padding, int kernel, int dilation)
    {
        if (padding <= ((dilation * (kernel - 1)) + 1) / 2) return;
        throw Bad($"pad should be at most half of effective kernel size, but got pad={padding}, kernel_size={kernel} and dilation={dilation}");
    }

    private static AutogradException Bad(string message) => new(ErrorKind.Value, message);
}
