using System.CommandLine;
using Verified.Oracle;
using Verified.Spec;

namespace Verified.Cli;

/// <summary><c>verify explain OP</c>: what the specification says of an operator.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("OP") { Description = "PyTorch's name; without it, all names.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("explain", "Says what the specification knows of an operator: formula, arguments, what it saves, its kinks.") { name };
        command.SetAction(parsed => Run(parsed.GetValue(name)));
        return command;
    }

    private static int Run(string? name)
    {
        if (name is null)
        {
            foreach (var each in RegistryModule.all.Values.Where(op => !op.Internal)) Console.WriteLine($"{each.Name,-40} {each.Formula}");
            return ExitCodes.Held;
        }

        if (!RegistryModule.all.TryGetValue(name.TrimEnd('_'), out var op))
            throw new CorpusException($"the specification has no operator '{name}'; ./verify explain lists them all");
        Console.WriteLine(op.OnlyInPlace ? op.Name + "_" : op.Name);
        Console.WriteLine($"  {op.Formula}");
        Console.WriteLine($"  tensors:    {(op.Args.IsEmpty ? "none" : string.Join(", ", op.Args.Select(Show)))}");
        foreach (var attr in op.Attrs) Console.WriteLine($"  attribute:  {attr.Name}{(attr.Required ? " (required)" : "")}: {Show(attr.Kind)}");
        Console.WriteLine($"  result:     {(op.Behaviour.IsAliases ? "a view of the first tensor, or a copy where PyTorch copies" : "a new tensor")}{(op.InPlace ? $"; in place: {op.Name}_" : "")}");
        Console.WriteLine($"  node:       {op.Node}Backward0");
        Console.WriteLine($"  derivative: {(op.IsDifferentiable ? "yes" : "none: its results never require a gradient")}");
        if (op.Kinks is { } kinks) Console.WriteLine($"  kinks:      {kinks.Value}");
        Console.WriteLine($"  domain:     {op.Domain}");
        return ExitCodes.Held;
    }

    private static string Show(ArgKind kind) => kind switch
    {
        ArgKind.List list => $"a list ({Show(list.Item)})",
        ArgKind.Optional optional => $"{Show(optional.Item)}, may be left out",
        { IsFloat: true } => "float tensor",
        { IsIndex: true } => "int64 tensor",
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
