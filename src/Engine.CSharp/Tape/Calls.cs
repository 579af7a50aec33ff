namespace Verified.Engine;

/// <summary>A call as a program writes it: an operator's, or one of the structural steps such as <c>detach</c> and <c>backward</c>.</summary>
/// <param name="Name">PyTorch's name, with an underscore at its end where it is in place.</param>
/// <param name="Call">The arguments, as <see cref="OperatorRegistry.Invoke"/> takes them. A number stands among the attributes.</param>
public sealed record MadeCall(string Name, OperatorCall Call)
{
    /// <summary>The operator that was applied; null for a structural step.</summary>
    public Operator? Operator { get; init; }

    /// <summary>The number of results that the caller sees.</summary>
    public int Visible { get; init; } = int.MaxValue;

    /// <summary>The gradients that a backward was given; null where none were.</summary>
    public IReadOnlyList<Tensor?>? Gradients { get; init; }

    /// <summary>The tensors that a backward was told to differentiate by; null for all leaves.</summary>
    public IReadOnlyList<Tensor>? Wrt { get; init; }

    /// <summary>Whether operations were recorded on the tape when the call was made.</summary>
    public bool GradEnabled { get; } = Calls.ForwardMode ?? GradMode.Enabled;

    /// <summary>Whether the call was made in an inference scope.</summary>
    public bool Inference { get; } = GradMode.Inference;
}

/// <summary>
/// Hears every call that the code on its thread makes, whether it is recorded on the tape or not: of the outermost operators, not of what they are made of, nor of what a backward computes.
/// </summary>
public interface ICallListener
{
    /// <summary>A call is about to be made: its arguments are still as they were.</summary>
    void Calling(MadeCall call);

    /// <summary>A call was made.</summary>
    /// <param name="call">The call, the same object as before.</param>
    /// <param name="results">Its results; in place, the first argument. Null where there is none, such as a gradient that has not arrived.</param>
    void Called(MadeCall call, IReadOnlyList<Tensor?> results);

    /// <summary>A call was refused; the exception goes on to the caller.</summary>
    void Refused(MadeCall call, AutogradException error);

    /// <summary>A custom function is about to be applied, not by another one: what is heard until <see cref="Applied"/> is what its forward calls.</summary>
    void Applying(Function function, IReadOnlyList<Tensor?> inputs)
    {
    }

    /// <summary>A custom function was applied: its results have their place on the tape.</summary>
    void Applied(Function function, IReadOnlyList<Tensor?> inputs, IReadOnlyList<Tensor> results)
    {
    }

    /// <summary>The elements of a tensor are read as numbers (<see cref="Tensor.Item"/>, <see cref="Tensor.ToDoubles"/> and its siblings), not in a custom function's forward: what is computed of them is not heard.</summary>
    void Reading(Tensor tensor)
    {
    }

    /// <summary>The backward of a custom function has raised, or answered with gradients of a wrong number or shape.</summary>
    /// <param name="function">The function.</param>
    /// <param name="node">Its place on the tape.</param>
    /// <param name="error">What it raised.</param>
    /// <returns>Whether the call that pulls back goes on as if the function had given no gradient; otherwise the exception goes on to the caller.</returns>
    bool Failed(Function function, Node node, Exception error) => false;
}

/// <summary>Listening to the calls of a thread. Where nobody listens it costs the reading of one static field a call.</summary>
public static class Calls
{
    private static int listeners;

    [ThreadStatic]
    private static ICallListener? current;

    [ThreadStatic]
    private static ICallListener? making;

    [ThreadStatic]
    private static bool? forwardMode;

    /// <summary>
    /// Inside a custom function's forward, which runs with recording off: whether recording was on where the function was applied. Its calls are heard with that mode, since
    /// the derivative that the function ought to have is that of what it computes.
    /// </summary>
    internal static bool? ForwardMode
    {
        get => forwardMode;
        set => forwardMode = value;
    }

    /// <summary>Whether somebody hears this thread's calls now.</summary>
    internal static bool Heard => listeners > 0 && current is not null;

    /// <summary>Whether a call is being made that somebody hears.</summary>
    internal static bool IsMade => listeners > 0 && making is not null;

    /// <summary>Lets a listener hear this thread's calls until the scope is disposed; one that listened before hears nothing meanwhile.</summary>
    public static IDisposable Listen(ICallListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return new Scope(listener);
    }

    /// <summary>Makes a call that is heard; what it is made of is not.</summary>
    internal static TResults Run<TResults>(MadeCall call, Func<TResults> make)
        where TResults : IReadOnlyList<Tensor?>
    {
        var (listener, outer) = (current!, making);
        // Neither what the call is made of is heard, nor what the listener does.
        current = null;
        making = listener;
        try
        {
            listener.Calling(call);
            var results = make();
            listener.Called(call, results.Count > call.Visible ? [.. results.Take(call.Visible)] : results);
            return results;
        }
        catch (AutogradException e)
        {
            listener.Refused(call, e);
            throw;
        }
        finally
        {
            making = outer;
            current = listener;
        }
    }

    /// <summary>Tells the listener of a custom function; what it does then is not heard.</summary>
    internal static void Tell(Action<ICallListener> what)
    {
        var listener = current!;
        current = null;
        try
        {
            what(listener);
        }
        finally
        {
            current = listener;
        }
    }

    /// <summary>Tells the listener that a tensor's elements are read as numbers.</summary>
    internal static void TellOfReading(Tensor tensor)
    {
        if (Heard && ForwardMode is null) Tell(listener => listener.Reading(tensor));
    }

    /// <summary>Tells the listener whose call is being made that a custom function's backward has raised; true where the call is to go on.</summary>
    internal static bool GoesOnAfter(Function function, Node node, Exception error) => IsMade && making!.Failed(function, node, error);

    private sealed class Scope : IDisposable
    {
        private readonly ICallListener? before = current;
        private bool disposed;

        public Scope(ICallListener listener)
        {
            Interlocked.Increment(ref listeners);
            current = listener;
        }

        public void Dispose()
        {
            if (disposed) return;
            disposed = true;
            current = before;
            Interlocked.Decrement(ref listeners);
        }
    }
}
