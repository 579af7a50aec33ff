using System.Reflection;
using Verified.Oracle;
using Verified.Spec;
using Xunit.Sdk;

namespace Verified.Testing;

/// <summary>The rows of an examination's theories, read off what the engine of the subclass declares.</summary>
internal abstract class RowsAttribute : DataAttribute
{
    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        var type = testMethod.ReflectedType ?? testMethod.DeclaringType!;
        if (type.IsAbstract || Activator.CreateInstance(type) is not EngineExamination examination)
            throw new InvalidOperationException($"{type} wants to be a class with a constructor without arguments that derives from {nameof(EngineExamination)}");
        return Rows(examination).Select(row => new object[] { row });
    }

    /// <summary>The rows' names.</summary>
    protected abstract IEnumerable<string> Rows(EngineExamination examination);
}

/// <summary>A row for each operator that the engine has.</summary>
internal sealed class OperatorRowsAttribute : RowsAttribute
{
    /// <inheritdoc/>
    protected override IEnumerable<string> Rows(EngineExamination examination)
    {
        var engine = examination.Engine;
        var known = RegistryModule.all.Values.Where(op => !op.Internal).Select(op => op.Name).Order(StringComparer.Ordinal);
        return engine.Info.Operators is { } own
            ? known.Where(name => own.Contains(name) || own.Contains(name + "_"))
            : known.Where(name => Supports(engine, ExaminationRow.OfOperator(engine.Info, name)));
    }

    // An engine that names no operators says program by program what it lacks: it is asked. Where it throws, the row will say so.
    private static bool Supports(IEngine engine, ExaminationRow row) =>
        new Examiner(engine).Examine(row.Programs(1, 4)).Any(result => result.Result is not RunResult.Unsupported);
}

/// <summary>A row for each group of rules for which the engine has the features.</summary>
internal sealed class RuleRowsAttribute : RowsAttribute
{
    /// <inheritdoc/>
    protected override IEnumerable<string> Rows(EngineExamination examination) => ExaminationRow.Rules(examination.Engine.Info).Select(row => row.Name);
}

/// <summary>A row for each corpus that the options name.</summary>
internal sealed class CorpusRowsAttribute : RowsAttribute
{
    /// <inheritdoc/>
    protected override IEnumerable<string> Rows(EngineExamination examination) => examination.Corpora;
}
