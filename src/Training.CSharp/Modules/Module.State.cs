using Verified.Engine;

namespace Verified.Training;

/// <summary>What a state dictionary and a module do not have in common.</summary>
/// <param name="MissingKeys">What the module has and the dictionary has not.</param>
/// <param name="UnexpectedKeys">What the dictionary has and the module has not.</param>
public sealed record IncompatibleKeys(IReadOnlyList<string> MissingKeys, IReadOnlyList<string> UnexpectedKeys);

public abstract partial class Module : IStateful
{
    /// <summary>
    /// Parameters and persistent buffers within by name, in PyTorch's order. The tensors are those of the module, detached: later training changes them;
    /// clone what is to last.
    /// </summary>
    public StateDict StateDict()
    {
        var state = new StateDict();
        foreach (var (key, tensor, _) in State("")) state.Add(key, tensor.Detach());
        return state;
    }

    /// <summary>Copies the values of a state dictionary, of this library or of PyTorch, into parameters and buffers within.</summary>
    /// <param name="state">The values by name.</param>
    /// <param name="strict">Whether the names must be exactly this module's; if not, those in common are copied.</param>
    /// <returns>The names that are not in common; none where <paramref name="strict"/>.</returns>
    /// <exception cref="StateDictException">Names or shapes do not fit, all of which are listed as PyTorch does; nothing was changed.</exception>
    public IncompatibleKeys LoadStateDict(StateDict state, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(state);
        List<string> missing = [], unexpected = [], errors = [];
        var copies = new List<(Tensor From, Tensor To)>();
        foreach (var (key, target, mayBeMissing) in State(""))
        {
            if (!state.TryGetValue(key, out var value))
            {
                if (!mayBeMissing) missing.Add(key);
            }
            else if (value is not Tensor source)
            {
                errors.Add($"While copying the parameter named \"{key}\", expected torch.Tensor or Tensor-like object from checkpoint but received {value?.GetType().Name ?? "None"}");
            }
            else
            {
                // As PyTorch does for what versions before 0.4 wrote: one number may come as a vector of one.
                if (target.Rank == 0 && source.Rank == 1 && source.Count > 0) source = source.Select(0, 0);
                if (source.Shape.SequenceEqual(target.Shape)) copies.Add((source, target));
                else
                {
                    errors.Add(
                        $"size mismatch for {key}: copying a param with shape {SizeText(source)} from checkpoint, the shape in current model is {SizeText(target)}.");
                }
            }
        }
        FindUnexpected("", [.. state.Keys.Select(k => k as string ?? $"{k}")], unexpected);

        if (strict && unexpected.Count > 0) errors.Insert(0, $"Unexpected key(s) in state_dict: {Quoted(unexpected)}. ");
        if (strict && missing.Count > 0) errors.Insert(0, $"Missing key(s) in state_dict: {Quoted(missing)}. ");
        if (errors.Count > 0) throw new StateDictException($"Error(s) in loading state_dict for {GetType().Name}:\n\t{string.Join("\n\t", errors)}");

        using (Autograd.NoGrad())
            foreach (var (from, to) in copies) to.CopyInPlace(from);
        return new IncompatibleKeys(missing, unexpected);
    }

    void IStateful.LoadStateDict(StateDict state) => LoadStateDict(state);

    /// <summary>Parameters, then persistent buffers, then those of the modules within; a shared one under each of its names.</summary>
    private IEnumerable<(string Key, Tensor Value, bool MayBeMissing)> State(string prefix)
    {
        var own = Own().ToArray();
        foreach (var (name, member) in own)
            if (member is Parameter p) yield return (prefix + name, p.Value, false);
        foreach (var (name, member) in own)
            if (member is ModuleBuffer { Persistent: true } b) yield return (prefix + name, b.Value, b.MayBeMissing);
        foreach (var (name, member) in own)
        {
            if (member is not Module child) continue;
            foreach (var entry in child.State(prefix + name + ".")) yield return entry;
        }
    }

    /// <summary>PyTorch's order: those that belong to nobody here, then those within each module.</summary>
    private void FindUnexpected(string prefix, string[] keys, List<string> unexpected)
    {
        var own = Own().ToArray();
        var children = own.Where(m => m.Value is Module).ToDictionary(m => m.Name, m => (Module)m.Value);
        var tensors = own.Where(m => m.Value is Parameter or ModuleBuffer { Persistent: true }).Select(m => m.Name).ToHashSet();
        foreach (var key in keys)
        {
            var rest = key[prefix.Length..].Split('.', 2);
            if (rest.Length == 1 ? !tensors.Contains(rest[0]) : !children.ContainsKey(rest[0])) unexpected.Add(key);
        }
        foreach (var (name, child) in children)
        {
            var start = prefix + name + ".";
            child.FindUnexpected(start, Array.FindAll(keys, k => k.StartsWith(start, StringComparison.Ordinal)), unexpected);
        }
    }

    private static string Quoted(List<string> keys) => string.Join(", ", keys.Select(k => $"\"{k}\""));

    private static string SizeText(Tensor t) => $"torch.Size([{string.Join(", ", t.Shape.ToArray())}])";
}
