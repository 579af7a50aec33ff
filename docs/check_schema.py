#!/usr/bin/env python3
"""Holds files of programs, goldens or protocol lines against protocol.schema.json. Needs the Python package jsonschema.

    python docs/check_schema.py [--every N] [FILE.jsonl[.gz] ...]     by default every 20th line of the committed goldens
"""
import argparse
import gzip
import json
import pathlib
import sys

from jsonschema import Draft202012Validator

here = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    schema = json.loads((here / "protocol.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    # A line with an id is a case: against that alone, so that a message says what is wrong.
    any_line, case = Draft202012Validator(schema), Draft202012Validator({**schema, "anyOf": [{"$ref": "#/$defs/case"}]})
    checked = wrong = 0
    for file in arguments.files or sorted((here.parent / "tests/GoldenPyTorch/goldens").glob("*.jsonl.gz")):
        with (gzip.open(file, "rt") if file.suffix == ".gz" else open(file)) as lines:
            for number, line in enumerate(lines, 1):
                if number % arguments.every:
                    continue
                value = json.loads(line)
                checked += 1
                for error in (case if "id" in value else any_line).iter_errors(value):
                    wrong += 1
                    print(f"{file}:{number}: {error.message[:200]}", file=sys.stderr)
    print(f"{checked} lines checked, {wrong} wrong")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
