namespace Verified.Training;

/// <summary>
/// The whole of a training run in one file: model, optimizer, scheduler, scaler, generator, loader, and plain values such as the epoch.
/// </summary>
/// <example>
/// <code>
/// Checkpoint.Save("run.pt", ("model", model), ("optimizer", optimizer), ("random", Generator.Default), ("loader", loader), ("epoch", epoch));
/// var rest = Checkpoint.Restore("run.pt", ("model", model), ("optimizer", optimizer), ("random", Generator.Default), ("loader", loader));
/// var epoch = rest.Integer("epoch");
/// </code>
/// </example>
/// <remarks>The file is a dictionary by the parts' names, as PyTorch's tutorials save it: <c>torch.load</c> reads it.</remarks>
public static class Checkpoint
{
    /// <summary>Writes a checkpoint; one that was there is replaced whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parts">Names and what they stand for: <see cref="IStateful"/> things are asked for their state, other values are written as they are.</param>
    /// <exception cref="ArgumentException">A name is there twice, or a value is of a type that a checkpoint cannot hold.</exception>
    public static void Save(string path, params (string Name, object? Value)[] parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var whole = new StateDict();
        foreach (var (name, value) in parts)
        {
            if (!whole.TryAdd(name, value is IStateful part ? part.StateDict() : value)) throw new ArgumentException($"there are two parts '{name}'", nameof(parts));
        }

        TorchFile.Save(path, whole);
    }

    /// <summary>Reads a checkpoint and gives each part its state. Where one does not fit, all are as they were.</summary>
    /// <param name="path">The file, written here or by PyTorch.</param>
    /// <param name="parts">The parts to go back; parts of the file that are not named are left alone.</param>
    /// <returns>All that the file holds, plain values such as the epoch among it.</returns>
    /// <exception cref="FileFormatException">The file is no checkpoint.</exception>
    /// <exception cref="StateDictException">A part is missing or does not fit.</exception>
    public static StateDict Restore(string path, params (string Name, IStateful Part)[] parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var whole = TorchFile.LoadStateDict(path);
        var states = parts.Select(p => whole.Dictionary(p.Name)).ToArray();
        var before = parts.Select(p => p.Part.StateDict().Clone()).ToArray();
        var done = 0;
        try
        {
            for (; done < parts.Length; done++) parts[done].Part.LoadStateDict(states[done]);
        }
        catch (StateDictException e)
        {
            var failed = parts[done].Name;
            while (--done >= 0) parts[done].Part.LoadStateDict(before[done]);
            throw new StateDictException($"part '{failed}' of {path}: {e.Message}");
        }

        return whole;
    }
}
