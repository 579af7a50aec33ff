using System.Runtime.CompilerServices;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Verified.Engine;
using Verified.Oracle;
using Verified.Spec;
using Autograd = Verified.Engine.Autograd;
using ErrorKind = Verified.Engine.ErrorKind;
using Tensor = Verified.Engine.Tensor;

namespace Verified;

/// <content>The second catalogue: bugs in autograd's rules and in what an engine reports, rather than in an operator's derivative.</content>
public static partial class PlantedBugs
{
    /// <summary>Bugs in the rules: error paths, several orders, retained gradients, hooks, roots, reports, integers.</summary>
    public static IReadOnlyList<PlantedBug> Rules { get; } =
    [
        // Graphs of gradients.
        Restepped("create-graph-ignored", "grad under create_graph gives gradients without a history", "grad", original => (run, step, path) =>
            original(run, IsSet(step, "create_graph") ? step.With("create_graph", false).With("retain_graph", true) : step, path)),

        Restepped("third-order-cut", "grad under create_graph gives gradients without a history where an earlier one was already made so", "grad", original =>
        {
            var before = PerRun<StrongBox<bool>>();
            return (run, step, path) =>
            {
                original(run, IsSet(step, "create_graph") && before(run).Value ? step.With("create_graph", false).With("retain_graph", true) : step, path);
                before(run).Value |= IsSet(step, "create_graph");
            };
        }),

        Restepped("backward-creates-no-graph", "backward ignores create_graph", "backward", original => (run, step, path) =>
            original(run, IsSet(step, "create_graph") ? step.With("create_graph", false).With("retain_graph", true) : step, path)),

        // Graphs that are kept, and those that are not.
        Restepped("graph-never-freed", "a second backward through a graph that was not retained is no error", "backward", original => (run, step, path) =>
            original(run, step.With("retain_graph", true), path)),

        Restepped("retain-graph-ignored", "retain_graph does nothing", "backward", original => (run, step, path) =>
            original(run, IsSet(step, "create_graph") ? step : step.With("retain_graph", false), path)),

        // Errors.
        Replaced("leaf-written-to", "zero_ of a leaf that requires a gradient is no error", () =>
        {
            var zero = OperatorRegistry.Default.Operators["zero_"];
            return new CompositeOperator("zero_", call =>
            {
                if (call.Tensor(0) is not { IsLeaf: true, RequiresGrad: true }) return zero.Invoke(call);
                using (Autograd.NoGrad()) return zero.Invoke(call);
            });
        }),

        Rethrown("kind-of-a-missing-gradient", "a backward from several elements without a gradient is reported as one without a history", "backward", error =>
            error.Kind == ErrorKind.NonScalarBackward ? new AutogradException(ErrorKind.NoGradFn, error.Message) : error),

        Rethrown("text-without-versions", "the text of the error of a value modified in place names no versions", "backward", error =>
            error.Kind == ErrorKind.ModifiedInPlace ? new AutogradException(error.Kind, error.Message.Replace("is at version", "was modified", StringComparison.Ordinal)) : error),

        Restepped("gradients-lost-with-an-error", "a backward that raises clears the gradients of the leaves that earlier ones reached", "backward", original =>
        {
            var leaves = PerRun<HashSet<Tensor>>();
            return (run, step, path) =>
            {
                try
                {
                    foreach (var node in Tape.Nodes(run.Roots(step)))
                        if (Tape.LeafOf(node) is { } leaf) leaves(run).Add(leaf);
                    original(run, step, path);
                }
                catch (AutogradException)
                {
                    foreach (var leaf in leaves(run)) leaf.Grad = null;
                    throw;
                }
            };
        }),

        Restepped("unused-is-no-error", "grad with respect to what was not used gives null without allow_unused", "grad", original => (run, step, path) =>
            original(run, step.With("allow_unused", true), path)),

        Restepped("unused-is-zeros", "grad with respect to what was not used gives zeros in the place of null", "grad", original => (run, step, path) =>
        {
            original(run, step, path);
            foreach (var (name, wrt) in Names(step.Out).Zip(step.Wrt!.Value))
                if (name is not null && run.IsNull(name)) run.Bind(step.Giving(name), [Zeros(run.Tensor(wrt))]);
        }),

        // Where gradients come from and go to.
        Restepped("inputs-ignored", "backward accumulates into every leaf, whatever inputs= names", "backward", original => (run, step, path) =>
            original(run, new Step(step.Op, step.In, step.Attrs, step.Out, null, step.Gradients, step.Steps), path)),

        Restepped("first-root-only", "backward from several roots starts from the first alone", "backward", original => (run, step, path) =>
            original(run, new Step(step.Op, ListModule.Truncate(1, step.In), step.Attrs, step.Out, step.Wrt, FirstOf(step.Gradients), step.Steps), path)),

        Restepped("retain-grad-nothing", "retain_grad does nothing", "retain_grad", original => (run, step, path) =>
        {
            // Its error stays.
            if (!run.Only(step).RequiresGrad) original(run, step, path);
        }),

        Restepped("retained-overwritten", "a second backward replaces a retained gradient in the place of adding to it", "backward", original =>
            (run, step, path) =>
            {
                foreach (var variable in run.Variables.Where(v => v is { RequiresGrad: true, IsLeaf: false })) variable.Grad = null;
                original(run, step, path);
            }),

        Restepped("gradient-is-a-copy", "get_grad gives a copy, in which later gradients do not show", "get_grad", _ => (run, step, _) =>
            run.Bind(step, [run.Only(step).Grad?.Clone()])),

        // Hooks.
        Restepped("hook-ignored", "a hook changes nothing", "register_hook", original => (run, step, path) => original(run, step.With("scale", 1.0), path)),

        Restepped("hook-stays", "remove_hook does nothing", "remove_hook", _ => (_, _, _) => { }),

        // Flags and modes.
        Restepped("detach-in-place-nothing", "detach_ does nothing", "detach_", original => (run, step, path) =>
        {
            if (run.Only(step).IsView) original(run, step, path);
            else run.Bind(step, [run.Only(step)]);
        }),

        Restepped("flag-stays", "requires_grad_ changes nothing", "requires_grad_", _ => (run, step, _) => run.Bind(step, [run.Only(step)])),

        Restepped("data-shares-its-version", "a write to what data gives counts as one to the tensor", "data", _ => (run, step, _) => run.Bind(step, [run.Only(step).Detach()])),

        Restepped("no-grad-records", "no_grad records", "no_grad", _ => (run, step, path) => run.RunSteps(step.Steps, (List<int>)path)),

        Restepped("enable-grad-nothing", "enable_grad inside no_grad records nothing", "enable_grad", _ => (run, step, path) => run.RunSteps(step.Steps, (List<int>)path)),

        Restepped("inference-is-no-grad", "inference_mode is taken for no_grad", "inference_mode", _ => StructuralSteps.Default.Find("no_grad")!),

        // Integers and indices.
        Replaced("integers-divided-whole", "the quotient of integers is rounded down", () =>
        {
            var div = OperatorRegistry.Default.Operators["div"];
            Tensor Whole(OperatorCall call) => div.Invoke(call)[0] is var quotient
                && call.Inputs.OfType<Tensor>().All(t => t.DType is Engine.DType.Int64) && call.Inputs.Count > 1 ? quotient.Floor() : quotient;
            return new CompositeOperator("div", Whole) { Keywords = div.Keywords, HasInPlaceTwin = true, InPlace = call => div.InvokeInPlace(call)[0] };
        }),

        Replaced("negative-index", "a negative index reads the first element in the place of counting from the end", () =>
        {
            var index = OperatorRegistry.Default.Operators["index"];
            return new CompositeOperator("index", call => index.Invoke(new OperatorCall(
                [call.Inputs[0], call.Tensors(1).Select(i => i is { DType: Engine.DType.Int64 } ? i.Maximum(Zeros(i)) : i).ToArray()], call.Attributes)));
        }),

        // Reports.
        Unreported("versions-unreported", "versions are declared and not reported", report => new Report(report.Tensor, report.RequiresGrad, report.IsLeaf, null, report.GradFn)),

        Unreported("history-unreported", "grad_fn is declared and not reported", report => new Report(report.Tensor, report.RequiresGrad, report.IsLeaf, report.Version, null)),
    ];

