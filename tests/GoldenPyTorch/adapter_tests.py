#!/usr/bin/env python3
"""Tests of the PyTorch adapter itself:  python tests/GoldenPyTorch/adapter_tests.py   (needs torch)"""
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "adapters"))
import pytorch  # noqa: E402


def tensor(data, dtype="float32", shape=None, grad=False):
    return {"dtype": dtype, "shape": [len(data)] if shape is None else shape, "data": data, "requires_grad": grad}


def run(inputs, steps, observe=()):
    return pytorch.run_program({"inputs": inputs, "steps": steps, "observe": list(observe)})


class Numbers(unittest.TestCase):
    def test_float32_is_written_in_its_own_shortest_form(self):
        for value, text in [(0.1, "0.1"), (1 / 3, "0.33333334"), (16777216.0, "16777216"), (3.4028234663852886e38, "3.4028235e+38"),
                            (1.401298464324817e-45, "1e-45"), (9.999999e-05, "9.999999e-05"), (2.0, "2"), (-0.0, "-0.0")]:
            self.assertEqual(json.dumps(pytorch.number32(pytorch.round32(value))), text)

    def test_every_power_of_two_and_its_neighbours_read_back(self):
        for exponent in range(-149, 128):
            for value in (2.0 ** exponent, 2.0 ** exponent * (1 + 2.0 ** -23), 2.0 ** exponent * (1 - 2.0 ** -24)):
                value = pytorch.round32(value)
                self.assertEqual(pytorch.round32(float(pytorch.number32(value))), value)

    def test_bits_survive_a_round_trip(self):
        data = [0, -0.0, 1e-45, 0.1, "inf", "-inf", "nan", 3.4028235e38]
        for dtype in ("float32", "float64"):
            values = run({"x": tensor(data, dtype)}, [], ["x"])["values"]["x"]["data"]
            self.assertEqual(json.dumps(values), json.dumps(data))


class Steps(unittest.TestCase):
    def test_an_input_is_a_leaf_and_no_view(self):
        outcome = run({"x": tensor([1.0, 2.0], grad=True)}, [{"op": "add_", "in": ["x"], "attrs": {"other": 1}}])
        self.assertEqual(outcome["raised"]["kind"], "leaf_in_place")

    def test_tensor_arguments_stand_around_attributes(self):
        x, i = tensor([1.0, 2.0, 3.0]), tensor([2, 0], "int64")
        outcome = run({"x": x, "i": i}, [{"op": "gather", "in": ["x", "i"], "attrs": {"dim": 0}, "out": "y"}], ["y"])
        self.assertEqual(outcome["values"]["y"]["data"], [3, 1])
        outcome = run({"x": x},
            [{"op": "clamp", "in": ["x", None, "x"], "out": "y"}, {"op": "pow", "in": ["x"], "attrs": {"self": 2}, "out": "z"},
                                 {"op": "einsum", "in": [["x", "x"]], "attrs": {"equation": "i,i->"}, "out": "e"}], ["y", "z", "e"])
        self.assertEqual([outcome["values"][n]["data"] for n in "yze"], [[1, 2, 3], [2, 4, 8], [14]])

    def test_one_integer_is_a_list_of_one_and_null_is_as_left_out(self):
        x, r = tensor([1.0, 2.0, 3.0, 4.0], shape=[2, 2]), tensor([0.0, 0.0])
        outcome = run({"x": x, "r": r, "v": r}, [{"op": "flip", "in": ["x"], "attrs": {"dims": 0}, "out": "y"}, {"op": "max", "in": ["x"], "attrs": {"dim": None}, "out": "z"},
                                                 {"op": "batch_norm", "in": ["x", "r", "v"], "attrs": {"training": True, "momentum": None}}], ["y", "z", "r"])
        self.assertEqual([outcome["values"][n]["data"] for n in "yzr"], [[3, 4, 1, 2], [4], [0.2, 0.3]])

    def test_integers_and_floats_stay_apart(self):
        for other, dtype in [(2, "int64"), (2.0, "float32")]:
            outcome = run({"x": tensor([1], "int64")}, [{"op": "mul", "in": ["x"], "attrs": {"other": other}, "out": "y"}], ["y"])
            self.assertEqual(outcome["values"]["y"]["dtype"], dtype)

    def test_gradients_report_no_version(self):
        steps = [{"op": "square", "in": ["x"], "out": "y"}, {"op": "backward", "in": ["y"]}, {"op": "get_grad", "in": ["x"], "out": "g"},
                 {"op": "view", "in": ["g"], "attrs": {"size": [1, 1]}, "out": "v"}]
        values = run({"x": tensor([3.0], grad=True)}, steps, ["x", "g", "v", "x.grad", "missing"])["values"]
        self.assertEqual({n: "version" in v for n, v in values.items()}, {"x": True, "g": False, "v": False, "x.grad": False})

    def test_a_zero_gradient_without_storage_is_written_as_zeros(self):
        grad = {"op": "grad", "attrs": {"create_graph": True, "allow_unused": True}}
        steps = [{"op": "abs", "in": ["x"], "out": "y"}, {**grad, "in": ["y"], "wrt": ["x"], "gradients": ["g"], "out": ["d"]},
                 {**grad, "in": ["d"], "wrt": ["x", "g"], "out": ["dd", "dg"]}]
        values = run({"x": tensor([3.0], grad=True), "g": tensor([1.0], grad=True)}, steps, ["dd", "dg"])["values"]
        self.assertEqual([values["dd"]["data"], values["dg"]["data"]], [[0], [1]])

    def test_what_no_program_is_says_where(self):
        x = {"x": tensor([1.0])}
        for steps, words in [([{"op": "exp", "in": ["y"]}], "step [0]: nothing is called 'y'"),
            ([{"op": "no_grad", "steps": [{"op": "exp", "in": []}]}], "step [0, 0]"),
                             ([{"op": "unbind", "in": ["x"], "out": ["a", "b"]}], "1 results for 2 names"),
                             ([{"op": "exp", "in": ["x"], "atrs": {}}], "unknown field 'atrs'")]:
            with self.assertRaises(pytorch.Malformed) as raised:
                run(x, steps)
            self.assertIn(words, str(raised.exception))
        with self.assertRaises(pytorch.Unsupported):
            run(x, [{"op": "load", "in": ["x"]}])


