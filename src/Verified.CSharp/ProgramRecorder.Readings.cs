using Verified.Engine;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>Numbers that the recorded code read out of tensors with a history: where they come back, nobody can tell, but no gradient flows through them there.</summary>
public sealed partial class ProgramRecorder
{
    private readonly List<Tensor> _read = [];
    private int _told;

    /// <summary>The tensors that were read.</summary>
    internal IReadOnlyList<Tensor> Read => _read;

    /// <inheritdoc/>
    void ICallListener.Reading(Tensor tensor)
    {
        if (!_watching && HasHistory(tensor) && !_read.Exists(known => ReferenceEquals(known, tensor))) _read.Add(tensor);
    }

    /// <summary>Notes what was read before a call that is recorded: what is read after the last one, to be printed, comes back nowhere.</summary>
    private void NoteReadings(MadeCall call)
    {
        if (!call.GradEnabled || call.Inference || call.Name is "backward" or "grad") return;
        for (; _told < _read.Count; _told++)
            Note($"numbers were read out of {Described(_read[_told])}: where they come back they are constants, no gradient flows through them");
    }

    private string Described(Tensor tensor) => NameOf(tensor) ?? $"a tensor of shape [{string.Join(", ", tensor.Shape.ToArray())}] that the program does not have";

    private static bool HasHistory(Tensor tensor)
    {
        try
        {
            return tensor.RequiresGrad;
        }
        catch (AutogradException)
        {
            // A view that may not be looked at since its memory was written to.
            return false;
        }
    }
}
