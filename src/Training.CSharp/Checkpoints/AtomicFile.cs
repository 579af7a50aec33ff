namespace Verified.Training;

/// <summary>Writing a file so that there is always a whole one under its name: the old one until the new one is safe on the disk, then the new one.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes to a temporary file in the same folder, has the system put it on the disk, and renames it. A process that is killed meanwhile leaves the old file
    /// whole, and at worst a file <c>.NAME.*.tmp</c> beside it, which the next write to that name removes.
    /// </summary>
    /// <param name="path">The file; its folder is made where it is not there.</param>
    /// <param name="write">Writes the content; where it raises, the old file stays and nothing is left behind.</param>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        path = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        RemoveAbandoned(folder, Path.GetFileName(path));
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Environment.ProcessId}-{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Removes what a killed process left, but nothing that a living one may be writing.</summary>
    private static void RemoveAbandoned(string folder, string name)
    {
        foreach (var file in Directory.EnumerateFiles(folder, $".{name}.*.tmp"))
        {
            var owner = Path.GetFileName(file)[(name.Length + 2)..].Split('-')[0];
            if (!int.TryParse(owner, out var process) || process == Environment.ProcessId || IsRunning(process)) continue;
            try
            {
                File.Delete(file);
            }
            catch (IOException)
            {
                // It can stay.
            }
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
