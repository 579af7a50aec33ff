namespace Verified.Oracle;

/// <summary>Functions that are wrong far out, or where float32 has too few digits.</summary>
internal static class KnownFarOut
{
    internal static IReadOnlyList<Divergence> Entries { get; } =
    [
        new("gelu-of-infinity", "pytorch#185770",
            "gelu(inf) is NaN; right is inf: oneDNN's erf of an infinity is NaN.",
            ["operators/gelu/not-finite/f32"],
            GeluFarOut.ExplainsNaN,
            Witnesses.GrowsWithInfinity("t1"))
        {
            Examples = ["""
                {"id": "divergences/gelu-of-infinity-compared", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": ["inf", 0]}}, "steps": [{"op": "gelu", "in": ["x"], "out": "t1"}, {"op": "ge", "in": ["t1", "x"], "out": "y"}], "observe": ["t1", "y"]},
                 "outcome": {"values": {"t1": {"dtype": "float32", "shape": [2], "data": ["nan", 0], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "y": {"dtype": "bool", "shape": [2], "data": [false, true], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("gelu-of-more-than-half", "unreported",
            "In float32 gelu of more than half the largest number is infinite, since oneDNN doubles it before it halves it; right is that number.",
            [],
            GeluFarOut.ExplainsInfinity,
            Witnesses.ByFloat64("y", "z"))
        {
            Examples = ["""
                {"id": "divergences/gelu-of-more-than-half", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [1.7e38, 1.9e38]}, "w": {"dtype": "float64", "shape": [2], "data": [1.7e38, 1.9e38]}}, "steps": [{"op": "gelu", "in": ["x"], "out": "y"}, {"op": "gelu", "in": ["w"], "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": [1.7e38, "inf"], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "z": {"dtype": "float64", "shape": [2], "data": [1.7e38, 1.9e38], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
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
            "log1p of more than 1e38 in float32, and of more than 1e307 in float64, is infinite; right is its logarithm, of some 88 or 709.",
            [],
            seen => (seen.Finding.Difference == Difference.Value || seen.HasNoFiniteElement)
                && seen.Depends(0, ProgramFacts.TakesLog1pFarOut),
            golden => golden.Program.Inputs[0].Tensor.DType.IsFloat64 ? Witnesses.DiffersFromItsTwin("y", "z")(golden) : Witnesses.ByFloat64("y", "z")(golden))
        {
            Examples = ["""
                {"id": "divergences/log1p-of-large", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float32", "shape": [2], "data": [2e38, 9e37]}}, "steps": [{"op": "log1p", "in": ["x"], "out": "y"}, {"op": "to", "in": ["x"], "attrs": {"dtype": "float64"}, "out": "w"}, {"op": "log1p", "in": ["w"], "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float32", "shape": [2], "data": ["inf", 87.392876], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "z": {"dtype": "float64", "shape": [2], "data": [88.19138068236225, 87.39287299741248], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/log1p-of-large-in-float64", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [1], "data": [1.7e308]}}, "steps": [{"op": "log1p", "in": ["x"], "out": "y"}, {"op": "log", "in": ["x"], "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [1], "data": ["inf"], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "z": {"dtype": "float64", "shape": [1], "data": [709.7268368932282], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """],
        },
        new("clamp-by-nan-alone", "unreported",
            "clamp by one number that is NaN leaves everything as it is, and passes no gradient back; right is NaN, as by two numbers, by a tensor, and of clamp_min and clamp_max.",
            [],
            seen => seen.HasWrongElements && seen.IsRightFor(ProgramFacts.WithClampsByNaNLeftOut(seen.Program)),
            Witnesses.DiffersFromItsTwin("y", "z"))
        {
            Examples = ["""
                {"id": "divergences/clamp-by-nan-alone", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [3, -1]}}, "steps": [{"op": "clamp", "in": ["x"], "attrs": {"min": "nan"}, "out": "y"}, {"op": "clamp_min", "in": ["x"], "attrs": {"min": "nan"}, "out": "z"}], "observe": ["y", "z"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [2], "data": [3, -1], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}, "z": {"dtype": "float64", "shape": [2], "data": ["nan", "nan"], "requires_grad": false, "is_leaf": true, "version": 0, "grad_fn": null}}}}
                """,
                """
                {"id": "divergences/clamp-by-nan-alone-in-place", "source": {"pytorch": "2.6.0"},
                 "program": {"inputs": {"x": {"dtype": "float64", "shape": [2], "data": [3, -1], "requires_grad": true}, "g": {"dtype": "float64", "shape": [2], "data": [1, 1]}}, "steps": [{"op": "mul", "in": ["x"], "attrs": {"other": 2.0}, "out": "y"}, {"op": "clone", "in": ["y"], "out": "w"}, {"op": "clamp_min", "in": ["w"], "attrs": {"min": "nan"}, "out": "z"}, {"op": "clamp_", "in": ["y"], "attrs": {"min": "nan"}}, {"op": "exp", "in": ["y"], "out": "e"}, {"op": "backward", "in": ["e"], "gradients": ["g"]}], "observe": ["y", "z", "e", "x.grad"]},
                 "outcome": {"values": {"y": {"dtype": "float64", "shape": [2], "data": [6, -2], "requires_grad": true, "is_leaf": false, "version": 1, "grad_fn": "ClampBackward1"}, "z": {"dtype": "float64", "shape": [2], "data": ["nan", "nan"], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "ClampMinBackward0"}, "e": {"dtype": "float64", "shape": [2], "data": [403.4287934927351, 0.1353352832366127], "requires_grad": true, "is_leaf": false, "version": 0, "grad_fn": "ExpBackward0"}, "x.grad": {"dtype": "float64", "shape": [2], "data": [0, 0], "requires_grad": false, "is_leaf": true, "grad_fn": null}}}}
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
    ];
}
