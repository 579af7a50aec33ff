using System.Numerics;
using Verified.Engine.Kernels;

namespace Verified.Engine;

/// <summary>Resizing by the nearest element or between the nearest ones, and the transposes.</summary>
internal static class Resizing
{
    private static readonly string[] Names = ["size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"];

    /// <summary>Sums what was taken from each element: the transpose of <c>interpolate</c>.</summary>
    public static readonly FunctionOperator InterpolateBackward = new(
        "interpolate_backward",
        (g, a) => Compute(g, a.Ints("input_size")!, a, forward: false),
        new Rule(Saved.None, (g, c) => Interpolate!.Apply(g, c.Attributes)))
    { Keywords = ["input_size", .. Names], Arity = 1 };

    public static readonly FunctionOperator Interpolate = new(
        "interpolate",
        (x, a) => Compute(x, x.Sizes, a, forward: true),
        new Rule(Saved.None, (g, c) => InterpolateBackward.Apply(
            g, Attributes.From(c.Attributes.Where(a => a.Key != "input_size").Append(new("input_size", c.InputShape(0)))))),
        "UpsampleNearest2DBackward0")
    { CheckFirst = (inputs, a) => CheckAsked(a, inputs[0]!.Sizes), Keywords = Names, Arity = 1 };

    public static IEnumerable<Operator> All => [Interpolate, InterpolateBackward];

    private static Tensor Compute(Tensor tensor, int[] inputShape, Attributes attributes, bool forward)
    {
        var plan = PlanOf(attributes, inputShape);
        if (!tensor.DType.IsFloat())
        {
            var kernel = plan.IsLinear ? "upsample_bilinear2d_channels_last" : "upsample_nearest";
            throw new AutogradException(ErrorKind.Dtype, $"\"{kernel}\" not implemented for '{tensor.DType.ScalarType()}'");
        }
        if (!forward) GradientShape.CheckForm("interpolate_backward", tensor, [.. inputShape[..2], .. plan.Along.Select(d => d.Target)], tensor.DType);
        tensor = Copying.Packed(tensor);
        if (plan.IsLinear) return tensor.DType == DType.Float32 ? Blended<float>(tensor, inputShape, plan, forward) : Blended<double>(tensor, inputShape, plan, forward);
        int[][] sources = [.. plan.Along.Select(d => Along(d.Size, d.Target, d.Scale))];
        return tensor.DType == DType.Float32 ? Passes<float>(tensor, inputShape, sources, forward) : Passes<double>(tensor, inputShape, sources, forward);
    }

    /// <summary>What is asked for: for each spatial dimension (behind batch and channels) its size, the size to reach, and the scale to get there by (0: none given).</summary>
    private readonly record struct Plan(bool IsLinear, bool Aligned, (int Size, int Target, double Scale)[] Along);

