using System.Reflection;
using Microsoft.FSharp.Collections;
using Verified.Engine;
using Verified.Spec;

namespace Verified;

/// <summary>The methods of the built-in engine's tensors, as far as programs are printed as calls of them: found by what they take and give, with no line for any of them.</summary>
public static class EngineMethods
{
    private static readonly Dictionary<Type, ParameterKind> Kinds = new()
    {
        [typeof(Tensor)] = ParameterKind.OneTensor,
        [typeof(Tensor[])] = ParameterKind.SeveralTensors,
        [typeof(IReadOnlyList<Tensor>)] = ParameterKind.SeveralTensors,
        [typeof(int)] = ParameterKind.Int,
        [typeof(int[])] = ParameterKind.Ints,
        [typeof(double)] = ParameterKind.Real,
        [typeof(bool)] = ParameterKind.Flag,
        [typeof(string)] = ParameterKind.Word,
        [typeof(Engine.DType)] = ParameterKind.DTypeName,
    };

    /// <summary>All of them: a tensor's own first, of several with one name the one that takes most.</summary>
    public static FSharpList<EngineMethod> All { get; } = ListModule.OfSeq(
        typeof(Tensor).GetMethods()
            .Where(method => !method.IsSpecialName && (method.ReturnType == typeof(Tensor) || method.ReturnType == typeof(Tensor[])))
            .OrderBy(method => method.IsStatic)
            .ThenByDescending(method => method.GetParameters().Length)
            .Select(Described)
            .OfType<EngineMethod>());

    private static EngineMethod? Described(MethodInfo method)
    {
        var parameters = method.GetParameters().Select(Described).ToList();
        return parameters.Contains(null) ? null : new(method.Name, method.IsStatic, ListModule.OfSeq(parameters.Select(parameter => parameter!)), method.ReturnType.IsArray);
    }

    private static EngineParameter? Described(ParameterInfo parameter) =>
        Kinds.TryGetValue(Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType, out var kind)
            ? new(parameter.Name!, kind, parameter.HasDefaultValue, new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable)
            : null;
}
