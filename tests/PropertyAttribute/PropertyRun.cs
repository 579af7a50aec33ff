using System.Globalization;
using System.Reflection;
using FsCheck.Fluent;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>Runs a method through FsCheck with the settings of its attribute.</summary>
internal static class PropertyRun
{
    public static void Check(MethodInfo method, object? target, ITestOutputHelper? output)
    {
        var attribute = method.GetCustomAttribute<PropertyAttribute>()
            ?? throw new InvalidOperationException($"{method.Name} has no [Property]");
        var config = Config.Quick
            .WithMaxTest(attribute.MaxTest)
            .WithMaxRejected(attribute.MaxRejected)
            .WithStartSize(attribute.StartSize)
            .WithEndSize(attribute.EndSize)
            .WithArbitrary(ListModule.OfSeq(attribute.Arbitrary))
            .WithQuietOnSuccess(attribute.QuietOnSuccess)
            .WithName(method.Name)
            .WithRunner(new Reporting(output, attribute.Verbose, attribute.QuietOnSuccess));
        if ((attribute.Replay ?? Environment.GetEnvironmentVariable("FSCHECK_REPLAY")) is { Length: > 0 } replay)
            config = WithReplay(config, replay);
        FsCheck.Check.Method(config, method, target is null ? FSharpOption<object>.None : FSharpOption<object>.Some(target));
    }

    private static Config WithReplay(Config config, string text)
    {
        var parts = text.Trim('(', ')').Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length is 2 or 3
            && ulong.TryParse(parts[0], CultureInfo.InvariantCulture, out var seed)
            && ulong.TryParse(parts[1], CultureInfo.InvariantCulture, out var gamma)
            && gamma % 2 == 1)
        {
            if (parts.Length == 2) return config.WithReplay(seed, gamma);
            if (int.TryParse(parts[2], CultureInfo.InvariantCulture, out var size)) return config.WithReplay(seed, gamma, size);
        }

        throw new ArgumentException($"Replay wants \"seed,gamma\" or \"seed,gamma,size\" with an odd gamma, found \"{text}\".");
    }

    /// <summary>Prints through xunit, and fails the test where the property does not hold.</summary>
    private sealed class Reporting(ITestOutputHelper? output, bool verbose, bool quiet) : IRunner
    {
        public void OnStartFixture(Type t)
        {
        }

        public void OnArguments(int ntest, FSharpList<object> args, FSharpFunc<int, FSharpFunc<FSharpList<object>, string>> every)
        {
            if (verbose) output?.WriteLine($"{ntest}: {string.Join(", ", args)}");
        }

        public void OnShrink(FSharpList<object> args, FSharpFunc<FSharpList<object>, string> everyShrink)
        {
            if (verbose) output?.WriteLine($"shrunk: {string.Join(", ", args)}");
        }

        public void OnFinished(string name, TestResult result)
        {
            var text = Runner.onFinishedToString(name, result);
            if (result is not TestResult.Passed) throw new XunitException(text + ReplayHint(result));
            if (!quiet) output?.WriteLine(text);
        }

        private static string ReplayHint(TestResult result) => result is TestResult.Failed failed
            ? $"{Environment.NewLine}To run this very case again: [Property(Replay = \"{failed.Item6.Seed},{failed.Item6.Gamma},{failed.Item7}\")]"
            : "";
    }
}
