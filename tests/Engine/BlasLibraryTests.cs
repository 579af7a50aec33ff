using Verified.Engine.Blas;
using Xunit;

namespace Verified.Engine.Tests;

/// <summary>A library is tried in a child process first; one that is wrong is refused with a reason and never reaches this process.</summary>
public sealed unsafe class BlasLibraryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("verified-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_that_is_no_library_is_refused_with_a_reason()
    {
        var file = Path.Combine(_folder, "libopenblas.so.0");
        File.WriteAllText(file, "no library");
        var why = LibraryCheck.WhyNot(Backend.OpenBlas, file, _folder);
        Assert.False(string.IsNullOrWhiteSpace(why));
        Assert.Equal(why, LibraryCheck.WhyNot(Backend.OpenBlas, file, _folder));
    }

    [Fact]
    public void A_library_without_CBLAS_is_refused_by_the_name_that_it_lacks()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var system = Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so")[0];
        var why = LibraryCheck.WhyNot(Backend.Mkl, system, _folder);
        Assert.Contains("cblas_sgemm", why, StringComparison.Ordinal);
    }

    [Theory]
    [BlasBackendData(Backend.Mkl)]
    public void Vector_functions_lie_within_one_ulp_of_the_function(Backend backend)
    {
        Assert.NotNull(Libraries.Get(backend));
        var functions = VectorMath.Mkl;
        Assert.NotNull(functions);
        var x = Enumerable.Range(1, 4000).Select(i => i * 0.00123f).ToArray();
        foreach (var (function, exact) in new (VectorFunction, Func<double, double>)[]
        {
            (VectorFunction.Exp, Math.Exp), (VectorFunction.Ln, Math.Log), (VectorFunction.Tanh, Math.Tanh),
            (VectorFunction.Sin, Math.Sin), (VectorFunction.Cos, Math.Cos),
        })
        {
            var y = new float[x.Length];
            fixed (float* px = x, py = y)
                functions.Apply(function, x.Length, px, py);
            for (var i = 0; i < x.Length; i++)
            {
                var value = exact(x[i]);
                var ulp = MathF.BitIncrement(MathF.Abs((float)value)) - MathF.Abs((float)value);
                Assert.True(Math.Abs(y[i] - value) <= ulp, $"{function}({x[i]:R}) is {y[i]:R}, {value:R} was expected");
            }
        }
    }
}
