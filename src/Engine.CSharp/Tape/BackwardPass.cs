using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Verified.Engine;

/// <summary>
/// One pull back of gradients through a tape. Nodes run when all that they fed has run, later recorded ones first; gradients that meet are added in the order of
/// arrival. All state is the pass's own, so that several threads may pull one tape back at once. Nothing recurses: a tape may be a million nodes deep.
/// </summary>
internal sealed class BackwardPass
{
    private const int KeptEntries = 4096;

    [ThreadStatic]
    private static BackwardPass? idle;

    private readonly BackwardContext context = new();
    private readonly ReadyQueue ready = new();
    private Entry[] entries = new Entry[128];
    private int[] table = new int[256];
    private int count;
    private int[] stack = new int[64];
    private bool filtered;

    private BackwardPass()
    {
    }

    /// <summary>What the gradients are wanted for.</summary>
    public sealed class Request
    {
        /// <summary>Where the pass starts.</summary>
        public required Edge[] Roots { get; init; }

        /// <summary>The gradient of each root.</summary>
        public required Tensor[] Gradients { get; init; }

        /// <summary>Whether the caller gave any of these gradients.</summary>
        public bool AreGiven { get; init; }

        /// <summary>Where gradients are wanted; null for all leaves.</summary>
        public Edge[]? Targets { get; init; }

        /// <summary>Where the gradients of the targets are put; null where they are accumulated.</summary>
        public Tensor?[]? Captured { get; init; }

        /// <summary>Whether saved values are kept.</summary>
        public bool Keep { get; init; }

        /// <summary>Whether the derivative rules are recorded.</summary>
        public bool CreateGraph { get; init; }
    }

    private struct Entry
    {
        public Node Node;
        public Tensor? Gradient;
        public Tensor?[]? Gradients;
        public int Waiting;
        public bool Owned;
        public bool Needed;
        public bool IsTarget;
        public bool Queued;
    }

