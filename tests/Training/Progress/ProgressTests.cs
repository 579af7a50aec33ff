using Xunit;

namespace Verified.Training.Tests;

/// <summary>The progress bar, on a clock that the test turns; timer and accumulator.</summary>
public class ProgressTests
{
    [Fact]
    public void A_bar_moves_on_a_terminal()
    {
        var (text, clock) = (new StringWriter(), new Clock());
        var bar = Progress.Bar(Enumerable.Range(0, 4).ToArray(), "epoch 1", options: new() { Output = text, Interactive = true, Width = 70, Clock = clock });
        foreach (var i in bar)
        {
            clock.Advance(0.5);
            bar.SetPostfix(("loss", 1.0 / (i + 3)), ("lr", 0.1));
        }

        var lines = text.ToString().Split('\r');
        Assert.Equal("epoch 1:   0%|                                 | 0/4 [00:00<?, ?it/s]", lines[1]);
        Assert.Contains("epoch 1:  50%|███▌   | 2/4 [00:01<00:01,  2.00it/s, loss=0.2, lr=0.1]", lines.Select(l => l.TrimEnd()));
        Assert.Equal("epoch 1: 100%|█████| 4/4 [00:02<00:00,  2.00it/s, loss=0.167, lr=0.1]", lines[^1].TrimEnd());
        Assert.EndsWith(Environment.NewLine, lines[^1]);
        Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 0, 69));
    }

    [Fact]
    public void Elsewhere_a_plain_line_is_written_now_and_then()
    {
        var (text, clock) = (new StringWriter(), new Clock());
        foreach (var _ in Progress.Bar(Enumerable.Range(0, 100).Where(_ => true), "steps", total: 100, options: new() { Output = text, Clock = clock }))
            clock.Advance(0.25);
        Assert.Equal(
            ["steps:  40% 40/100 [00:10<00:15,  4.00it/s]", "steps:  80% 80/100 [00:20<00:05,  4.00it/s]", "steps: 100% 100/100 [00:25<00:00,  4.00it/s]"],
            text.ToString().TrimEnd().Split(Environment.NewLine));
    }

    [Fact]
    public void Without_a_total_items_are_counted_and_slow_ones_timed()
    {
        var (text, clock) = (new StringWriter(), new Clock());
        foreach (var _ in Progress.Bar(Enumerable.Range(0, 3).Where(_ => true), options: new() { Output = text, Clock = clock })) clock.Advance(1300);
        Assert.Equal("3it [1:05:00, 1300.00s/it]", text.ToString().TrimEnd().Split(Environment.NewLine)[^1]);
    }

    [Fact]
    public void A_loader_says_how_many_batches_there_are_and_lines_can_be_written_above_the_bar()
    {
        var text = new StringWriter();
        var bar = Progress.Bar(new DataLoader(new Numbers(10), 4), options: new() { Output = text, Interactive = true, Width = 40, Clock = new Clock() });
        Assert.Equal(3, bar.Total);
        foreach (var batch in bar) bar.WriteLine($"batch of {batch.Count}");
        Assert.Contains("batch of 2" + Environment.NewLine, text.ToString());
        Assert.Empty(Written(enabled: false));
        Assert.NotEmpty(Written(enabled: true));

        static string Written(bool enabled)
        {
            var output = new StringWriter();
            foreach (var _ in Progress.Bar([1, 2], options: new() { Output = output, Enabled = enabled }))
            {
            }

            return output.ToString();
        }
    }

    [Fact]
    public void A_timer_gives_each_time_their_average_sum_and_cumulative_sums()
    {
        var clock = new Clock();
        var timer = new StepTimer(clock);
        foreach (var seconds in new[] { 1.0, 2, 4 })
        {
            timer.Start();
            clock.Advance(seconds);
            Assert.Equal(seconds, timer.Stop());
        }

        Assert.Equal([1.0, 2, 4], timer.Times);
        Assert.Equal((7.0 / 3, 7.0), (timer.Average(), timer.Sum()));
        Assert.Equal([1.0, 3, 7], timer.CumulativeSums());
        Assert.Equal(0, new StepTimer(clock).Average());
    }

    [Fact]
    public void An_accumulator_holds_several_sums()
    {
        var sums = new Accumulator(3);
        sums.Add(1, 2, 3);
        sums.Add(0.5, 0, 1);
        Assert.Equal((1.5, 2.0, 4.0), (sums[0], sums[1], sums[2]));
        Assert.Throws<ArgumentException>(() => sums.Add(1));
        sums.Reset();
        Assert.Equal(0, sums[2]);
    }

    private sealed class Clock : TimeProvider
    {
        private long ticks = 1000;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Advance(double seconds) => ticks += (long)(seconds * TimeSpan.TicksPerSecond);
    }
}
