namespace Verified.Engine;

/// <summary>How a view came to be, which decides whether it may be written to.</summary>
internal enum ViewOrigin : byte
{
    /// <summary>By a function of one result, with recording on.</summary>
    Default,

    /// <summary>As one of several results.</summary>
    MultipleOutputs,

    /// <summary>With recording off.</summary>
    NoGrad,

    /// <summary>In an inference scope.</summary>
    Inference,

    /// <summary>Inside a custom function, or as an input that one returned.</summary>
    CustomFunction,
}

/// <summary>What a view remembers: the tensor whose memory it looks at, and for which version of that memory its node was right.</summary>
internal sealed class ViewInfo(Tensor @base, ViewOrigin origin, int version)
{
    /// <summary>The tensor at the root of the views; never itself a view.</summary>
    public Tensor Base { get; } = @base;

    /// <summary>How this view was made, or the view it was made of where that forbids more.</summary>
    public ViewOrigin Origin { get; set; } = origin;

    /// <summary>The version at which the view's node was last right.</summary>
    public int Version { get; set; } = version;
}