    /// <summary>Runs one pass. A hook or a custom function may start another one inside it, to any depth.</summary>
    public static void Run(Request request)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            RunOnFreshStack(request);
            return;
        }
        var pass = idle ?? new BackwardPass();
        idle = null;
        var before = GradMode.Current;
        try
        {
            GradMode.Current = request.CreateGraph ? (before & ~Modes.NoGrad) | Modes.Deriving : before | Modes.NoGrad;
            pass.Execute(request);
        }
        finally
        {
            GradMode.Current = before;
            pass.Clear();
            if (pass.entries.Length <= KeptEntries) idle = pass;
        }
    }

    private static void RunOnFreshStack(Request request)
    {
        ExceptionDispatchInfo? error = null;
        var thread = new Thread(() =>
        {
            try { Run(request); }
            catch (Exception e) { error = ExceptionDispatchInfo.Capture(e); }
        });
        thread.Start();
        thread.Join();
        error?.Throw();
    }

    private void Execute(Request request)
    {
        Discover(request.Roots);
        filtered = request.Targets is not null;
        if (filtered) MarkNeeded(request);
        var kept = request.AreGiven && !request.CreateGraph && request.Captured is null ? GradientsOfLeaves() : [];
        for (var i = 0; i < request.Roots.Length; i++)
        {
            var root = request.Roots[i];
            // A root that was given another shape in place, unrecorded, still has the shape that its node knows.
            Deliver(Find(root.Node!), root.Output, GradientShape.Fit(Apart(request.Gradients[i], kept), root.Node!.Form(root.Output), null, i), owned: false);
        }
        for (var i = 0; i < request.Roots.Length; i++)
        {
            // Every other root is reached from a later one, or is the same.
            var index = Find(request.Roots[i].Node!);
            if (entries[index].Waiting == 0 && !entries[index].Queued) Enqueue(index);
        }
        while (ready.TryPop(out var index))
        {
            if (GradMode.DetectsAnomalies) ProcessWatched(index, request);
            else Process(index, request);
        }
    }

    // A gradient that was given may be a leaf's own, which is added to in place while it is still under way elsewhere.
    private static Tensor Apart(Tensor gradient, List<Tensor> kept) => kept.Exists(grad => grad.SharesMemoryWith(gradient)) ? gradient.Clone() : gradient;

    private List<Tensor> GradientsOfLeaves()
    {
        var found = new List<Tensor>();
        for (var i = 0; i < count; i++)
            if (Accumulation.LeafOf(entries[i].Node)?.Grad is { } grad) found.Add(grad);
        return found;
    }

    private void ProcessWatched(int index, Request request)
    {
        var node = entries[index].Node;
        var before = Anomaly.Evaluate(node);
        try
        {
            Process(index, request);
        }
        catch (Exception error)
        {
            Anomaly.Explain(node, error);
            throw;
        }
        finally
        {
            Anomaly.Evaluate(before);
        }
    }

    private void Process(int index, Request request)
    {
        ref var entry = ref entries[index];
        var node = entry.Node;
        var outputs = node.OutputCount;
        var hooked = false;
        if (filtered)
        {
            // A target that is passed through gives its gradient before its hooks, one at which the pass ends after them: PyTorch's order.
            var isLeaf = entry.IsTarget && request.Captured is null && ReferenceEquals(node.Operator, Accumulation.Definition);
            hooked = !entry.Needed && !isLeaf;
            // PyTorch enters a single root whether or not its gradient leads anywhere; one of several only where it does.
            if (hooked && (entry.IsTarget || request.Roots.Length == 1)) RunHooks(ref entry, outputs);
            Capture(ref entry, request);
            // A node into whose result is accumulated runs, and lets go of what it saved, though nothing behind it is wanted.
            if (hooked && !(entry.IsTarget && request.Captured is null))
            {
                entry.Gradient = null;
                entry.Gradients = null;
                return;
            }
        }
        if (!hooked) RunHooks(ref entry, outputs);
        var hooks = HookTable.Of(node);
        var upstream = hooks is null ? null : RunNodeHooks(ref entry, outputs, hooks);
        if (Accumulation.LeafOf(node) is { } leaf)
        {
            if (entry.Gradient is { } arrived) Accumulation.Add(leaf, arrived, entry.Owned);
            entry.Gradient = null;
            if (upstream is not null) hooks!.RunAfter([], upstream);
            return;
        }

        context.Open(node);
        if (outputs == 1)
        {
            context.SetGradient(0, entry.Gradient);
        }
        else
        {
            for (var i = 0; i < outputs; i++) context.SetGradient(i, entry.Gradients?[i]);
        }
        // What a user's own rule was given or gave it may keep, and so may a hook.
        var free = !request.CreateGraph && upstream is null && !node.IsForeign;
        var lent = entry.Owned && outputs == 1 && free ? entry.Gradient : null;
        entry.Gradient = null;
        entry.Gradients = null;
        for (var i = 0; i < node.InputCount; i++)
        {
            var target = node.Input(i).Node;
            context.SetNeeds(i, target is not null && (!filtered || IsWanted(target)));
        }
        node.Saved?.Check(node);
        var mark = Storage.Mark;
        if (node.IsForeign)
        {
            using var user = GradMode.ForUser();
            node.Operator.Backward(context);
        }
        else
        {
            node.Operator.Backward(context);
        }
        if (!request.Keep) node.Saved?.End();
        if (upstream is not null || GradMode.ChecksNan) Inspect(node, hooks, upstream);
        var shared = lent is not null && IsShared(lent, node);
        Send(node, mark, free, shared ? lent : null);
        if (lent is not null && !shared) lent.Storage.Release();
    }

    /// <summary>Shows a node's results, in their final shapes, to its hooks and to the search for NaN.</summary>
    private void Inspect(Node node, NodeHooks? hooks, Tensor?[]? upstream)
    {
        var results = new Tensor?[node.InputCount];
        for (var i = 0; i < results.Length; i++)
        {
            if (context.Needs(i) && node.Input(i) is { Node: { } target } edge && context.Result(i) is { } result)
                results[i] = GradientShape.Fit(result, target.Form(edge.Output), node, i);
        }
        if (upstream is not null)
        {
            using var user = GradMode.ForUser();
            results = hooks!.RunAfter(results, upstream);
        }
        for (var i = 0; i < results.Length; i++) context.Set(i, results[i]);
        if (GradMode.ChecksNan) Anomaly.Check(node, context);
    }

    /// <summary>Passes a node's results on to the nodes of its inputs.</summary>
    private void Send(Node node, long mark, bool free, Tensor? lent)
    {
        for (var i = 0; i < node.InputCount; i++)
        {
            var edge = node.Input(i);
            if (edge.Node is null) continue;
            var index = Find(edge.Node);
            var gradient = context.Needs(i) ? context.Result(i) : null;
            if (gradient is not null)
            {
                gradient = GradientShape.Fit(gradient, edge.Node.Form(edge.Output), node, i);
                Deliver(index, edge.Output, gradient, free && IsExclusive(gradient, node, i, mark, lent));
            }
            if (--entries[index].Waiting == 0) Enqueue(index);
        }
    }

    /// <summary>
    /// Whether nobody but this pass can hold a result's memory: it was allocated inside the rule or is that of a gradient that was the pass's own, and no other result is the same memory.
    /// </summary>
    private bool IsExclusive(Tensor gradient, Node node, int input, long mark, Tensor? lent)
    {
        var isNew = gradient.Storage.Serial > mark && gradient.Storage.Serial <= Storage.Mark;
        if (!isNew && (lent is null || !gradient.SharesMemoryWith(lent))) return false;
        for (var i = 0; i < node.InputCount; i++)
            if (i != input && context.Result(i) is { } other && other.SharesMemoryWith(gradient)) return false;
        return true;
    }

    /// <summary>Whether a result of the rule is, or is a view of, the gradient that it was given.</summary>
    private bool IsShared(Tensor gradient, Node node)
    {
        for (var i = 0; i < node.InputCount; i++)
            if (context.Result(i) is { } result && result.SharesMemoryWith(gradient)) return true;
        return false;
    }

    private void Deliver(int index, int output, Tensor gradient, bool owned)
    {
        ref var entry = ref entries[index];
        if (entry.Node.OutputCount == 1)
        {
            (entry.Gradient, entry.Owned) = Add(entry.Gradient, entry.Owned, gradient, owned);
        }
        else
        {
            entry.Gradients ??= new Tensor?[entry.Node.OutputCount];
            entry.Gradients[output] = Add(entry.Gradients[output], false, gradient, owned).Sum;
        }
    }

    /// <summary>The first gradient is taken as it is; further ones are added into memory that is the pass's own, or else into a new tensor.</summary>
    private static (Tensor Sum, bool Owned) Add(Tensor? sum, bool sumOwned, Tensor gradient, bool owned)
    {
        if (sum is null) return (gradient, owned);
        if (GradMode.Records) return (sum + gradient, false);
        if (sumOwned && !ReferenceEquals(sum, gradient) && sum.IsContiguous)
        {
            Elementwise.AddInto(sum, gradient);
            if (owned) gradient.Storage.Release();
            return (Plain(sum), true);
        }
        // It lies as what arrived first.
        if (!owned || !gradient.IsContiguous || !sum.IsContiguous) return (sum + gradient, true);
        Elementwise.AddInto(gradient, sum);
        return (Plain(gradient), true);
    }

    /// <summary>A sum is no view, though it may lie where a view did.</summary>
    private static Tensor Plain(Tensor sum) => sum.ViewOf is null ? sum : sum.Alias(sum.Sizes, sum.Steps, sum.Offset);

    private static void RunHooks(ref Entry entry, int outputs)
    {
        if (HookTable.Of(entry.Node) is not { } hooks) return;
        using var user = GradMode.ForUser();
        if (outputs == 1)
        {
            if (entry.Gradient is null) return;
            entry.Gradient = hooks.Run(0, entry.Gradient);
            entry.Owned = false;
            return;
        }
        for (var i = 0; i < outputs; i++)
            if (entry.Gradients?[i] is { } gradient) entry.Gradients[i] = hooks.Run(i, gradient);
    }

    /// <summary>Runs a node's own hooks on all that arrived at it; returns that where another hook will want to see it.</summary>
    private static Tensor?[]? RunNodeHooks(ref Entry entry, int outputs, NodeHooks hooks)
    {
        using var user = GradMode.ForUser();
        var gradients = new Tensor?[outputs];
        for (var i = 0; i < outputs; i++) gradients[i] = outputs == 1 ? entry.Gradient : entry.Gradients?[i];
        gradients = hooks.RunBefore(gradients);
        entry.Owned = false;
        if (outputs == 1) entry.Gradient = gradients[0];
        else entry.Gradients = gradients;
        return hooks.HasAfter ? gradients : null;
    }

    private static void Capture(ref Entry entry, Request request)
    {
        if (request.Captured is null) return;
        for (var i = 0; i < request.Targets!.Length; i++)
        {
            var target = request.Targets[i];
            if (!ReferenceEquals(target.Node, entry.Node)) continue;
            request.Captured[i] = entry.Node.OutputCount == 1 ? entry.Gradient : entry.Gradients?[target.Output];
            entry.Owned = false;
        }
    }

    /// <summary>Finds all nodes below the roots and counts how many edges lead to each.</summary>
    private void Discover(Edge[] roots)
    {
        var depth = 0;
        foreach (var root in roots)
            if (Insert(root.Node!)) Push(ref depth, count - 1);
        while (depth > 0)
        {
            var node = entries[stack[--depth]].Node;
            for (var i = 0; i < node.InputCount; i++)
            {
                if (node.Input(i).Node is not { } next) continue;
                if (Insert(next)) Push(ref depth, count - 1);
                entries[Find(next)].Waiting++;
            }
        }
    }

    /// <summary>Marks the nodes that have to run because a target lies below them. Inputs are recorded before what uses them, so one sweep in that order is enough.</summary>
    private void MarkNeeded(Request request)
    {
        foreach (var target in request.Targets!)
        {
            if (target.Node is null) continue;
            var index = Find(target.Node);
            if (index >= 0) entries[index].IsTarget = true;
        }
        var order = new int[count];
        var keys = new long[count];
        for (var i = 0; i < count; i++)
        {
            order[i] = i;
            keys[i] = entries[i].Node.Sequence;
        }
        Array.Sort(keys, order);
        foreach (var index in order)
        {
            var node = entries[index].Node;
            for (var i = 0; i < node.InputCount && !entries[index].Needed; i++)
                if (node.Input(i).Node is { } next) entries[index].Needed = IsWanted(next);
        }
    }

    /// <summary>Whether a node's gradient is wanted, to be captured or to be passed on.</summary>
    private bool IsWanted(Node node)
    {
        ref var entry = ref entries[Find(node)];
        return entry.Needed || entry.IsTarget;
    }

    private void Enqueue(int index)
    {
        ref var entry = ref entries[index];
        entry.Queued = true;
        ready.Push(index, ReferenceEquals(entry.Node.Operator, Accumulation.Definition) ? long.MaxValue : entry.Node.Sequence);
    }

    private void Push(ref int depth, int index)
    {
        if (depth == stack.Length) Array.Resize(ref stack, 2 * depth);
        stack[depth++] = index;
    }

    /// <summary>The index of a node's entry, or -1. Sequence numbers are nearly dense, so they are their own hash.</summary>
    private int Find(Node node)
    {
        var mask = table.Length - 1;
        for (var slot = (int)node.Sequence & mask; ; slot = (slot + 1) & mask)
        {
            var index = table[slot] - 1;
            if (index < 0 || ReferenceEquals(entries[index].Node, node)) return index;
        }
    }

    /// <summary>Adds an entry for a node; false if it has one.</summary>
    private bool Insert(Node node)
    {
        if (Find(node) >= 0) return false;
        if (count == entries.Length) Array.Resize(ref entries, 2 * count);
        entries[count] = new Entry { Node = node };
        count++;
        if (2 * count > table.Length) Rehash();
        else Place(count - 1);
        return true;
    }

    private void Rehash()
    {
        table = new int[2 * table.Length];
        for (var i = 0; i < count; i++) Place(i);
    }

    private void Place(int index)
    {
        var mask = table.Length - 1;
        var slot = (int)entries[index].Node.Sequence & mask;
        while (table[slot] != 0) slot = (slot + 1) & mask;
        table[slot] = index + 1;
    }

    private void Clear()
    {
        Array.Clear(entries, 0, count);
        Array.Clear(table);
        ready.Clear();
        context.Close();
        count = 0;
        filtered = false;
    }
}
