#!/usr/bin/env python3
"""Tests of what export.py --check says:  python tests/GoldenPyTorch/export_tests.py   (needs torch)"""
import contextlib
import copy
import io
import json
import os
import tempfile
import unittest
from unittest import mock

import export


def golden(identity, data, **more):
    value = {"dtype": "float32", "shape": [len(data)], "data": data, "requires_grad": False, "is_leaf": True, "version": 0, "grad_fn": None, **more}
    return {"id": identity, "program": {"inputs": {}, "steps": []}, "outcome": {"values": {"y": value}}, "source": {"pytorch": "2.6.0"}}


class Check(unittest.TestCase):
    def checked(self, old, new):
        def lines(goldens):
            return [json.dumps(g) + "\n" for g in goldens]

        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            path = os.path.join(folder, "some.jsonl.gz")
            export.write_whole(path, export.compress(lines(old)))
            worse, numeric = export.check(path, "some", lines(new))
        return worse, [g["id"] for g in numeric], said.getvalue()

    def test_the_same_says_nothing(self):
        self.assertEqual(self.checked([golden("a", [1, 2])], [golden("a", [1, 2])]), (0, [], ""))

    def test_numbers_are_for_the_bound_to_judge_and_all_else_is_not(self):
        old = [golden("numbers", [1, 2]), golden("kind", [1]), golden("both", [1]), golden("nan", [1]), golden("gone", [1])]
        new = [golden("numbers", [1, 2.5]), golden("kind", [1], grad_fn="ExpBackward0"), golden("both", [2]), golden("nan", ["nan"]), golden("added", [1])]
        new[2]["outcome"]["raised"] = {"step": [0], "kind": "shape", "message": "no"}
        worse, numeric, said = self.checked(old, new)
        self.assertEqual((worse, numeric), (4, ["numbers", "nan"]))
        for identity in ("numbers", "kind", "both", "nan", "gone", "added"):
            self.assertIn(f"{identity}: ", said)

    def test_a_changed_program_is_not_judged(self):
        changed = copy.deepcopy(golden("a", [2]))
        changed["program"]["steps"] = [{"op": "exp"}]
        self.assertEqual(self.checked([golden("a", [1])], [changed])[:2], (1, []))


class Verdict(unittest.TestCase):
    def verdict(self, worse, numeric, held):
        with mock.patch.object(export, "within_bound", return_value=held), contextlib.redirect_stdout(io.StringIO()) as said:
            return export.verdict(worse, [golden("a", [1])] * numeric), said.getvalue().strip()

    def test_only_numbers_that_the_bound_allows_are_no_failure(self):
        self.assertEqual(self.verdict(0, 0, None), (0, "nothing differs"))
        self.assertEqual(self.verdict(0, 1, True), (0, "1 program differs in values, none beyond the specification's bounds"))
        for worse, numeric, held in [(0, 2, False), (0, 2, None), (1, 2, True), (1, 0, None)]:
            self.assertEqual(self.verdict(worse, numeric, held)[0], 1)


if __name__ == "__main__":
    unittest.main()
