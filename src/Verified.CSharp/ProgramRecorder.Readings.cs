using System.Globalization;
using Verified.Engine;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>Numbers that the recorded code read out of tensors.</summary>
public sealed partial class ProgramRecorder
{
    /// <summary>What was read.</summary>
    internal ReadNumbers Numbers { get; } = new();

    /// <inheritdoc/>
    void ICallListener.Reading(Tensor tensor)
    {
        if (!_watching) Numbers.Add(tensor);
    }

    /// <summary>Says where a number that was read comes back in a call that is recorded on the tape.</summary>
    /// <param name="call">The call.</param>
    /// <param name="inputs">How many inputs the program had before the call.</param>
    private void NoteNumbers(MadeCall call, int inputs)
    {
        if (Numbers.Tensors.Count == 0 || !call.GradEnabled || call.Inference || call.Name is "backward" or "grad") return;
        foreach (var value in call.Call.Attributes.Select(attribute => attribute.Value).SelectMany(value => value is object?[] list ? list : [value]).OfType<double>())
        {
            if (Numbers.Find(value) is { } found)
                Note(string.Create(CultureInfo.InvariantCulture, $"{value:G9}, which {call.Name} is given, was read out of {Described(found.From)}: it counts as constant, no gradient flows through it"));
        }

        foreach (var input in _inputs.Skip(inputs).Where(input => !input.RequiresGrad).ToList())
        {
            if (Numbers.Find(_order.First(item => item.Name == input.Name).Tensor) is { } found)
                Note($"{input.Name}, which {call.Name} is given, holds numbers that were read out of {Described(found.From)}: they count as constant, no gradient flows through them");
        }
    }

    private string Described(Tensor tensor) => NameOf(tensor) ?? $"a tensor of shape [{string.Join(", ", tensor.Shape.ToArray())}] that the program does not have";
}
