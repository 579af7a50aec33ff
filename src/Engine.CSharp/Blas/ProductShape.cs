namespace Verified.Engine.Blas;

/// <summary>Classes of products that the dispatch rule tells apart.</summary>
public enum ProductShape
{
    /// <summary>m or n is 1.</summary>
    Vector,

    /// <summary>At most 24^3 multiplications.</summary>
    Tiny,

    /// <summary>m or n is below 24, and not tiny.</summary>
    Thin,

    /// <summary>At most 96^3 multiplications, and not thin.</summary>
    Small,

    /// <summary>All others.</summary>
    Large,
}

/// <summary>Sorts products into their classes.</summary>
public static class ProductShapes
{
    /// <summary>The class of C[m,n] = A[m,k] B[k,n].</summary>
    public static ProductShape Of(int m, int n, int k)
    {
        var work = (long)m * n * k;
        return m == 1 || n == 1 ? ProductShape.Vector
            : work <= 24 * 24 * 24 ? ProductShape.Tiny
            : m < 24 || n < 24 ? ProductShape.Thin
            : work <= 96 * 96 * 96 ? ProductShape.Small
            : ProductShape.Large;
    }
}
