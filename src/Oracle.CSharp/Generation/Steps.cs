using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>Steps, built the C# way.</summary>
internal static class Steps
{
    public static Step Act(string op, params string[] args) =>
        new(op, ListModule.OfSeq(args.Select(Arg.NewName)), MapModule.Empty<string, Attr>(), Out.Nothing, null, null, FSharpList<Step>.Empty);

    public static Step Call(string op, string[] args, string result) => Act(op, args).Binding(result);

    public static Step Block(string op, IEnumerable<Step> steps)
    {
        var block = Act(op);
        return new Step(block.Op, block.In, block.Attrs, block.Out, null, null, ListModule.OfSeq(steps));
    }

    /// <summary>The steps and all that stand inside them, in the order in which they are written.</summary>
    public static IEnumerable<Step> All(IEnumerable<Step> steps) => steps.SelectMany(step => All(step.Steps).Prepend(step));

    /// <summary>Whether an attribute is given as true.</summary>
    public static bool IsSet(Step step, string attribute) => step.Attrs.TryGetValue(attribute, out var flag) && flag is Attr.Flag { Item: true };

    /// <summary>Whether a tensor argument is given.</summary>
    public static bool Gives(Step step, int argument) => argument < step.In.Length && !step.In[argument].IsMissing;

    public static Step Binding(this Step step, string result) =>
        new(step.Op, step.In, step.Attrs, Out.NewName(result), step.Wrt, step.Gradients, step.Steps);

    public static Step Binding(this Step step, string[] results) =>
        new(step.Op, step.In, step.Attrs, Out.NewNames(ListModule.OfSeq<FSharpOption<string>?>(results.Select(FSharpOption<string>.Some))), step.Wrt, step.Gradients, step.Steps);

    public static Step With(this Step step, string name, Attr value) => step.With(step.Attrs.Add(name, value));

    public static Step With(this Step step, FSharpMap<string, Attr> attrs) =>
        new(step.Op, step.In, attrs, step.Out, step.Wrt, step.Gradients, step.Steps);

    public static Step Gradients(this Step step, string? gradient) => gradient is null
        ? step
        : new(step.Op, step.In, step.Attrs, step.Out, step.Wrt, ListModule.OfSeq<FSharpOption<string>?>([FSharpOption<string>.Some(gradient)]), step.Steps);

    /// <summary>The step with a gradient beside each of its tensors; nothing where none is given.</summary>
    public static Step Gradients(this Step step, IReadOnlyList<string?> gradients) => gradients.All(g => g is null)
        ? step
        : step.On(step.In, FSharpOption<FSharpList<FSharpOption<string>?>>.Some(
            ListModule.OfSeq(gradients.Select(g => g is null ? null : FSharpOption<string>.Some(g)))));

    /// <summary>The step on other tensors, with gradients beside them.</summary>
    public static Step On(this Step step, FSharpList<Arg> args, FSharpOption<FSharpList<FSharpOption<string>?>>? gradients) =>
        new(step.Op, args, step.Attrs, step.Out, step.Wrt, gradients, step.Steps);

    public static Step Wrt(this Step step, params string[] names) =>
        new(step.Op, step.In, step.Attrs, step.Out, ListModule.OfSeq(names), step.Gradients, step.Steps);
}

/// <summary>The names that a step reads and binds.</summary>
internal static class StepNames
{
    /// <summary>The variables that a step reads, nested steps left out.</summary>
    public static IEnumerable<string> Read(Step step)
    {
        foreach (var arg in step.In)
            if (arg is Arg.Name name)
                yield return name.Item;
            else if (arg is Arg.Names names)
                foreach (var item in names.Item)
                    if (item is not null) yield return item.Value;
        if (step.Wrt is not null)
            foreach (var name in step.Wrt.Value) yield return name;
        if (step.Gradients is not null)
            foreach (var name in step.Gradients.Value)
                if (name is not null) yield return name.Value;
    }

    /// <summary>The tensors that a backward or a grad starts from, in order.</summary>
    public static IEnumerable<string> Roots(Step step) => step.In.OfType<Arg.Name>().Select(arg => arg.Item);

    /// <summary>
    /// The variables that may share memory with a gradient: those that <c>grad</c> and <c>get_grad</c> bind, those that were given as
    /// gradients (a rule may hand them on; left out without <paramref name="given"/>), and all that was made of these.
    /// </summary>
    public static HashSet<string> Gradients(IEnumerable<Step> steps, bool given = true)
    {
        var found = new HashSet<string>();
        void Visit(IEnumerable<Step> each)
        {
            foreach (var step in each)
            {
                if (given && step.Gradients is not null)
                    foreach (var name in step.Gradients.Value)
                        if (name is not null) found.Add(name.Value);
                if (step.Op is "grad" or "get_grad" || Read(step).Any(found.Contains)) found.UnionWith(Bound(step));
                Visit(step.Steps);
            }
        }

        Visit(steps);
        return found;
    }

    /// <summary>The variables that a step binds, nested steps left out.</summary>
    public static IEnumerable<string> Bound(Step step) => step.Out switch
    {
        Out.Name name => [name.Item],
        Out.Names names => names.Item.OfType<FSharpOption<string>>().Select(item => item.Value),
        _ => [],
    };
}

/// <summary>Kinds of errors, sorted.</summary>
internal static class Errors
{
    /// <summary>True for an error of autograd's; false for a bad argument (shape, dtype, index, value).</summary>
    public static bool AreAutograd(ErrorKind kind) =>
        !(AreOfArguments(kind) || kind.IsUnsupported || kind.IsOtherError);

    /// <summary>True for a bad argument: shape, dtype, index, value.</summary>
    public static bool AreOfArguments(ErrorKind kind) => kind.IsShapeError || kind.IsDTypeError || kind.IsIndexError || kind.IsValueError;
}
