using Verified.Spec;

namespace Verified.Oracle.Generation;

/// <summary>What random programs hold, counted: the standard distribution is a statement about these figures.</summary>
public sealed class Distribution
{
    private static readonly HashSet<string> NoWrites = ["requires_grad_", "detach_"];

    private readonly List<int> _lengths = [];
    private int _backward;
    private int _inPlace;
    private int _large;
    private int _secondOrder;
    private int _heavy;
    private int _raised;
    private int _viewUsed;

    /// <summary>Programs counted.</summary>
    public int Programs => _lengths.Count;

    /// <summary>The fewest steps of a program, nested ones included.</summary>
    public int Shortest => _lengths.Min();

    /// <summary>The most steps of a program.</summary>
    public int Longest => _lengths.Max();

    /// <summary>The median number of steps.</summary>
    public int Median => _lengths.Order().ElementAt(_lengths.Count / 2);

    /// <summary>The most elements of any tensor.</summary>
    public int MaxElements { get; private set; }

    /// <summary>The share of programs that observe nothing.</summary>
    public int ObservingNothing { get; private set; }

    /// <summary>The share of programs with a <c>backward</c> or <c>grad</c>.</summary>
    public double Backward => Share(_backward);

    /// <summary>The share of programs with an in-place write.</summary>
    public double InPlace => Share(_inPlace);

    /// <summary>The share of programs with a tensor that is larger than ordinary ones.</summary>
    public double Large => Share(_large);

    /// <summary>The share of programs with a gradient under create_graph.</summary>
    public double SecondOrder => Share(_secondOrder);

    /// <summary>The share of programs with a product, a convolution or a reduction.</summary>
    public double Heavy => Share(_heavy);

    /// <summary>The share of programs that end in an error.</summary>
    public double Raised => Share(_raised);

    /// <summary>The share of programs with a view that a later step reads or writes to.</summary>
    public double ViewUsed => Share(_viewUsed);

    /// <summary>In how many programs each operator or step occurs.</summary>
    public SortedDictionary<string, int> Operators { get; } = new(StringComparer.Ordinal);

    /// <summary>In how many programs each of the <see cref="Generation.Forms"/> occurs.</summary>
    public SortedDictionary<string, int> Forms { get; } = new(StringComparer.Ordinal);

    /// <summary>Counts a program.</summary>
    public void Add(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var steps = Steps.All(program.Steps).ToList();
        _lengths.Add(steps.Count);
        if (program.Observe.IsEmpty) ObservingNothing++;
        if (steps.Any(step => step.Op is "backward" or "grad")) _backward++;
        if (steps.Any(IsWrite)) _inPlace++;
        if (UsesAView(steps)) _viewUsed++;
        if (steps.Any(step => Steps.IsSet(step, "create_graph"))) _secondOrder++;
        if (steps.Any(step => OperatorChoice.IsHeavy(step.Op.TrimEnd('_')))) _heavy++;
        foreach (var op in steps.Select(step => step.Op).Distinct()) Operators[op] = Operators.GetValueOrDefault(op) + 1;
        foreach (var form in Generation.Forms.In(program)) Forms[form] = Forms.GetValueOrDefault(form) + 1;

        var ran = Run.run<Spec.Numbers.Real>(RegistryModule.all, program);
        if (ran.Raised is not null) _raised++;
        var most = Run.variables(ran.Last).Select(variable => Shape.count(variable.Shape)).DefaultIfEmpty(0).Max();
        MaxElements = Math.Max(MaxElements, most);
        if (most > new GeneratorOptions().MaxElements) _large++;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{Programs} programs: {Shortest} to {Longest} steps, median {Median}; up to {MaxElements} elements, large {Large:P1}; backward {Backward:P1}, in place {InPlace:P1}, a view that is used {ViewUsed:P1}, ")
        + string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"second order {SecondOrder:P1}, products, convolutions or reductions {Heavy:P1}, ending in an error {Raised:P1}; {ObservingNothing} observe nothing");

    private static bool IsWrite(Step step) => step.Op.EndsWith('_') && !NoWrites.Contains(step.Op);

    private static bool UsesAView(IEnumerable<Step> steps)
    {
        var views = new HashSet<string>();
        foreach (var step in steps)
        {
            if (StepNames.Read(step).Any(views.Contains)) return true;
            if (RegistryModule.all.TryGetValue(step.Op, out var op) && op.Behaviour.IsAliases) views.UnionWith(StepNames.Bound(step));
        }

        return false;
    }

    private double Share(int count) => Programs == 0 ? 0 : (double)count / Programs;
}
