using System.Text.RegularExpressions;
using Xunit;

namespace Verified.Examples.Tests;

/// <summary>
/// The programs on these pages, taken from the pages themselves, are programs and print what stands there: in C# the block after <c>prints</c>, in F# the comments behind what is printed. Three dots stand for
/// the rest of a line.
/// </summary>
public sealed partial class PageTests
{
    private const string Beyond = "docs/autograd-beyond-programs.md";
    private const string Model = "docs/check-your-model.md";

    /// <summary>Every whole program of the pages; those of the README that train are in <see cref="PrintedProgramTests"/>.</summary>
    public static TheoryData<string, int> Programs
    {
        get
        {
            var all = new TheoryData<string, int>();
            foreach (var page in new[] { Beyond, Model, "README.md" })
                foreach (var block in Blocks(page))
                    if (block.Expected.Length > 0) all.Add(page, block.Line);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task A_program_of_the_page_prints_what_stands_there(string page, int line)
    {
        var block = Blocks(page).Single(b => b.Line == line);
        var folder = Directory.CreateTempSubdirectory("verified-page-");
        try
        {
            var file = Path.Combine(folder.FullName, block.IsFSharp ? "page.fsx" : "page.cs");
            await File.WriteAllTextAsync(file, (block.IsFSharp ? FSharpHead : CSharpHead) + block.Program);
            var printed = await PrintedProgramTests.Run(block.IsFSharp ? ["fsi", "--quiet", file] : ["run", "-c", "Release", file]);
            var lines = printed.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
            Assert.True(lines.Length == block.Expected.Length, $"{page}, line {line}, prints\n{printed}");
            Assert.All(block.Expected.Zip(lines), pair => Assert.Matches("^" + Regex.Escape(pair.First.TrimEnd()).Replace(@"\.\.\.", ".*") + "$", pair.Second.TrimEnd()));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>On the pages whose programs are kept here none is left out by being written in another way.</summary>
    [Theory]
    [InlineData(Beyond)]
    [InlineData(Model)]
    public void Every_program_of_the_page_says_what_it_prints(string page)
    {
        Assert.NotEmpty(Blocks(page));
        Assert.All(Blocks(page), block => Assert.True(block.Expected.Length > 0, $"{page}, line {block.Line}: the page does not say what the program prints"));
    }

    private static string CSharpHead => $"""
        #:project {Path.Combine(Repository.Root, "src", "Verified.CSharp", "Verified.CSharp.csproj")}
        #:property RestorePackagesWithLockFile=false
        #:property PublishAot=false

        """;

    private static string FSharpHead => $"""
        #I @"{AppContext.BaseDirectory}"
        #r "Verified.Engine.dll"
        #r "Verified.Engine.FSharp.dll"
        #r "Verified.Spec.dll"
        #r "Verified.Oracle.dll"
        #r "Verified.dll"

        """;

    private static List<Block> Blocks(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, page)).ReplaceLineEndings("\n");
        return [.. Fenced().Matches(text).Select(found => Block.Of(found, text[..found.Index].Count(c => c == '\n') + 1)).Where(block => !block.Program.Contains("optimizer.Step()", StringComparison.Ordinal))];
    }

    private sealed record Block(int Line, bool IsFSharp, string Program, string[] Expected)
    {
        public static Block Of(Match found, int line)
        {
            var (isFSharp, program) = (found.Groups[1].Value == "fsharp", found.Groups[2].Value);
            var expected = isFSharp
                ? program.Split('\n').Where(each => each.StartsWith("printfn", StringComparison.Ordinal)).Select(each => each.Split(" // ", 2)).Where(parts => parts.Length == 2).Select(parts => parts[1].Trim()).ToArray()
                : found.Groups[3].Success ? found.Groups[3].Value.TrimEnd('\n').Split('\n') : [];
            // The page says where the script is loaded from, in a clone.
            return new(line, isFSharp, program.Replace("#load \"src/Engine.FSharp/fsi.fsx\"\n", ""), expected);
        }
    }

    [GeneratedRegex("```(csharp|fsharp)\n(.*?)```\n(?:prints\n```\n(.*?)```)?", RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
