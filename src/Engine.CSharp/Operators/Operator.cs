using System.Runtime.CompilerServices;

namespace Verified.Engine;

/// <summary>Which of its inputs and outputs a derivative rule reads. They are saved only if the input that the rule belongs to requires a gradient, as PyTorch does it.</summary>
[Flags]
public enum Saved
{
    /// <summary>The rule reads only the gradient that arrives.</summary>
    None = 0,

    /// <summary>The first tensor argument.</summary>
    Input0 = 1,

    /// <summary>The second tensor argument.</summary>
    Input1 = 2,

    /// <summary>The third tensor argument.</summary>
    Input2 = 4,

    /// <summary>The fourth tensor argument.</summary>
    Input3 = 8,

    /// <summary>The first result.</summary>
    Output = 256,

    /// <summary>The second result.</summary>
    Output1 = 512,

    /// <summary>The third result.</summary>
    Output2 = 1024,
}

/// <summary>The derivative with respect to one input: from the gradient of the (first) output to that of the input, of recorded operators.</summary>
/// <param name="Saves">What it reads besides the gradient.</param>
/// <param name="Derivative">
/// The rule. Its result is summed and cast to the input's shape and type by the engine. Null means that the input has no derivative. The gradient is lent to the rule, which may
/// return it or views of it but must keep neither it nor what it returns: memory that nobody else should hold is used again. A derivative that keeps something is a <see cref="Function"/>.
/// </param>
public sealed record Rule(Saved Saves, Func<Tensor, BackwardContext, Tensor?>? Derivative)
{
    /// <summary>For inputs without a derivative, such as indices and masks.</summary>
    public static readonly Rule NotDifferentiable = new(Saved.None, null);

    /// <summary>A rule that reads nothing but the gradient.</summary>
    public Rule(Func<Tensor, Tensor?> derivative)
        : this(Saved.None, (g, _) => derivative(g))
    {
        ArgumentNullException.ThrowIfNull(derivative);
    }

    /// <summary>What more than one of the rules reads: as in PyTorch it is kept whichever gradient gets any further.</summary>
    internal static Saved Shared(IEnumerable<Rule> rules)
    {
        Saved once = Saved.None, more = Saved.None;
        foreach (var rule in rules)
        {
            more |= once & rule.Saves;
            once |= rule.Saves;
        }
        return more;
    }
}

