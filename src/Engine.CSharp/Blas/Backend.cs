namespace Verified.Engine.Blas;

/// <summary>What computes a matrix product.</summary>
public enum Backend
{
    /// <summary>The engine's own kernel; always there.</summary>
    Managed,

    /// <summary>Intel MKL through CBLAS, sequential layer.</summary>
    Mkl,

    /// <summary>OpenBLAS through CBLAS, one thread.</summary>
    OpenBlas,

    /// <summary>MathNet.Numerics' active linear algebra provider; operands are copied. Never chosen by a rule.</summary>
    MathNet,
}
