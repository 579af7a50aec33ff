namespace Verified.Oracle;

/// <summary>An element's place as it is written behind a tensor's name.</summary>
internal static class Place
{
    /// <summary>The indices of an element, such as <c>[1, 3]</c>; empty for the one element of a tensor without dimensions.</summary>
    /// <param name="flat">Its index among all elements, row by row.</param>
    /// <param name="shape">The tensor's shape.</param>
    internal static string Of(int flat, IReadOnlyList<int> shape)
    {
        if (shape.Count == 0) return "";
        var indices = new int[shape.Count];
        for (var i = shape.Count - 1; i >= 0; i--) (flat, indices[i]) = Math.DivRem(flat, shape[i]);
        return $"[{string.Join(", ", indices)}]";
    }

    /// <summary>A finding with the place of its element, where one decided.</summary>
    internal static Finding In(this Finding finding, IReadOnlyList<int> shape) => finding.Index is { } flat ? finding with { Place = Of(flat, shape) } : finding;
}
