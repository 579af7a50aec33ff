using System.Reflection;
using Verified.Engine.Blas;
using Xunit.Sdk;

namespace Verified.Engine.Tests;

/// <summary>
/// One row of a theory per backend. A backend whose library is not there gives a skipped row that names the command which fetches it;
/// with VERIFIED_REQUIRE_MKL=1 the MKL row runs, and fails, instead.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class BlasBackendDataAttribute(Backend backend, params object[] others) : DataAttribute
{
    /// <summary>Which backend the row is for.</summary>
    public Backend Backend => backend;

    /// <summary>The row's further arguments.</summary>
    public IReadOnlyList<object> Others => others;

    /// <inheritdoc/>
    public override string? Skip
    {
        get => MatrixProducts.IsAvailable(backend) || (backend == Backend.Mkl && Environment.GetEnvironmentVariable("VERIFIED_REQUIRE_MKL") == "1")
            ? null
            : $"{backend} is not there: ./setup fetches it where it can";
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[backend, .. others]];
}
