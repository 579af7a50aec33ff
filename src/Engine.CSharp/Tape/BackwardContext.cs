namespace Verified.Engine;

/// <summary>What a derivative rule sees: the node, the gradients of its outputs, its saved values; and where it puts the gradients of the inputs.</summary>
public sealed class BackwardContext
{
    private readonly Tensor?[] gradients = new Tensor?[1];
    private Tensor?[] many;
    private Tensor?[] results = new Tensor?[2];
    private bool[] needs = new bool[2];

    internal BackwardContext() => many = gradients;

    /// <summary>The node that is pulled back through.</summary>
    public Node Node { get; private set; } = null!;

    /// <summary>What the operator was given besides tensors.</summary>
    public Attributes Attributes => Node.Attributes ?? Attributes.None;

    /// <summary>The gradient of an output, or null where none arrived.</summary>
    public Tensor? Gradient(int output) => many[output];

    /// <summary>Whether the gradient of an input is wanted.</summary>
    public bool Needs(int input) => needs[input];

    /// <summary>An input, if the rule's <see cref="Saved"/> flags named it; with its history, so that the rule is itself differentiable.</summary>
    /// <exception cref="InvalidOperationException">The rule's flags do not name it.</exception>
    /// <exception cref="AutogradException">It was written to since, or an earlier backward released it.</exception>
    public Tensor Input(int index) =>
        Node.Saved?.Input(index, Node) ?? throw new InvalidOperationException($"the derivative of {Node.Operator.Name} reads input {index}, which it did not save");

    /// <summary>An input that may have been left out.</summary>
    public Tensor? InputOrNull(int index) => Node.Saved?.Input(index, Node);

    /// <summary>An output, if the rule's <see cref="Saved"/> flags named it.</summary>
    /// <exception cref="InvalidOperationException">The rule's flags do not name it.</exception>
    /// <exception cref="AutogradException">It was written to since, or an earlier backward released it.</exception>
    public Tensor Output(int index = 0) =>
        Node.Saved?.Output(index, Node) ?? throw new InvalidOperationException($"the derivative of {Node.Operator.Name} reads output {index}, which it did not save");

    /// <summary>The sizes of an input that requires a gradient.</summary>
    public int[] InputShape(int index) => UnrecordedShapes.Of(Node.Input(index), Node);

    /// <summary>The element type of an input that requires a gradient.</summary>
    public DType InputDType(int index)
    {
        var edge = Node.Input(index);
        return edge.Node!.Form(edge.Output).DType;
    }

    /// <summary>Gives the gradient of an input; null says that none flows there.</summary>
    public void Set(int input, Tensor? gradient) => results[input] = gradient;

    internal void Open(Node node)
    {
        Node = node;
        var outputs = node.OutputCount;
        many = outputs == 1 ? gradients : new Tensor?[outputs];
        if (results.Length < node.InputCount)
        {
            results = new Tensor?[node.InputCount];
            needs = new bool[node.InputCount];
        }
        Array.Clear(results);
    }

    /// <summary>Lets go of everything, so that an idle context keeps no tensor alive.</summary>
    internal void Close()
    {
        Node = null!;
        gradients[0] = null;
        many = gradients;
        Array.Clear(results);
    }

    internal void SetGradient(int output, Tensor? gradient) => many[output] = gradient;

    internal void SetNeeds(int input, bool needed) => needs[input] = needed;

    internal Tensor? Result(int input) => results[input];
}
