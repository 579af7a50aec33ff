using Verified.Engine;
using Verified.Spec;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>The gradients that arrive at the tensors of a recording, backward by backward, caught by hooks that change nothing.</summary>
internal sealed class GradientTrace
{
    private readonly Dictionary<string, int> _generations = [];
    private readonly List<Dictionary<string, Literal>> _arrived = [];
    private Dictionary<string, Literal>? _now;

    /// <summary>For each <c>backward</c> and <c>grad</c>, in their order, what arrived in it.</summary>
    public IReadOnlyList<Dictionary<string, Literal>> Arrived => _arrived;

    /// <summary>A backward begins.</summary>
    public void Begin() => _arrived.Add(_now = []);

    /// <summary>Catches the gradients of a tensor from now on, where any can arrive.</summary>
    public void Watch(string name, Tensor tensor)
    {
        try
        {
            if (!tensor.RequiresGrad) return;
            var generation = _generations[name] = _generations.GetValueOrDefault(name) + 1;
            tensor.RegisterHook(gradient =>
            {
                if (_generations[name] == generation && _now is not null) _now[name] = Literals.ToLiteral(gradient);
                return null;
            });
        }
        catch (AutogradException)
        {
            // A view that may not be looked at since its memory was written to: nothing can be caught there.
        }
    }

    /// <summary>A write has changed what the gradient of this name would be: what the old value gets is not its.</summary>
    public void Forget(string name) => _generations[name] = _generations.GetValueOrDefault(name) + 1;
}
