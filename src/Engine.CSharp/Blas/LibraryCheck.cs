using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Verified.Engine.Blas;

/// <summary>
/// Tries a native library in a child process before this process loads it, since a wrong one can end a process. The child is this
/// very assembly, started through the runtime's own host; its answer is kept per user, for the file's path, size and time.
/// </summary>
internal static class LibraryCheck
{
    private const string Command = "check-library";
    private const string Passed = "ok";
    private const int ProtocolVersion = 2;
    private const int TimeoutMilliseconds = 30_000;

    /// <summary>The child's entry point: loads one library, uses it, and says "ok".</summary>
    public static int Main(string[] arguments)
    {
        if (arguments is not [Command, var name, var path] || !Enum.TryParse<Backend>(name, out var backend))
        {
            Console.Error.WriteLine("Verified.Engine is a library; it can be run only to check a BLAS library: check-library Mkl|OpenBlas PATH");
            return 2;
        }

        try
        {
            var library = new CblasLibrary(backend, path);
            var wrong = Use(library);
            Console.WriteLine(wrong ?? Passed);
            return wrong is null ? 0 : 1;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            Console.WriteLine(e.Message.ReplaceLineEndings(" "));
            return 1;
        }
    }

    /// <summary>Null where the library at <paramref name="path"/> may be loaded; else why not, in one sentence.</summary>
    /// <param name="backend">What the library is to be.</param>
    /// <param name="path">The library's file.</param>
    /// <param name="answers">Where answers are kept; by default in the private per-user folder.</param>
    public static string? WhyNot(Backend backend, string path, string? answers = null)
    {
        var kept = Path.Combine(answers ?? Path.Combine(LibraryLocations.PrivateFolder, "checked"), Key(backend, path));
        if (Read(kept) is { } answer)
            return answer == Passed ? null : answer;
        var (fresh, certain) = AskChild(backend, path);
        if (certain)
            Write(kept, fresh);
        return fresh == Passed ? null : fresh;
    }

    private static unsafe string? Use(CblasLibrary library)
    {
        // A product whose values are small integers is exact in any order.
        const int n = 48;
        var single = new float[3 * n * n];
        var real = new double[3 * n * n];
        for (var i = 0; i < 2 * n * n; i++)
            real[i] = single[i] = i * 7 % 11 - 5;
        fixed (float* s = single)
            library.Gemm(false, false, n, n, n, s, n, s + n * n, n, s + 2 * n * n, n, false);
        fixed (double* d = real)
            library.Gemm(false, true, n, n, n, d, n, d + n * n, n, d + 2 * n * n, n, false);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                double plain = 0, transposed = 0;
                for (var p = 0; p < n; p++)
                {
                    plain += real[i * n + p] * real[n * n + p * n + j];
                    transposed += real[i * n + p] * real[n * n + j * n + p];
                }

                if (single[2 * n * n + i * n + j] != plain || real[2 * n * n + i * n + j] != transposed)
                    return "it gives wrong products";
            }
        }

        if (library.Packs && !(PacksRightly(library, single) && PacksRightly(library, real)))
            return "it gives wrong products of packed matrices";
        if (library.Backend == Backend.Mkl && VectorMath.TryBind(library) is { } functions && !functions.Works())
            return "its vector functions give wrong values";
        return null;
    }

    /// <summary>A packed product is the plain one; with fewer rows than it was packed for, too.</summary>
    private static unsafe bool PacksRightly<T>(CblasLibrary library, T[] numbers)
        where T : unmanaged
    {
        const int n = 48;
        var results = new T[2 * n * n];
        var packed = new byte[64 + (int)library.PackedSize<T>(n, n, n)];
        fixed (T* a = numbers, c = results)
        fixed (byte* p = packed)
        {
            var aligned = (T*)((nint)(p + 63) / 64 * 64);
            library.Pack(true, n, n, n, a + n * n, n, aligned);
            foreach (var rows in new[] { n, 19 })
            {
                library.Gemm(true, true, rows, n, n, a, n, a + n * n, n, c, n, false);
                library.GemmPacked(true, rows, n, n, a, n, aligned, n, c + n * n, n, false);
                if (!results.AsSpan(0, rows * n).SequenceEqual(results.AsSpan(n * n, rows * n)))
                    return false;
            }
        }

        return true;
    }

    private static (string Answer, bool Certain) AskChild(Backend backend, string path)
    {
        var assembly = AssemblyPath();
        var host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        if (assembly is null || !File.Exists(host))
            return ("it could not be checked: a single-file or self-contained program has no runtime host to try it in", false);
        var configuration = Path.Combine(Path.GetTempPath(), $"verified-check-{Environment.ProcessId}-{Guid.NewGuid():N}.json");
        try
        {
            var version = $"{Environment.Version.Major}.{Environment.Version.Minor}.0";
            File.WriteAllText(configuration, """{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"VERSION"}}}""".Replace("VERSION", version, StringComparison.Ordinal));
            var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            foreach (var argument in new[] { "exec", "--runtimeconfig", configuration, assembly, Command, backend.ToString(), path })
                start.ArgumentList.Add(argument);
            // Nothing that instruments this process belongs into the child.
            foreach (var variable in new[] { "DOTNET_STARTUP_HOOKS", "CORECLR_ENABLE_PROFILING", "CORECLR_PROFILER" })
                start.Environment.Remove(variable);
            using var child = Process.Start(start)!;
            var errors = child.StandardError.ReadToEndAsync();
            var output = child.StandardOutput.ReadToEndAsync();
            if (!child.WaitForExit(TimeoutMilliseconds))
            {
                child.Kill();
                return ($"a process that tried it did not end within {TimeoutMilliseconds / 1000} s", false);
            }

            var answer = output.GetAwaiter().GetResult().Trim().Split('\n')[^1];
            if (child.ExitCode == 0 && answer == Passed)
                return (Passed, true);
            if (child.ExitCode == 1 && answer.Length > 0)
                return (answer, true);
            var said = errors.GetAwaiter().GetResult().Trim().Split('\n')[0];
            return ($"a process that tried it ended with exit code {child.ExitCode}{(said.Length > 0 ? ": " + said : "")}", true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return ("it could not be checked: " + e.Message, false);
        }
        finally
        {
            File.Delete(configuration);
        }
    }

    [System.Diagnostics.CodeAnalysis.UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is an answer.")]
    private static string? AssemblyPath()
    {
        var location = typeof(LibraryCheck).Assembly.Location;
        return location.Length == 0 ? null : location;
    }

    private static string Key(Backend backend, string path)
    {
        var file = new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
        var key = string.Create(
            CultureInfo.InvariantCulture,
            $"{ProtocolVersion}|{backend}|{path}|{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}|{Processor.Current}|{Environment.Version.Major}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..24];
    }

    private static string? Read(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllText(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Write(string file, string answer)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            var fresh = $"{file}.{Environment.ProcessId}";
            File.WriteAllText(fresh, answer);
            File.Move(fresh, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is asked again next time.
        }
    }
}