    private static PlantedBug Rethrown(string name, string what, string step, Func<AutogradException, AutogradException> instead) =>
        Restepped(name, what, step, original => (run, each, path) =>
        {
            try
            {
                original(run, each, path);
            }
            catch (AutogradException e)
            {
                throw instead(e);
            }
        });

    private static PlantedBug Unreported(string name, string what, Func<Report, Report> reported) => new(name, what, () => new Reporting(reported));

    /// <summary>Something kept for the time of one run.</summary>
    private static Func<ProgramRun, T> PerRun<T>()
        where T : class, new()
    {
        var kept = new ConditionalWeakTable<ProgramRun, T>();
        return run => kept.GetValue(run, _ => new T());
    }

    private static bool IsSet(Step step, string attribute) => step.Attrs.TryGetValue(attribute, out var flag) && flag is Attr.Flag { Item: true };

    private static Step With(this Step step, string attribute, bool value) => step.With(attribute, Attr.NewFlag(value));

    private static Step With(this Step step, string attribute, double value) => step.With(attribute, Attr.NewFloat(value));

    private static Step With(this Step step, string attribute, Attr value) =>
        new(step.Op, step.In, step.Attrs.Add(attribute, value), step.Out, step.Wrt, step.Gradients, step.Steps);

    private static Step Giving(this Step step, string name) => new(step.Op, step.In, step.Attrs, Out.NewName(name), step.Wrt, step.Gradients, step.Steps);

    private static FSharpOption<FSharpList<FSharpOption<string>?>>? FirstOf(FSharpOption<FSharpList<FSharpOption<string>?>>? gradients) =>
        gradients is null ? null : FSharpOption<FSharpList<FSharpOption<string>?>>.Some(ListModule.Truncate(1, gradients.Value));

    private static Tensor Zeros(Tensor like) => Tensor.Zeros([.. like.Shape], like.DType);

    private static IEnumerable<string?> Names(Out results) => results switch
    {
        Out.Name { Item: var name } => [name],
        Out.Names { Item: var names } => names.Select(name => name?.Value),
        _ => [],
    };

    /// <summary>The engine behind an adapter that changes what it reports of a tensor.</summary>
    private sealed class Reporting(Func<Report, Report> reported) : IEngine
    {
        private readonly BuiltInEngine _engine = new();

        public EngineInfo Info => _engine.Info;

        public RunResult Run(Program program) => _engine.Run(program) is RunResult.Ran { Outcome: var outcome }
            ? new RunResult.Ran(new Outcome(ListModule.Map(FuncConvert.FromFunc((Tuple<string, FSharpOption<Report>?> value) => Changed(value)), outcome.Values), outcome.Raised))
            : _engine.Run(program);

        public void Dispose() => _engine.Dispose();

        private Tuple<string, FSharpOption<Report>?> Changed(Tuple<string, FSharpOption<Report>?> value) =>
            Tuple.Create(value.Item1, value.Item2 is null ? null : FSharpOption<Report>.Some(reported(value.Item2.Value)));
    }
}
