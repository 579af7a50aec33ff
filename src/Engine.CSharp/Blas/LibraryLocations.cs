using System.Runtime.InteropServices;

namespace Verified.Engine.Blas;

/// <summary>Where BLAS libraries are looked for: a variable that points to one, the private per-user folder, the usual places.</summary>
internal static class LibraryLocations
{
    private const int MostCandidates = 6;

    /// <summary>What ./setup fills: $XDG_DATA_HOME/verified, ~/.local/share/verified, or its like on other systems.</summary>
    public static string PrivateFolder =>
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "verified");

    /// <summary>The variable that names a library's file or folder.</summary>
    public static string Variable(Backend backend) => backend == Backend.Mkl ? "VERIFIED_MKL" : "VERIFIED_OPENBLAS";

    /// <summary>Existing files, best first, each once even where links lead to it.</summary>
    public static IReadOnlyList<string> Candidates(Backend backend)
    {
        var patterns = Patterns(backend);
        var named = Environment.GetEnvironmentVariable(Variable(backend));
        var folders = string.IsNullOrEmpty(named) ? Folders(backend) : [named];
        var found = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in folders)
        {
            foreach (var file in File.Exists(folder) ? [folder] : Files(folder, patterns))
            {
                if (seen.Add(Resolve(file)))
                    found.Add(file);
                if (found.Count == MostCandidates)
                    return found;
            }
        }

        return found;
    }

    private static string[] Patterns(Backend backend)
    {
        if (OperatingSystem.IsWindows())
            return backend == Backend.Mkl ? ["mkl_rt*.dll"] : ["libopenblas.dll", "openblas.dll", "libopenblas*.dll"];
        if (OperatingSystem.IsMacOS())
            return backend == Backend.Mkl ? ["libmkl_rt*.dylib"] : ["libopenblas.dylib", "libopenblas.0.dylib"];
        return backend == Backend.Mkl
            ? ["libmkl_rt.so", "libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1"]
            : ["libopenblas.so.0", "libopenblas.so", "libopenblasp.so.0", "libopenblaso.so.0"];
    }

    private static IEnumerable<string> Folders(Backend backend)
    {
        yield return Path.Combine(PrivateFolder, backend == Backend.Mkl ? "mkl" : "openblas", "lib");
        yield return AppContext.BaseDirectory;
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        if (backend == Backend.Mkl && Environment.GetEnvironmentVariable("MKLROOT") is { Length: > 0 } root)
        {
            yield return Path.Combine(root, "lib");
            yield return Path.Combine(root, "lib", "intel64");
            yield return Path.Combine(root, "redist", "intel64");
            yield return Path.Combine(root, "bin");
        }

        foreach (var variable in new[] { "CONDA_PREFIX", "VIRTUAL_ENV" })
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } prefix)
                yield return OperatingSystem.IsWindows() ? Path.Combine(prefix, "Library", "bin") : Path.Combine(prefix, "lib");
        }

        var path = Environment.GetEnvironmentVariable(OperatingSystem.IsWindows() ? "PATH" : OperatingSystem.IsMacOS() ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH");
        foreach (var folder in (path ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
        if (OperatingSystem.IsWindows())
            yield break;
        if (backend == Backend.Mkl)
        {
            yield return "/opt/intel/oneapi/mkl/latest/lib";
            yield return "/opt/intel/oneapi/mkl/latest/lib/intel64";
            yield return "/opt/intel/mkl/lib/intel64";
        }

        var triplet = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        foreach (var folder in new[] { $"/usr/lib/{triplet}", "/usr/lib64", "/usr/local/lib", "/usr/lib", "/opt/homebrew/opt/openblas/lib", "/usr/local/opt/openblas/lib" })
        {
            if (backend == Backend.OpenBlas)
            {
                yield return folder + "/openblas-serial";
                yield return folder + "/openblas-pthread";
                yield return folder + "/openblas-openmp";
            }

            yield return folder;
        }
    }

    private static string[] Files(string folder, string[] patterns)
    {
        if (!Directory.Exists(folder))
            return [];
        try
        {
            return patterns.SelectMany(pattern => Directory.GetFiles(folder, pattern)).ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string Resolve(string file)
    {
        try
        {
            return File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file);
        }
        catch (IOException)
        {
            return file;
        }
    }
}
