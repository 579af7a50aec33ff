using System.Diagnostics;

namespace Verified.Engine;

/// <summary>Which code is the user's, and what it is called where a message names it: compilers give lambdas names that nobody wrote.</summary>
public static class UserCode
{
    // The engine's two faces, and what calls it for the user.
    private static readonly string[] Own = ["Verified.Engine", "Verified.Engine.FSharp", "Verified.Training", "Verified"];

    /// <summary>A method as its author would call it: by its name, that of a local function, or <c>lambda in Train</c> for a lambda in a member or, in F#, a function or value <c>Train</c>.</summary>
    /// <param name="method">The method that was compiled; null where nothing is known of it.</param>
    public static string NameOf(DiagnosticMethodInfo? method)
    {
        if (method is null) return "unknown";
        var name = method.Name;
        // C#: <Train>b__0_1 is a lambda in Train, <Train>g__Clip|0_1 a local function Clip; what stands at the top of a file is in <Main>$.
        if (name.StartsWith('<') && name.LastIndexOf('>') is > 0 and var end)
        {
            var (member, kind) = (name[1..end], name[(end + 1)..]);
            if (kind.StartsWith("g__", StringComparison.Ordinal) && kind.IndexOf('|') is > 3 and var bar) return kind[3..bar];
            return member == "<Main>$" ? "lambda" : $"lambda in {member}";
        }
        // F#: the method Invoke of a class Train@12-1, or of clo@12-1 at the top of a file.
        var type = method.DeclaringTypeName ?? "";
        type = type[(type.LastIndexOfAny(['.', '+']) + 1)..];
        if (name == "Invoke" && type.IndexOf('@') is > 0 and var at) return type[..at] == "clo" ? "lambda" : $"lambda in {type[..at]}";
        return name;
    }

    /// <summary>The calls of a trace from the first one that is the user's on: neither the engine's nor one that it made through the runtime.</summary>
    /// <param name="trace">The calls, the innermost first.</param>
    public static IReadOnlyList<StackFrame> FramesOf(StackTrace trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        return [.. trace.GetFrames().SkipWhile(frame => !IsUsers(frame))];
    }

    private static bool IsUsers(StackFrame frame)
    {
        if (DiagnosticMethodInfo.Create(frame) is not { DeclaringAssemblyName: var full }) return false;
        var assembly = full.Split(',')[0];
        return !Own.Contains(assembly) && !assembly.StartsWith("System.", StringComparison.Ordinal) && assembly is not ("FSharp.Core" or "mscorlib");
    }
}
