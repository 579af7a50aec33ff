using System.CommandLine;
using Microsoft.FSharp.Collections;
using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary><c>verify explain OP</c>: what the specification says of an operator, or of a rule of autograd.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("OP|RULE") { Description = "An operator by PyTorch's name, a rule of autograd as versions/detach-shares-the-counter, or rules for all rules; without it, all operators.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("explain", "Says what the specification knows of an operator: formula, arguments, kinks; or of a rule of autograd, with the program that shows it.") { name };
        command.SetAction(parsed => Run(parsed.GetValue(name)));
        return command;
    }

    private static int Run(string? name)
    {
        if (name is null)
            foreach (var each in RegistryModule.all.Values.Where(op => !op.Internal)) Console.WriteLine($"{each.Name,-40} {each.Formula}");
        else if (name == "rules") ExplainRule.WriteAll();
        else if (name.Contains('/', StringComparison.Ordinal)) ExplainRule.Write(name);
        else Write(name);
        return ExitCodes.Held;
    }

    private static void Write(string name)
    {
        if (StepForms.structuralNames.Contains(name))
            throw new CorpusException($"'{name}' is a step of the protocol (docs/protocol.md), not an operator; ./verify explain rules lists the rules that it follows");
        if (!RegistryModule.all.TryGetValue(name.TrimEnd('_'), out var op))
        {
            var like = string.Join(" or ", Likeness.Nearest(RegistryModule.all.Values.Where(each => !each.Internal).Select(each => each.Name), name));
            throw new CorpusException(
                $"the specification has no operator '{name}'{(like.Length > 0 ? $" (did you mean {like}?)" : "")}; ./verify explain lists them all, ./verify explain rules the rules of autograd");
        }
        var signature = new Signature(op);
        Console.WriteLine(signature.PyTorch());
        Console.WriteLine($"  {op.Formula}");
        Console.WriteLine(op.Args.IsEmpty ? "  tensors:    none" : "  tensors:");
        foreach (var (tensor, kind) in signature.Tensors().Zip(op.Args)) Console.WriteLine($"    {tensor + ":",-18} {Show(kind)}");
        if (!op.Attrs.IsEmpty) Console.WriteLine("  attributes:");
        foreach (var attr in op.Attrs) Console.WriteLine($"    {attr.Name + ":",-18} {Show(attr.Kind)}{(attr.Required ? ", required" : "")}");
        Console.WriteLine($"  result:     {(op.Behaviour.IsAliases ? "a view of the first tensor, or a copy where PyTorch copies" : "a new tensor")}{(op.InPlace ? $"; in place: {op.Name}_" : "")}");
        Console.WriteLine($"  node:       {op.Node.Invoke(new(op.Args.Length, MapModule.Empty<string, Attr>(), op.OnlyInPlace))}");
        Console.WriteLine($"  derivative: {(op.IsDifferentiable ? "yes" : "none: its results never require a gradient")}");
        if (op.Kinks is { } kinks) Console.WriteLine($"  kinks:      {kinks.Value}");
        Console.WriteLine($"  domain:     {op.Domain.ToString().ToLowerInvariant()}");
        foreach (var method in signature.CSharp()) Console.WriteLine($"  C#:         {method}");
    }

    private static string Show(ArgKind kind) => kind switch
    {
        ArgKind.List list => $"a list ({Show(list.Item)})",
        ArgKind.Optional optional => $"{Show(optional.Item)}, may be left out",
        { IsFloat: true } => "float tensor",
        { IsIndex: true } => "int64 tensor",
        { IsClasses: true } => "int64 tensor of classes, or float tensor of their probabilities",
        { IsMask: true } => "bool tensor",
        _ => "tensor",
    };

    private static string Show(AttrKind kind) => kind switch
    {
        { IsDim: true } => "a dimension",
        { IsDims: true } => "dimensions",
        { IsSize: true } => "a shape",
        { IsPermutation: true } => "a permutation of the dimensions",
        { IsFlag: true } => "true or false",
        { IsIndex: true } => "an index",
        { IsDType: true } => "a dtype",
        AttrKind.Choice choice => string.Join(" | ", choice.Item),
        AttrKind.Integer => "an integer",
        AttrKind.Number => "a number",
        _ => "a list of integers",
    };
}
