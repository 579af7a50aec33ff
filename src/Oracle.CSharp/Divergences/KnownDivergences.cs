using Verified.Oracle.Generation;
using Verified.Spec;

namespace Verified.Oracle;

/// <summary>The registry of PyTorch's known divergences.</summary>
public static class KnownDivergences
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Divergence> All { get; } =
    [
        new("gelu-of-infinity", "pytorch#185770",
            "gelu(inf) is NaN; right is inf: oneDNN's erf of an infinity is NaN.",
            ["operators/gelu/not-finite/f32"],
            seen => seen.HasNaN && seen.Depends(0, ProgramFacts.TakesGeluOfInfinity),
            Witnesses.GrowsWithInfinity("t1")),
        new("gelu-tanh-far-out", "unreported",
            "The derivative of gelu by tanh is NaN where the square of the input overflows; right is 1 or 0, as anywhere else far from 0.",
            [],
            seen => seen.HasNaN && seen.Depends(1, ProgramFacts.TakesGeluTanhFarOut),
            Witnesses.ByFloat64("x.grad", "w.grad"))
        {
            Examples = ["""
                {"id": "divergences/gelu-tanh-far-out", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1e20, -1e20], "requires_grad": true}, "w": {"dtype": "float64", "shape": [2], "data": [1e20, -1e20], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2], "data": [0, 0]}, "h": {"dtype": "float64", "shape": [2], "data": [0, 0]}}, "steps": [{"op": "gelu", "in": ["x"], "attrs": {"approximate": "tanh"}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "gelu", "in": ["w"], "attrs": {"approximate": "tanh"}, "out": "u"}, {"op": "backward", "in": ["u"], "gradients": ["h"]}], "observe": ["x.grad", "w.grad"]},
                 "outcome": {"values": {"x.grad": {"dtype": "float32", "shape": [2], "data": ["nan", "nan"], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "w.grad": {"dtype": "float64", "shape": [2], "data": [0, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("gelu-second-far-out", "unreported",
            "The second derivative of gelu is NaN where the square of the input, or by tanh its cube, overflows, and the third by tanh where the hyperbolic cosine does; right is 0, as anywhere else far from 0.",
            [],
            seen => seen.HasNaN
                && (seen.Depends(2, ProgramFacts.TakesGeluFarOut) || seen.Depends(3, ProgramFacts.TakesGeluTanhWhereCoshOverflows)),
            Witnesses.ByFloat64("x.grad", "w.grad"))
        {
            Examples = ["""
                {"id": "divergences/gelu-second-far-out", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1e20, -1e20], "requires_grad": true}, "w": {"dtype": "float64", "shape": [2], "data": [1e20, -1e20], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "h": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "gelu", "in": ["x"], "out": "v"}, {"op": "grad", "in": ["v"], "wrt": ["x"], "gradients": ["g"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["g"]}, {"op": "gelu", "in": ["w"], "out": "u"}, {"op": "grad", "in": ["u"], "wrt": ["w"], "gradients": ["h"], "attrs": {"create_graph": true}, "out": ["e"]}, {"op": "backward", "in": ["e"], "gradients": ["h"]}], "observe": ["x.grad", "w.grad"]},
                 "outcome": {"values":{"x.grad":{"dtype":"float32","shape":[2],"data":["nan","nan"],"requires_grad":false,"is_leaf":true,"grad_fn":null},"w.grad":{"dtype":"float64","shape":[2],"data":[0,0],"requires_grad":false,"is_leaf":true,"grad_fn":null}}}}
                """,
                """
                {"id": "divergences/gelu-third-far-out", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [1], "data": [25], "requires_grad": true}, "w": {"dtype": "float64", "shape": [1], "data": [25], "requires_grad": true}, "g": {"dtype": "float32", "shape": [1], "data": [1]}, "h": {"dtype": "float64", "shape": [1], "data": [1]}}, "steps": [{"op": "gelu", "in": ["x"], "attrs": {"approximate": "tanh"}, "out": "v"}, {"op": "grad", "in": ["v"], "wrt": ["x"], "gradients": ["g"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "grad", "in": ["d"], "wrt": ["x"], "gradients": ["g"], "attrs": {"create_graph": true}, "out": ["e"]}, {"op": "backward", "in": ["e"], "gradients": ["g"]}, {"op": "gelu", "in": ["w"], "attrs": {"approximate": "tanh"}, "out": "u"}, {"op": "grad", "in": ["u"], "wrt": ["w"], "gradients": ["h"], "attrs": {"create_graph": true}, "out": ["k"]}, {"op": "grad", "in": ["k"], "wrt": ["w"], "gradients": ["h"], "attrs": {"create_graph": true}, "out": ["l"]}, {"op": "backward", "in": ["l"], "gradients": ["h"]}], "observe": ["x.grad", "w.grad"]},
                 "outcome": {"values":{"x.grad":{"dtype":"float32","shape":[1],"data":["nan"],"requires_grad":false,"is_leaf":true,"grad_fn":null},"w.grad":{"dtype":"float64","shape":[1],"data":[0],"requires_grad":false,"is_leaf":true,"grad_fn":null}}}}
                """],
        },
        new("layer-norm-of-one-far-out", "unreported",
            "layer_norm of a single number whose square overflows is NaN; right is its distance from the mean, which is 0.",
            [],
            seen => seen.HasNaN && seen.Depends(0, ProgramFacts.NormalisesOneFarOut),
            Witnesses.ByFloat64("y", "z"))
        {
            Examples = ["""
                {"id": "divergences/layer-norm-of-one-far-out", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2, 1], "data": [1e30, 2]}}, "steps": [{"op": "layer_norm", "in": ["x"], "attrs": {"normalized_shape": [1]}, "out": "y"}, {"op": "to", "in": ["x"], "attrs": {"dtype": "float64"}, "out": "w"}, {"op": "layer_norm", "in": ["w"], "attrs": {"normalized_shape": [1]}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values":{"y":{"dtype":"float32","shape":[2,1],"data":["nan",0],"requires_grad":false,"is_leaf":true,"version":0,"grad_fn":null},"z":{"dtype":"float64","shape":[2,1],"data":[0,0],"requires_grad":false,"is_leaf":true,"version":0,"grad_fn":null}}}}
                """],
        },
        new("log1p-of-large", "unreported",
            "In float32 log1p of more than 1e38 is infinite; right is its logarithm, of some 88.",
            [],
            seen => (seen.Finding.Difference == Difference.Value || seen.HasNoFiniteElement)
                && seen.Depends(0, ProgramFacts.TakesLog1pFarOut),
            Witnesses.ByFloat64("y", "z"))
        {
            Examples = ["""
                {"id": "divergences/log1p-of-large", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [2e38, 9e37]}}, "steps": [{"op": "log1p", "in": ["x"], "out": "y"}, {"op": "to", "in": ["x"], "attrs": {"dtype": "float64"}, "out": "w"}, {"op": "log1p", "in": ["w"], "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": ["inf", 87.392876], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "z": {"dtype": "float64", "shape": [2], "data": [88.19138068236225, 87.39287299741248], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("gelu-by-approximate-erf", "unreported",
            "In float32 gelu of many elements takes erf from an approximation with an error of 1.5e-7, which near 0 and far below it is more than rounding; right is what float64 gives.",
            [],
            ApproximateErf.Explains,
            Witnesses.ByFloat64("y", "z"))
        {
            Examples = ["""
                {"id": "divergences/gelu-by-approximate-erf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [8,4], "data": [225084000.0, -6.353097e-10, -7.1695163e-12, -320656.25, 1.0843119e-05, 0.9921103, 72.67377, 3984699.0, 6.9064114e-09, -1688.1791, 3.622511e-10, -7038162.0, -5.9910213e-05, 2.9832723, -1.1834077, -21737.422, -15.826075, -3.2779557e-18, -7.1358254e-12, 5.6835002e-08, 2.4997985e+11, 9.255567e-15, -2.872298e-18, -195431090.0, 0.10560576, -1429214.1, 820732.2, 2.0544301e+10, -1834.7759, -4.4282634e-17, -2.836754e-07, -4.0712683e-05]}}, "steps": [{"op": "gelu", "in": ["x"], "out": "y"}, {"op": "to", "in": ["x"], "attrs": {"dtype": "float64"}, "out": "w"}, {"op": "gelu", "in": ["w"], "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values":{"y":{"dtype":"float32","shape":[8,4],"data":[225084000,-3.1765485E-10,-3.5847581E-12,-0.0,5.4216057E-06,0.8328053,72.67377,3984699,3.4532057E-09,-0.0,1.8112555E-10,-0.0,-2.9953679E-05,2.9790182,-0.14002536,-0.0,-0.0,-1.6389778E-18,-3.5679127E-12,2.8417501E-08,2.4997985E+11,4.6277836E-15,-1.436149E-18,-0.0,0.05724386,-0.0,820732.2,2.0544301E+10,-0.0,-2.2141317E-17,-1.4183765E-07,-2.035568E-05],"requires_grad":false,"is_leaf":true,"version":0,"grad_fn":null},"z":{"dtype":"float64","shape":[8,4],"data":[225084000,-3.1765484670983134E-10,-3.5847581413495418E-12,-0.0,5.421606213089825E-06,0.832805315475911,72.67376708984375,3984699,3.453205740399934E-09,-0.0,1.811255451701955E-10,-0.0,-2.9953674686603667E-05,2.979018404414845,-0.1400253043732293,-0.0,-0.0,-1.638977837061677E-18,-3.5679126753553922E-12,2.841750252972181E-08,249979846656,4.627783565565217E-15,-1.4361490149606118E-18,-0.0,0.05724385732117184,-0.0,820732.1875,20544301056,-0.0,-2.2141317164135528E-17,-1.418376703684254E-07,-2.0355680082083524E-05],"requires_grad":false,"is_leaf":true,"version":0,"grad_fn":null}}}}
                """],
        },
        new("embedding-scaled-second", "unreported",
            "The derivative of embedding's backward forgets scale_grad_by_freq; right is the transpose of the backward, divided by the counts.",
            ["operators/embedding/scaled-by-frequency/f32-second", "operators/embedding/scaled-by-frequency/f64-second", "operators/embedding/padding-and-scaled/f32-second", "operators/embedding/padding-and-scaled/f64-second"],
            seen => seen.Finding.Difference == Difference.Value && seen.Depends(2, (_, step) => step.Op == "embedding" && IsSet(step, "scale_grad_by_freq")),
            Witnesses.InnerProduct("db", "wb", "g")),
        new("embedding-of-nothing-second", "unreported",
            "The derivative of embedding's backward raises where nothing was looked up; right is that it is empty, too.",
            [],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "embedding", "cannot reshape tensor of 0 elements into shape [0, -1]"),
            Witnesses.ByDifferences("g"))
        {
            Examples = ["""
                {"id": "divergences/embedding-of-nothing-second", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"i": {"dtype": "int64", "shape": [0], "data": []}, "p": {"dtype": "float64", "shape": [2, 1], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [0, 1], "data": [], "requires_grad": true}, "h": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "embedding", "in": ["i", "p"], "out": "v"}, {"op": "grad", "in": ["v"], "wrt": ["p"], "gradients": ["g"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["d", "g.grad"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2, 1], "data": [0, 0], "requires_grad": true, "is_leaf": false, "grad_fn": "EmbeddingDenseBackwardBackward0"}, "g.grad": null}, "raised": {"step": [2], "kind": "shape", "message": "cannot reshape tensor of 0 elements into shape [0, -1] because the unspecified dimension size -1 can be any value and is ambiguous"}}}
                """],
        },
        new("embedding-recorded-before-it-is-checked", "unreported",
            "embedding of a weight without dimensions, where it is to be recorded, asks for the weight's rows before it is checked, and so complains of an index; right is the complaint about its shape, as where nothing is recorded.",
            [],
            seen => seen.RaisesAt((_, step) => step.Op == "embedding", "Dimension specified as 0 but tensor has no dimensions"),
            Witnesses.ComplainsOfADimensionThatNothingNames)
        {
            Examples = ["""
                {"id": "divergences/embedding-recorded-before-it-is-checked", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"i": {"dtype": "int64", "shape": [1], "data": [0]}, "w": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}}, "steps": [{"op": "embedding", "in": ["i", "w"], "out": "y"}], "observe": ["w"]},
                 "outcome": {"values": {"w": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [0], "kind": "index", "message": "Dimension specified as 0 but tensor has no dimensions"}}}
                """],
        },
        new("clamp-that-broadcasts-its-input", "unreported",
            "The derivative of clamp with tensor bounds that broadcast the input raises; right is the sum over the broadcast dimensions.",
            ["operators/clamp/tensors-broadcast-the-input/"],
            seen => seen.RaisesPulling(0, ProgramFacts.IsClampWiderThanItsInput, "doesn't match the broadcast shape"),
            Witnesses.ByDifferences("a", "b", "c")),
        new("index-put-duplicates", "unreported",
            "The derivative of index_put gives every source of a repeated index a gradient; right is that only the one that stayed has any.",
            ["operators/index_put/duplicates/"],
            seen => (seen.Finding.Difference == Difference.Value || seen.HasNaN)
                && seen.Depends(1, ProgramFacts.WritesAPlaceTwice),
            golden => (CreatesAGraph(golden.Program.Steps) ? Witnesses.OfLastGrad("c", "dc") : Witnesses.ByDifferences("c"))(golden)),
        new("layer-norm-third", "pytorch#186256",
            "layer_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/layer-norm-third"],
            seen => seen.Finding.Difference == Difference.Value && seen.Depends(3, (_, step) => step.Op == "layer_norm"),
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-third", "pytorch#175754",
            "batch_norm's third derivative treats the saved mean and rstd as constants; right is to differentiate them too.",
            ["semantics/graph/create-graph-records/batch-norm-third"],
            seen => seen.Finding.Difference == Difference.Value && seen.Depends(3, (_, step) => step.Op == "batch_norm" && IsSet(step, "training")),
            Witnesses.OfLastGrad("x", "d2")),
        new("batch-norm-bias-alone-second", "unreported",
            "The second derivative of batch_norm with a bias and no weight raises; right is the derivative.",
            ["operators/batch_norm/training-bias-alone/f32-second", "operators/batch_norm/training-bias-alone/f64-second", "operators/batch_norm/evaluating-bias-alone/f32-second", "operators/batch_norm/evaluating-bias-alone/f64-second"],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "batch_norm" && Given(step, 4) && !Given(step, 3), "got None (or an undefined Tensor in C++)"),
            Witnesses.ByDifferences("g")),
        new("layer-norm-bias-alone-second", "unreported",
            "The second derivative of layer_norm with a bias and no weight raises where it comes by way of the bias; right is the derivative.",
            [],
            seen => seen.RaisesPulling(1, (_, step) => step.Op == "layer_norm" && Given(step, 2) && !Given(step, 1), "got None (or an undefined Tensor in C++)"),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/layer-norm-bias-alone-second", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1.5, 0.5]}, "h": {"dtype": "float64", "shape": [2], "data": [2, 3]}}, "steps": [{"op": "layer_norm", "in": ["p", null, "p"], "attrs": {"normalized_shape": [2]}, "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [2], "kind": "other", "message": "Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #1 'other'"}}}
                """],
        },
        new("adaptive-avg-pool-of-nothing", "unreported",
            "The derivative of adaptive_avg_pool2d raises where the result is empty; right are zeros.",
            ["operators/adaptive_avg_pool2d/nothing/", "operators/adaptive_avg_pool2d/no-channels/"],
            seen => seen.RaisesPulling(0, (_, step) => step.Op == "adaptive_avg_pool2d", "adaptive_avg_pool2d_backward(): Expected grad_output to have non-zero size"),
            golden => (CreatesAGraph(golden.Program.Steps) ? Witnesses.OfLastGrad("a", "da") : Witnesses.ByDifferences("a"))(golden)),
        new("logsigmoid-second", "unreported",
            "The second derivative of logsigmoid is taken as s (s - 1) with s = sigmoid(x), which is zero where s rounds to 1; right is -sigmoid(x) sigmoid(-x).",
            ["operators/logsigmoid/kinks/f32-second", "operators/logsigmoid/kinks/f64-second"],
            LogSigmoidAgain.Explains,
            Witnesses.ByDifferences("a")),
        new("gradient-without-storage", "unreported",
            "A gradient known to be zero is kept as a tensor without storage, to which the next backward cannot add, and nothing can write, and which a hook's number turns to float64; right is to add, to write, and to multiply.",
            [],
            KnownZero.Explains,
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/gradient-without-storage", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.75, -2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1.5, 0.5]}, "h": {"dtype": "float64", "shape": [2], "data": [2, 3]}}, "steps": [{"op": "abs", "in": ["p"], "out": "v"}, {"op": "grad", "in": ["v"], "gradients": ["g"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [2], "data": [0, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}, "raised": {"step": [3], "kind": "other", "message": "ZeroTensors are immutable. Please use the materialized zero tensor obtained using .clone() if you want a mutable tensor."}}}
                """,
                """
                {"id": "divergences/hook-on-a-gradient-without-storage", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [0.5], "requires_grad": true}, "h": {"dtype": "float32", "shape": [], "data": [2]}}, "steps": [{"op": "register_hook", "in": ["p"], "attrs": {"scale": 3.0}}, {"op": "abs", "in": ["p"], "out": "v"}, {"op": "grad", "in": ["v"], "wrt": ["p"], "attrs": {"create_graph": true}, "out": ["d"]}, {"op": "backward", "in": ["d"], "gradients": ["h"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [3], "kind": "other", "message": "hook '<lambda>' has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)"}}}
                """],
        },
        new("gradient-kept-from-the-user", "unreported",
            "A leaf whose only way from the root is views keeps the user's gradient as its own: the next backward adds to it, and what the user writes to it shows in the leaf's; right is that no backward writes to what it was given, or keeps it.",
            ["semantics/gradients/views-are-not-shared/"],
            KeptGradient.Explains,
            Witnesses.ChangesWhatNothingWritesTo)
        {
            Examples = ["""
                {"id": "divergences/gradient-kept-from-the-user", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 1}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/detached-gradient-kept-from-the-user", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [3], "data": [0, 0, 0], "requires_grad": true}, "g": {"dtype": "float32", "shape": [1, 3], "data": [0, 2, -1]}, "h": {"dtype": "float32", "shape": [3], "data": [0, 1, 1]}}, "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 0}, "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "detach", "in": ["g"], "out": "d"}, {"op": "backward", "in": ["p"], "gradients": ["h"]}, {"op": "lt", "in": ["g"], "attrs": {"other": -0.5}, "out": "l"}], "observe": ["d", "l", "g"]},
                 "outcome": {"values":{"d":{"dtype":"float32","shape":[1,3],"data":[0,3,0],"requires_grad":false,"is_leaf":true,"version":1,"grad_fn":null},"l":{"dtype":"bool","shape":[1,3],"data":[false,false,false],"requires_grad":false,"is_leaf":true,"version":0,"grad_fn":null},"g":{"dtype":"float32","shape":[1,3],"data":[0,3,0],"requires_grad":false,"is_leaf":true,"version":1,"grad_fn":null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-in-part", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [1], "data": [0]}, "p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [3], "data": [1, 2, 3]}}, "steps": [{"op": "cat", "in": [["c", "p"]], "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [3], "data": [1, 4, 6], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-through-a-stack", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [1, 2], "data": [1, 2]}}, "steps": [{"op": "stack", "in": [["p"]], "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [1, 2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-in-a-stack", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [1], "data": [0]}, "p": {"dtype": "float64", "shape": [1], "data": [0.5], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "stack", "in": [["c", "p"]], "out": "v"}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [1, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-through-a-block", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [1, 2]}}, "steps": [{"op": "enable_grad", "steps": [{"op": "unsqueeze", "in": ["p"], "attrs": {"dim": 1}, "out": "v"}]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2, 1], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/gradient-kept-through-a-transposed-difference", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "sub", "in": ["p"], "attrs": {"other": 2}, "out": "v"}, {"op": "t_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["g"]},
                 "outcome": {"values": {"g": {"dtype": "float64", "shape": [2], "data": [2, 4], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("view-taken-for-a-leaf", "unreported",
            "retain_grad of a view that a write to its base made part of a graph does nothing until something has asked for its grad_fn, as if it were a leaf, which is_leaf denies; right is that it retains, and the view may then be written to.",
            [],
            seen => ProgramFacts.RetainedBeforeItsHistoryWasAskedFor(seen.Program).Any(name => seen.Finding.Difference switch
            {
                Difference.Null => seen.Finding.Name == name + ".grad",
                Difference.Raised => seen.RaisedAt("a leaf Variable that requires grad is being used in an in-place operation.") is { } step
                    && step.Op.EndsWith('_') && step.In[0] is Arg.Name { Item: var written } && written == name,
                _ => false,
            }),
            Witnesses.IsNoLeaf("v"))
        {
            Examples = ["""
                {"id": "divergences/view-that-retains-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [], "data": [3], "requires_grad": true}}, "steps": [{"op": "view", "in": ["c"], "attrs": {"size": [2]}, "out": "v"}, {"op": "mul_", "in": ["c", "p"]}, {"op": "retain_grad", "in": ["v"]}, {"op": "sum", "in": ["v"], "out": "s"}, {"op": "backward", "in": ["s"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values":{"v":{"dtype":"float64","shape":[2],"data":[3,6],"requires_grad":true,"is_leaf":false,"version":1,"grad_fn":"AsStridedBackward0"},"v.grad":null}}}
                """,
                """
                {"id": "divergences/view-taken-for-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [], "data": [3], "requires_grad": true}}, "steps": [{"op": "view", "in": ["c"], "attrs": {"size": [2]}, "out": "v"}, {"op": "mul_", "in": ["c", "p"]}, {"op": "retain_grad", "in": ["v"]}, {"op": "neg_", "in": ["v"]}], "observe": ["v"]},
                 "outcome": {"values":{"v":{"dtype":"float64","shape":[2],"data":[3,6],"requires_grad":true,"is_leaf":false,"version":1,"grad_fn":"AsStridedBackward0"}},"raised":{"step":[3],"kind":"leaf_in_place","message":"a leaf Variable that requires grad is being used in an in-place operation."}}}
                """],
        },
        new("quotient-by-integers", "unreported",
            "The derivative of addcdiv by its numerator divides in the denominator's dtype and raises where that is no float; right is the quotient.",
            [],
            seen => seen.RaisesPulling(0, ProgramFacts.DividesByIntegers, "can't be cast to the desired output type Bool", "can't be cast to the desired output type Long"),
            Witnesses.ByDifferences("p"))
        {
            Examples = ["""
                {"id": "divergences/quotient-by-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "n": {"dtype": "int64", "shape": [2], "data": [2, 4]}, "g": {"dtype": "float64", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "clone", "in": ["p"], "out": "v"}, {"op": "addcdiv_", "in": ["v", "p", "n"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [2], "kind": "dtype", "message": "result type Float can't be cast to the desired output type Long"}}}
                """],
        },
        new("overlap-that-is-not-seen", "unreported",
            "A write whose operand is a strided view of what is written reads elements that it has already written, since PyTorch looks for overlaps among dense tensors alone; right is the result of the same operation on a copy.",
            [],
            seen => seen.HasWrongElements && seen.Depends(0, (state, step) => ProgramFacts.SharedOperand(state, step) is not null),
            Witnesses.ByACopyOfTheOperand("x"))
        {
            Examples = ["""
                {"id": "divergences/column-added-to-its-matrix", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2, 2], "data": [1, 2, 3, 4]}}, "steps": [{"op": "select", "in": ["x"], "attrs": {"dim": -1, "index": -1}, "out": "v"}, {"op": "mul_", "in": ["x", "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [2, 2], "data": [2, 8, 24, 16], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("loss-of-two-dtypes", "unreported",
            "The derivative of mse_loss and huber_loss raises where input and target have different dtypes, and huber_loss has the input's dtype; right is the promoted loss and its derivative.",
            ["operators/huber_loss/int64-target/"],
            seen => seen.Finding.Difference == Difference.DType && seen.Depends(0, (state, step) => step.Op == "huber_loss" && ProgramFacts.IsOfTwoDTypes(state, step))
                || seen.IsRightFor(ProgramFacts.WithHuberLossesOfTheInputsDType(seen.Program))
                || seen.RaisesPulling(0, (state, step) => step.Op is "mse_loss" or "huber_loss" && ProgramFacts.IsOfTwoDTypes(state, step), "Found dtype")
                || seen.RaisesAt((state, step) => step.Op == "huber_loss" && ProgramFacts.IsOfTwoDTypes(state, step), "can't be cast to the desired output type"),
            golden => Witnesses.ByDifferences(golden.Program.Inputs.First(i => i.RequiresGrad).Name)(golden))
        {
            Examples = ["""
                {"id": "divergences/loss-of-two-dtypes", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}, "y": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "mse_loss", "in": ["p", "y"], "out": "v"}, {"op": "backward", "in": ["v"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [1], "kind": "other", "message": "Found dtype Float but expected Double"}}}
                """,
                """
                {"id": "divergences/loss-of-whole-numbers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"n": {"dtype": "int64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}}, "steps": [{"op": "huber_loss", "in": ["n", "p"], "out": "v"}, {"op": "backward", "in": ["v"]}], "observe": ["p.grad"]},
                 "outcome": {"values": {"p.grad": null}, "raised": {"step": [0], "kind": "dtype", "message": "result type Double can't be cast to the desired output type Long"}}}
                """],
        },
        new("mismatch-sought-by-comparing", "unreported",
            "Where the gradient of a later root has another shape, its place in the list is sought by comparing tensors element by element, which raises itself, or finds the same root given before; right is that root's mismatch.",
            [],
            seen => (seen.HasAnotherText("Mismatch in shape") && ProgramFacts.EndsInTheSameRootTwice(seen.Program)) || seen.RaisesAt(ProgramFacts.GivesALaterRootAnotherShape, "must match the size of tensor", "Boolean value of Tensor"),
            Witnesses.GradientOfAnotherShape)
        {
            Examples = ["""
                {"id": "divergences/mismatch-of-the-second-gradient", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float32", "shape": [2], "data": [1, 1]}, "h": {"dtype": "float32", "shape": [3], "data": [1, 1, 1]}}, "steps": [{"op": "square", "in": ["x"], "out": "y"}, {"op": "exp", "in": ["x"], "out": "z"}, {"op": "backward", "in": ["y", "z"], "gradients": ["g", "h"]}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [1, 4], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "PowBackward0"}}, "raised": {"step": [2], "kind": "shape", "message": "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0"}}}
                """],
        },
        new("integers-that-require-a-gradient", "unreported",
            "An integer tensor that is filled with a leaf's value requires a gradient, which PyTorch's own text says only floats can; right is that it requires none.",
            ["semantics/writes/into-integers-is-not-recorded/"],
            seen => seen.IsRightWithout(Spec.Rules.Writes.intoIntegersIsNotRecorded),
            Witnesses.AreIntegersThatRequireAGradient)
        {
            Examples = ["""
                {"id": "divergences/integers-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}, "n": {"dtype": "int64", "shape": [2], "data": [0, 1]}}, "steps": [{"op": "setitem_", "in": ["n", "p"], "attrs": {"index": [[1, 2, null]]}}], "observe": ["n"]},
                 "outcome": {"values": {"n": {"dtype": "int64", "shape": [2], "data": [0, 2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "CopySlices"}}}}
                """,
                """
                {"id": "divergences/integers-masked-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"n": {"dtype": "int64", "shape": [2], "data": [0, 1]}, "m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "p": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}}, "steps": [{"op": "masked_fill_", "in": ["n", "m", "p"]}], "observe": ["n"]},
                 "outcome": {"values": {"n": {"dtype": "int64", "shape": [2], "data": [2, 1], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "MaskedFillBackward1"}}}}
                """,
                """
                {"id": "divergences/view-of-integers-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float32", "shape": [], "data": [2], "requires_grad": true}, "n": {"dtype": "int64", "shape": [2], "data": [0, 1]}}, "steps": [{"op": "no_grad", "steps": [{"op": "select", "in": ["n"], "attrs": {"dim": 0, "index": 0}, "out": "v"}]}, {"op": "setitem_", "in": ["n", "p"], "attrs": {"index": [[1, 2, null]]}}, {"op": "add", "in": ["v", "v"], "out": "w"}], "observe": ["n"]},
                 "outcome": {"values": {"n": {"dtype": "int64", "shape": [2], "data": [0, 2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "CopySlices"}}, "raised": {"step": [2], "kind": "no_grad_view_in_place", "message": "A view was created in no_grad mode and its base or another view of its base has been modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."}}}
                """],
        },
        new("retained-before-it-was-transposed", "unreported",
            "A retained gradient is that of the tensor as it was before t_ or squeeze_, and so may have another shape than its tensor; right is that of the tensor as it is, as after any other write.",
            [],
            seen => ProgramFacts.RetainedBeforeItWasTransposed(seen.Program).Any() && seen.IsRightWithout(Spec.Rules.Gradients.retainedIsOfTheLatest),
            Witnesses.HasAGradientOfAnotherShape("v"))
        {
            Examples = ["""
                {"id": "divergences/retained-before-it-was-transposed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [1, 2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2, 1], "data": [3, 4]}}, "steps": [{"op": "neg", "in": ["p"], "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "t_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values": {"v": {"dtype": "float64", "shape": [2, 1], "data": [-1, -2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "TBackward1"}, "v.grad": {"dtype": "float64", "shape": [1, 2], "data": [3, 4], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/retained-before-it-was-squeezed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [1, 2], "data": [1, 2], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [3, 4]}}, "steps": [{"op": "neg", "in": ["p"], "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "squeeze_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values": {"v": {"dtype": "float64", "shape": [2], "data": [-1, -2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "SqueezeBackward3"}, "v.grad": {"dtype": "float64", "shape": [1, 2], "data": [3, 4], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("added-to-after-it-was-transposed", "unreported",
            "A gradient that was retained before t_ or squeeze_ is added to after it, as that of the tensor as it was; right is to refuse it, since the tensor's gradient has another shape now.",
            [],
            seen => seen.RaisesNothing
                && ProgramFacts.EndsInBackwardOfAnotherShape(seen.Program) && seen.IsRightWithout(Spec.Rules.Gradients.retainedIsOfTheLatest),
            Witnesses.AddsToAGradientOfAnotherShape("v"))
        {
            Examples = ["""
                {"id": "divergences/added-to-after-it-was-transposed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2, 3], "data": [1, 2, 3, 4, 5, 6], "requires_grad": true}, "g": {"dtype": "float64", "shape": [3, 2], "data": [1, 2, 3, 4, 5, 6]}, "h": {"dtype": "float64", "shape": [2, 3], "data": [1, 2, 3, 4, 5, 6]}}, "steps": [{"op": "mul", "in": ["p"], "attrs": {"other": 2.0}, "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["h"], "attrs": {"retain_graph": true}}, {"op": "t_", "in": ["v"]}, {"op": "backward", "in": ["v"], "gradients": ["g"]}], "observe": ["v", "v.grad"]},
                 "outcome": {"values": {"v": {"dtype": "float64", "shape": [3, 2], "data": [2, 8, 4, 10, 6, 12], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "TBackward1"}, "v.grad": {"dtype": "float64", "shape": [2, 3], "data": [2, 5, 8, 6, 9, 12], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("history-lost-when-squeezed", "unreported",
            "The history of a view that was retained, then given another shape in place, is not found after a write to its base: an assertion inside PyTorch fails; right is that it has one.",
            [],
            seen => seen.Finding is { Difference: Difference.IsLeaf or Difference.GradFn, Actual: null }
                && ProgramFacts.RetainedBeforeItWasTransposed(seen.Program).Contains(seen.Finding.Name),
            Witnesses.CannotSayWhetherItIsALeaf("v"))
        {
            Examples = ["""
                {"id": "divergences/history-lost-when-squeezed", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"p": {"dtype": "float64", "shape": [2], "data": [1, 2], "requires_grad": true}}, "steps": [{"op": "neg", "in": ["p"], "out": "x"}, {"op": "view", "in": ["x"], "attrs": {"size": [1, 2]}, "out": "v"}, {"op": "retain_grad", "in": ["v"]}, {"op": "squeeze_", "in": ["v"]}, {"op": "mul_", "in": ["x"], "attrs": {"other": 2}}], "observe": ["v"]},
                 "outcome": {"values":{"v":{"dtype":"float64","shape":[2],"data":[-2,-4],"requires_grad":true,"version":2}}}}
                """],
        },
        new("hooked-again-after-a-first-history", "unreported",
            "A hook is never run if its tensor was hooked before, when it had no history, and got its first one by a write to a view of it; right is to run it.",
            [],
            LostHook.Explains,
            Witnesses.DiffersFromItsTwin("p.grad", "q.grad"))
        {
            Examples = ["""
                {"id": "divergences/hooked-again-after-a-first-history", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "y": {"dtype": "float64", "shape": [1], "data": [0], "requires_grad": true}, "p": {"dtype": "float64", "shape": [], "data": [0], "requires_grad": true}, "q": {"dtype": "float64", "shape": [], "data": [0], "requires_grad": true}}, "steps": [{"op": "register_hook", "in": ["x"], "attrs": {"scale": 0.5}}, {"op": "detach_", "in": ["x"]}, {"op": "detach_", "in": ["y"]}, {"op": "setitem_", "in": ["x", "p"], "attrs": {"index": [0]}}, {"op": "setitem_", "in": ["y", "q"], "attrs": {"index": [0]}}, {"op": "register_hook", "in": ["x"], "attrs": {"scale": 3.0}}, {"op": "register_hook", "in": ["y"], "attrs": {"scale": 3.0}}, {"op": "backward", "in": ["x", "y"]}], "observe": ["p.grad", "q.grad"]},
                 "outcome": {"values": {"p.grad": {"dtype": "float64", "shape": [], "data": [1], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "q.grad": {"dtype": "float64", "shape": [], "data": [3], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
                """],
        },
        new("kernel-writes-counted", "unreported",
            "The result of an operator on a tensor of inference mode has a version that counts the writes of the operator's own kernel; right is 0, since nothing wrote to it.",
            [],
            seen => seen.CountsMore && ProgramFacts.IsMadeOfInferenceTensors(seen.Program, seen.Finding.Name),
            Witnesses.HasAVersionThoughNothingWrites("y"))
        {
            Examples = ["""
                {"id": "divergences/kernel-writes-counted", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "clone", "in": ["v"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/kernel-writes-counted-in-a-view", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "no_grad", "steps": [{"op": "clone", "in": ["v"], "out": "z"}]}, {"op": "view", "in": ["z"], "attrs": {"size": [2]}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("detached-from-inference", "unreported",
            "A tensor that was detached from one of inference mode has versions, but its views have none, and it is refused as one of inference mode where it is kept or a part of it is written to; right is that it is a tensor like any other.",
            [],
            seen => seen.Finding.Difference switch
            {
                Difference.Version => seen.Finding.Actual is null && ProgramFacts.IsDetachedFromInference(seen.Program, seen.Finding.Name),
                Difference.Raised => seen.RaisedAt("Inference tensors cannot be saved for backward", "Inplace update to inference tensor outside InferenceMode") is { } step
                    && StepNames.Read(step).Any(name => ProgramFacts.IsDetachedFromInference(seen.Program, name)),
                _ => false,
            },
            Witnesses.HasAVersion("d"))
        {
            Examples = ["""
                {"id": "divergences/view-of-what-was-detached-from-inference", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "view", "in": ["d"], "attrs": {"size": [2]}, "out": "y"}], "observe": ["y", "d"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "grad_fn": null}, "d": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-kept", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float64", "shape": [2], "data": [1, 2]}, "p": {"dtype": "float64", "shape": [2], "data": [0.5, -1], "requires_grad": true}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "mul", "in": ["p", "d"], "out": "y"}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float64", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [2], "kind": "other", "message": "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd."}}}
                """,
                """
                {"id": "divergences/detached-from-inference-and-written", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"c": {"dtype": "float32", "shape": [2], "data": [1, 2]}, "s": {"dtype": "float32", "shape": [], "data": [-1]}}, "steps": [{"op": "inference_mode", "steps": [{"op": "neg", "in": ["c"], "out": "v"}]}, {"op": "detach", "in": ["v"], "out": "d"}, {"op": "setitem_", "in": ["d", "s"], "attrs": {"index": [[0, 1, null]]}}], "observe": ["d"]},
                 "outcome": {"values": {"d": {"dtype": "float32", "shape": [2], "data": [-1, -2], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [2], "kind": "other", "message": "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."}}}
                """],
        },
        new("two-dtypes-of-nothing", "unreported",
            "mv and bmm, and matmul by them, multiply tensors of two dtypes where one of them is empty, into the dtype of the second; right is to refuse them, as of anything else.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInAProductOfNothing(seen.Program),
            Witnesses.IsNotPromoted("a", "x", "y"))
        {
            Examples = ["""
                {"id": "divergences/mv-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "float64", "shape": [1, 0], "data": []}, "x": {"dtype": "float32", "shape": [0], "data": []}}, "steps": [{"op": "mv", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [1], "data": [0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/bmm-of-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "float64", "shape": [0, 1, 1], "data": []}, "x": {"dtype": "float32", "shape": [0, 1, 1], "data": []}}, "steps": [{"op": "bmm", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [0, 1, 1], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("kernels-of-nothing", "unreported",
            "Where there are no elements mv, mm, bmm, what is made of them, softmax and adaptive_avg_pool2d give integers or booleans, which their kernels refuse; right is to refuse them there, too.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInAKernelOfNothing(seen.Program),
            Witnesses.IsOfIntegers("y"))
        {
            Examples = ["""
                {"id": "divergences/mv-of-no-booleans", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "bool", "shape": [1, 0], "data": []}, "x": {"dtype": "bool", "shape": [0], "data": []}}, "steps": [{"op": "mv", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "bool", "shape": [1], "data": [false], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/matmul-of-no-booleans", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"a": {"dtype": "bool", "shape": [1, 0], "data": []}, "x": {"dtype": "bool", "shape": [0, 1], "data": []}}, "steps": [{"op": "matmul", "in": ["a", "x"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "bool", "shape": [1, 1], "data": [false], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/softmax-of-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [2, 0], "data": []}}, "steps": [{"op": "softmax", "in": ["x"], "attrs": {"dim": 1}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [2, 0], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/softmax-into-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [0], "data": []}}, "steps": [{"op": "log_softmax", "in": ["x"], "attrs": {"dim": 0, "dtype": "int64"}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [0], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/pooling-of-no-integers", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "int64", "shape": [0, 1, 1], "data": []}}, "steps": [{"op": "adaptive_avg_pool2d", "in": ["x"], "attrs": {"output_size": [3, 2]}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "int64", "shape": [0, 3, 2], "data": [], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("cross-entropy-smoothed-below-zero", "unreported",
            "cross_entropy takes a label smoothing below 0 for none, against its documentation; right is to refuse it.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInSmoothingBelowZero(seen.Program),
            Witnesses.IsAsWithout("label_smoothing", "y"))
        {
            Examples = ["""
                {"id": "divergences/cross-entropy-smoothed-below-zero", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [0.5, -1]}, "t": {"dtype": "int64", "shape": [], "data": [0]}}, "steps": [{"op": "cross_entropy", "in": ["x", "t"], "attrs": {"label_smoothing": -0.5}, "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [], "data": [0.20141327798275246], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("index-put-stops-half-way", "unreported",
            "index_put_ with an index out of bounds has written what stands before it when it raises; right is that a step that raises changes nothing.",
            [],
            seen => seen.HasWrongElements && ProgramFacts.IsWrittenByARefusedIndexPut(seen.Program, seen.Finding.Name),
            Witnesses.ChangesInARefusedStep("x"))
        {
            Examples = ["""
                {"id": "divergences/index-put-stops-half-way", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [0, 0]}, "i": {"dtype": "int64", "shape": [2], "data": [0, 2]}, "v": {"dtype": "float32", "shape": [2], "data": [1, 1]}}, "steps": [{"op": "index_put_", "in": ["x", ["i"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float32", "shape": [2], "data": [1, 0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}, "raised": {"step": [0], "kind": "index", "message": "index 2 is out of bounds for dimension 0 with size 2"}}}
                """],
        },
        new("index-put-into-nothing", "unreported",
            "index_put_ into a tensor without elements does not look at its indices; right is to refuse those that are out of bounds, as of any other tensor.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInIndexPutIntoNothing(seen.Program),
            Witnesses.TakesAnIndexOutOfBounds("x", "i"))
        {
            Examples = ["""
                {"id": "divergences/index-put-into-nothing", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1, 0], "data": []}, "i": {"dtype": "int64", "shape": [], "data": [3]}, "v": {"dtype": "float64", "shape": [], "data": [0]}}, "steps": [{"op": "index_put_", "in": ["x", ["i"], "v"]}], "observe": ["x"]},
                 "outcome": {"values": {"x": {"dtype": "float64", "shape": [1, 0], "data": [], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("index-put-into-shared-memory", "unreported",
            "index_put_ writes to memory that several elements share, with a warning and in no order that is told; right is to refuse it, as other writes do.",
            [],
            seen => seen.RaisesNothing && ProgramFacts.EndsInIndexPutIntoSharedMemory(seen.Program),
            Witnesses.LosesWhatItWrote("y", "v"))
        {
            Examples = ["""
                {"id": "divergences/index-put-into-shared-memory", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [1]}, "i": {"dtype": "int64", "shape": [2], "data": [0, 2]}, "v": {"dtype": "float64", "shape": [2], "data": [5, 6]}}, "steps": [{"op": "expand", "in": ["x"], "attrs": {"size": [3]}, "out": "y"}, {"op": "index_put_", "in": ["y", ["i"], "v"]}], "observe": ["y"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [3], "data": [6, 6, 6], "requires_grad": false, "is_leaf": true, "version": 1, "grad_fn": null}}}}
                """],
        },
        new("integers-filled-out-of-place", "unreported",
            "masked_fill of integers or booleans with a value that requires a gradient fails in an assertion inside PyTorch; right is the result, which requires none.",
            [],
            seen => seen.RaisesAt(ProgramFacts.FillsIntegersWithARequiringValue, "isDifferentiableType(variable.scalar_type()) INTERNAL ASSERT FAILED"),
            Witnesses.SaysSoItself)
        {
            Examples = ["""
                {"id": "divergences/mask-filled-with-a-leaf", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"m": {"dtype": "bool", "shape": [2], "data": [true, false]}, "p": {"dtype": "float64", "shape": [], "data": [0.5], "requires_grad": true}}, "steps": [{"op": "masked_fill", "in": ["m", "m", "p"], "out": "y"}], "observe": ["y"]},
                 "outcome": {"values": {}, "raised": {"step": [0], "kind": "other", "message": "isDifferentiableType(variable.scalar_type()) INTERNAL ASSERT FAILED at \"./torch/csrc/autograd/functions/utils.h\":74, please report a bug to PyTorch. "}}}
                """],
        },
    ];

    /// <summary>The version of PyTorch of which the registry holds: what another one does is not excused.</summary>
    public const string Version = "2.6";

    /// <summary>What a report says of an engine that the registry is not for; null where there is nothing to say.</summary>
    public static string? Note(EngineInfo engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return engine.Name == PyTorch && !Concerns(engine)
            ? $"The registry of PyTorch's known divergences holds of version {Version}: none is excused in {engine.Version}."
            : null;
    }

    /// <summary>The divergence that explains what an engine was seen to do, if it is PyTorch's and known; null otherwise.</summary>
    public static Divergence? Explaining(Sighting seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        return Concerns(seen.Engine) ? KeptGradient.Elsewhere(seen).Prepend(seen).Select(Covering).FirstOrDefault(divergence => divergence is not null) : null;
    }

    private static Divergence? Covering(Sighting seen) => All.FirstOrDefault(divergence => divergence.Covers(seen));

    private const string PyTorch = "PyTorch";

    // Whether the registry is for an engine: PyTorch of the version that was measured.
    internal static bool Concerns(EngineInfo engine) =>
        engine.Name == PyTorch && (engine.Version == Version || engine.Version.StartsWith(Version + ".", StringComparison.Ordinal));

    internal static bool IsSet(Step step, string attribute) => step.Attrs.TryGetValue(attribute, out var flag) && flag is Attr.Flag { Item: true };

    private static bool Given(Step step, int argument) => argument < step.In.Length && !step.In[argument].IsMissing;

    private static bool CreatesAGraph(IEnumerable<Step> steps) => Steps(steps).Any(step => IsSet(step, "create_graph"));

    internal static IEnumerable<Step> Steps(IEnumerable<Step> steps) => steps.SelectMany(s => Steps(s.Steps).Prepend(s));
}
