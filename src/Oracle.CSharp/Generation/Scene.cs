using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>A variable as the generator sees it.</summary>
internal sealed record Variable(string Name, DType DType, int[] Shape, bool RequiresGrad, bool IsLeaf)
{
    public int Count => Shape.Aggregate(1, (n, d) => n * d);

    public bool IsFloat => DType.IsFloat;
}

/// <summary>
/// The state that a program has reached, as the generator sees it: what is there, and whether the specification accepts a next step.
/// Immutable, so a step that is not wanted is simply not kept.
/// </summary>
internal interface IScene
{
    /// <summary>The variables bound to tensors, oldest first.</summary>
    IReadOnlyList<Variable> Variables { get; }

    /// <summary>Whether every element of a float variable lies in an operator's domain and is finite.</summary>
    bool LiesIn(Variable variable, Domain domain);

    /// <summary>The scene with one more input.</summary>
    IScene WithInput(Input input);

    /// <summary>The scene after the step, or the error that it ends in.</summary>
    (IScene? Next, Raised? Error) After(Step step);
}
