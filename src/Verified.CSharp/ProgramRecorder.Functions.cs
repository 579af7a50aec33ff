using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Engine;
using Verified.Spec;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>Custom functions in a recording.</summary>
public sealed partial class ProgramRecorder
{
    private readonly List<RecordedFunction> _functions = [];
    private RecordedFunction.Begun? _begun;

    /// <summary>The custom functions that were applied and have a derivative.</summary>
    internal IReadOnlyList<RecordedFunction> Functions => _functions;

    /// <summary>Whether a backward goes on where a custom function's own raises, as if that gave no gradient.</summary>
    internal bool GoesOnAfterFailures { get; set; }

    /// <summary>Whether an exception ended a backward that was not to go on.</summary>
    internal bool IsStopped { get; private set; }

    /// <summary>Whether a custom function's backward raised this exception.</summary>
    internal bool HasFailedBy(Exception error) => _functions.Exists(applied => ReferenceEquals(applied.Failure, error));

    /// <summary>Their results that a gradient flows from.</summary>
    internal IEnumerable<Tensor> FunctionResults => _functions.SelectMany(applied => applied.Results).Select(name => _order.First(item => item.Name == name).Tensor);

    /// <inheritdoc/>
    void ICallListener.Applying(Function function, IReadOnlyList<Tensor?> inputs)
    {
        MeetAll(inputs);
        _begun = new([.. inputs.Select(Copy)], [.. inputs.Select(t => t is null ? null : _names[t])], _steps.Count);
    }

    /// <inheritdoc/>
    void ICallListener.Applied(Function function, IReadOnlyList<Tensor?> inputs, IReadOnlyList<Tensor> results)
    {
        if (!results.Any(t => t.RequiresGrad)) return;
        var reached = _begun!.Inputs.ToHashSet();
        foreach (var step in _steps.Skip(_begun.First))
            if (step.Step.In.SelectMany(StepByStep.NamesOf).Any(reached.Contains)) reached.UnionWith(step.Values.Keys);
        var unwritten = false;
        foreach (var result in results.Where(t => t.RequiresGrad))
        {
            if (_names.TryGetValue(result, out var name)) _gradients.Watch(name, result);
            else AddInput(Fresh(function.Name), result, ofFunction: true);
            unwritten |= !reached.Contains(_names[result]);
        }

        _functions.Add(RecordedFunction.Of(function, _begun, results, t => _names[t], _steps.Count, unwritten));
    }

    /// <inheritdoc/>
    bool ICallListener.Failed(Function function, Node node, Exception error)
    {
        var applied = _functions.Find(applied => ReferenceEquals(applied.Node, node)) ?? _functions.FindLast(applied => ReferenceEquals(applied.Function, function));
        // Being stopped is no fault of the function's.
        if (applied is null || error is OperationCanceledException) return false;
        applied.Failure = error;
        IsStopped |= !GoesOnAfterFailures;
        return GoesOnAfterFailures;
    }

    /// <summary>
    /// Cuts the program at its custom functions: their results become leaves, and the gradients that their backwards gave are pulled back from what they were applied to. So all else is examined, whatever
    /// they do. False, and nothing is changed, where that is another program: where their inputs or results are written to, or the recording is not a forward with one backward.
    /// </summary>
    internal bool CutAtFunctions()
    {
        var pulled = _steps.FindIndex(step => step.Step.Op is "backward" or "grad");
        if (pulled < 0 || _steps.Skip(pulled + 1).Any(step => step.Step.Op is "backward" or "grad")) return false;
        if (_steps[pulled] is not { Block: null, Step: { Op: "backward", Wrt: null } backward } || (backward.Attrs.TryGetValue("create_graph", out var creates) && creates is not Attr.Flag { Item: false })) return false;
        if (!_functions.TrueForAll(applied => applied.End <= pulled && !IsWrittenTo(applied))) return false;
        var roots = new List<(string Name, string? Gradient)>();
        foreach (var (arg, i) in backward.In.Select((arg, i) => (arg, i)))
            if (arg is Arg.Name root) roots.Add((root.Item, backward.Gradients?.Value[i]?.Value));
        foreach (var applied in _functions)
        {
            for (var i = applied.First; i < applied.End; i++) _steps[i] = _steps[i] with { Block = _steps[i].Block ?? "no_grad" };
            for (var i = 0; i < applied.Inputs.Count; i++)
            {
                if (applied.GivenBack?[i] is not { } given) continue;
                var name = Fresh(applied.Function.Name + "_given");
                _inputs.Add(new Input(name, given, false));
                roots.Add((applied.Inputs[i]!, name));
            }
        }

        _steps[pulled] = _steps[pulled] with
        {
            Step = new Step(
                "backward", ListModule.OfSeq(roots.Select(root => Arg.NewName(root.Name))), backward.Attrs, backward.Out, null,
                FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.OfSeq(roots.Select(root => Optional(root.Gradient)))), FSharpList<Step>.Empty),
        };
        foreach (var applied in Enumerable.Reverse(_functions))
        {
            var leaves = applied.Results.Where(name => !_inputs.Exists(input => input.Name == name)).Select(name => new RecordedStep(
                StepModule.act("requires_grad_", ListModule.OfSeq([name]), FSharpList<Tuple<string, Attr>>.Empty), null, new Dictionary<string, Literal>()));
            _steps.InsertRange(applied.End, leaves);
        }

        return true;
    }

    /// <summary>Whether its forward writes to what was there before, or its inputs or results are written to later.</summary>
    private bool IsWrittenTo(RecordedFunction applied)
    {
        var before = _inputs.Select(input => input.Name).Concat(_steps.Take(applied.First).SelectMany(step => step.Values.Keys)).ToHashSet();
        var around = applied.Inputs.Concat(applied.Results).ToHashSet();
        return applied.Results.Any(applied.Inputs.Contains)
            || Writes(_steps.Take(applied.End).Skip(applied.First)).Any(before.Contains)
            || Writes(_steps.Skip(applied.End)).Any(around.Contains);
    }

    private static IEnumerable<string> Writes(IEnumerable<RecordedStep> steps) => steps.Where(step => step.Step.Op.EndsWith('_')).SelectMany(step => step.Values.Keys);

    private static Tensor? Copy(Tensor? input)
    {
        if (input is null) return null;
        var copy = input.Detach().Clone();
        return input.RequiresGrad ? copy.RequiresGradInPlace() : copy;
    }
}
