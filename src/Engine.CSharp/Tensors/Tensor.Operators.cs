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
}
