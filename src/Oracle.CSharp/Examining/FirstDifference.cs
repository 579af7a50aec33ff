using Microsoft.FSharp.Collections;
using Verified.Oracle.Generation;
using Verified.Spec;
using Verified.Spec.Numbers;

namespace Verified.Oracle;

/// <summary>Where a failing program first goes wrong: the smallest prefix that fails when everything in it is observed.</summary>
/// <param name="Index">The index of the step at the top of the program.</param>
/// <param name="Step">The step.</param>
/// <param name="Finding">What differs after it; of a backward, the gradient nearest to the root.</param>
public sealed record FirstDifference(int Index, Step Step, Finding Finding)
{
    /// <summary>Looks for it; null where the failure is not seen in any prefix (an engine that answers differently each time).</summary>
    public static FirstDifference? Find(Examiner examiner, Program program)
    {
        ArgumentNullException.ThrowIfNull(examiner);
        ArgumentNullException.ThrowIfNull(program);
        for (var length = 1; length <= program.Steps.Length; length++)
        {
            var step = program.Steps[length - 1];
            var (prefix, _) = Run.prefix<Bounded>(RegistryModule.all, length, program);
            if (step.Op == "backward" && Intermediates(examiner, program, length) is { } nearest) return nearest;
            if (Failing(examiner.Examine("", prefix)) is { } finding) return new FirstDifference(length - 1, step, finding);
        }

        return null;
    }

    /// <summary>A backward with the gradients of all intermediates kept: the failing one that was made last lies nearest to the root.</summary>
    private static FirstDifference? Intermediates(Examiner examiner, Program program, int length)
    {
        var before = program.Steps.Take(length - 1).ToList();
        var (_, ran) = Run.prefix<Bounded>(RegistryModule.all, length - 1, program);
        var inner = Run.variables(ran.Last).Where(v => v.RequiresGrad && !v.IsLeaf).Select(v => v.Name).ToHashSet();
        // Those made last first: nearest to the root.
        var names = before.SelectMany(StepNames.Bound).Distinct().Where(inner.Contains).Reverse().ToList();
        if (names.Count == 0) return null;
        var steps = before.Concat(names.Select(name => Steps.Act("retain_grad", name))).Append(program.Steps[length - 1]);
        var observed = names.Select(Observed.NewGradient);
        var retained = new Program(program.Inputs, ListModule.OfSeq(steps), ListModule.OfSeq(observed));
        return Failing(examiner.Examine("", retained)) is { Name: not "raised" } finding
            ? new FirstDifference(length - 1, program.Steps[length - 1], finding)
            : null;
    }

    private static Finding? Failing(CaseResult result) => result.Judgement?.Findings.FirstOrDefault(f => f.Verdict is Verdict.Fail or Verdict.LessAccurate);
}
