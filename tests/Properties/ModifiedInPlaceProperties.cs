using System.Text.RegularExpressions;
using FsCheck.Xunit;
using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Oracle.Generation;
using Verified.Oracle.Laws;
using Verified.Oracle.Shrinking;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>
/// A backward raises PyTorch's error exactly where a value that an operator has kept was written to: said by the record of the operator
/// alone, not by anybody's autograd.
/// </summary>
public sealed partial class ModifiedInPlaceProperties(ITestOutputHelper output)
{
    [Fact]
    public void A_backward_raises_exactly_where_a_kept_value_was_written_to()
    {
        var (raised, held) = (0, 0);
        var operators = new HashSet<string>();
        foreach (var op in RegistryModule.all.Values.Where(Examined))
        {
            var generator = new ProgramGenerator(RegistryModule.all, new GeneratorOptions
            {
                Operators = new HashSet<string> { op.Name },
                Features = new HashSet<string> { EngineFeatures.Attributes, EngineFeatures.Broadcasting },
                Backward = 1,
                SecondOrder = 0,
                InPlace = 0,
                Errors = 0,
                FloatTypes = [DType.Float32],
            });
            for (var i = 0; i < 12; i++)
            {
                var program = generator.Generate(Rng.CaseSeed(4001, i));
                if (program.Steps.FirstOrDefault(step => step.Op == op.Name && step.Out.IsName) is not { } call) continue;
                var names = StepNames.Read(call).ToList();
                if (names.Distinct().Count() != names.Count || names.Exists(name => program.Inputs.All(input => input.Name != name))) continue;
                for (var place = -1; place < names.Count; place++)
                {
                    if (Case(program, call, names, place) is not { } written) continue;
                    var (expected, text) = Check(op, call, written, place);
                    if (expected) raised++;
                    else held++;
                    operators.Add(op.Name);
                    Assert.True(text is null, $"{text}: {Show.Text(written)}");
                }
            }
        }

        output.WriteLine($"seed 4001: {operators.Count} operators, {raised} writes to kept values, {held} to others");
        Assert.True(operators.Count > 40 && raised > 100 && held > 100);
    }

    [Property(MaxTest = 50, Replay = "4002,1")]
    public void The_message_names_both_versions_whatever_the_number_of_writes(byte number)
    {
        var writes = number % 5;
        var steps = new List<Step> { Steps.Call("exp", ["x"], "y") };
        for (var i = 0; i < writes; i++) steps.Add(Steps.Act("mul_", "y").With("other", Attr.NewFloat(2)));
        steps.Add(Steps.Act("backward", "y").Gradients("g"));
        var ones = new Literal(DType.Float32, [2], Data.NewFloats([1, 1]));
        var program = new Program(
            ListModule.OfSeq([new Input("x", ones, true), new Input("g", ones, false)]), ListModule.OfSeq(steps), ListModule.OfSeq([Observed.NewGradient("x")]));
        var outcome = Assert.IsType<RunResult.Ran>(Sound.Engine.Run(program)).Outcome;
        if (writes == 0)
        {
            Assert.Null(outcome.Raised);
            return;
        }

        Assert.Equal(
            "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2]], which is output 0 of ExpBackward0, "
            + $"is at version {writes}; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
            + "with torch.autograd.set_detect_anomaly(True).",
            outcome.Raised!.Value.Message);
    }

    // Operators that compute one new tensor of floats, and have a derivative.
    private static bool Examined(Operator op) => !op.Internal && !op.OnlyInPlace && op.Behaviour.IsComputes && op.Derivative is not null && Sound.Engine.Info.Operators!.Contains(op.Name);

    /// <summary>The call on copies of its inputs, a write to one of these or (place -1) to the result, and a backward.</summary>
    private static Program? Case(Program program, Step call, List<string> names, int place)
    {
        var inputs = program.Inputs.Where(input => names.Contains(input.Name))
            .Select(input => new Input(input.Name, input.Tensor, input.Tensor.DType.IsFloat)).ToList();
        var steps = names.Select(name => Steps.Call("clone", [name], name + "_")).Append(call.Renamed(name => name + "_")).ToList();
        var result = ((Out.Name)call.Out).Item;
        steps.Add(Steps.Act("zero_", place < 0 ? result : names[place] + "_"));
        var before = new Program(ListModule.OfSeq(inputs), ListModule.OfSeq(steps), FSharpList<Observed>.Empty);
        var ran = Run.run<Real>(RegistryModule.all, before);
        if (ran.Raised is not null) return null;
        var root = Run.variables(ran.Last).First(v => v.Name == result);
        if (!root.RequiresGrad || !root.DType.IsFloat || Shape.count(root.Shape) == 0) return null;
        var ones = new Input("upstream", new Literal(root.DType, root.Shape, Data.NewFloats([.. Enumerable.Repeat(1.0, Shape.count(root.Shape))])), false);
        return before.WithInputs([.. inputs, ones])
            .WithSteps([.. steps, Steps.Act("backward", result).Gradients("upstream")])
            .WithObserve(inputs.Where(input => input.RequiresGrad).Select(input => Observed.NewGradient(input.Name)));
    }

    private static (bool Expected, string? Complaint) Check(Operator op, Step call, Program program, int place)
    {
        var names = StepNames.Read(call).ToList();
        var floats = call.In.SelectMany(Spliced).Select(name => name is not null && program.Inputs.First(i => i.Name == name).RequiresGrad).ToArray();
        var kept = op.Saves.Invoke(Microsoft.FSharp.Core.FuncConvert.FromFunc<int, bool>(i => i < floats.Length && floats[i])).Invoke(call.Attrs).ToList();
        var spliced = call.In.SelectMany(Spliced).ToList();
        var expected = kept.Exists(saving => saving switch
        {
            Saving.Input input => place >= 0 && input.Item < spliced.Count && spliced[input.Item] == names[place],
            Saving.Output { Item: 0 } => place < 0,
            { IsIndices: true } => place >= 0 && !floats[spliced.IndexOf(names[place])],
            _ => false,
        });
        if (Sound.Engine.Run(program) is not RunResult.Ran { Outcome: var outcome }) return (expected, "the engine gives no outcome");
        var raised = outcome.Raised?.Value;
        if (!expected) return (false, raised is null ? null : $"{raised.Kind.Name} was raised, but nothing that was kept was written to ({raised.Message})");
        if (raised is null) return (true, "nothing was raised, but a kept value was written to");
        return (true, raised.Kind.IsModifiedInPlace && raised.Step.SequenceEqual([program.Steps.Length - 1]) && PyTorchsText().IsMatch(raised.Message) ? null : $"the message is \"{raised.Message}\"");
    }

    private static IEnumerable<string?> Spliced(Arg arg) => arg switch
    {
        Arg.Name name => [name.Item],
        Arg.Names list => list.Item.Select(item => item?.Value),
        _ => [null],
    };

    [GeneratedRegex(@"^one of the variables needed for gradient computation has been modified by an inplace operation: \[(torch\.\w+Tensor|CPU\w+Type) \[[\d, ]*\]\](, which is output \d+ of \w+,)? is at version 1; expected version 0 instead\. Hint: ")]
    private static partial Regex PyTorchsText();
}
