namespace Verified.OtherEngines.Tests;

/// <summary>Small adapters as shell scripts: each answers as told, whatever the program.</summary>
internal static class Adapter
{
    public const string Hello = """echo '{"engine": {"name": "scripted"}, "ops": ["add", "exp"], "dtypes": ["float32"], "features": []}'""";

    /// <summary>A right answer to the request that the loop below has read.</summary>
    public const string Answer = """echo "{\"seq\": $seq, \"unsupported\": \"everything\"}" """;

    /// <summary>
    /// A shell command that greets and then, for each request, runs a line with the request in <c>$line</c> and its number in <c>$seq</c>.
    /// </summary>
    public static string Loop(string each, string greeting = Hello) => $$"""
        read -r line; {{greeting}}
        while read -r line; do seq=${line#*:}; seq=${seq%%,*}; {{each}}; done
        """;
}
