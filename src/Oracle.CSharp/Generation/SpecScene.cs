using Microsoft.FSharp.Collections;
using Verified.Spec;

namespace Verified.Oracle.Generation;

internal static class SpecScene
{
    public static IScene Empty(FSharpMap<string, Operator> registry) => throw new InvalidOperationException(registry.ToString());
}
