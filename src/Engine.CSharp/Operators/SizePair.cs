namespace Verified.Engine;

/// <summary>A number for rows and one for columns, as image operators take them.</summary>
internal readonly record struct SizePair(int H, int W)
{
    /// <summary>The attribute's two numbers, or its one for both; the default where none was given.</summary>
    public static SizePair Of(Attributes attributes, string name, SizePair otherwise) => attributes.Ints(name) switch
    {
        null or [] => otherwise,
        [var both] => new SizePair(both, both),
        [var first, var second] => new SizePair(first, second),
        _ => throw new AutogradException(ErrorKind.Value, $"attribute '{name}' must be one integer or two"),
    };

    /// <summary>As an attribute.</summary>
    public int[] ToArray() => [H, W];

    /// <inheritdoc cref="Of(Attributes, string, SizePair)"/>
    public static SizePair Of(Attributes attributes, string name, int otherwise) => Of(attributes, name, new SizePair(otherwise, otherwise));
}
