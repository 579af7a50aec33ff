namespace Verified.Engine;

/// <summary>
/// A record that holds tensors, such as the parameters of a model, and can be differentiated by. In C#:
/// <c>record Line(Tensor Slope, Tensor Offset) : ITensorTree&lt;Line&gt; { public Line Map(Func&lt;Tensor, Tensor&gt; f) =&gt; new(f(Slope), f(Offset)); }</c>
/// </summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface ITensorTree<TSelf>
    where TSelf : ITensorTree<TSelf>
{
    /// <summary>The same record with each of its tensors replaced by what <paramref name="f"/> gives for it, called once for each, always in the same order.</summary>
    TSelf Map(Func<Tensor, Tensor> f);
}
