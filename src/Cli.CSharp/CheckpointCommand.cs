using System.CommandLine;
using System.Globalization;
using Verified.Engine;
using Verified.Training;

namespace Verified.Cli;

/// <summary><c>verify checkpoint FILE</c>: what is inside a checkpoint.</summary>
internal static class CheckpointCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A .pt or .pth file of torch.save, or a .safetensors file." };
        var command = new Command("checkpoint", "Shows what is inside a checkpoint: names, types, shapes, sizes, how many elements are not finite, and plain values. Runs nothing of it.") { file };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file)));
        return command;
    }

    private static int Run(string path)
    {
        if (!File.Exists(path)) throw new Oracle.CorpusException($"{path}: {(Directory.Exists(path) ? "that is a folder, not a checkpoint" : "there is no such file")}");
        CheckpointContents contents;
        try
        {
            contents = CheckpointContents.Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"verify: {e.Message}");
            return ExitCodes.Wrong;
        }

        Show(contents.Entries);
        var tensors = contents.Entries.Where(e => e.Value is Tensor).ToArray();
        Console.WriteLine();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{contents.Format}: {tensors.Length} tensors, {tensors.Sum(e => (long)((Tensor)e.Value!).Count):N0} elements, {Size(tensors.Sum(e => e.Bytes))}, {tensors.Sum(e => (long)e.NotFinite):N0} elements not finite"));
        return ExitCodes.Held;
    }

    /// <summary>Each value on its line, under the keys that lead to it.</summary>
    private static void Show(IReadOnlyList<CheckpointContents.Entry> entries)
    {
        var edge = entries.Count == 0 ? 0 : entries.Max(e => (2 * Math.Max(0, e.Path.Count - 1)) + Name(e).Length);
        IReadOnlyList<object> above = [];
        foreach (var entry in entries)
        {
            for (var depth = 0; depth < entry.Path.Count - 1; depth++)
            {
                if (depth < above.Count - 1 && entry.Path.Take(depth + 1).SequenceEqual(above.Take(depth + 1))) continue;
                Console.WriteLine(new string(' ', 2 * depth) + Printable($"{entry.Path[depth]}"));
            }

            above = entry.Path;
            Console.WriteLine($"{(new string(' ', 2 * Math.Max(0, entry.Path.Count - 1)) + Name(entry)).PadRight(edge)}  {Value(entry)}");
        }
    }

    private static string Name(CheckpointContents.Entry entry) => entry.Path.Count == 0 ? "(value)" : Printable($"{entry.Path[^1]}");

    private static string Value(CheckpointContents.Entry entry) => entry.Value switch
    {
        Tensor t => string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.DType,-8} {$"[{string.Join(", ", t.Shape.ToArray())}]",-18} {t.Count,12:N0} {Size(entry.Bytes),9}{(entry.NotFinite > 0 ? $"  {entry.NotFinite:N0} not finite" : t.Count == 1 ? $"  = {(t.DType.IsFloat() ? t.Item().ToString("G9", CultureInfo.InvariantCulture) : t.ToLongs()[0])}" : "")}"),
        var plain => Plain(plain),
    };

    private static string Plain(object? value) => value switch
    {
        null => "None",
        bool b => b ? "True" : "False",
        string s => $"'{Printable(s)}'",
        StateDict => "{}",
        object?[] tuple => $"({Items(tuple)})",
        IReadOnlyList<object?> list => $"[{Items(list)}]",
        byte[] bytes => $"{bytes.Length} bytes",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Items(IReadOnlyList<object?> list) => string.Join(", ", list.Take(12).Select(Plain)) + (list.Count > 12 ? $", ... ({list.Count} in all)" : "");

    private static string Size(long bytes) => bytes switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} B"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:N1} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N1} MB"),
    };

    /// <summary>A file's texts cannot move the cursor or fill the screen.</summary>
    private static string Printable(string text) => string.Concat(text.Take(200).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > 200 ? "..." : "");
}
