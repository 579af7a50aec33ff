namespace Verified.Training;

/// <summary>A number for rows and one for columns: written <c>3</c> for both, or <c>(3, 5)</c>. Its default value stands for "not given".</summary>
public readonly struct Size2D : IEquatable<Size2D>
{
    private readonly bool isPair;
    private readonly bool given;

    /// <summary>The same number for rows and columns.</summary>
    public Size2D(int both)
        : this(both, both) => isPair = false;

    /// <summary>A number for rows and one for columns.</summary>
    public Size2D(int height, int width)
    {
        Height = height;
        Width = width;
        isPair = given = true;
    }

    /// <summary>The number for rows.</summary>
    public int Height { get; }

    /// <summary>The number for columns.</summary>
    public int Width { get; }

    /// <summary>The same number for rows and columns.</summary>
    public static implicit operator Size2D(int both) => new(both);

    /// <summary>A number for rows and one for columns.</summary>
    public static implicit operator Size2D((int Height, int Width) pair) => new(pair.Height, pair.Width);

    /// <summary>Whether both have the same numbers.</summary>
    public static bool operator ==(Size2D a, Size2D b) => a.Equals(b);

    /// <summary>Whether the two have different numbers.</summary>
    public static bool operator !=(Size2D a, Size2D b) => !a.Equals(b);

    /// <inheritdoc/>
    public bool Equals(Size2D other) => Height == other.Height && Width == other.Width && given == other.given;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Size2D other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Height, Width, given);

    /// <summary>As it was written: one number or a pair.</summary>
    public override string ToString() => isPair ? Pair : $"{Height}";

    /// <summary>As a pair.</summary>
    internal string Pair => $"({Height}, {Width})";

    /// <summary>This, or another where this was not given.</summary>
    internal Size2D Or(Size2D otherwise) => given ? this : otherwise;

    /// <summary>As the engine's operators take it.</summary>
    internal int[] Ints => [Height, Width];
}
