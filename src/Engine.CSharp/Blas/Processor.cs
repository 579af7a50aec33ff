using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Verified.Engine.Blas;

/// <summary>The processor, as far as the choice of a kernel depends on it.</summary>
/// <param name="Vendor">"GenuineIntel", "AuthenticAMD", ... or "Arm".</param>
/// <param name="Name">The name it gives itself, or the architecture's.</param>
/// <param name="Family">The vendor's number of the generation (x64's CPUID); 0 elsewhere.</param>
/// <param name="Isa">The widest vectors that .NET uses here: avx512, avx2, sse, neon.</param>
public sealed record Processor(string Vendor, string Name, int Family, string Isa)
{
    /// <summary>This machine's.</summary>
    public static Processor Current { get; } = Detect();

    /// <summary>Vendor, name and instruction set in one line.</summary>
    public override string ToString() => Family == 0 ? $"{Name} ({Vendor}, {Isa})" : $"{Name} ({Vendor}/{Family}, {Isa})";

    private static Processor Detect()
    {
        var isa = Vector512.IsHardwareAccelerated ? "avx512" : Avx2.IsSupported ? "avx2" : AdvSimd.IsSupported ? "neon" : "sse";
        if (!X86Base.IsSupported)
            return new Processor(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "Arm" : "unknown", RuntimeInformation.ProcessArchitecture.ToString(), 0, isa);

        var (_, b, c, d) = X86Base.CpuId(0, 0);
        var vendor = Text(b, d, c);
        var name = vendor;
        if ((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax >= 0x80000004)
        {
            var brand = new StringBuilder();
            for (var leaf = 0; leaf < 3; leaf++)
            {
                var (ea, eb, ec, ed) = X86Base.CpuId(unchecked((int)0x80000002) + leaf, 0);
                brand.Append(Text(ea, eb, ec, ed));
            }

            name = brand.ToString();
        }

        var signature = X86Base.CpuId(1, 0).Eax;
        var family = (signature >> 8) & 15;
        if (family == 15)
            family += (signature >> 20) & 255;
        return new Processor(vendor, string.Join(' ', name.Split(' ', StringSplitOptions.RemoveEmptyEntries)), family, isa);
    }

    private static string Text(params ReadOnlySpan<int> registers) => Encoding.ASCII.GetString(MemoryMarshal.AsBytes(registers)).TrimEnd('\0');
}
