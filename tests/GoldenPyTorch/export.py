#!/usr/bin/env python3
"""Runs the corpus through PyTorch and writes the golden files.

    python tests/GoldenPyTorch/export.py                      every group, into tests/GoldenPyTorch/goldens
    python tests/GoldenPyTorch/export.py --only seeds models  some groups
    python tests/GoldenPyTorch/export.py --new                what has a golden keeps it, byte for byte; runs only what is new or changed
    python tests/GoldenPyTorch/export.py --check              exports again, writes nothing, lists what differs and whether it is within the bound
    python tests/GoldenPyTorch/export.py --list               groups and the number of their programs

Needs Python 3.9 or newer and `torch` (the committed goldens are PyTorch 2.6.0's, and say so), nothing else. On the machine
that made them, exporting again changes no byte. On another processor PyTorch may pick other kernels, and last bits differ:
--check lists which values differ and by how much, and has ./verify examine PyTorch on the programs of these. Exit codes:
0 nothing differs, or only values, and none beyond the specification's bounds (or all written), 1 something else differs,
2 the command line or a file is wrong. Where oneDNN's convolutions are wrong on this machine, programs with one run without oneDNN.

A golden file is gzip-compressed JSON Lines: {"id", "program", "outcome", "source": {"pytorch": VERSION}} a line.
"""
import argparse
import gzip
import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import corpus  # noqa: E402

try:
    from corpus.program import pytorch  # the adapter
except ImportError as missing:
    print(f"export: needs PyTorch, which this Python does not have: {missing}", file=sys.stderr)
    sys.exit(2)

SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def golden_path(folder, group):
    return os.path.join(folder, group + ".jsonl.gz")


def lines_of(group, source, kept):
    """The golden lines of a group: the one kept of the same program, else of the program run just now."""
    programs = corpus.programs(group)
    shown = time.monotonic()
    lines = []
    for i, p in enumerate(programs):
        program = p.program()
        if program == kept.get(p.id, (None, None))[0]:
            lines.append(kept[p.id][1])
            continue
        try:
            outcome = pytorch.run_program(program)
        except (pytorch.Malformed, pytorch.Unsupported) as error:
            raise SystemExit(f"export: {p.id}: {error}") from error
        golden = {"id": p.id, "program": program, "outcome": outcome, "source": source}
        lines.append(json.dumps(golden, separators=(",", ":"), allow_nan=False) + "\n")
        if time.monotonic() - shown > 0.2:
            shown = time.monotonic()
            print(f"\r{group}: {i + 1} of {len(programs)}", end="", file=sys.stderr, flush=True)
    print(f"\r{group}: {len(programs)} programs   ", file=sys.stderr)
    return lines


def compress(lines):
    """The same bytes for the same lines: no name, no time, a fixed level."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write("".join(lines).encode("utf-8"))
    return buffer.getvalue()


def write_whole(path, data):
    """Writes beside and renames: a reader never sees half a file."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def read_lines(path):
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as stream:
            return stream.readlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SystemExit(f"export: {path}: {error}") from error


def parsed(path, lines):
    """Goldens by identity."""
    found = {}
    for i, line in enumerate(lines, 1):
        try:
            golden = json.loads(line)
            found[golden["id"]] = golden
            golden["program"], golden["source"], golden["outcome"]["values"]
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"export: {path}, line {i}: no golden ({error})") from error
    return found


def kept_lines(path):
    """The committed goldens by identity: the program, and the line as it stands."""
    lines = read_lines(path) if os.path.exists(path) else []
    return {identity: (golden["program"], line) for (identity, golden), line in zip(parsed(path, lines).items(), lines)}


def refuse_other_version(path, source):
    """Goldens say which PyTorch made them; another version does not silently take their place."""
    if os.path.exists(path):
        made = next(iter(parsed(path, read_lines(path)[:1]).values()), {"source": source})["source"]
        if made != source:
            raise SystemExit(f"export: {path} is PyTorch {made.get('pytorch')}'s and this is {source['pytorch']}: name another folder with --out")


def number(value):
    return SPECIAL.get(value, value) if isinstance(value, str) else float(value)


def tensor_difference(old, new):
    """What differs between two observed values, as one phrase; None where nothing does."""
    if old is None or new is None:
        return None if old is new else f"{'null' if old is None else 'a tensor'} became {'null' if new is None else 'a tensor'}"
    for field in ("dtype", "shape", "requires_grad", "is_leaf", "version", "grad_fn"):
        if old.get(field) != new.get(field):
            return f"{field} {old.get(field)} became {new.get(field)}"
    changed = [(number(a), number(b)) for a, b in zip(old["data"], new["data"]) if repr(a) != repr(b)]
    if not changed:
        return None
    worst = max(changed, key=lambda pair: abs(pair[0] - pair[1]) if math.isfinite(sum(pair)) else math.inf)
    size = abs(worst[0] - worst[1])
    relative = f", {size / max(abs(worst[0]), 1e-300):.2g} of it" if math.isfinite(size) else ""
    return f"{len(changed)} of {len(old['data'])} elements, the largest by {size:.3g}{relative}: {worst[0]!r} became {worst[1]!r}"


