using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Testing;

/// <summary>One row of the examination: a name, and what its random programs are made of.</summary>
internal sealed record ExaminationRow(string Name, GeneratorOptions Generator, string? Operator)
{
    // Rules are examined on arithmetic that nearly every engine has, so that a wrong operator fails its own row and not every other.
    private static readonly string[] Plain = ["add", "sub", "mul", "neg", "div", "sum", "mean", "exp", "sigmoid", "tanh", "relu", "zero", "fill", "copy"];

    // How operators may be called, in every row.
    private static readonly string[] OfCalls = [EngineFeatures.Attributes, EngineFeatures.Broadcasting];

    /// <summary>The row of an operator: programs of that operator alone, with backward, and in place where the engine has that.</summary>
    public static ExaminationRow OfOperator(EngineInfo engine, string op)
    {
        var known = RegistryModule.all[op];
        return new ExaminationRow(op, Examination.For(engine, [op]) with { Backward = known.IsDifferentiable ? 0.8 : 0, Heavy = 1, Errors = 0, MaxSteps = 6 }, op);
    }

    /// <summary>The rows of an engine's rules: those for which it has the features.</summary>
    public static IReadOnlyList<ExaminationRow> Rules(EngineInfo engine)
    {
        var standard = Examination.For(engine);
        var plain = standard.Operators is { } own ? Plain.Where(own.Contains).ToHashSet() : [.. Plain];
        var views = RegistryModule.all.Values.Where(op => op.Behaviour.IsAliases && !op.Internal).Select(op => op.Name);
        var joined = plain.Concat(views.Where(name => standard.Operators?.Contains(name) ?? true)).ToHashSet();
        var rows = new List<ExaminationRow>();
        void Add(string name, IEnumerable<string> wants, IReadOnlySet<string> operators, Func<GeneratorOptions, GeneratorOptions> options)
        {
            var features = wants.ToHashSet();
            if (!features.All(engine.Features.Contains)) return;
            features.UnionWith(OfCalls.Where(engine.Features.Contains));
            // What reports say beside values is compared by the judge wherever the engine declares it; here only steps are chosen.
            rows.Add(new ExaminationRow(name, options(standard with { Operators = operators, Features = features, Errors = 0, InPlace = 0, SecondOrder = 0 }), null));
        }

        Add("forward", [], plain, o => o with { Backward = 0 });
        Add("backward", [], plain, o => o with { Backward = 1 });
        Add("accumulation", ["accumulate"], plain, o => o with { Backward = 1 });
        Add("several backwards through one graph", ["accumulate", "retain_graph"], plain, o => o with { Backward = 1 });
        Add("views", ["views"], joined, o => o with { Backward = 0.8 });
        Add("detach", ["detach"], plain, o => o with { Backward = 0.8 });
        Add("no_grad", ["no_grad"], plain, o => o with { Backward = 0.8 });
        Add("hooks", ["hooks", "accumulate"], plain, o => o with { Backward = 1 });
        Add("in place", ["in_place"], plain, o => o with { InPlace = 1, Backward = 0.7 });
        Add("in place through views", ["in_place", "views"], joined, o => o with { InPlace = 1, Backward = 0.7 });
        Add("in place and errors of versions", ["in_place", "views", "detach", "errors"], joined, o => o with { InPlace = 1, Backward = 1, Errors = 0.7 });
        Add("errors", ["errors"], plain, o => o with { Backward = 0.8, Errors = 1 });
        Add("second order", ["create_graph"], plain, o => o with { Backward = 1, SecondOrder = 1 });
        rows.Add(new ExaminationRow("everything together", standard, null));
        return rows;
    }

    /// <summary>The row's programs, by seed: those that hold the row's operator.</summary>
    public IEnumerable<Json.Case> Programs(ulong seed, int count)
    {
        var generator = new ProgramGenerator(RegistryModule.all, Generator);
        // An operator that needs what is rarely proposed is not in every program: some more are drawn, not endlessly many.
        for (long i = 0, found = 0; found < count && i < 4L * count; i++)
        {
            var item = Program(generator, Rng.CaseSeed(seed, i));
            if (item.Program.Steps.IsEmpty || Operator is not null && !Holds(item.Program.Steps, Operator)) continue;
            found++;
            yield return item;
        }
    }

    /// <summary>One program again.</summary>
    public Json.Case Program(ulong seed) => Program(new ProgramGenerator(RegistryModule.all, Generator), seed);

    private Json.Case Program(ProgramGenerator generator, ulong seed) =>
        new($"{Name}/{new ReplayToken(seed, null)}", generator.Generate(seed), null, null);

    private static bool Holds(IEnumerable<Step> steps, string op) => steps.Any(step => step.Op.TrimEnd('_') == op || Holds(step.Steps, op));
}
