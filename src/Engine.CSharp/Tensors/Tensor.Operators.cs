#pragma warning disable CS1591 // The operators' meaning is their sign; the methods they call are documented.
namespace Verified.Engine;

public sealed partial class Tensor
{
    public static Tensor operator +(Tensor a, Tensor b) => Arithmetic.Add.Apply(a, b);

    public static Tensor operator +(Tensor a, double b) => Arithmetic.Add.Apply(a, Number(b));

    public static Tensor operator +(double a, Tensor b) => Arithmetic.Add.Apply(b, Number(a));

    public static Tensor operator -(Tensor a, Tensor b) => Arithmetic.Sub.Apply(a, b);

    public static Tensor operator -(Tensor a, double b) => Arithmetic.Sub.Apply(a, Number(b));

    public static Tensor operator -(double a, Tensor b) => Arithmetic.Sub.Apply(Number(a), b);

    public static Tensor operator *(Tensor a, Tensor b) => Arithmetic.Mul.Apply(a, b);

    public static Tensor operator *(Tensor a, double b) => Arithmetic.Mul.Apply(a, Number(b));

    public static Tensor operator *(double a, Tensor b) => Arithmetic.Mul.Apply(b, Number(a));

    public static Tensor operator /(Tensor a, Tensor b) => Arithmetic.Div.Apply(a, b);

    public static Tensor operator /(Tensor a, double b) => Arithmetic.Div.Apply(a, Number(b));

    public static Tensor operator /(double a, Tensor b) => Arithmetic.Div.Apply(Number(a), b);

    public static Tensor operator -(Tensor x) => Arithmetic.Neg.Apply(x);

    // What F#'s exp, log, sqrt, **, abs, ... look for.
    public static Tensor Exp(Tensor x) => x.Exp();

    public static Tensor Log(Tensor x) => x.Log();

    public static Tensor Sqrt(Tensor x) => x.Sqrt();

    public static Tensor Tanh(Tensor x) => x.Tanh();

    public static Tensor Sin(Tensor x) => x.Sin();

    public static Tensor Cos(Tensor x) => x.Cos();

    public static Tensor Abs(Tensor x) => x.Abs();

    public static Tensor Floor(Tensor x) => x.Floor();

    public static Tensor Round(Tensor x) => x.Round();

    public static Tensor DivideByInt(Tensor x, int divisor) => x / divisor;
}
