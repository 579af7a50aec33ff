using System.Runtime.CompilerServices;

namespace Verified.Engine.Blas;

/// <summary>
/// The innermost loop: a tile of C, TRows rows by TColumns registers, held in registers while k runs.
/// Each element is one chain of fused multiply-adds in ascending k, so its bits depend on nothing but the operands:
/// not on register width, tile, packing or blocking.
/// </summary>
internal static unsafe class MicroKernel<TSimd, TVector, T, TRows, TColumns>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged
    where TRows : struct, INumber
    where TColumns : struct, INumber
{
    /// <summary>C (+)= A B on one tile. A is read through any strides; rows of B and C are contiguous.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(nint k, T* a, nint aRow, nint aColumn, T* b, nint bRow, T* c, nint cRow, bool accumulate)
    {
        var width = TSimd.Count;
        TVector c00 = default, c01 = default;
        TVector c10 = default, c11 = default;
        TVector c20 = default, c21 = default;
        TVector c30 = default, c31 = default;
        TVector c40 = default, c41 = default;
        TVector c50 = default, c51 = default;
        TVector c60 = default, c61 = default;
        TVector c70 = default, c71 = default;
        TVector c80 = default, c81 = default;
        TVector c90 = default, c91 = default;
        TVector c100 = default, c101 = default;
        TVector c110 = default, c111 = default;
        if (accumulate)
        {
            var p = c;
            c00 = TSimd.Load(p);
            if (TColumns.Value > 1)
                c01 = TSimd.Load(p + width);
            if (TRows.Value > 1)
            {
                p += cRow;
                c10 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c11 = TSimd.Load(p + width);
            }

            if (TRows.Value > 2)
            {
                p += cRow;
                c20 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c21 = TSimd.Load(p + width);
            }

            if (TRows.Value > 3)
            {
                p += cRow;
                c30 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c31 = TSimd.Load(p + width);
            }

            if (TRows.Value > 4)
            {
                p += cRow;
                c40 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c41 = TSimd.Load(p + width);
            }

            if (TRows.Value > 5)
            {
                p += cRow;
                c50 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c51 = TSimd.Load(p + width);
            }

            if (TRows.Value > 6)
            {
                p += cRow;
                c60 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c61 = TSimd.Load(p + width);
            }

            if (TRows.Value > 7)
            {
                p += cRow;
                c70 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c71 = TSimd.Load(p + width);
            }

            if (TRows.Value > 8)
            {
                p += cRow;
                c80 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c81 = TSimd.Load(p + width);
            }

            if (TRows.Value > 9)
            {
                p += cRow;
                c90 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c91 = TSimd.Load(p + width);
            }

            if (TRows.Value > 10)
            {
                p += cRow;
                c100 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c101 = TSimd.Load(p + width);
            }

            if (TRows.Value > 11)
            {
                p += cRow;
                c110 = TSimd.Load(p);
                if (TColumns.Value > 1)
                    c111 = TSimd.Load(p + width);
            }
        }

        // Four row pointers and one stride reach twelve rows through x64's addressing modes.
        var aRow2 = 2 * aRow;
        var a0 = a;
        var a3 = TRows.Value > 3 ? a + 3 * aRow : a;
        var a6 = TRows.Value > 6 ? a + 6 * aRow : a;
        var a9 = TRows.Value > 9 ? a + 9 * aRow : a;
        for (; k > 0; k--)
        {
            var b0 = TSimd.Load(b);
            var b1 = TColumns.Value > 1 ? TSimd.Load(b + width) : default;
            TVector x;
            x = TSimd.Broadcast(*a0);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            if (TColumns.Value > 1)
                c01 = TSimd.MultiplyAdd(x, b1, c01);

            if (TRows.Value > 1)
            {
                x = TSimd.Broadcast(a0[aRow]);
                c10 = TSimd.MultiplyAdd(x, b0, c10);
                if (TColumns.Value > 1)
                    c11 = TSimd.MultiplyAdd(x, b1, c11);
            }

            if (TRows.Value > 2)
            {
                x = TSimd.Broadcast(a0[aRow2]);
                c20 = TSimd.MultiplyAdd(x, b0, c20);
                if (TColumns.Value > 1)
                    c21 = TSimd.MultiplyAdd(x, b1, c21);
            }

            if (TRows.Value > 3)
            {
                x = TSimd.Broadcast(*a3);
                c30 = TSimd.MultiplyAdd(x, b0, c30);
                if (TColumns.Value > 1)
                    c31 = TSimd.MultiplyAdd(x, b1, c31);
            }

            if (TRows.Value > 4)
            {
                x = TSimd.Broadcast(a3[aRow]);
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                if (TColumns.Value > 1)
                    c41 = TSimd.MultiplyAdd(x, b1, c41);
            }

            if (TRows.Value > 5)
            {
                x = TSimd.Broadcast(a3[aRow2]);
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                if (TColumns.Value > 1)
                    c51 = TSimd.MultiplyAdd(x, b1, c51);
            }

            if (TRows.Value > 6)
            {
                x = TSimd.Broadcast(*a6);
                c60 = TSimd.MultiplyAdd(x, b0, c60);
                if (TColumns.Value > 1)
                    c61 = TSimd.MultiplyAdd(x, b1, c61);
            }

            if (TRows.Value > 7)
            {
                x = TSimd.Broadcast(a6[aRow]);
                c70 = TSimd.MultiplyAdd(x, b0, c70);
                if (TColumns.Value > 1)
                    c71 = TSimd.MultiplyAdd(x, b1, c71);
            }

            if (TRows.Value > 8)
            {
                x = TSimd.Broadcast(a6[aRow2]);
                c80 = TSimd.MultiplyAdd(x, b0, c80);
                if (TColumns.Value > 1)
                    c81 = TSimd.MultiplyAdd(x, b1, c81);
            }

            if (TRows.Value > 9)
            {
                x = TSimd.Broadcast(*a9);
                c90 = TSimd.MultiplyAdd(x, b0, c90);
                if (TColumns.Value > 1)
                    c91 = TSimd.MultiplyAdd(x, b1, c91);
            }

            if (TRows.Value > 10)
            {
                x = TSimd.Broadcast(a9[aRow]);
                c100 = TSimd.MultiplyAdd(x, b0, c100);
                if (TColumns.Value > 1)
                    c101 = TSimd.MultiplyAdd(x, b1, c101);
            }

            if (TRows.Value > 11)
            {
                x = TSimd.Broadcast(a9[aRow2]);
                c110 = TSimd.MultiplyAdd(x, b0, c110);
                if (TColumns.Value > 1)
                    c111 = TSimd.MultiplyAdd(x, b1, c111);
            }

            a0 += aColumn;
            if (TRows.Value > 3)
                a3 += aColumn;
            if (TRows.Value > 6)
                a6 += aColumn;
            if (TRows.Value > 9)
                a9 += aColumn;
            b += bRow;
        }

        TSimd.Store(c, c00);
        if (TColumns.Value > 1)
            TSimd.Store(c + width, c01);
        if (TRows.Value > 1)
        {
            c += cRow;
            TSimd.Store(c, c10);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c11);
        }

        if (TRows.Value > 2)
        {
            c += cRow;
            TSimd.Store(c, c20);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c21);
        }

        if (TRows.Value > 3)
        {
            c += cRow;
            TSimd.Store(c, c30);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c31);
        }

        if (TRows.Value > 4)
        {
            c += cRow;
            TSimd.Store(c, c40);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c41);
        }

        if (TRows.Value > 5)
        {
            c += cRow;
            TSimd.Store(c, c50);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c51);
        }

        if (TRows.Value > 6)
        {
            c += cRow;
            TSimd.Store(c, c60);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c61);
        }

        if (TRows.Value > 7)
        {
            c += cRow;
            TSimd.Store(c, c70);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c71);
        }

        if (TRows.Value > 8)
        {
            c += cRow;
            TSimd.Store(c, c80);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c81);
        }

        if (TRows.Value > 9)
        {
            c += cRow;
            TSimd.Store(c, c90);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c91);
        }

        if (TRows.Value > 10)
        {
            c += cRow;
            TSimd.Store(c, c100);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c101);
        }

        if (TRows.Value > 11)
        {
            c += cRow;
            TSimd.Store(c, c110);
            if (TColumns.Value > 1)
                TSimd.Store(c + width, c111);
        }
    }
}
