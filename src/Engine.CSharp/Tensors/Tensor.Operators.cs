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
    public static Tensor Exp(Tensor x) => Exponentials.Exp.Apply(x);

    public static Tensor Log(Tensor x) => Exponentials.Log.Apply(x);

    public static Tensor Sqrt(Tensor x) => Powers.Sqrt.Apply(x);

    public static Tensor Tanh(Tensor x) => Exponentials.Tanh.Apply(x);

    public static Tensor Sin(Tensor x) => Trigonometry.Sin.Apply(x);

    public static Tensor Cos(Tensor x) => Trigonometry.Cos.Apply(x);

    public static Tensor Abs(Tensor x) => Piecewise.Abs.Apply(x);

    public static Tensor Floor(Tensor x) => Piecewise.Floor.Apply(x);

    public static Tensor Ceiling(Tensor x) => Piecewise.Ceil.Apply(x);

    public static Tensor Round(Tensor x) => Piecewise.Round.Apply(x);

    public static Tensor DivideByInt(Tensor x, int divisor) => Arithmetic.Div.Apply(x, Number((double)divisor));
}