/// <summary>One operator: PyTorch's name, what it computes, what it saves and how it is pulled back. A value of the registry; replacing it there replaces it for registry calls.</summary>
public abstract class Operator
{
    private protected Operator(string name, string? nodeName)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
        NodeName = nodeName ?? DefaultNodeName(name);
    }

    /// <summary>PyTorch's name, without an underscore at its end.</summary>
    public string Name { get; }

    /// <summary>PyTorch's name of the node that it records, such as <c>MulBackward0</c>.</summary>
    public string NodeName { get; }

    /// <summary>Whether the result is a list, however many tensors are in it.</summary>
    public bool GivesList { get; init; }

    /// <summary>
    /// The inputs in the order in which PyTorch looks whether what was kept of them was written to since, and makes their gradients, which is that of its names for them:
    /// <c>other</c> comes before <c>self</c>. Empty: as they stand.
    /// </summary>
    internal int[] KeptOrder { get; init; } = [];

    /// <summary>PyTorch's keywords for what is not a tensor; others are refused.</summary>
    public IReadOnlyList<string> Keywords { get; init; } = [];

    /// <summary>Whether there is a twin that writes into the first argument, <c>NAME_</c> in PyTorch.</summary>
    public bool HasInPlaceTwin { get; init; }

    /// <summary>PyTorch's node name where it depends on the attributes, as for <c>sum</c> with and without dimensions, or for a number in the place of a tensor.</summary>
    public Func<Attributes, string>? Variant { get; init; }

    /// <summary>Whether the derivative is a user's code, which may keep what it is given and what it returns.</summary>
    internal virtual bool IsForeign => false;

    /// <summary>The keywords under which a program writes a number that stands in the place of an input, by the input's index; null where it writes a tensor.</summary>
    public IReadOnlyList<string?> NumberKeywords { get; init; } = [];

    /// <summary>How a program writes a call, where not under the operator's own name and attributes (<c>_to_copy</c> is <c>to</c>).</summary>
    public Func<OperatorCall, (string Name, OperatorCall Call)>? Written { get; init; }

    /// <summary>Applies the operator to PyTorch's arguments.</summary>
    /// <returns>The results; one for most operators.</returns>
    public abstract Tensor[] Invoke(OperatorCall call);

    /// <summary>Applies the operator's in-place twin to PyTorch's arguments, the first of which is written to.</summary>
    /// <exception cref="AutogradException">There is no such twin, or what the operator raises.</exception>
    public virtual Tensor[] InvokeInPlace(OperatorCall call) =>
        throw new AutogradException(ErrorKind.Unsupported, $"{Name} has no in-place twin");

    /// <summary>PyTorch's name of one of the operator's nodes.</summary>
    internal string NameOf(Node node) => Variant is null ? NodeName : Variant(node.Attributes ?? Attributes.None);

    /// <summary>Pulls gradients back through one of the operator's nodes.</summary>
    internal virtual void Backward(BackwardContext context) =>
        throw new InvalidOperationException($"{Name} is made of other operators and records no node of its own");

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The inputs as a program's arguments: the inverse of how arguments become inputs.</summary>
    private protected virtual IReadOnlyList<object?> ToArguments(Tensor?[] inputs) => inputs;

    /// <summary>The number of results that the caller of the operator sees.</summary>
    private protected virtual int VisibleResults => int.MaxValue;

    /// <summary>Applies the operator where somebody listens (see <see cref="Calls"/>).</summary>
    private protected Tensor[] Heard(bool inPlace, Tensor?[] inputs, Attributes? attributes, Func<Tensor[]> make)
    {
        var given = attributes ?? Attributes.None;
        var tensors = new List<Tensor?>();
        for (var i = 0; i < inputs.Length; i++)
        {
            var keyword = i < NumberKeywords.Count ? NumberKeywords[i] : null;
            if (inputs[i] is not { IsWrappedNumber: true } number)
            {
                tensors.Add(inputs[i]);
                continue;
            }
            if (keyword is not null && !given.Has(keyword))
                given = Attributes.From(given.Append(new(keyword, number.AsAttribute())));
            if (keyword is null) tensors.Add(Tensor.StandIn(number, inputs));
            // A number for the first operand lets the tensors move up; any other leaves its place empty.
            else if (keyword != "self") tensors.Add(null);
        }
        var written = new OperatorCall(ToArguments([.. tensors]), given);
        var (name, call) = Written is null ? (Name, written) : Written(written);
        if (inPlace && !name.EndsWith('_')) name += "_";
        return Calls.Run(new MadeCall(name, call) { Operator = this, Visible = VisibleResults }, make);
    }

    /// <summary>Refuses a call in which one of the tensors that have to be there is null, under the name that stands in the caller's list of them.</summary>
    private protected void CheckGiven(Tensor?[] inputs, int count, string? written)
    {
        for (var i = 0; i < count && i < inputs.Length; i++)
        {
            if (inputs[i] is not null) continue;
            var names = written is ['[', .. var list, ']'] ? list.Split(", ") : [];
            throw new ArgumentNullException(i < names.Length ? names[i] : nameof(inputs), $"{Name} needs a tensor for its argument {i}");
        }
    }

    /// <summary>That a call has no more tensors than an operator takes, which would go unread, or be taken for more of the same.</summary>
    private protected static void CheckCount(Operator op, OperatorCall call, int most)
    {
        if (call.Inputs.Count > most) throw new AutogradException(ErrorKind.Value, $"{op.Name}() takes {most} tensors but got {call.Inputs.Count}");
    }

    private protected static void CheckKeywords(Operator op, Attributes attributes)
    {
        foreach (var (name, _) in attributes)
        {
            if (!op.Keywords.Contains(name))
                throw new AutogradException(ErrorKind.Value, $"{op.Name}() got an unexpected keyword argument '{name}'");
        }
    }

    /// <summary>Refuses a number in the place of a tensor that is there; behind a number for the first one the tensors move up.</summary>
    private protected void CheckNumbers(OperatorCall call)
    {
        var given = NumberKeywords.Where(name => name is not null && call.Attributes[name] is not null).ToList();
        for (var i = 0; i < NumberKeywords.Count; i++)
        {
            if (NumberKeywords[i] is not { } name || !given.Contains(name)) continue;
            var isTaken = name == "self" ? given.Count + call.Inputs.Count(input => input is not null) > NumberKeywords.Count : call.Inputs.Count > i && call.Inputs[i] is not null;
            if (isTaken) throw new AutogradException(ErrorKind.Value, $"'{name}' is given both as a tensor and as a number");
        }
    }

    private static string DefaultNodeName(string name) =>
        string.Concat(name.TrimEnd('_').Split('_', '.').Select(part => part.Length == 0 ? "" : char.ToUpperInvariant(part[0]) + part[1..])) + "Backward0";
}
