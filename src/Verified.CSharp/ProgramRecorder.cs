using System.Globalization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Engine;
using Verified.Spec;
using Attributes = Verified.Engine.Attributes;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <summary>
/// Writes down as a <see cref="Program"/> what the code on this thread does with tensors, from its start until it is disposed: operators by PyTorch's names, in-place writes, views,
/// blocks without recording, backwards. A tensor that comes from elsewhere (a weight, a constant, a mask that was drawn) is an input with the value that it has when it is first used.
/// </summary>
/// <remarks>
/// A custom <see cref="Function"/> is written down as what its forward computes: the derivative that it ought to have. Not written down, but named in <see cref="Notes"/>: hooks, and the history of
/// tensors from before the recording.
/// </remarks>
public sealed partial class ProgramRecorder : ICallListener, IDisposable
{
    private readonly IDisposable _listening;
    private readonly Dictionary<Tensor, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, int> _counts = [];
    private readonly List<(string Name, Tensor Tensor)> _order = [];
    private readonly List<Input> _inputs = [];
    private readonly List<RecordedStep> _steps = [];
    private readonly List<string> _notes = [];
    private readonly List<Engine.Operator> _operators = [];
    private readonly GradientTrace _gradients = new();
    private readonly Dictionary<string, Tensor> _earlierGradients = [];
    private string[] _arguments = [];
    private bool _watching;

    /// <summary>Starts to record.</summary>
    public ProgramRecorder() => _listening = Engine.Calls.Listen(this);

    /// <summary>What the program leaves out, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The program's inputs so far, in the order of their first use.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Inputs => _order.Where(item => _inputs.Exists(input => input.Name == item.Name));

    /// <summary>The error that ended the recorded code, where a call was refused.</summary>
    public AutogradException? Error { get; private set; }

    internal IReadOnlyList<RecordedStep> Steps => _steps;

    internal GradientTrace Gradients => _gradients;

    /// <summary>The operators that were applied and are not the engine's own.</summary>
    internal IReadOnlyList<Engine.Operator> ForeignOperators => _operators;

    /// <summary>Ends the recording.</summary>
    public void Dispose() => _listening.Dispose();

    /// <summary>Makes a tensor an input under a name of its own; others are called <c>p1</c>, <c>p2</c>, ... where they require a gradient, and <c>c1</c>, <c>c2</c>, ...</summary>
    /// <exception cref="ArgumentException">The name is taken, or the tensor has one.</exception>
    public void Name(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(tensor);
        if (_names.ContainsKey(tensor) || _order.Exists(item => item.Name == name))
            throw new ArgumentException($"'{name}' or its tensor has a name already", nameof(name));
        _watching = true;
        AddInput(name, tensor);
        _watching = false;
    }

    /// <summary>The name of a tensor in the program; null where it does not occur.</summary>
    public string? NameOf(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return _names.GetValueOrDefault(tensor);
    }

    /// <summary>The program as recorded so far.</summary>
    /// <param name="observe">The tensors whose values are observed; those that do not occur in the program are left out.</param>
    /// <param name="gradientsOf">The tensors whose <see cref="Tensor.Grad"/> is observed.</param>
    public Program ToProgram(IEnumerable<Tensor> observe, IEnumerable<Tensor> gradientsOf)
    {
        ArgumentNullException.ThrowIfNull(observe);
        ArgumentNullException.ThrowIfNull(gradientsOf);
        return new(
            ListModule.OfSeq(_inputs),
            ListModule.OfSeq(Blocks().Select(block => block.Step)),
            ListModule.OfSeq(
                observe.Select(NameOf).OfType<string>().Distinct().Select(Observed.NewValue)
                    .Concat(gradientsOf.Select(NameOf).OfType<string>().Distinct().Select(Observed.NewGradient))));
    }

    /// <summary>The program's steps, each with those recorded steps that it consists of: one, or several in a block without recording.</summary>
    internal IEnumerable<(Step Step, IReadOnlyList<RecordedStep> Parts)> Blocks()
    {
        for (var i = 0; i < _steps.Count;)
        {
            var mode = _steps[i].Block;
            if (mode is null)
            {
                yield return (_steps[i].Step, [_steps[i]]);
                i++;
                continue;
            }

            var parts = _steps.Skip(i).TakeWhile(step => step.Block == mode).ToList();
            yield return (StepModule.block(mode, ListModule.OfSeq(parts.Select(part => part.Step))), parts);
            i += parts.Count;
        }
    }

    /// <summary>All names with their tensors, in the order of their appearance.</summary>
    internal IReadOnlyList<(string Name, Tensor Tensor)> Known => _order;

