namespace Verified.Engine;

/// <summary>Whether this thread records, and whether it makes inference tensors.</summary>
internal static class GradMode
{
    [ThreadStatic]
    private static bool off;

    [ThreadStatic]
    private static bool inference;

    /// <summary>Whether operations on tensors that require gradients are recorded on this thread.</summary>
    public static bool Enabled
    {
        get => !off;
        set => off = !value;
    }

    /// <summary>Whether this thread is inside an inference scope. There nothing records, whatever <see cref="Enabled"/> says.</summary>
    public static bool Inference
    {
        get => inference;
        set => inference = value;
    }

    /// <summary>Whether an operation on tensors that require gradients is recorded now.</summary>
    public static bool Records => !off && !inference;
}

/// <summary>Restores the thread's mode when it is disposed; made by <see cref="Autograd.NoGrad"/> and its siblings.</summary>
public readonly struct GradScope : IDisposable, IEquatable<GradScope>
{
    private readonly bool enabled;
    private readonly bool inference;

    internal GradScope(bool enabled, bool inference)
    {
        this.enabled = GradMode.Enabled;
        this.inference = GradMode.Inference;
        GradMode.Enabled = enabled;
        GradMode.Inference = inference;
    }

    /// <summary>Restores the mode that held before the scope.</summary>
    public void Dispose()
    {
        GradMode.Enabled = enabled;
        GradMode.Inference = inference;
    }

    /// <inheritdoc/>
    public bool Equals(GradScope other) => enabled == other.enabled && inference == other.inference;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GradScope other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (enabled, inference).GetHashCode();

    /// <summary>Whether both restore the same mode.</summary>
    public static bool operator ==(GradScope left, GradScope right) => left.Equals(right);

    /// <summary>Whether they restore different modes.</summary>
    public static bool operator !=(GradScope left, GradScope right) => !left.Equals(right);
}
