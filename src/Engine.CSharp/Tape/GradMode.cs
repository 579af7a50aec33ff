namespace Verified.Engine;

/// <summary>What is switched off or on for the code that runs now.</summary>
[Flags]
internal enum Modes : byte
{
    /// <summary>Operations on tensors that require gradients are recorded.</summary>
    None = 0,

    /// <summary>Nothing is recorded.</summary>
    NoGrad = 1,

    /// <summary>Nothing is recorded and new tensors are inference tensors.</summary>
    Inference = 2,

    /// <summary>Recording remembers the calls, and errors of a backward tell them.</summary>
    Anomaly = 4,

    /// <summary>A backward's results are searched for NaN.</summary>
    CheckNan = 8,

    /// <summary>A function is being differentiated around this code: derivatives taken inside it are differentiable in their turn.</summary>
    Differentiating = 16,

    /// <summary>A derivative rule is being applied and recorded. Its numbers are no tensors, and so not freed as PyTorch frees the 2 of a user's <c>x * 2</c>.</summary>
    Deriving = 32,
}

/// <summary>
/// The modes of the running code. They flow as .NET's execution context does: over an <c>await</c> and into tasks and threads that are started inside a scope; what those
/// set themselves stays theirs. Reading is a thread-static field, which follows the context by its change notification.
/// </summary>
internal static class GradMode
{
    [ThreadStatic]
    private static Modes here;

    /// <summary>All modes.</summary>
    public static Modes Current
    {
        get => here;
        set
        {
            if (value != here) Flow.Modes.Value = value;
        }
    }

    /// <summary>Whether operations on tensors that require gradients are recorded, inference scopes apart.</summary>
    public static bool Enabled
    {
        get => (here & Modes.NoGrad) == 0;
        set => Current = value ? here & ~Modes.NoGrad : here | Modes.NoGrad;
    }

    /// <summary>Whether this is inside an inference scope. There nothing records, whatever <see cref="Enabled"/> says.</summary>
    public static bool Inference => (here & Modes.Inference) != 0;

    /// <summary>Whether an operation on tensors that require gradients is recorded now.</summary>
    public static bool Records => (here & (Modes.NoGrad | Modes.Inference)) == 0;

    /// <summary>Whether a derivative rule is being applied and recorded.</summary>
    public static bool IsDeriving => (here & Modes.Deriving) != 0;

    /// <summary>Until the scope is disposed a user's code runs inside a backward, and not a derivative rule.</summary>
    public static GradScope ForUser() => new(here & ~Modes.Deriving);

    /// <summary>Whether calls are remembered and errors of a backward tell them.</summary>
    public static bool DetectsAnomalies => (here & Modes.Anomaly) != 0;

    /// <summary>Whether a backward's results are searched for NaN.</summary>
    public static bool ChecksNan => (here & Modes.CheckNan) != 0;

    /// <summary>Whether this runs inside a function that is being differentiated, by whichever face.</summary>
    public static bool IsDifferentiating => (here & Modes.Differentiating) != 0;

    // Apart, so that reading the modes needs no check for a static constructor.
    private static class Flow
    {
        public static readonly AsyncLocal<Modes> Modes = new(change => here = change.CurrentValue);
    }
}

/// <summary>
/// Restores the mode when it is disposed; made by <see cref="Autograd.NoGrad"/> and its siblings. A scope may contain an <c>await</c>; it may not contain the <c>yield</c> of an
/// iterator, whose consumer would run inside it.
/// </summary>
public readonly struct GradScope : IDisposable, IEquatable<GradScope>
{
    private readonly Modes before;

    internal GradScope(Modes modes)
    {
        before = GradMode.Current;
        GradMode.Current = modes;
    }

    /// <summary>Restores the mode that held before the scope.</summary>
    public void Dispose() => GradMode.Current = before;

    /// <inheritdoc/>
    public bool Equals(GradScope other) => before == other.before;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GradScope other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => before.GetHashCode();

    /// <summary>Whether both restore the same mode.</summary>
    public static bool operator ==(GradScope left, GradScope right) => left.Equals(right);

    /// <summary>Whether they restore different modes.</summary>
    public static bool operator !=(GradScope left, GradScope right) => !left.Equals(right);
}
