using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text;

namespace Verified.Training;

/// <summary>
/// The fields of a module's class that hold parameters, buffers and modules, in the order of their declaration, those of base classes first.
/// Names are PyTorch's manner of the field's: <c>runningMean</c>, <c>_runningMean</c>, the property <c>RunningMean</c> and F#'s <c>let runningMean</c>
/// are all <c>running_mean</c>.
/// </summary>
internal static class Members
{
    private static readonly ConcurrentDictionary<Type, Member[]> Known = new();

    /// <summary>Names and values of the fields that are not null.</summary>
    public static IEnumerable<(string Name, object Value)> Of(Module module)
    {
        // The fields of the classes derived from Module are kept by the trimmer: see the attribute there.
        var type = module.GetType();
        if (!Known.TryGetValue(type, out var members)) Known[type] = members = Find(module);
        foreach (var (name, field) in members)
            if (field.GetValue(module) is { } value) yield return (name, value);
    }

    /// <summary>A field's name in PyTorch's manner.</summary>
    public static string NameOf(string field)
    {
        // <Name>k__BackingField is C#'s field of a property, Name@ F#'s.
        var end = field.IndexOfAny(['>', '@']);
        var plain = field[(field.StartsWith('<') ? 1 : 0)..(end < 0 ? field.Length : end)].TrimStart('_');
        var name = new StringBuilder();
        for (var i = 0; i < plain.Length; i++)
        {
            if (char.IsUpper(plain[i]) && i > 0 && (char.IsLower(plain[i - 1]) || char.IsDigit(plain[i - 1]))) name.Append('_');
            name.Append(char.ToLowerInvariant(plain[i]));
        }
        return name.ToString();
    }

    private static Member[] Find(Module module)
    {
        var found = new List<Member>();
        Collect(module.GetType(), found);
        return [.. found];
    }

    private static void Collect([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.AllFields)] Type type, List<Member> found)
    {
        if (type.BaseType is { } parent && parent != typeof(Module)) Collect(parent, found);
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        {
            var held = field.FieldType;
            if (typeof(IEnumerable<Module>).IsAssignableFrom(held) && !typeof(Module).IsAssignableFrom(held))
            {
                if (IsPartOfContainer(type)) continue;
                throw new InvalidOperationException(
                    $"the field '{field.Name}' of {type.Name} holds modules in a {held.Name}, where their parameters are not found; hold them in a ModuleList");
            }
            if (held != typeof(Parameter) && held != typeof(ModuleBuffer) && !typeof(Module).IsAssignableFrom(held)) continue;
            var name = NameOf(field.Name);
            if (found.Exists(m => m.Name == name))
                throw new InvalidOperationException($"two fields of {type.Name} have the name '{name}' in a state dictionary; rename '{field.Name}'");
            found.Add(new Member(name, field));
        }
    }

    /// <summary>Containers register what is in their lists.</summary>
    private static bool IsPartOfContainer(Type type) => type == typeof(Sequential) || type == typeof(ModuleList);

    private sealed record Member(string Name, FieldInfo Field);
}
