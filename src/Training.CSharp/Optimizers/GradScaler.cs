using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Scales losses so that small gradients do not vanish, as <c>torch.amp.GradScaler</c>. Before a step the gradients are scaled back; where one is infinite or
/// undefined the step is left out and the scale falls; after so many steps in a row that were not, it grows.
/// </summary>
/// <example>
/// <code>
/// scaler.Scale(loss).Backward();
/// scaler.Step(optimizer);
/// scaler.Update();
/// optimizer.ZeroGrad();
/// </code>
/// </example>
public sealed class GradScaler : IStateful
{
    private readonly ConditionalWeakTable<Optimizer, Progress> stages = [];
    private readonly bool enabled;
    private float scale;
    private double growthFactor;
    private double backoffFactor;
    private long growthInterval;
    private long growthTracker;
    private bool used;

    /// <summary>A scaler.</summary>
    /// <param name="initScale">The scale at the start.</param>
    /// <param name="growthFactor">What the scale is multiplied with after <paramref name="growthInterval"/> good steps, above 1.</param>
    /// <param name="backoffFactor">What the scale is multiplied with after a step that was left out, below 1.</param>
    /// <param name="growthInterval">Good steps in a row before the scale grows.</param>
    /// <param name="enabled">If false, nothing is scaled, checked or left out.</param>
    /// <exception cref="ArgumentException">The growth factor is not above 1, or the backoff factor not below.</exception>
    public GradScaler(double initScale = 65536, double growthFactor = 2, double backoffFactor = 0.5, int growthInterval = 2000, bool enabled = true)
    {
        if (!(growthFactor > 1)) throw new ArgumentException("The growth factor must be > 1.0.");
        if (!(backoffFactor < 1)) throw new ArgumentException("The backoff factor must be < 1.0.");
        ArgumentOutOfRangeException.ThrowIfLessThan(growthInterval, 1);
        scale = (float)initScale;
        this.growthFactor = growthFactor;
        this.backoffFactor = backoffFactor;
        this.growthInterval = growthInterval;
        this.enabled = enabled;
    }

    private enum Stage
    {
        Ready,
        Unscaled,
        Stepped,
    }

    /// <summary>Whether anything is done at all.</summary>
    public bool IsEnabled => enabled;

    /// <summary>The scale as it is now; 1 where the scaler is not enabled.</summary>
    public double GetScale() => enabled ? scale : 1;

    /// <summary>A loss times the scale.</summary>
    public Tensor Scale(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        if (!enabled) return loss;
        used = true;
        return loss * Tensor.Scalar(scale);
    }

    /// <summary>Scales the gradients of an optimizer's parameters back, in place, so that they can be clipped or looked at; <see cref="Step"/> does it otherwise.</summary>
    /// <exception cref="InvalidOperationException">It was done already since the last <see cref="Update"/>, or the step was.</exception>
    public void Unscale(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        if (!enabled) return;
        CheckUsed("unscale_");
        var progress = stages.GetOrCreateValue(optimizer);
        if (progress.Stage == Stage.Unscaled)
            throw new InvalidOperationException("unscale_() has already been called on this optimizer since the last update().");
        if (progress.Stage == Stage.Stepped) throw new InvalidOperationException("unscale_() is being called after step().");
        var inverse = (float)(1 / (double)scale);
        using var off = Autograd.NoGrad();
        progress.Checked = progress.FoundInf = false;
        foreach (var group in optimizer.ParamGroups)
        {
            foreach (var parameter in group.Parameters)
            {
                if (parameter.Grad is not { } gradient) continue;
                progress.Checked = true;
                progress.FoundInf |= !ScaleBack(gradient, inverse);
            }
        }
        progress.Stage = Stage.Unscaled;
    }

