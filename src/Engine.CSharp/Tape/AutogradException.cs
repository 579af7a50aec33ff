namespace Verified.Engine;

/// <summary>What kind of rule was broken; the names are those of the program protocol in PascalCase.</summary>
public enum ErrorKind
{
    /// <summary>A backward from an output of several elements without a gradient.</summary>
    NonScalarBackward,

    /// <summary>A backward from a tensor that nothing was recorded for.</summary>
    NoGradFn,

    /// <summary>A backward through saved values that an earlier backward released.</summary>
    FreedGraph,

    /// <summary>A saved value was written to before it was used.</summary>
    ModifiedInPlace,

    /// <summary>An in-place write to a leaf that requires a gradient.</summary>
    LeafInPlace,

    /// <summary>An in-place write to a view of a leaf that requires a gradient.</summary>
    ViewOfLeafInPlace,

    /// <summary>A write to memory that several elements share.</summary>
    OverlappingWrite,

    /// <summary>A write to one of several views that one function returned.</summary>
    MultiOutputViewInPlace,

    /// <summary>A write, with recording on, to a view made while it was off.</summary>
    NoGradViewInPlace,

    /// <summary>Detaching a view in place.</summary>
    DetachView,

    /// <summary>A gradient of another shape than its tensor.</summary>
    GradientShape,

    /// <summary>A gradient asked for with respect to a tensor that was not used.</summary>
    UnusedInput,

    /// <summary>A gradient asked for with respect to a tensor that requires none.</summary>
    InputWithoutGrad,

    /// <summary>A gradient required of a tensor that is not of floating point.</summary>
    RequiresGradDtype,

    /// <summary>Changing <c>RequiresGrad</c> of a computed tensor.</summary>
    NonleafRequiresGrad,

    /// <summary>Retaining the gradient of a tensor that has none.</summary>
    RetainGradWithoutGrad,

    /// <summary>Shapes that do not fit.</summary>
    Shape,

    /// <summary>Element types that do not fit.</summary>
    Dtype,

    /// <summary>An index or a dimension out of range.</summary>
    Index,

    /// <summary>An attribute's value that is not allowed.</summary>
    Value,

    /// <summary>Something that the engine does not have.</summary>
    Unsupported,

    /// <summary>The rest.</summary>
    Other,
}

/// <summary>Every error that the engine raises about shapes, types and the rules of automatic differentiation; the text is PyTorch's where PyTorch has one.</summary>
public sealed class AutogradException : InvalidOperationException
{
    /// <summary>An error of one kind.</summary>
    /// <param name="kind">The rule that was broken.</param>
    /// <param name="message">One sentence, PyTorch's where it has one.</param>
    public AutogradException(ErrorKind kind, string message)
        : base(message) => Kind = kind;

    /// <summary>The rule that was broken.</summary>
    public ErrorKind Kind { get; }

    /// <summary>In anomaly mode: the forward call whose derivative raised this, with its stack trace. Null elsewhere.</summary>
    public string? ForwardTrace => Anomaly.ForwardTraceOf(this);

    /// <summary>The kind's name in programs: <c>modified_in_place</c> and so on.</summary>
    public string KindName => string.Concat(Kind.ToString().Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));

    /// <inheritdoc/>
    public override string ToString() => ForwardTrace is { } trace ? $"{base.ToString()}\n{trace}" : base.ToString();
}
