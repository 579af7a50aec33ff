using Microsoft.FSharp.Collections;
using Verified.Spec;
using Verified.Spec.Numbers;
using Xunit;

namespace Verified.Specification.Tests;

/// <summary>The rules of autograd, each as the shortest program that shows it; what is expected is what PyTorch 2.6 does.</summary>
public sealed class AutogradTests
{
    /// <summary>A rule, a program, and what holds at its end: <c>a.grad: 1 2</c>, or <c>raises KIND at STEP</c>.</summary>
    public static TheoryData<string, string, string> Rules => new()
    {
        {
            "gradients accumulate",
            """
            a: 1 2 !
            s = sum a
            backward s {"retain_graph": true}
            backward s
            """,
            "a.grad: 2 2"
        },
        {
            "a second backward is an error only where something was kept",
            """
            a: 1 2 !
            y = add a {"other": 1}
            s = sum y
            backward s
            backward s
            """,
            "a.grad: 2 2"
        },
        {
            "a second backward through a kept tensor is an error",
            """
            a: 1 2 !
            y = mul a a
            s = sum y
            backward s
            backward s
            """,
            "raises freed_graph at 3"
        },
        {
            "a kept number is freed too",
            """
            a: 1 2 !
            y = mul a {"other": 2}
            s = sum y
            backward s
            backward s
            """,
            "raises freed_graph at 3"
        },
        {
            "detach shares the version counter: a write to it is seen by what was kept",
            """
            a: 1 2 !
            y = sigmoid a
            c = detach y
            zero_ c
            s = sum y
            backward s
            """,
            "raises modified_in_place at 4"
        },
        {
            "data has a counter of its own: a write to it silently changes the gradient",
            """
            a: 1 2 !
            y = sigmoid a
            c = data y
            zero_ c
            s = sum y
            backward s
            """,
            "a.grad: 0 0"
        },
        {
            "only what is kept is checked: the arguments of add are not",
            """
            a: 1 2 !
            w: 3 4
            y = add a w
            add_ w {"other": 1}
            s = sum y
            backward s
            """,
            "a.grad: 1 1"
        },
        {
            "mul keeps the other factor even where that needs no gradient",
            """
            a: 1 2 !
            w: 3 4
            y = mul a w
            add_ w {"other": 1}
            s = sum y
            backward s
            """,
            "raises modified_in_place at 3"
        },
        {
            "an operator in place that keeps its result may overwrite its argument",
            """
            a: 0 0 !
            y = mul a {"other": 4}
            sigmoid_ y
            s = sum y
            backward s
            """,
            "a.grad: 1 1"
        },
        {
            "a product with itself in place loses what it kept",
            """
            a: 1 2 !
            y = add a {"other": 0}
            mul_ y y
            s = sum y
            backward s
            """,
            "raises modified_in_place at 3"
        },
        {
            "a leaf that requires a gradient cannot be written to",
            """
            a: 1 2 !
            mul_ a {"other": 2}
            """,
            "raises leaf_in_place at 0"
        },
        {
            "nor can a view of it",
            """
            a: 1 2 !
            v = getitem a {"index": [0]}
            mul_ v {"other": 2}
            """,
            "raises view_of_leaf_in_place at 1"
        },
        {
            "nor can an element of it be set",
            """
            a: 1 2 !
            v: [] 5
            setitem_ a v {"index": [0]}
            """,
            "raises view_of_leaf_in_place at 0"
        },
        {
            "without recording it can, and the version counts",
            """
            a: 1 2 !
            no_grad (
            mul_ a {"other": 2}
            )
            """,
            "a: 2 4"
        },
        {
            "a write through a view is a write to its base",
            """
            a: 1 2 3 !
            y = mul a {"other": 1}
            v = narrow y {"dim": 0, "start": 1, "length": 2}
            mul_ v {"other": 10}
            s = sum y
            backward s
            """,
            "y: 1 20 30 | a.grad: 1 10 10"
        },
        {
            "a view made before its base was written to shows the write, and its gradient passes through it",
            """
            a: 1 2 !
            y = mul a {"other": 1}
            v = getitem y {"index": [1]}
            mul_ y {"other": 10}
            backward v
            """,
            "v: 20 | a.grad: 0 10"
        },
        {
            "two views of one base each take their write",
            """
            w: 1 2 !
            y = mul w {"other": 1}
            a = narrow y {"dim": 0, "start": 0, "length": 1}
            b = narrow y {"dim": 0, "start": 1, "length": 1}
            mul_ a {"other": 2}
            mul_ b {"other": 3}
            t = add a b
            s = sum t
            backward s
            """,
            "w.grad: 2 3"
        },
        {
            "a write of a tensor with a gradient makes base and views require one",
            """
            w: [] 5 !
            b: 1 2
            v = getitem b {"index": [0]}
            mul_ v w
            s = sum b
            backward s
            """,
            "b: 5 2 | w.grad: 1"
        },
        {
            "setting an element routes its gradient to the source",
            """
            a: 1 2 !
            v: [] 7 !
            y = mul a {"other": 3}
            setitem_ y v {"index": [0]}
            s = sum y
            backward s
            """,
            "a.grad: 0 3 | v.grad: 1"
        },
        {
            "zero_ cuts the history: the gradient is zero, not missing",
            """
            a: 1 2 !
            y = mul a {"other": 3}
            zero_ y
            s = sum y
            backward s
            """,
            "a.grad: 0 0"
        },
        {
            "one of several views cannot be written to",
            """
            a: 1 2 !
            y = mul a {"other": 3}
            p,q = unbind y
            mul_ p {"other": 2}
            """,
            "raises multi_output_view_in_place at 2"
        },
        {
            "a view made without recording cannot be written to with it",
            """
            a: 1 2 !
            y = mul a {"other": 3}
            no_grad (
            v = narrow y {"dim": 0, "start": 0, "length": 1}
            )
            mul_ v {"other": 2}
            """,
            "raises no_grad_view_in_place at 2"
        },
        {
            "an expanded tensor cannot be written to",
            """
            a: [1] 1
            y = expand a {"size": [3]}
            add_ y {"other": 1}
            """,
            "raises overlapping_write at 1"
        },
        {
            "a slice has three parts: of two it is not known which is missing",
            """
            a: 1 2 3
            v = getitem a {"index": [[0, 1]]}
            """,
            "raises value at 0"
        },
        {
            "a slice that is written to has three parts",
            """
            a: 1 2 3
            b: [] 0
            setitem_ a b {"index": [[0, 1]]}
            """,
            "raises value at 0"
        },
        {
            "a part and the whole of one storage overlap",
            """
            a: [2,2] 1 2 3 4
            t = t a
            mul_ a t
            """,
            "raises overlapping_write at 1"
        },
        {
            "detach_ ends the history there",
            """
            a: 1 2 !
            m = mul a {"other": 2}
            detach_ m
            s = sum m
            backward s
            """,
            "raises no_grad_fn at 3"
        },
        {
            "a view cannot be detached in place",
            """
            a: 1 2 !
            v = view a {"size": [2, 1]}
            detach_ v
            """,
            "raises detach_view at 1"
        },
        {
            "an input that was kept cannot be detached in place",
            """
            a: 1 2 !
            m = mul a {"other": 2}
            y = mul m m
            detach_ m
            s = sum y
            backward s
            """,
            "raises other at 4"
        },
        {
            "hooks replace the gradient, and what is kept of it comes after all of them",
            """
            a: 1 2 !
            y = mul a {"other": 2}
            retain_grad y
            h = register_hook y {"scale": 10}
            z = mul y {"other": 3}
            s = sum z
            backward s
            """,
            "y.grad: 30 30 | a.grad: 60 60"
        },
        {
            "a removed hook is not run",
            """
            a: 1 2 !
            h = register_hook a {"scale": 10}
            remove_hook h
            s = sum a
            backward s
            """,
            "a.grad: 1 1"
        },
        {
            "a hook registered before a write stays with the older version",
            """
            a: 1 2 !
            y = mul a {"other": 1}
            h = register_hook y {"scale": 10}
            v = narrow y {"dim": 0, "start": 0, "length": 1}
            mul_ v {"other": 2}
            s = sum y
            backward s
            """,
            "a.grad: 20 10"
        },
        {
            "a retained gradient is that of the latest version",
            """
            a: 1 2 !
            y = mul a {"other": 2}
            retain_grad y
            mul_ y {"other": 5}
            s = sum y
            backward s
            """,
            "y.grad: 1 1 | a.grad: 10 10"
        },
        {
            "a broadcast argument's gradient is summed to its shape",
            """
            a: [2,1] 1 2 !
            b: [3] 1 2 3 !
            y = mul a b
            s = sum y
            backward s
            """,
            "a.grad: 6 6 | b.grad: 3 3 3"
        },
        {
            "get_grad is the gradient itself: what accumulates later shows in it",
            """
            a: 1 2 !
            s = sum a
            backward s {"retain_graph": true}
            g = get_grad a
            backward s
            """,
            "g: 2 2"
        },
        {
            "under create_graph accumulation makes a new tensor",
            """
            a: 1 2 !
            s = sum a
            backward s {"retain_graph": true}
            g = get_grad a
            backward s {"create_graph": true}
            """,
            "g: 1 1 | a.grad: 2 2"
        },
        {
            "gradients with respect to an intermediate go no further",
            """
            a: 1 2 !
            y = mul a {"other": 3}
            z = mul y y
            s = sum z
            backward s / y
            """,
            "y.grad: 6 12 | a.grad: null"
        },
        {
            "an unused tensor is an error of grad",
            """
            a: 1 2 !
            b: 1 2 !
            s = sum a
            g = grad s / b
            """,
            "raises unused_input at 1"
        },
        {
            "or null where that is allowed",
            """
            a: 1 2 !
            b: 1 2 !
            s = sum a
            g,h = grad s / a b {"allow_unused": true}
            """,
            "g: 1 1 | h: null"
        },
        {
            "three derivatives of x^4",
            """
            a: [] 2 !
            y = pow a {"exponent": 4}
            d = grad y / a {"create_graph": true}
            e = grad d / a {"create_graph": true}
            f = grad e / a
            """,
            "y: 16 | d: 32 | e: 48 | f: 48"
        },
        {
            "a write to the upstream gradient between two backwards is seen",
            """
            a: 1 2 !
            g: 1 1 !
            y = sigmoid a
            d = grad y / a @ g {"create_graph": true}
            no_grad (
            mul_ g {"other": 2}
            )
            t = sum d
            backward t
            """,
            "raises modified_in_place at 4"
        },
        {
            "a transposed result keeps its strides, and so has no flat view",
            """
            a: [2,3] 1 2 3 4 5 6
            t = t a
            y = exp t
            v = view y {"size": [6]}
            """,
            "raises shape at 2"
        },
        {
            "an error in a block names the way to it",
            """
            a: 1 2 !
            no_grad (
            s = sum a
            enable_grad (
            y = add a {"other": 1}
            backward y
            )
            )
            """,
            "raises non_scalar_backward at 0 1 1"
        },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_specification_follows_the_rule(string rule, string program, string holds)
    {
        Assert.NotEmpty(rule);
        var outcome = Run.outcome(RegistryModule.all, AutogradNotation.Read(program));
        if (holds.StartsWith("raises", StringComparison.Ordinal))
        {
            var raised = outcome.Raised?.Value;
            Assert.Equal(holds, raised is null ? "nothing" : $"raises {raised.Kind.Name} at {string.Join(' ', raised.Step)}");
            return;
        }

        Assert.Null(outcome.Raised?.Value.Message);
        var values = outcome.Values.ToDictionary(v => v.Item1, v => v.Item2?.Value);
        foreach (var expected in holds.Split(" | "))
        {
            var (name, numbers) = (expected.Split(": ")[0], expected.Split(": ")[1]);
            if (numbers == "null")
                Assert.Null(values[name]);
            else
                Assert.Equal(AutogradNotation.Numbers(numbers), ((Data.Floats)values[name]!.Tensor.Data).Item);
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void A_step_leaves_the_states_before_it_as_they_were(string rule, string program, string holds)
    {
        Assert.NotEmpty(rule + holds);
        var read = AutogradNotation.Read(program);
        var states = Run.states<Real>(RegistryModule.all, read);
        for (var length = 0; length < states.Length; length++)
        {
            // What a state shows after all later steps were taken is what the program shows that ends there.
            var shorter = Run.prefix<Real>(RegistryModule.all, length, read);
            var later = Run.observe(states[length], shorter.Item1.Observe);
            Assert.Equal(Show(shorter.Item2.Values), Show(later));
        }
    }

    private static string Show(FSharpList<Tuple<string, Microsoft.FSharp.Core.FSharpOption<Reported<Real>>?>> values) =>
        string.Join('\n', values.Select(v =>
            v.Item2 is null ? $"{v.Item1} null" : $"{v.Item1} {Literals.ofValue(v.Item2.Value.Value).Data} {v.Item2.Value.Version} {v.Item2.Value.GradFn}"));

    /// <summary>A wrong call, and what its message has to name.</summary>
    public static TheoryData<string, string, string> WrongCalls => new()
    {
        { "y = frobnicate a", "unsupported", "frobnicate" },
        { "y = strided a", "unsupported", "strided" },
        { "y = zero a", "unsupported", "zero" },
        { "mean_ a", "unsupported", "mean_" },
        { "y = sum a {\"dims\": [0]}", "value", "dims" },
        { "y = transpose a {\"dim0\": 0}", "value", "dim1" },
        { "y = sigmoid", "value", "sigmoid" },
        { "y = sigmoid a a", "value", "sigmoid" },
        { "y = add b a", "other", "'b'" },
        { "backward a {\"keep\": true}", "value", "keep" },
    };

    [Theory]
    [MemberData(nameof(WrongCalls))]
    public void A_wrong_call_is_an_error_that_names_what_is_wrong(string step, string kind, string named)
    {
        var raised = Run.outcome(RegistryModule.all, AutogradNotation.Read("a: 1 2\n" + step)).Raised?.Value;
        Assert.NotNull(raised);
        Assert.Equal(kind, raised.Kind.Name);
        Assert.Contains(named, raised.Message, StringComparison.Ordinal);
    }
}
