using System.Diagnostics;

namespace Verified.Engine;

/// <summary>A registered hook; <see cref="Remove"/> takes it away again.</summary>
public sealed class HookHandle
{
    private volatile Delegate? hook;

    internal HookHandle(Delegate hook) => this.hook = hook;

    internal bool Removed => hook is null;

    /// <summary>Takes the hook away; removing it twice does nothing.</summary>
    public void Remove() => hook = null;

    /// <summary>The hook as it was registered; null once it was removed.</summary>
    internal T? Of<T>()
        where T : Delegate => (T?)hook;

    /// <summary>The gradient, or what the hook puts in its place.</summary>
    internal Tensor Run(Tensor gradient) =>
        Of<Func<Tensor, Tensor?>>() is { } function ? Checked(function, gradient, function(gradient)) ?? gradient : gradient;

    /// <summary>The gradients that a hook's answer puts in the place of others, all or none.</summary>
    internal static Tensor?[] Replace(Delegate hook, Tensor?[] values, IReadOnlyList<Tensor?>? replaced)
    {
        if (replaced is null) return values;
        if (replaced.Count != values.Length)
        {
            throw new AutogradException(
                ErrorKind.Other, $"hook '{NameOf(hook)}' has returned an incorrect number of values (got {replaced.Count}, but expected {values.Length})");
        }
        return [.. values.Select((value, i) => Checked(hook, value, replaced[i]))];
    }

    private static Tensor? Checked(Delegate hook, Tensor? original, Tensor? replaced)
    {
        if (replaced is null || original is null) return replaced;
        if (!Shapes.Same(replaced.Sizes, original.Sizes)) throw new AutogradException(ErrorKind.Other, $"hook '{NameOf(hook)}' has changed the size of value");
        if (replaced.DType != original.DType)
        {
            throw new AutogradException(
                ErrorKind.Other,
                $"hook '{NameOf(hook)}' has changed the type of value (was torch.{original.DType.ScalarType()}Tensor got torch.{replaced.DType.ScalarType()}Tensor)");
        }
        return replaced;
    }

    private static string NameOf(Delegate hook) => UserCode.NameOf(DiagnosticMethodInfo.Create(hook));
}
