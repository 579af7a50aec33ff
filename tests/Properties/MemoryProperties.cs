using Verified.Engine;
using Verified.Oracle.Generation;
using Verified.Spec;
using Xunit;

namespace Verified.Properties;

/// <summary>Kernels write all of their results and nothing else, at sizes where vectors, tiles and buffers matter.</summary>
public sealed class MemoryProperties
{
    private static readonly ProgramGenerator Large = new(RegistryModule.all, Oracle.Examination.For(Sound.Engine.Info) with { Large = 1 });

    /// <summary>Fresh memory is filled with NaN, and what is written beside a block is found when the block is freed.</summary>
    [Fact]
    public void A_large_program_gives_the_same_bits_in_memory_that_is_checked()
    {
        for (var i = 0; i < 400; i++)
        {
            var program = Large.Generate(Rng.CaseSeed(9001, i));
            var plain = Sound.Bits(program, threads: 4, shared: true);
            MemoryChecks.Enabled = true;
            try
            {
                Assert.Equal(plain, Sound.Bits(program, threads: 4, shared: true));
            }
            finally
            {
                MemoryChecks.Enabled = false;
            }
        }

        MemoryChecks.Verify();
    }
}
