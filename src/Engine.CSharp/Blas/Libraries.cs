namespace Verified.Engine.Blas;

/// <summary>A library file that was found: used, or why not.</summary>
/// <param name="Path">The file.</param>
/// <param name="WhyNot">Null where it was checked and loaded.</param>
public sealed record FoundLibrary(string Path, string? WhyNot);

/// <summary>The native libraries of this process: looked for, checked and loaded when first asked for, once.</summary>
internal static class Libraries
{
    private static readonly Lazy<(CblasLibrary? Library, IReadOnlyList<FoundLibrary> Found)> Mkl = new(() => Open(Backend.Mkl));
    private static readonly Lazy<(CblasLibrary? Library, IReadOnlyList<FoundLibrary> Found)> OpenBlas = new(() => Open(Backend.OpenBlas));

    /// <summary>The loaded library, or null where none could be had.</summary>
    public static CblasLibrary? Get(Backend backend) => Of(backend).Library;

    /// <summary>All files found, in the order in which they were tried, up to the one that is used.</summary>
    public static IReadOnlyList<FoundLibrary> Found(Backend backend) => Of(backend).Found;

    private static (CblasLibrary? Library, IReadOnlyList<FoundLibrary> Found) Of(Backend backend) =>
        backend switch
        {
            Backend.Mkl => Mkl.Value,
            Backend.OpenBlas => OpenBlas.Value,
            _ => (null, []),
        };

    private static (CblasLibrary? Library, IReadOnlyList<FoundLibrary> Found) Open(Backend backend)
    {
        var found = new List<FoundLibrary>();
        foreach (var path in LibraryLocations.Candidates(backend))
        {
            var why = LibraryCheck.WhyNot(backend, path);
            if (why is null)
            {
                try
                {
                    var library = new CblasLibrary(backend, path);
                    found.Add(new FoundLibrary(path, null));
                    return (library, found);
                }
                catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
                {
                    why = e.Message;
                }
            }

            found.Add(new FoundLibrary(path, why));
        }

        return (null, found);
    }
}