class Convolutions(unittest.TestCase):
    """On a machine where oneDNN is right these hold without avoiding anything."""

    STEPS = [{"op": "conv_transpose2d", "in": ["x", "w"], "out": "y"}, {"op": "backward", "in": ["y"], "gradients": ["y0"]}]

    def setUp(self):
        pytorch.avoid_wrong_convolutions()

    def values(self, dtype, blocks=0):
        inputs = {"x": tensor(list(range(1, 9)), dtype, [2, 2, 2, 1], True), "w": tensor(list(range(1, 17)), dtype, [2, 2, 2, 2], True),
                  "y0": tensor([1] * 24, dtype, [2, 2, 3, 2])}
        steps = [dict(step) for step in self.STEPS]
        for _ in range(blocks):
            steps = [{"op": "enable_grad", "steps": steps}]
        found = run(inputs, steps, ["y", "x.grad", "w.grad"])["values"]
        return {name: value["data"] for name, value in found.items()}

    def test_float32_is_float64_where_both_are_exact(self):
        self.assertEqual(self.values("float32"), self.values("float64"))
        self.assertEqual(self.values("float32", blocks=1), self.values("float64"))

    def test_other_programs_keep_what_pytorch_has(self):
        self.values("float32")
        self.assertEqual(pytorch.torch.backends.mkldnn.is_available(), pytorch.torch._C._get_mkldnn_enabled())

    def test_what_is_avoided_is_told(self):
        wrong = pytorch.torch.backends.mkldnn.is_available() and not pytorch.convolves_rightly()
        self.assertEqual(len(pytorch.hello()["notes"]), int(wrong))


class Lines(unittest.TestCase):
    def test_every_request_gets_one_answer_of_the_right_form(self):
        good = {"inputs": {"x": tensor([1.0])}, "steps": [{"op": "foo", "in": ["x"]}]}
        lines = [json.dumps({"hello": 1}), json.dumps({"seq": 1, "run": good}), "nonsense", '{"seq": 2}',
            json.dumps({"seq": 3, "run": {"inputs": {}, "steps": []}}),
                 '{"seq": 4, "run": ' + "[" * 100000 + "]" * 100000 + "}"]
        answers = [json.loads(json.dumps(pytorch.answer(line), allow_nan=False)) for line in lines]
        self.assertEqual([sorted(a)[-1] if "seq" not in a else (a["seq"], *sorted(set(a) - {"seq"})) for a in answers],
                         ["ops", (1, "unsupported"), (None, "failed"), (2, "failed"), (3, "outcome"), (None, "failed")])
        self.assertLess({"add", "conv2d", "linalg.det", "setitem_", "backward"}, set(answers[0]["ops"]))


if __name__ == "__main__":
    unittest.main()
