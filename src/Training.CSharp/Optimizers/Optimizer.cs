using Verified.Engine;

namespace Verified.Training;

/// <summary>
/// Changes parameters by their gradients, as <c>torch.optim.Optimizer</c>. A step is one pass over each parameter and its state, in place; once every
/// parameter has had a gradient it allocates nothing.
/// </summary>
public abstract class Optimizer : IStateful
{
    private readonly List<ParamGroup> groups = [];
    private readonly HashSet<Tensor> known = new(ReferenceEqualityComparer.Instance);
    private readonly StateDict defaults;

    private protected Optimizer(IEnumerable<ParamGroup> groups, StateDict defaults)
    {
        ArgumentNullException.ThrowIfNull(groups);
        this.defaults = defaults;
        foreach (var group in groups) AddParamGroup(group);
        if (this.groups.Count == 0) throw new ArgumentException("optimizer got an empty parameter list");
    }

    /// <summary>The groups of parameters, whose options may be changed between steps.</summary>
    public IReadOnlyList<ParamGroup> ParamGroups => groups;

    /// <summary>All parameters, in the order of their numbers in state dictionaries.</summary>
    public IEnumerable<Tensor> Parameters => groups.SelectMany(g => g.Parameters);

    /// <summary>Adds parameters, such as those of layers that were frozen before.</summary>
    /// <exception cref="ArgumentException">A parameter is there already or is no leaf, or an option is unknown or out of range.</exception>
    public void AddParamGroup(ParamGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        if (group.Parameters.Count == 0) throw new ArgumentException("optimizer got an empty parameter list");
        foreach (var p in group.Parameters)
        {
            if (!p.IsLeaf) throw new ArgumentException("can't optimize a non-leaf Tensor");
            if (!p.DType.IsFloat()) throw new ArgumentException($"can't optimize a tensor of type {p.DType.Name()}");
        }
        foreach (var name in group.Options)
        {
            if (!defaults.ContainsKey(name) && name != "initial_lr")
                throw new ArgumentException($"{GetType().Name} has no option '{name}'; it has {string.Join(", ", defaults.Keys)}");
        }
        if (group.Parameters.Distinct(ReferenceEqualityComparer.Instance).Count() < group.Parameters.Count || group.Parameters.Any(known.Contains))
            throw new ArgumentException("some parameters appear in more than one parameter group");
        group.FillIn(defaults);
        Check(group);
        known.UnionWith(group.Parameters);
        groups.Add(group);
        Extend(known.Count);
    }

    /// <summary>Forgets all gradients or, with <paramref name="setToNone"/> false, fills them with zeros in place.</summary>
    public void ZeroGrad(bool setToNone = true)
    {
        foreach (var group in groups)
            for (var i = 0; i < group.Parameters.Count; i++) group.Parameters[i].ZeroGrad(setToNone);
    }

    /// <summary>Changes every parameter that has a gradient.</summary>
    public void Step()
    {
        var number = 0;
        foreach (var group in groups)
        {
            Begin(group);
            for (var i = 0; i < group.Parameters.Count; i++, number++)
                if (group.Parameters[i].Grad is { } gradient) Update(number, group.Parameters[i], gradient);
        }
    }

    /// <summary>Computes the loss by a function that also calls <c>Backward</c>, changes the parameters, and returns the loss.</summary>
    public Tensor Step(Func<Tensor> closure)
    {
        ArgumentNullException.ThrowIfNull(closure);
        Tensor loss;
        using (Autograd.EnableGrad()) loss = closure();
        Step();
        return loss;
    }