    /// <summary>Scales gradients back if that was not done, and lets the optimizer step unless a gradient is infinite or undefined.</summary>
    /// <returns>Whether the optimizer stepped.</returns>
    /// <exception cref="InvalidOperationException">It was done already since the last <see cref="Update"/>, or no parameter has a gradient.</exception>
    public bool Step(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        if (!enabled)
        {
            optimizer.Step();
            return true;
        }
        CheckUsed("step");
        var progress = stages.GetOrCreateValue(optimizer);
        if (progress.Stage == Stage.Stepped) throw new InvalidOperationException("step() has already been called since the last update().");
        if (progress.Stage == Stage.Ready) Unscale(optimizer);
        if (!progress.Checked) throw new InvalidOperationException("No inf checks were recorded for this optimizer.");
        if (!progress.FoundInf) optimizer.Step();
        progress.Stage = Stage.Stepped;
        return !progress.FoundInf;
    }

    /// <summary>Lets the scale fall or grow, after all steps of an iteration; or sets it.</summary>
    /// <exception cref="InvalidOperationException">No step was taken since the last time.</exception>
    public void Update(double? newScale = null)
    {
        if (!enabled) return;
        CheckUsed("update");
        var checks = stages.Select(s => s.Value).Where(p => p.Checked).ToArray();
        if (newScale is { } given) scale = (float)given;
        else if (checks.Length == 0) throw new InvalidOperationException("No inf checks were recorded prior to update.");
        else if (checks.Any(p => p.FoundInf))
        {
            scale = (float)(scale * backoffFactor);
            growthTracker = 0;
        }
        else if (++growthTracker == growthInterval)
        {
            // A scale that has become infinite would spoil every step.
            var grown = (float)(scale * growthFactor);
            if (float.IsFinite(grown)) scale = grown;
            growthTracker = 0;
        }
        stages.Clear();
    }

    /// <summary>The state under PyTorch's names; empty where the scaler is not enabled.</summary>
    public StateDict StateDict() => !enabled ? [] : new StateDict
    {
        ["scale"] = (double)scale,
        ["growth_factor"] = growthFactor,
        ["backoff_factor"] = backoffFactor,
        ["growth_interval"] = growthInterval,
        ["_growth_tracker"] = growthTracker,
    };

    /// <summary>Goes back to a state, of this library or of PyTorch.</summary>
    /// <exception cref="StateDictException">Something is missing; nothing was changed.</exception>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!enabled) return;
        if (state.Count == 0)
            throw new StateDictException("The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler.");
        var (savedScale, growth, backoff) = (state.Number("scale"), state.Number("growth_factor"), state.Number("backoff_factor"));
        var (interval, tracker) = (state.Integer("growth_interval"), state.Integer("_growth_tracker"));
        (scale, growthFactor, backoffFactor, growthInterval, growthTracker) = ((float)savedScale, growth, backoff, interval, tracker);
    }

    /// <summary>Scales a gradient back in place; whether all of it is finite.</summary>
    private static bool ScaleBack(Tensor gradient, float inverse)
    {
        gradient.MulInPlace(inverse);
        var dense = Moments.Dense(gradient);
        var finite = gradient.DType == DType.Float32 ? AllFinite<float>(dense) : AllFinite<double>(dense);
        GC.KeepAlive(dense);
        return finite;
    }

    private static bool AllFinite<T>(Tensor dense)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        // x - x is zero where x is finite, and NaN elsewhere.
        if (dense.Count == 0) return true;
        var values = MemoryMarshal.CreateReadOnlySpan(ref dense.Origin<T>(), dense.Count);
        var sum = System.Numerics.Vector<T>.Zero;
        var i = 0;
        for (; i + System.Numerics.Vector<T>.Count <= values.Length; i += System.Numerics.Vector<T>.Count)
        {
            var x = new System.Numerics.Vector<T>(values[i..]);
            sum += x - x;
        }
        var rest = System.Numerics.Vector.Sum(sum);
        for (; i < values.Length; i++) rest += values[i] - values[i];
        return rest == T.Zero;
    }

    private void CheckUsed(string name)
    {
        if (!used)
        {
            throw new InvalidOperationException(
                $"Attempted {name} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration.");
        }
    }

    private sealed class Progress
    {
        public Stage Stage;
        public bool Checked;
        public bool FoundInf;
    }
}