    private static Tensor Blended<T>(Tensor tensor, int[] shape, Plan plan, bool forward)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var taps = Array.ConvertAll(plan.Along, d => Taps<T>.Between(d.Size, d.Target, d.Scale, plan.Aligned));
        var rows = taps.Length == 1 ? (Taps<T>?)null : taps[0];
        var columns = taps[^1];
        int planes = shape[0] * shape[1], height = taps.Length == 1 ? 1 : shape[2], width = shape[^1];
        Tensor result;
        if (forward)
        {
            result = Tensor.Empty([shape[0], shape[1], .. plan.Along.Select(d => d.Target)], tensor.DType);
            Kernels.Linear.Forward(ref tensor.Origin<T>(), ref result.Origin<T>(), planes, height, width, rows, columns);
        }
        else
        {
            result = Tensor.Zeros(shape, tensor.DType);
            Kernels.Linear.Backward(ref tensor.Origin<T>(), ref result.Origin<T>(), planes, height, width, rows, columns);
        }
        GC.KeepAlive(tensor);
        GC.KeepAlive(result);
        return result;
    }

    /// <summary>One pass over the last two dimensions, and with three of them one over the first before (or, backward, behind) it.</summary>
    private static Tensor Passes<T>(Tensor tensor, int[] shape, int[][] sources, bool forward)
        where T : unmanaged, INumber<T>
    {
        int planes = shape[0] * shape[1], height = shape.Length == 3 ? 1 : shape[^2], width = shape[^1];
        int[] rows = shape.Length == 3 ? [0] : sources[^2], columns = sources[^1];
        int[] target = [shape[0], shape[1], .. sources.Select(s => s.Length)];
        if (shape.Length < 5)
            return forward ? Take<T>(tensor, planes, height, width, rows, columns, target) : Sum<T>(tensor, planes, height, width, rows, columns, shape);
        int[] depths = sources[0], between = [shape[0], shape[1], depths.Length, height, width], each = [.. Enumerable.Range(0, height * width)];
        if (forward)
        {
            var deep = Take<T>(tensor, planes, shape[2], height * width, depths, each, between);
            return Take<T>(deep, planes * depths.Length, height, width, rows, columns, target);
        }
        var flat = Sum<T>(tensor, planes * depths.Length, height, width, rows, columns, between);
        return Sum<T>(flat, planes, shape[2], height * width, depths, each, shape);
    }

    private static Tensor Take<T>(Tensor x, int planes, int height, int width, int[] rows, int[] columns, int[] shape)
        where T : unmanaged, INumber<T>
    {
        var y = Tensor.Empty(shape, x.DType);
        Nearest.Forward(ref x.Origin<T>(), ref y.Origin<T>(), planes, height, width, rows, columns);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        return y;
    }

    private static Tensor Sum<T>(Tensor g, int planes, int height, int width, int[] rows, int[] columns, int[] shape)
        where T : unmanaged, INumber<T>
    {
        var dx = Tensor.Zeros(shape, g.DType);
        Nearest.Backward(ref g.Origin<T>(), ref dx.Origin<T>(), planes, height, width, rows, columns);
        GC.KeepAlive(g);
        GC.KeepAlive(dx);
        return dx;
    }

    private static Plan PlanOf(Attributes attributes, int[] shape)
    {
        CheckAsked(attributes, shape);
        var isLinear = attributes.Text("mode", "nearest") != "nearest";
        var aligned = attributes.Bool("align_corners", false);
        var spatial = shape[2..];
        if (attributes.Ints("size") is { } size)
        {
            var targets = Each(size, spatial.Length);
            RefuseEmpty(shape, targets);
            return new(isLinear, aligned, [.. spatial.Select((n, d) => (n, targets[d], 0.0))]);
        }
        var scales = Each(Numbers(attributes, "scale_factor")!, spatial.Length);
        int[] sizes = [.. spatial.Select((n, d) => (int)Math.Floor(n * scales[d]))];
        RefuseEmpty(shape, sizes);
        var recompute = attributes.Bool("recompute_scale_factor", false);
        return new(isLinear, aligned, [.. spatial.Select((n, d) => (n, sizes[d], recompute ? 0 : scales[d]))]);
    }

    /// <summary>What Python looks at, before anything is recorded (torch/nn/functional.py, interpolate); the sizes are looked at by the kernel.</summary>
    private static void CheckAsked(Attributes attributes, int[] shape)
    {
        var mode = attributes.Text("mode", "nearest");
        var size = attributes.Ints("size");
        var scale = Numbers(attributes, "scale_factor");
        if (mode == "nearest" && attributes.Has("align_corners"))
            throw Bad("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
        if (size is not null && scale is not null) throw Bad("only one of size or scale_factor should be defined");
        if (size is null && scale is null) throw Bad("either size or scale_factor should be defined");
        CheckCount(attributes, "size", "output", "output size", shape, size?.Select(n => (double)n));
        CheckCount(attributes, "scale_factor", "scale_factor", "scale_factor", shape, scale);
        CheckMode(mode, shape);
    }

    /// <summary>A list has an entry for each spatial dimension, before it is seen whether there may be so many.</summary>
    private static void CheckCount(Attributes attributes, string name, string input, string output, int[] shape, IEnumerable<double>? given)
    {
        if (given is null || attributes[name] is not System.Collections.IList list || list.Count == shape.Length - 2) return;
        throw Bad(
            $"Input and {input} must have the same number of spatial dimensions, but got input with spatial dimensions of {Shapes.Text(shape.Length < 2 ? [] : shape[2..])} "
            + $"and {output} of [{string.Join(", ", given.Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)))}]");
    }

    private static void CheckMode(string mode, int[] shape)
    {
        switch (mode)
        {
            case "linear" or "bilinear":
                var rank = mode == "linear" ? 3 : 4;
                if (shape.Length != rank) throw new AutogradException(ErrorKind.Unsupported, $"Got {shape.Length}D input, but {mode} mode needs {rank}D input");
                return;
            case "nearest":
                if (shape.Length is >= 3 and <= 5) return;
                throw new AutogradException(ErrorKind.Shape, $"Input Error: Only 3D, 4D and 5D input Tensors supported (got {shape.Length}D) for the modes: nearest");
            case "bicubic" or "trilinear" or "area" or "nearest-exact":
                throw new AutogradException(ErrorKind.Unsupported, $"interpolate with mode {mode}");
            default:
                throw Bad(
                    $"Input Error: Only 3D, 4D and 5D input Tensors supported (got {shape.Length}D) for the modes: nearest | linear | bilinear | bicubic | "
                    + $"trilinear | area | nearest-exact (got {mode})");
        }
    }

    /// <summary>PyTorch's sources: exact where nothing or a doubling is asked for, else by float32 arithmetic, whatever the data is.</summary>
    private static int[] Along(int size, int target, double scale)
    {
        if (target != size && target != 2L * size) return Nearest.Sources(size, target, scale, single: true);
        var sources = new int[target];
        for (var i = 0; i < target; i++) sources[i] = target == size ? i : i / 2;
        return sources;
    }

    private static void RefuseEmpty(int[] shape, int[] target)
    {
        if (!Array.TrueForAll(target, n => n > 0) || Array.IndexOf(shape, 0, 2) >= 0)
            throw Bad($"Input and output sizes should be greater than 0, but got input ({Show(shape[2..])}) output ({Show(target)})");
        if (shape[1] == 0)
            throw new AutogradException(ErrorKind.Shape, $"Non-empty {shape.Length}D data tensor expected but got a tensor with sizes {Shapes.Text(shape)}");

        static string Show(int[] sizes) => string.Join(", ", sizes.Select((size, d) => $"{"DHW"[d + 3 - sizes.Length]}: {size}"));
    }

    private static T[] Each<T>(T[] items, int count) => items.Length == count ? items : [.. Enumerable.Repeat(items[0], count)];

    private static double[]? Numbers(Attributes attributes, string name) => attributes[name] switch
    {
        null => null,
        int[] list => Array.ConvertAll(list, n => (double)n),
        object?[] list => Array.ConvertAll(list, n => Convert.ToDouble(n, System.Globalization.CultureInfo.InvariantCulture)),
        _ => [attributes.Double(name, 0)],
    };

    private static AutogradException Bad(string message) => new(ErrorKind.Value, message);
}