    /// <summary>
    /// PyTorch's structure: <c>state</c> by the parameters' numbers, <c>param_groups</c> with their options and numbers. The tensors are the live ones.
    /// </summary>
    public StateDict StateDict()
    {
        var state = new StateDict();
        var packedGroups = new List<object?>();
        var number = 0;
        foreach (var group in groups)
        {
            var numbers = new List<object?>();
            foreach (var _ in group.Parameters)
            {
                if (StateOf(number) is { Count: > 0 } own) state.Add((long)number, own);
                numbers.Add((long)number++);
            }
            var packed = group.Pack();
            packed.Add("params", numbers);
            packedGroups.Add(packed);
        }
        return new StateDict { ["state"] = state, ["param_groups"] = packedGroups };
    }

    /// <summary>Goes back to a state, of this library or of PyTorch; tensors are copied.</summary>
    /// <exception cref="StateDictException">The groups or their parameters do not fit; nothing was changed.</exception>
    public void LoadStateDict(StateDict state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var saved = state.List("param_groups").Select(g => g as StateDict ?? throw new StateDictException("'param_groups' of the state is no list of dictionaries")).ToArray();
        if (saved.Length != groups.Count) throw new StateDictException("loaded state dict has a different number of parameter groups");
        var keys = new List<object>();
        for (var i = 0; i < saved.Length; i++)
        {
            var numbers = saved[i].List("params");
            if (numbers.Count != groups[i].Parameters.Count)
                throw new StateDictException("loaded state dict contains a parameter group that doesn't match the size of optimizer's group");
            keys.AddRange(numbers.Select(n => n ?? throw new StateDictException("'params' of the state is no list of numbers")));
        }
        var states = state.Dictionary("state");
        var parameters = Parameters.ToArray();
        // All is read, and may fail, before anything is changed.
        var loads = new Action[parameters.Length];
        for (var i = 0; i < parameters.Length; i++) loads[i] = Reader(i, parameters[i], states.ContainsKey(keys[i]) ? states.Dictionary(keys[i]) : []);
        for (var i = 0; i < saved.Length; i++)
        {
            var trial = new ParamGroup(groups[i].Parameters);
            trial.Unpack(saved[i]);
            trial.FillIn(defaults);
            try
            {
                Check(trial);
                Begin(trial);
            }
            catch (ArgumentException e)
            {
                throw new StateDictException(e.Message);
            }
        }
        for (var i = 0; i < saved.Length; i++) groups[i].Unpack(saved[i]);
        foreach (var load in loads) load();
    }

    /// <summary>Refuses options that are out of range.</summary>
    private protected abstract void Check(ParamGroup group);

    /// <summary>Reads a group's options before its parameters are changed.</summary>
    private protected abstract void Begin(ParamGroup group);

    /// <summary>Changes one parameter.</summary>
    private protected abstract void Update(int number, Tensor parameter, Tensor gradient);

    /// <summary>Makes room for the state of so many parameters.</summary>
    private protected abstract void Extend(int count);

    /// <summary>What is known of a parameter, under PyTorch's names; null or empty where it has had no gradient.</summary>
    private protected abstract StateDict? StateOf(int number);

    /// <summary>Reads what a state dictionary knows of a parameter, and gives what puts it in place.</summary>
    private protected abstract Action Reader(int number, Tensor parameter, StateDict state);

    /// <summary>A tensor of a state dictionary for a parameter: its shape is checked, its type made the parameter's, its memory a copy.</summary>
    private protected static Tensor Read(StateDict state, string name, Tensor parameter)
    {
        var saved = state.Tensor(name);
        if (!saved.Shape.SequenceEqual(parameter.Shape))
            throw new StateDictException($"'{name}' of the state has shape {ShapeText.Of(saved)}, its parameter {ShapeText.Of(parameter)}");
        var copy = Tensor.Zeros(parameter.Shape.ToArray(), parameter.DType);
        copy.CopyInPlace(saved.Detach());
        return copy;
    }

    /// <summary>Refuses a number below zero.</summary>
    private protected static void NotNegative(double value, string what)
    {
        if (!(value >= 0)) throw new ArgumentException($"Invalid {what}: {PythonText.Of(value)}");
    }
}
