using System.Globalization;
using Verified.Engine;

namespace Verified.Training;

/// <summary>Means over records.</summary>
/// <param name="Count">The number of records.</param>
/// <param name="Loss">The mean loss; NaN where there were no records.</param>
/// <param name="Metrics">The mean of each metric, by name.</param>
public sealed record Evaluation(long Count, double Loss, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>The loss and the metrics on a line.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"loss {Loss:0.0000}{string.Concat(Metrics.Select(m => string.Create(CultureInfo.InvariantCulture, $", {m.Key} {m.Value:0.0000}")))}");
}

/// <summary>What is known after a batch.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Batch">The batch in it, from 1.</param>
/// <param name="Loss">The batch's loss.</param>
/// <param name="Running">Means over the epoch so far.</param>
public sealed record BatchReport(int Epoch, int Batch, double Loss, Evaluation Running);

/// <summary>What is known after an epoch.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Training">Means over the epoch's batches, each with the parameters of its time.</param>
/// <param name="Validation">Means over the validation batches; null where there were none.</param>
/// <param name="LearningRate">The first group's rate during the epoch.</param>
/// <param name="Time">How long the epoch took, its validation included, since the start or the restart.</param>
public sealed record EpochReport(int Epoch, Evaluation Training, Evaluation? Validation, double LearningRate, TimeSpan Time)
{
    /// <summary>The epoch on a line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"epoch {Epoch}: {Training}{(Validation is null ? "" : $"; validation {Validation}")} ({Time.TotalSeconds:0.0} s)");
}

/// <summary>Sums over records, from which means are made.</summary>
internal sealed class Sums
{
    private readonly OrderedDictionary<string, double> metrics = [];
    private long count;
    private double loss;

    public void Add(int records, double meanLoss, IEnumerable<KeyValuePair<string, double>> means)
    {
        count += records;
        loss += records * meanLoss;
        foreach (var (name, mean) in means) metrics[name] = metrics.GetValueOrDefault(name) + (records * mean);
    }

    public Evaluation Means() => new(count, loss / count, metrics.ToDictionary(m => m.Key, m => m.Value / count));

    public StateDict Pack()
    {
        var packed = new StateDict { ["count"] = count, ["loss"] = loss, ["metrics"] = new StateDict() };
        foreach (var (name, sum) in metrics) packed.Dictionary("metrics").Add(name, sum);
        return packed;
    }

    public static Sums Unpack(StateDict packed)
    {
        var sums = new Sums { count = packed.Integer("count"), loss = packed.Number("loss") };
        foreach (var name in packed.Dictionary("metrics").Keys.Cast<string>()) sums.metrics.Add(name, packed.Dictionary("metrics").Number(name));
        return sums;
    }
}

/// <summary>What is measured besides the loss.</summary>
public static class Metrics
{
    /// <summary>The part of a batch whose greatest logit [N, C, ..] is its class (int64, without the dimension of classes).</summary>
    public static double Accuracy(Tensor output, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        using var off = Autograd.NoGrad();
        return output.Argmax(1).Eq(target).To(DType.Float64).Mean().Item();
    }

    /// <summary>The part of elements whose logit has the sign of its target: above 0 for targets above one half.</summary>
    public static double BinaryAccuracy(Tensor output, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(target);
        using var off = Autograd.NoGrad();
        return output.Gt(0).Eq(target.Gt(0.5)).To(DType.Float64).Mean().Item();
    }
}
