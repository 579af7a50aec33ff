using System.Text.Json;
using Verified.Engine;

namespace Verified.Training.Tests;

/// <summary>The generator draws what PyTorch's draws.</summary>
public sealed class GeneratorTests
{
    public static TheoryData<string> Cases => [.. Golden.Cases("generator").Select(c => c.GetProperty("case").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Draws_are_PyTorchs_bit_for_bit_and_normal_ones_within_a_millionth(string name)
    {
        var golden = Golden.Cases("generator").First(c => c.GetProperty("case").GetString() == name);
        var generator = new Generator(golden.GetProperty("seed").GetInt64());
        foreach (var draw in golden.GetProperty("draws").EnumerateArray())
        {
            var expected = draw.GetProperty("result").Tensor();
            var actual = Draw(draw.GetProperty("kind").GetString()!, draw.GetProperty("args"), generator);
            if (draw.GetProperty("kind").GetString() != "normal") Assert.Equal(0, Golden.Ulps(expected, actual));
            else
            {
                Assert.Equal(expected.DType, actual.DType);
                var std = draw.GetProperty("args").GetProperty("std").GetDouble();
                // The angle's rounding to float32 is shared, so what is left are last places of numbers up to 6 standard deviations.
                var bound = expected.DType == DType.Float32 ? 1e-6 * Math.Max(1, std) : 1e-14 * Math.Max(1, std);
                Assert.InRange(Golden.Difference(expected, actual), 0, bound);
            }
        }
        Assert.Equal(golden.GetProperty("state").GetProperty("data").GetBytesFromBase64(), Rounded(generator.GetState(), golden));
    }

    [Fact]
    public void A_state_that_was_kept_gives_the_same_draws_again()
    {
        var generator = new Generator(3);
        Rng.Randn([3], generator: generator);
        var state = generator.GetState();
        double[] first = [.. Rng.Randn([5], generator: generator).ToDoubles(), .. Rng.Rand([700], generator: generator).ToDoubles()];
        var other = new Generator(99);
        other.SetState(state);
        Assert.Equal(first, (double[])[.. Rng.Randn([5], generator: other).ToDoubles(), .. Rng.Rand([700], generator: other).ToDoubles()]);
        Assert.Equal(3, other.InitialSeed);
    }

    [Fact]
    public void Bytes_that_are_no_state_are_refused_and_change_nothing()
    {
        var generator = new Generator(3);
        var state = generator.GetState();
        Assert.Throws<ArgumentException>(() => generator.SetState(new byte[10]));
        Assert.Throws<ArgumentException>(() => generator.SetState(new byte[5056]));
        var wrong = (byte[])state.Clone();
        wrong[16] = 255;
        wrong[17] = 255;
        Assert.Throws<ArgumentException>(() => generator.SetState(wrong));
        Assert.Equal(state, generator.GetState());
    }

    [Fact]
    public void Arguments_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Rng.Uniform([2], 1, 0));
        Assert.Throws<ArgumentException>(() => Rng.Normal(0, -1, [2]));
        Assert.Throws<ArgumentException>(() => Rng.Randint(3, 3, [2]));
        Assert.Throws<ArgumentException>(() => Rng.Bernoulli([2], 1.5));
        Assert.Throws<ArgumentException>(() => Rng.Rand([2], DType.Int64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Rng.Rand([-2]));
    }

    private static Tensor Draw(string kind, JsonElement args, Generator generator)
    {
        var dtype = args.TryGetProperty("dtype", out var name) ? DTypes.Parse(name.GetString()!) : DType.Float32;
        int[] shape = args.TryGetProperty("shape", out var sizes) ? [.. sizes.EnumerateArray().Select(n => n.GetInt32())] : [];
        double Number(string key) => args.GetProperty(key).GetDouble();
        long Whole(string key) => args.GetProperty(key).GetInt64();
        return kind switch
        {
            "rand" => Rng.Rand(shape, dtype, generator),
            "uniform" => Rng.Uniform(shape, Number("from"), Number("to"), dtype, generator),
            "normal" => Rng.Normal(Number("mean"), Number("std"), shape, dtype, generator),
            "randint" => Rng.Randint(Whole("low"), Whole("high"), shape, generator),
            "randperm" => Rng.Randperm((int)Whole("n"), generator),
            "random" => Tensor.Create([Rng.RandomLong(generator)], []),
            "bernoulli" => Rng.Bernoulli(shape, Number("p"), dtype, generator),
            "bernoulli-each" => Rng.Bernoulli(Linspace((int)Whole("n"), dtype), generator),
            _ => throw new InvalidDataException($"a golden draw of kind {kind}"),
        };
    }

    /// <summary>PyTorch's <c>linspace(0, 1, n)</c>: the second half is counted from the end.</summary>
    private static Tensor Linspace(int n, DType dtype)
    {
        if (dtype == DType.Float64)
        {
            var step = 1.0 / (n - 1);
            return Tensor.Create([.. Enumerable.Range(0, n).Select(i => i < n / 2 ? step * i : 1 - (step * (n - i - 1)))]);
        }
        var single = 1f / (n - 1);
        return Tensor.Create([.. Enumerable.Range(0, n).Select(i => i < n / 2 ? single * i : 1 - (single * (n - i - 1)))]);
    }

    /// <summary>The state's bytes, but for the last bits of a spare normal draw, which come from another library's sine.</summary>
    private static byte[] Rounded(byte[] state, JsonElement golden)
    {
        const int SpareAt = 24 + (624 * 8) + 8;
        var expected = golden.GetProperty("state").GetProperty("data").GetBytesFromBase64();
        double actual = BitConverter.ToDouble(state, SpareAt), spare = BitConverter.ToDouble(expected, SpareAt);
        Assert.InRange(Math.Abs(actual - spare), 0, 1e-14);
        expected.AsSpan(SpareAt, 8).CopyTo(state.AsSpan(SpareAt));
        return state;
    }
}
