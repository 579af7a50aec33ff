namespace ScalarLoop;

/// <summary>The operators, one loop each.</summary>
public static class Operators
{
    public static Tensor Neg(Tensor x) => Map(x, v => -v, (g, _, _) => -g);

    public static Tensor Exp(Tensor x) => Map(x, Math.Exp, (g, _, y) => g * y);

    public static Tensor Sigmoid(Tensor x) => Map(x, v => 1 / (1 + Math.Exp(-v)), (g, _, y) => g * ((1 - y) * y));

    public static Tensor Relu(Tensor x) => Map(x, v => v < 0 ? 0 : v, (g, x, _) => x <= 0 ? 0 : g);

#if MENDED
    public static Tensor Tanh(Tensor x) => Map(x, Math.Tanh, (g, _, y) => g * (1 - y * y));
#else
    // The bug: the derivative takes the input where it wants the output.
    public static Tensor Tanh(Tensor x) => Map(x, Math.Tanh, (g, x, _) => g * (1 - x * x));
#endif

    public static Tensor Add(Tensor a, Tensor b) => Zip(a, b, (x, y) => x + y, (g, _, _) => g, (g, _, _) => g);

    public static Tensor Sub(Tensor a, Tensor b) => Zip(a, b, (x, y) => x - y, (g, _, _) => g, (g, _, _) => -g);

    public static Tensor Mul(Tensor a, Tensor b) => Zip(a, b, (x, y) => x * y, (g, _, y) => g * y, (g, x, _) => g * x);

    public static Tensor Div(Tensor a, Tensor b) => Zip(a, b, (x, y) => x / y, (g, _, y) => g / y, (g, x, y) => -g * (x / y / y));

    public static Tensor Sum(Tensor x) => Made([x.Data.Sum()], [], x, g => Filled(x.Data.Length, g[0]));

    public static Tensor Mean(Tensor x) => Made([x.Data.Sum() / x.Data.Length], [], x, g => Filled(x.Data.Length, g[0] / x.Data.Length));

    /// <summary>The product of two matrices.</summary>
    public static Tensor Matmul(Tensor a, Tensor b)
    {
        var (n, m, p) = (a.Shape[0], a.Shape[1], b.Shape[1]);
        return new Tensor(Product(a.Data, b.Data, n, m, p), [n, p], a.Single, a.RequiresGrad || b.RequiresGrad)
        {
            Inputs = [(a, g => Product(g, Transposed(b.Data, m, p), n, p, m)), (b, g => Product(Transposed(a.Data, n, m), g, m, n, p))],
        };
    }

    private static double[] Product(double[] a, double[] b, int n, int m, int p)
    {
        var c = new double[n * p];
        for (var i = 0; i < n; i++)
            for (var k = 0; k < m; k++)
                for (var j = 0; j < p; j++) c[i * p + j] += a[i * m + k] * b[k * p + j];
        return c;
    }

    private static double[] Transposed(double[] a, int n, int m) => [.. Enumerable.Range(0, n * m).Select(i => a[i % n * m + i / n])];

    private static Tensor Map(Tensor x, Func<double, double> f, Func<double, double, double, double> slope)
    {
        Tensor? y = null;
        return y = Made([.. x.Data.Select(f)], x.Shape, x, g => [.. g.Select((v, i) => slope(v, x.Data[i], y!.Data[i]))]);
    }

    private static Tensor Made(double[] data, int[] shape, Tensor x, Func<double[], double[]> pull) =>
        new(data, shape, x.Single, x.RequiresGrad) { Inputs = x.RequiresGrad ? [(x, pull)] : [] };

    /// <summary>Two operands that broadcast: element i of the result comes of elements at[i] of each.</summary>
    private static Tensor Zip(Tensor a, Tensor b, Func<double, double, double> f, Func<double, double, double, double> ofA, Func<double, double, double, double> ofB)
    {
        var shape = Broadcast(a.Shape, b.Shape);
        var (atA, atB) = (Places(a.Shape, shape), Places(b.Shape, shape));
        double[] Summed(double[] g, Func<double, double, double, double> rule, int[] at, int count)
        {
            var sums = new double[count];
            for (var i = 0; i < g.Length; i++) sums[at[i]] += rule(g[i], a.Data[atA[i]], b.Data[atB[i]]);
            return sums;
        }

        return new Tensor([.. atA.Zip(atB, (i, j) => f(a.Data[i], b.Data[j]))], shape, a.Single, a.RequiresGrad || b.RequiresGrad)
        {
            Inputs = [(a, g => Summed(g, ofA, atA, a.Data.Length)), (b, g => Summed(g, ofB, atB, b.Data.Length))],
        };
    }

    private static int[] Broadcast(int[] a, int[] b) => [.. Enumerable.Range(-Math.Max(a.Length, b.Length), Math.Max(a.Length, b.Length))
        .Select(d => Size(a, d) == 1 ? Size(b, d) : Size(a, d))];

    private static int Size(int[] shape, int fromEnd) => shape.Length + fromEnd < 0 ? 1 : shape[shape.Length + fromEnd];

    /// <summary>For each element of a shape, the flat place in one that broadcasts to it.</summary>
    private static int[] Places(int[] own, int[] shape)
    {
        var places = new int[shape.Aggregate(1, (n, d) => n * d)];
        for (var i = 0; i < places.Length; i++)
            for (int d = -1, rest = i, step = 1; d >= -shape.Length; rest /= Size(shape, d), step *= Size(own, d), d--)
                places[i] += Size(own, d) == 1 ? 0 : rest % Size(shape, d) * step;
        return places;
    }

    private static double[] Filled(int count, double value) => [.. Enumerable.Repeat(value, count)];
}
