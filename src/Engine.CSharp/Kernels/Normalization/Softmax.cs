using System.Numerics;
using System.Runtime.CompilerServices;

namespace Verified.Engine.Kernels;

/// <summary>Softmax and its logarithm along the middle of dense operands [outer, n, inner], row by row, shifted by each row's maximum.</summary>
internal static unsafe class Softmax
{
    /// <summary>y = exp(x - max) / sum.</summary>
    public static void Forward<T>(ref T x, ref T y, int outer, int n, int inner)
        where T : unmanaged, IFloatingPointIeee754<T> => Rows3.Run(default(ForwardRow<T>), ref x, ref x, ref y, outer, n, inner);

    /// <summary>y = (x - max) - log sum.</summary>
    public static void LogForward<T>(ref T x, ref T y, int outer, int n, int inner)
        where T : unmanaged, IFloatingPointIeee754<T> => Rows3.Run(default(LogForwardRow<T>), ref x, ref x, ref y, outer, n, inner);

    /// <summary>dx = y (g - sum(g y)) of softmax's result y.</summary>
    public static void Backward<T>(ref T g, ref T y, ref T dx, int outer, int n, int inner)
        where T : unmanaged, IFloatingPointIeee754<T> => Rows3.Run(default(BackwardRow<T>), ref g, ref y, ref dx, outer, n, inner);

    /// <summary>dx = g - exp(y) sum(g) of log_softmax's result y.</summary>
    public static void LogBackward<T>(ref T g, ref T y, ref T dx, int outer, int n, int inner)
        where T : unmanaged, IFloatingPointIeee754<T> => Rows3.Run(default(LogBackwardRow<T>), ref g, ref y, ref dx, outer, n, inner);

    private readonly struct ForwardRow<T> : IRow<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run(T* x, T* unused, T* y, int n)
        {
            var max = Sequence<Reduce.Max<T>, T>.Of(default, x, n);
            Dense.Unary(new ShiftedExp<T>(max), x, y, n);
            var sum = Sequence<Reduce.Sum<T>, T>.Of(default, y, n);
            Dense.Binary(default(Op.Div<T>), y, false, &sum, true, y, n);
        }
    }

    private readonly struct LogForwardRow<T> : IRow<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run(T* x, T* unused, T* y, int n)
        {
            var max = Sequence<Reduce.Max<T>, T>.Of(default, x, n);
            var sum = Sequence<Reduce.SumOfExponentials<T>, T>.Of(default, x, n, max);
            var log = V1<T>.Lane(default(Op.Log<T>).Invoke(V1<T>.Create(sum)), 0);
            Dense.Unary(new SubtractTwice<T>(max, log), x, y, n);
        }
    }

    private readonly struct BackwardRow<T> : IRow<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run(T* g, T* y, T* dx, int n)
        {
            var dot = DotProduct.Of(g, y, n);
            Dense.Binary(new TimesDifference<T>(dot), y, false, g, false, dx, n);
        }
    }

    private readonly struct LogBackwardRow<T> : IRow<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run(T* g, T* y, T* dx, int n)
        {
            var sum = Sequence<Reduce.Sum<T>, T>.Of(default, g, n);
            Dense.Binary(new MinusExpTimes<T>(sum), g, false, y, false, dx, n);
        }
    }

    private readonly struct ShiftedExp<T>(T shift) : IUnary<T>
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => default(Op.Exp<T>).Invoke(x - V.Create(shift));
    }

    private readonly struct SubtractTwice<T>(T first, T second) : IUnary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x)
            where V : struct, ISimd<V, T> => x - V.Create(first) - V.Create(second);
    }

    private readonly struct TimesDifference<T>(T dot) : IBinary<T>
        where T : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => x * (y - V.Create(dot));
    }

    private readonly struct MinusExpTimes<T>(T sum) : IBinary<T>
        where T : unmanaged
    {
        public static bool IsWide => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Invoke<V>(V x, V y)
            where V : struct, ISimd<V, T> => x - (default(Op.Exp<T>).Invoke(y) * V.Create(sum));
    }
}
