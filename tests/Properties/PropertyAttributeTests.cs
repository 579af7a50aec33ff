using FsCheck.Xunit;
using Xunit;
using Xunit.Abstractions;

namespace Verified.Properties;

/// <summary>The [Property] attribute itself: arguments arrive, failures fail, seeds replay.</summary>
public sealed class PropertyAttributeTests(ITestOutputHelper output)
{
    private int _cases;

    [Property(MaxTest = 25)]
    public bool Arguments_are_made_and_the_fixture_is_shared_by_the_cases_of_one_property(int a, string? b)
    {
        _cases++;
        output.WriteLine($"{_cases}: {a} {b}");
        return _cases <= 25;
    }

    [Property(Replay = "123,457")]
    public void A_property_without_a_result_holds_where_it_does_not_throw(byte a) => Assert.True(a >= 0);
}
