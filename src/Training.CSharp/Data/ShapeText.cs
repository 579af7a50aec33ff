using Verified.Engine;

namespace Verified.Training;

/// <summary>Shapes in messages.</summary>
internal static class ShapeText
{
    public static string Of(Tensor x) => $"[{string.Join(", ", x.Shape.ToArray())}]";
}
