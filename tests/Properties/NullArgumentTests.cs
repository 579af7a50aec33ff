using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Verified.Engine;
using Verified.Engine.Blas;
using Verified.Oracle;
using Verified.Testing;
using Verified.Training;
using Xunit;

namespace Verified.Properties;

/// <summary>
/// Whoever calls a public method of the packages with null for something that must be there is told which argument it was, before anything else is looked at: objects that no
/// constructor has filled stand for all the rest.
/// </summary>
public sealed class NullArgumentTests
{
    private const string LeftOut = "it stands among the attributes, where null is what is left out, as PyTorch's None is";
    private const string Kept = "it is kept or given back as it is";
    private const string Unread = "records that nothing is drawn for do not look at the generator";
    private const string Row = "xunit calls it, with the rows that stand beside it";

    /// <summary>What takes null, or says something else, and why.</summary>
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["Tensor.Gelu([approximate])"] = LeftOut,
        ["Tensor.MseLoss(target, [reduction])"] = LeftOut,
        ["Tensor.L1Loss(target, [reduction])"] = LeftOut,
        ["Tensor.SmoothL1Loss(target, [reduction], beta)"] = LeftOut,
        ["Tensor.HuberLoss(target, [reduction], delta)"] = LeftOut,
        ["Tensor.BinaryCrossEntropyWithLogits(target, weight, posWeight, [reduction])"] = LeftOut,
        ["Tensor.NllLoss(target, weight, ignoreIndex, [reduction])"] = LeftOut,
        ["Tensor.CrossEntropy(target, weight, ignoreIndex, [reduction], labelSmoothing)"] = LeftOut,
        ["Tensor.Interpolate(size, scaleFactor, [mode], alignCorners)"] = LeftOut,
        ["Tensor.Conv2d(weight, bias, [padding], dilation, groups)"] = LeftOut,
        ["GELU([approximate])"] = LeftOut,
        ["Attributes.Of([name], value)"] = Kept,
        ["Attributes.Of([name], value, name2, value2)"] = Kept,
        ["Attributes.Of(name, value, [name2], value2)"] = Kept,
        ["Attributes.Text(name, [otherwise])"] = Kept,
        ["DTypes.Parse([name])"] = "it is answered like every text that is no dtype's name",
        ["ImageDataset.Get(index, [random])"] = Unread,
        ["SegmentationFolder.Get(index, [random])"] = Unread,
        ["TensorDataset.Get(index, [random])"] = Unread,
        ["EngineExamination.Operator([name])"] = Row,
        ["EngineExamination.Rule([name])"] = Row,
    };

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly string[] Assemblies = ["Verified.Engine", "Verified.Training", "Verified.Oracle", "Verified", "Verified.Testing"];

    public static TheoryData<string> Packages => [.. Assemblies];

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_null_that_may_not_be_is_refused_by_its_name(string package)
    {
        var complaints = new List<string>();
        var asked = Asked(package).ToList();
        foreach (var (member, parameter) in asked.Where(a => !IsForward(a.Member)))
        {
            var (name, answer) = (Name(member, parameter), Answer(member, parameter));
            if (answer is not null && !Exceptions.ContainsKey(name)) complaints.Add($"{name}: {answer}");
            if (answer is null && Exceptions.ContainsKey(name)) complaints.Add($"{name} needs no exception");
        }
        Assert.NotEmpty(asked);
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }

    [Fact]
    public void Every_exception_is_one_of_a_method_that_is_there() =>
        Assert.Empty(Exceptions.Keys.Except(Assemblies.SelectMany(Asked).Select(asked => Name(asked.Member, asked.Parameter))));

    private static IEnumerable<(MethodBase Member, ParameterInfo Parameter)> Asked(string package) =>
        from type in Assembly.Load(package).GetExportedTypes()
        where !type.IsInterface && !typeof(Delegate).IsAssignableFrom(type)
        from member in Members(type)
        from parameter in member.Closed.GetParameters()
        where Refuses(member.Open.GetParameters()[parameter.Position])
        select (member.Closed, parameter);

    private static string Name(MethodBase member, ParameterInfo parameter) =>
        $"{member.DeclaringType!.Name.Split('`')[0]}{(member is ConstructorInfo ? "" : "." + member.Name)}({string.Join(", ", member.GetParameters().Select(p => p.Name == parameter.Name ? $"[{p.Name}]" : p.Name))})";

    /// <summary>What is declared public and has a body of its own: no accessors, and not what a record keeps.</summary>
    private static IEnumerable<(MethodBase Open, MethodBase Closed)> Members(Type open)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var type = open.IsGenericTypeDefinition ? open.MakeGenericType([.. open.GetGenericArguments().Select(Argument)]) : open;
        var constructors = type.IsAbstract || typeof(Exception).IsAssignableFrom(type) ? [] : type.GetConstructors().Where(c => !KeepsItsArguments(c));
        return type.GetMethods(Declared).Concat<MethodBase>(constructors)
            .Where(m => !m.IsAbstract && !m.IsDefined(typeof(CompilerGeneratedAttribute)) && !m.GetParameters().Any(p => p.ParameterType.IsByRefLike))
            .Select(m => (m, m is MethodInfo { IsGenericMethodDefinition: true } generic ? generic.MakeGenericMethod([.. generic.GetGenericArguments().Select(Argument)]) : m));
    }

    /// <summary>A record's own constructor: it looks at nothing.</summary>
    private static bool KeepsItsArguments(ConstructorInfo constructor) =>
        constructor.DeclaringType!.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null && constructor.GetParameters().All(p => constructor.DeclaringType.GetProperty(p.Name!) is not null);

    /// <summary>A module's own computation, written as users write theirs: its input is what the first call is made on, so that nothing deeper is reached.</summary>
    private static bool IsForward(MethodBase member) => member.Name == "Forward" && (typeof(Training.Module).IsAssignableFrom(member.DeclaringType) || typeof(Loss).IsAssignableFrom(member.DeclaringType));

    private static bool Refuses(ParameterInfo parameter) =>
        parameter.ParameterType is { IsValueType: false, IsByRef: false, IsPointer: false, IsGenericParameter: false } && Nullability.Create(parameter).WriteState == NullabilityState.NotNull;

    /// <summary>What came of null for one parameter, unless it is as it should be.</summary>
    private static string? Answer(MethodBase member, ParameterInfo parameter)
    {
        object?[] arguments =
        [
            .. member.GetParameters().Select(p => p.Position == parameter.Position ? null : p is { HasDefaultValue: true, DefaultValue: { } given } ? given : p is { HasDefaultValue: true, ParameterType.IsValueType: false } ? null : Any(p.ParameterType)),
        ];
        try
        {
            var result = member is ConstructorInfo constructor ? constructor.Invoke(arguments) : member.Invoke(member.IsStatic ? null : Any(member.DeclaringType!), arguments);
            // What is made while it is read says it then.
            if (result is IEnumerable sequence and not string) foreach (var _ in sequence) break;
            return "nothing is said";
        }
        catch (TargetInvocationException thrown)
        {
            return Wrong(thrown.InnerException!, parameter);
        }
        catch (Exception thrown) when (thrown is not NotSupportedException)
        {
            return Wrong(thrown, parameter);
        }
    }

    private static string? Wrong(Exception thrown, ParameterInfo parameter) => thrown switch
    {
        ArgumentNullException refused when refused.ParamName == parameter.Name => null,
        // An operator's own sentence, which calls without C# get as well.
        AutogradException { Kind: ErrorKind.Value } said when said.Message.Contains("needs", StringComparison.Ordinal) || said.Message.Contains("missing", StringComparison.Ordinal) => null,
        // What is none of the words that a text may be.
        ArgumentException { ParamName: null } => null,
        AutogradException said when said.Message.Contains("null in the place of a tensor", StringComparison.Ordinal) => null,
        _ => $"{thrown.GetType().Name}: {thrown.Message} {thrown.StackTrace?.Split('\n')[0].Trim()}",
    };

    private static Type Argument(Type parameter) => new[] { typeof(float), typeof(Tensor), typeof(Line), typeof(NoBody) }.Concat(parameter.Assembly.GetTypes())
        .First(type => type is { IsAbstract: false, ContainsGenericParameters: false } && Fits(type, parameter));

    private static bool Fits(Type type, Type parameter) =>
        (type.IsValueType || !parameter.GenericParameterAttributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint))
        && parameter.GetGenericParameterConstraints().All(constraint => constraint.ContainsGenericParameters
            ? type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == constraint.GetGenericTypeDefinition())
            : constraint.IsAssignableFrom(type));

    /// <summary>Something of a type, with nothing in it where that will do.</summary>
    private static object? Any(Type type)
    {
        if (type == typeof(Tensor)) return Tensor.Ones([1, 1, 2, 2]);
        if (type == typeof(Optimizer)) return new SGD([Tensor.Ones([2], requiresGrad: true)]);
        if (type == typeof(string)) return "x";
        if (type == typeof(int)) return 1;
        if (type == typeof(object)) return new object();
        if (type == typeof(void)) return null;
        if (type.IsArray) return Array.CreateInstance(type.GetElementType()!, 0);
        if (type.IsByRef || type.IsPointer) return null;
        if (type.IsValueType) return Activator.CreateInstance(type);
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return Expression.Lambda(type, Expression.Default(invoke.ReturnType), invoke.GetParameters().Select(p => Expression.Parameter(p.ParameterType))).Compile();
        }
        if (type is { IsInterface: true, IsGenericType: true })
        {
            var arguments = type.GetGenericArguments();
            var holder = arguments.Length == 2 ? typeof(Dictionary<,>).MakeGenericType(arguments) : typeof(List<>).MakeGenericType(arguments);
            if (type.IsAssignableFrom(holder)) return Activator.CreateInstance(holder);
        }
        return RuntimeHelpers.GetUninitializedObject(type.IsAbstract ? Concrete(type) : type);
    }

    private static Type Concrete(Type type) => AppDomain.CurrentDomain.GetAssemblies()
        .Where(assembly => assembly == type.Assembly || assembly.GetName().Name!.StartsWith("Verified", StringComparison.Ordinal))
        .SelectMany(assembly => assembly.GetTypes())
        .First(found => found is { IsAbstract: false, ContainsGenericParameters: false } && type.IsAssignableFrom(found));

    private sealed class NoEngine : EngineExamination
    {
        protected override IEngine CreateEngine() => throw new NotSupportedException();
    }

    private readonly struct NoBody : IParallelBody
    {
        public void Invoke(int index)
        {
        }
    }

    private sealed record Line(Tensor Slope) : ITensorTree<Line>
    {
        public Line Map(Func<Tensor, Tensor> f) => new(f(Slope));
    }
}