    /// <inheritdoc/>
    void ICallListener.Calling(MadeCall call)
    {
        if (_watching) return;
        foreach (var input in call.Call.Inputs)
        {
            if (input is Tensor tensor) Meet(tensor);
            else if (input is IEnumerable<Tensor?> list) MeetAll(list);
        }

        MeetAll(call.Gradients);
        MeetAll(call.Wrt);
        NoteReadings(call);
        // An in-place call may change what its tensors are, but not their names.
        _arguments = [.. call.Call.Inputs.OfType<Tensor>().Select(t => _names[t])];
        if (call.Name is not ("backward" or "grad")) return;
        _gradients.Begin();
        if (call.Name == "backward") NoteEarlierGradients();
    }

    /// <inheritdoc/>
    void ICallListener.Called(MadeCall call, IReadOnlyList<Tensor?> results)
    {
        if (_watching) return;
        if (call.Name == "register_hook")
        {
            Note($"a hook on {_arguments[0]} is left out: what it does to gradients is not known");
            return;
        }

        var own = call.Operator is { } op && OperatorRegistry.Default.Operators.GetValueOrDefault(op.Name) is { } known && !ReferenceEquals(op, known);
        if (own) _operators.Add(call.Operator!);
        var written = call.Name.EndsWith('_') || call.Name is "retain_grad" or "zero_grad" or "backward";
        var bound = written ? Out.Nothing : Bound(call, results);
        var changed = call.Name.EndsWith('_') ? _order.Where(item => item.Tensor.SharesMemoryWith(results[0]!)).ToList() : [];
        var values = changed.Concat(results.OfType<Tensor>().Select(t => (Name: _names[t], Tensor: t))).DistinctBy(item => item.Name)
            .ToDictionary(item => item.Name, item => Literals.ToLiteral(item.Tensor));
        _steps.Add(new RecordedStep(ToStep(call, bound), ModeOf(call), values));
        foreach (var (name, _) in changed) _gradients.Forget(name);
        foreach (var result in results)
            if (result is not null) _gradients.Watch(_names[result], result);
    }

    /// <inheritdoc/>
    void ICallListener.Refused(MadeCall call, AutogradException error)
    {
        // An error of a custom function's own is no step's: the function is examined.
        if (call.Name == "register_hook" || HasFailedBy(error)) return;
        _steps.Add(new RecordedStep(ToStep(call, call.Name.EndsWith('_') ? Out.Nothing : Out.NewName(Fresh(call.Name))), ModeOf(call), new Dictionary<string, Literal>()));
        Error = error;
    }

    private static string? ModeOf(MadeCall call) => call.Inference ? "inference_mode" : call.GradEnabled ? null : "no_grad";

    private void Note(string note)
    {
        if (!_notes.Contains(note)) _notes.Add(note);
    }

    private void MeetAll(IEnumerable<Tensor?>? tensors)
    {
        foreach (var tensor in tensors ?? [])
            if (tensor is not null) Meet(tensor);
    }

    /// <summary>Gives a name to a tensor that was not seen before: a gradient, another handle on known memory, or an input.</summary>
    private void Meet(Tensor tensor)
    {
        if (_names.ContainsKey(tensor)) return;
        if (_order.Find(item => ReferenceEquals(item.Tensor.Grad, tensor)).Name is { } owner)
        {
            NoteEarlierGradients();
            Insert("get_grad", owner, tensor, owner + "_grad");
            return;
        }

        if (!tensor.RequiresGrad && _order.Find(item => SameWindow(item.Tensor, tensor)).Name is { } same)
        {
            Insert("detach", same, tensor, same + "_detached");
            return;
        }

        if (_order.Exists(item => item.Tensor.SharesMemoryWith(tensor)))
            Note($"a view from before the recording shares memory with {_order.First(item => item.Tensor.SharesMemoryWith(tensor)).Name}: the program takes it for a tensor of its own");
        AddInput(Fresh(tensor.RequiresGrad ? "p" : "c"), tensor);
    }

    private void AddInput(string name, Tensor tensor, bool ofFunction = false)
    {
        if (tensor.GradFn is not null && !ofFunction) Note($"{name} was computed before the recording: it counts as a leaf");
        if (tensor.Grad is { } earlier) _earlierGradients[name] = earlier;
        _inputs.Add(new Input(name, Literals.ToLiteral(tensor), tensor.RequiresGrad));
        Remember(name, tensor);
        _gradients.Watch(name, tensor);
    }

    /// <summary>A gradient that is still there from before the recording is about to be read or added to.</summary>
    private void NoteEarlierGradients()
    {
        foreach (var (name, tensor) in _order)
            if (tensor.Grad is { } grad && _earlierGradients.GetValueOrDefault(name) == grad) Note($"{name} had a gradient before the recording: the program starts without");
    }

