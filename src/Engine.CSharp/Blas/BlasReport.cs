namespace Verified.Engine.Blas;

/// <summary>One backend as a report shows it.</summary>
/// <param name="Backend">Which.</param>
/// <param name="Available">Whether it can be used.</param>
/// <param name="Path">Its file; null where it has none.</param>
/// <param name="Version">What it says of itself.</param>
/// <param name="Checked">How it was checked, or that it was not.</param>
/// <param name="Rejected">Files that were found and not used, with the reason.</param>
/// <param name="UsedFor">The products that it computes here, by the rule or the pin; empty where none.</param>
/// <param name="NotUsedFor">The other products, and why.</param>
/// <param name="HowToPin">What pins it.</param>
/// <param name="HowToGet">What to do where it is missing; empty where it is there.</param>
public sealed record BackendReport(
    Backend Backend,
    bool Available,
    string? Path,
    string Version,
    string Checked,
    IReadOnlyList<FoundLibrary> Rejected,
    IReadOnlyList<string> UsedFor,
    IReadOnlyList<string> NotUsedFor,
    string HowToPin,
    string HowToGet);

/// <summary>The processor, the rule and every backend, for <c>verify doctor</c>. Making it looks for all libraries.</summary>
/// <param name="Processor">This machine's.</param>
/// <param name="Threads">Threads of the pool.</param>
/// <param name="Rule">Where the dispatch rule comes from.</param>
/// <param name="Pinned">The pinned backend, if any.</param>
/// <param name="Backends">All backends.</param>
public sealed record BlasReport(Processor Processor, int Threads, string Rule, Backend? Pinned, IReadOnlyList<BackendReport> Backends)
{
    /// <summary>Looks at this machine.</summary>
    public static BlasReport Make() =>
        new(Processor.Current, Parallelism.Threads, MatrixProducts.Rule.Origin, MatrixProducts.Pinned, [.. Enum.GetValues<Backend>().Select(Of)]);

    /// <summary>The report as lines of text.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"processor  {Processor}, {Threads} threads";
        yield return $"rule       {Rule}{(Pinned is { } pinned ? $"; not in force, {pinned} is pinned" : "")}";
        foreach (var b in Backends)
        {
            yield return $"{b.Backend,-10} {b.Version}";
            if (b.Path is not null)
                yield return $"           path      {b.Path}";
            yield return $"           checked   {b.Checked}";
            foreach (var other in b.Rejected)
                yield return $"           rejected  {other.Path}: {other.WhyNot}";
            yield return $"           used for  {(b.UsedFor.Count > 0 ? string.Join(", ", b.UsedFor) : "nothing")}";
            foreach (var line in b.NotUsedFor)
                yield return $"           not for   {line}";
            yield return $"           pin       {b.HowToPin}";
            if (b.HowToGet.Length > 0)
                yield return $"           get       {b.HowToGet}";
        }
    }

    private static BackendReport Of(Backend backend)
    {
        var library = Libraries.Get(backend);
        var found = Libraries.Found(backend);
        var available = MatrixProducts.IsAvailable(backend);
        var version = backend switch
        {
            Backend.Managed => $"the engine's own kernel, {KernelSet<float>.Best.Bits}-bit registers",
            Backend.MathNet => $"MathNet.Numerics, provider {MathNetProduct.ProviderName}",
            _ when library is null => "not there",
            _ when library.Core is { } core => $"{library.Description}; on this processor it runs its kernels for {core}{(library.KnowsProcessor ? "" : ", which do not use its vectors: no rule chooses it")}",
            _ => library.Description,
        };
        var check = library is not null ? "in a child process: loads, and multiplies rightly" : found.Count > 0 ? "no file passed" : available ? "needs none" : "nothing found to check";
        var used = new List<string>();
        var not = new Dictionary<string, List<string>>();
        foreach (var shape in Enum.GetValues<ProductShape>())
        {
            Sort<float>("float32");
            Sort<double>("float64");

            void Sort<T>(string dtype)
                where T : unmanaged
            {
                var name = $"{shape.ToString().ToLowerInvariant()} {dtype}";
                var (chosen, why) = MatrixProducts.Pinned is { } pinned ? (pinned, "pinned") : MatrixProducts.ByRule<T>(shape);
                if (chosen == backend)
                {
                    used.Add(name);
                    return;
                }

                var reason = backend == Backend.MathNet ? "copies its operands, so never chosen by a rule" : $"{chosen} by {why}";
                if (!not.TryGetValue(reason, out var names))
                    not[reason] = names = [];
                names.Add(name);
            }
        }

        if (backend == Backend.Mkl && library is not null && VectorMath.Mkl is not null)
            used.Add("vector functions (exp, tanh, ...)");
        var get = library is not null || backend is Backend.Managed or Backend.MathNet
            ? ""
            : $"./setup (x64 Linux with apt), or your system's package, or {LibraryLocations.Variable(backend)}=FILE";
        return new BackendReport(
            backend,
            available,
            library?.Path,
            version,
            check,
            [.. found.Where(f => f.WhyNot is not null)],
            used,
            [.. not.Select(n => $"{string.Join(", ", n.Value)}: {n.Key}")],
            $"VERIFIED_BLAS={backend.ToString().ToLowerInvariant()} or MatrixProducts.Use(Backend.{backend})",
            get);
    }
}
