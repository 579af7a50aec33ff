using System.Runtime.InteropServices;

namespace Verified.Training;

/// <summary>
/// Turns Ctrl-C, and the request to end that a system sends (SIGTERM), into a cancellation token, so that training can save and stop; a second Ctrl-C ends
/// the process at once. <c>using var stop = new StopSignal(); trainer.Fit(loader, 10, cancellation: stop.Token);</c>
/// </summary>
public sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;

    /// <summary>Listens until it is disposed.</summary>
    /// <param name="onFirst">Called at the first signal, to tell the user that the end is near; null for nothing.</param>
    public StopSignal(Action? onFirst = null)
    {
        void Handle(PosixSignalContext context)
        {
            if (source.IsCancellationRequested) return;
            context.Cancel = true;
            onFirst?.Invoke();
            source.Cancel();
        }
        registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Cancelled at the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        source.Dispose();
    }
}