    private void Insert(string op, string of, Tensor tensor, string wanted)
    {
        var name = Fresh(wanted);
        _steps.Add(new RecordedStep(StepModule.call(op, ListModule.OfSeq([of]), FSharpList<Tuple<string, Attr>>.Empty, name), null, new Dictionary<string, Literal> { [name] = Literals.ToLiteral(tensor) }));
        Remember(name, tensor);
    }

    private void Remember(string name, Tensor tensor)
    {
        _names[tensor] = name;
        _order.Add((name, tensor));
    }

    private Out Bound(MadeCall call, IReadOnlyList<Tensor?> results)
    {
        var names = new List<string?>();
        foreach (var result in results)
        {
            if (result is null)
            {
                names.Add(null);
                continue;
            }

            if (!_names.ContainsKey(result)) Remember(Fresh(call.Name), result);
            names.Add(_names[result]);
        }

        // What grad gives is a list as well: a gradient for each of Wrt.
        return names is [{ } only] && call.Operator is not { GivesList: true } && call.Wrt is null
            ? Out.NewName(only)
            : Out.NewNames(ListModule.OfSeq(names.Select(Optional)));
    }

    /// <summary>A name that says what it is of: <c>mul_1</c>, <c>mul_2</c>, ...</summary>
    private string Fresh(string what)
    {
        var stem = string.Concat(what.Trim('_').Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_'));
        string name;
        do
        {
            _counts[stem] = _counts.GetValueOrDefault(stem) + 1;
            var number = _counts[stem].ToString(CultureInfo.InvariantCulture);
            name = stem is "p" or "c" ? stem + number : $"{stem}_{number}";
        }
        while (_order.Exists(item => item.Name == name));
        return name;
    }

    private Step ToStep(MadeCall call, Out bound)
    {
        var arguments = call.Call.Inputs.Select(ToArg).ToList();
        while (arguments.Count > 0 && arguments[^1].IsMissing) arguments.RemoveAt(arguments.Count - 1);
        return new Step(
            call.Name,
            ListModule.OfSeq(arguments),
            MapModule.OfSeq(call.Call.Attributes.Where(a => a.Value is not null || IsRequired(call.Name, a.Key)).Select(a => Tuple.Create(a.Key, ToAttr(a.Value)))),
            bound,
            call.Wrt is null ? null : FSharpOption<FSharpList<string>>.Some(ListModule.OfSeq(call.Wrt.Select(t => _names[t]))),
            call.Gradients is null
                ? null
                : FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.OfSeq(call.Gradients.Select(t => Optional(t is null ? null : _names[t])))),
            FSharpList<Step>.Empty);
    }

    private Arg ToArg(object? input) => input switch
    {
        Tensor tensor => Arg.NewName(_names[tensor]),
        IEnumerable<Tensor?> list => Arg.NewNames(ListModule.OfSeq(list.Select(t => Optional(t is null ? null : _names[t])))),
        _ => Arg.Missing,
    };

    // Null is as good as nothing, but where nothing is an error.
    private static bool IsRequired(string op, string attribute) =>
        RegistryModule.all.TryGetValue(op, out var known) && known.Attrs.Any(spec => spec.Required && spec.Name == attribute);

    private static Attr ToAttr(object? value) => value switch
    {
        bool flag => Attr.NewFlag(flag),
        long number => Attr.NewInteger(number),
        double number => Attr.NewFloat(number),
        string text => Attr.NewText(text),
        int[] list => Attr.NewItems(ListModule.OfSeq(list.Select(i => Attr.NewInteger(i)))),
        object?[] list => Attr.NewItems(ListModule.OfSeq(list.Select(ToAttr))),
        _ => Attr.Null,
    };

    private static FSharpOption<string>? Optional(string? name) => name is null ? null : FSharpOption<string>.Some(name);

    private static bool SameWindow(Tensor a, Tensor b) =>
        a.SharesMemoryWith(b) && a.DType == b.DType && a.StorageOffset == b.StorageOffset && a.Shape.SequenceEqual(b.Shape) && a.Strides.SequenceEqual(b.Strides);
}

/// <summary>One recorded step.</summary>
/// <param name="Step">The step as the program has it.</param>
/// <param name="Block">The block that it stands in, <c>no_grad</c> or <c>inference_mode</c>; null outside.</param>
/// <param name="Values">What it bound or changed, as it was after it.</param>
internal sealed record RecordedStep(Step Step, string? Block, IReadOnlyDictionary<string, Literal> Values);