public sealed partial class Tensor
{
    /// <summary>Resizes the dimensions behind batch and channels.</summary>
    /// <param name="size">The sizes to reach: one for all, or one each. Give this or <paramref name="scaleFactor"/>.</param>
    /// <param name="scaleFactor">What sizes are multiplied with, rounded down: one for all, or one each.</param>
    /// <param name="mode"><c>nearest</c> takes the nearest element, of one to three dimensions; <c>linear</c> (of one) and <c>bilinear</c> (of two) go between the nearest ones.</param>
    /// <param name="alignCorners">For the linear modes: whether the ends of input and output meet, not the edges of their elements. Left out it is false.</param>
    /// <exception cref="AutogradException">Shapes, numbers or the mode do not fit.</exception>
    public Tensor Interpolate(int[]? size = null, double[]? scaleFactor = null, string mode = "nearest", bool? alignCorners = null) =>
        Resizing.Interpolate.Apply(
            this,
            Attributes.From(
                [
                    .. Attributes.Of(
                        ("size", size is [var all] ? all : size),
                        ("scale_factor", scaleFactor is [var factor] ? factor : scaleFactor?.Select(s => (object?)s).ToArray()),
                        ("mode", mode)),
                    .. alignCorners is { } aligned ? Attributes.Of("align_corners", aligned) : Attributes.None,
                ]));
}
