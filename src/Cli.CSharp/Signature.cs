using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Verified.Engine;
using Verified.Spec;

namespace Verified.Cli;

/// <summary>
/// How an operator is called: as PyTorch writes it, and in C#. What it takes is the specification's to say; the names of its tensors and the
/// defaults, which no program needs, are those of the engine's method.
/// </summary>
internal sealed partial class Signature
{
    private readonly Spec.Operator _operator;
    private readonly MethodInfo[] _methods;

    public Signature(Spec.Operator op)
    {
        _operator = op;
        var name = op.Name.Split('.')[^1].Replace("_", "", StringComparison.Ordinal) + (op.OnlyInPlace ? "inplace" : "");
        _methods = [.. typeof(Tensor).GetMethods().Where(method => method.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && IsTensors(method.ReturnType)).OrderByDescending(method => method.GetParameters().Count(p => IsTensors(p.ParameterType)))];
    }

    /// <summary>The names of the tensor arguments, in order.</summary>
    public IEnumerable<string> Tensors()
    {
        var known = _methods.FirstOrDefault();
        var names = (known is null ? [] : known.GetParameters().Where(p => IsTensors(p.ParameterType)).Select(p => Snake(p.Name!))).ToList();
        if (known?.IsStatic != true) names.Insert(0, "input");
        return _operator.Args.Select((_, i) => i < names.Count ? names[i] : i == 1 ? "other" : $"tensor{i + 1}");
    }

    /// <summary>As PyTorch writes it: <c>conv2d(input, weight, bias=None, *, stride=..., groups=1)</c>; three points stand for a default that PyTorch has and this page does not know.</summary>
    public string PyTorch()
    {
        var tensors = Tensors().Zip(_operator.Args, (name, kind) => kind.IsOptional ? name + "=None" : name);
        var attributes = _operator.Attrs.Select(attr => attr.Required ? attr.Name : $"{attr.Name}={Default(attr)}").ToList();
        return $"{_operator.Name}{(_operator.OnlyInPlace ? "_" : "")}({string.Join(", ", [.. tensors, .. attributes.Count > 0 ? ["*"] : Array.Empty<string>(), .. attributes])})";
    }

    /// <summary>The engine's methods, as C# writes them.</summary>
    public IEnumerable<string> CSharp() => _methods.Select(method =>
        $"{(method.IsStatic ? "Tensor" : "x")}.{method.Name}({string.Join(", ", method.GetParameters().Select(p => $"{Name(p)} {p.Name}{(p.HasDefaultValue ? $" = {(p.DefaultValue is bool flag ? flag ? "true" : "false" : Text(p.DefaultValue, "null", '"'))}" : "")}"))})");

    private string Default(AttrSpec attr)
    {
        var defaults = _methods.SelectMany(method => method.GetParameters()).Where(p => Snake(p.Name!) == attr.Name && p.HasDefaultValue).Select(p => p.DefaultValue).ToList();
        if (defaults.Find(value => value is not null) is { } found) return Text(found, "None", '\'');
        return defaults.Count > 0 && !attr.Kind.IsIntegers ? "None" : "...";
    }

    private static string Text(object? value, string nothing, char quote) => value switch
    {
        null => nothing,
        bool flag => flag ? "True" : "False",
        string text => $"{quote}{text}{quote}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static bool IsTensors(Type type) => type == typeof(Tensor) || type == typeof(Tensor[]) || typeof(IEnumerable<Tensor>).IsAssignableFrom(type)
        || (type.IsGenericType && type.FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal));

    private static string Name(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        var element = type.IsArray ? type.GetElementType()! : type;
        var name = element == typeof(int) ? "int" : element == typeof(double) ? "double" : element == typeof(bool) ? "bool" : element == typeof(string) ? "string" : element == typeof(object) ? "object"
            : typeof(IEnumerable<Tensor>).IsAssignableFrom(element) ? "IReadOnlyList<Tensor>" : element.Name;
        return name + (type.IsArray ? "[]" : "") + (parameter.HasDefaultValue && parameter.DefaultValue is null ? "?" : "");
    }

    private static string Snake(string name) => Capital().Replace(name, match => "_" + match.Value.ToLowerInvariant());

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}