def differences(old, new):
    """Everything that differs between two goldens of one identity: a phrase, and whether it is only numbers, which a bound can judge."""
    if old["program"] != new["program"]:
        yield "the program itself changed", False
        return
    was, now = old["outcome"].get("raised"), new["outcome"].get("raised")
    if was != now:
        yield f"raised {was} became {now}", False
    before, after = old["outcome"]["values"], new["outcome"]["values"]
    for name in sorted(set(before) | set(after)):
        if name not in before or name not in after:
            yield f"{name} is observed only {'now' if name in after else 'before'}", False
        else:
            phrase = tensor_difference(before[name], after[name])
            if phrase:
                yield f"{name}: {phrase}", " elements, the largest by " in phrase


def check(path, group, lines):
    """Prints what differs between a committed file and the lines of this run: how many programs in more than numbers, and the goldens that differ in numbers alone."""
    if not os.path.exists(path):
        print(f"{group}: {path} does not exist")
        return 1, []
    committed = read_lines(path)
    if committed == lines:
        with open(path, "rb") as stream:
            if stream.read() != compress(lines):
                print(f"{group}: every line is the same, only the compressed bytes differ (another zlib)")
        return 0, []
    old, new = parsed(path, committed), parsed(path, lines)
    sources = [sorted({json.dumps(g["source"]) for g in some.values()}) for some in (old, new)]
    if sources[0] != sources[1]:
        print(f"{group}: source {', '.join(sources[0])} became {', '.join(sources[1])}")
    worse, numeric = 0, []
    for identity in list(old) + [i for i in new if i not in old]:
        if identity not in old or identity not in new:
            found = [("is not in the committed file" if identity in new else "is in the committed file only", False)]
        else:
            found = list(differences(old[identity], new[identity]))
        for phrase, _ in found:
            print(f"{identity}: {phrase}")
        if found and all(of_numbers for _, of_numbers in found):
            numeric.append(new[identity])
        else:
            worse += bool(found)
    if not worse and not numeric:
        print(f"{group}: only the order or the spelling of lines differs")
        worse = 1
    return worse, numeric


def within_bound(goldens):
    """What ./verify finds of PyTorch on these programs, by the specification's bounds and the known divergences: whether all hold; None where it could not be run."""
    with tempfile.TemporaryDirectory() as folder:
        corpus_file = os.path.join(folder, "differing.jsonl")
        with open(corpus_file, "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps({"id": g["id"], "program": g["program"]}) + "\n" for g in goldens)
        command = [os.path.join(HERE, "..", "..", "verify"), "check", "--engine", "pytorch", "--corpus", corpus_file, "--random", "0", "--timeout", "30"]
        run = subprocess.run(command, env={"VERIFIED_PYTHON": sys.executable, **os.environ}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode != 0:
        print(run.stdout)
    return {0: True, 1: False}.get(run.returncode)


def verdict(worse, numeric):
    """The last line of --check, and its exit code."""
    def programs(count):
        return f"{count} program{'s differ' if count != 1 else ' differs'}"

    held = not numeric or within_bound(numeric)
    parts = [f"{programs(worse)} in more than values"] if worse else []
    if numeric:
        judged = {True: "none beyond the specification's bounds", False: "not all within the specification's bounds (above)", None: "and ./verify could not say whether within the bounds (above)"}
        parts.append(f"{programs(len(numeric))} in values, {judged[held]}")
    print("; ".join(parts) or "nothing differs")
    return 0 if held and not worse else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; list what differs from the committed files")
    parser.add_argument("--new", action="store_true", help="keep the goldens that there are; run only programs that are new or changed")
    parser.add_argument("--only", nargs="+", metavar="GROUP", choices=list(corpus.GROUPS), help="these groups alone")
    parser.add_argument("--out", metavar="DIR", default=os.path.join(HERE, "goldens"), help="where the golden files are")
    parser.add_argument("--list", action="store_true", help="list the groups")
    options = parser.parse_args()
    if options.new and options.check:
        parser.error("--check runs every program, --new only new ones: give one of them")
    if options.list:
        for group in options.only or corpus.GROUPS:
            print(f"{group}\t{len(corpus.programs(group))}")
        return 0
    source = {"pytorch": pytorch.torch.__version__.split("+")[0]}
    if not options.check:
        os.makedirs(options.out, exist_ok=True)
    worse, numeric = 0, []
    pytorch.avoid_wrong_convolutions()
    for group in options.only or corpus.GROUPS:
        path = golden_path(options.out, group)
        if not options.check:
            refuse_other_version(path, source)
        lines = lines_of(group, source, kept_lines(path) if options.new else {})
        if options.check:
            more, some = check(path, group, lines)
            worse, numeric = worse + more, numeric + some
        else:
            write_whole(path, compress(lines))
    return verdict(worse, numeric) if options.check else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # an ending that cleans up
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        print(f"export: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
            sys.exit(2)
        raise
