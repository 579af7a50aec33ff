"""Programs written as text, arranged by the rule that they show.

    # versions/detach-shares-the-counter       the rule that the programs below show
    ## zeroed                                  a program: semantics/versions/detach-shares-the-counter/zeroed
    x: 1 -2 3 !                                an input: float32, a vector, `!` requires a gradient
    w: float64 [2,2] 1 2 3 4                   dtype and shape may stand before the numbers
    y = exp x                                  a step; `a,_ = unbind y` has several results, one of them not wanted
    y = cat [x,w] dim=0                        a list of tensors; attributes as JSON, without spaces
    h = hook y 2                               register_hook with a scale; `unhook h` removes it
    d,e = grad s wrt x w with g                gradients of s for x and w, from the gradient g; backward likewise
    no_grad:                                   a block: the indented lines below it
        zero_ y
    see y x.grad                               what is observed; without it, everything

A program with variants of one place counts once. `* NAME: TEXT` lines give them, and `*` in a step stands for the text:

    ## argument-written
    * square: square y
    * sin: sin y
    z = *
"""
import json
import re

from corpus.program import Program

NAME = r"[A-Za-z]\w*"
INPUT = re.compile(rf"({NAME}): (.*)")
DTYPES = ("float32", "float64", "int64", "bool")
BLOCKS = ("no_grad", "enable_grad", "inference_mode")


class Mistake(ValueError):
    """A line that is no program: the text names file and line."""


def programs(path):
    """The programs of a file, in order."""
    with open(path, encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    found, rule, name, body, variants = [], None, None, [], {}

    def finish():
        if name is not None:
            for variant, text in (variants or {None: None}).items():
                found.append(build(f"semantics/{rule}/{name}" + (f"/{variant}" if variant else ""), body, text, path))
    for number, line in enumerate(lines, 1):
        if line.startswith("# "):
            finish()
            rule, name, body, variants = line[2:].strip(), None, [], {}
        elif line.startswith("## "):
            finish()
            name, body, variants = line[3:].strip(), [], {}
        elif line.startswith("* "):
            variant, text = line[2:].split(": ", 1)
            variants[variant] = text.strip()
        elif line.strip():
            body.append((number, line))
    finish()
    return found


def build(identity, body, variant, path):
    p, blocks, seen, asked = Program(identity), [(0, None)], [], None
    for number, line in body:
        try:
            indent = len(line) - len(line.lstrip())
            while len(blocks) > 1 and indent < blocks[-1][0]:
                blocks.pop()[1].__exit__()
            text = line.strip() if variant is None else re.sub(r"(^|(?<=[\s=]))\*$", lambda _: variant, line.strip())
            if text.rstrip(":") in BLOCKS and text.endswith(":"):
                block = p.block(text[:-1])
                block.__enter__()
                blocks.append((indent + 1, block))
            elif text.startswith("see "):
                asked = text.split()[1:]
            elif INPUT.fullmatch(text):
                seen += read_input(p, *INPUT.fullmatch(text).groups())
            else:
                seen += step(p, text)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Mistake(f"{path}, line {number}: {error}") from error
    while len(blocks) > 1:
        blocks.pop()[1].__exit__()
    p.observe(*(asked or seen))
    return p


def read_input(p, name, text):
    words = text.split()
    grad = words[-1:] == ["!"]
    words = words[:-1] if grad else words
    dtype = words.pop(0) if words and words[0] in DTYPES else "float32"
    shape = json.loads(words.pop(0)) if words and words[0].startswith("[") else [len(words)]
    numbers = [json.loads(word) for word in words]
    p.input(name, numbers, grad=grad, dtype=dtype, shape=shape)
    return [name, name + ".grad"] if grad else [name]


def word_of(text):
    if text == "_":
        return None
    return [word_of(t) for t in text[1:-1].split(",") if t] if text.startswith("[") else text


def value_of(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def step(p, text):
    """Appends a step; what is worth observing of it."""
    out, call = text.split(" = ", 1) if " = " in text else (None, text)
    op, *words = call.split()
    attrs = {w.split("=", 1)[0]: value_of(w.split("=", 1)[1]) for w in words if re.match(rf"{NAME}=", w)}
    words = [w for w in words if not re.match(rf"{NAME}=", w)]
    clauses, place = {"in": [], "wrt": None, "with": None}, "in"
    for word in words:
        if word in ("wrt", "with"):
            place, clauses[word] = word, []
        else:
            clauses[place].append(word_of(word))
    names = None if out is None else [word_of(n) for n in out.split(",") if n]
    seen = [n for n in names or [] if n]
    if op == "hook":
        p.hook(clauses["in"][0], value_of(clauses["in"][1]), out=out)
        return []
    if op == "unhook":
        p.remove_hook(clauses["in"][0])
        return []
    one = {"op": op, "in": clauses["in"]}
    for clause, field in (("with", "gradients"), ("wrt", "wrt")):
        if clauses[clause] is not None:
            one[field] = clauses[clause]
    if names is not None:
        one["out"] = names if len(names) > 1 or op == "grad" or "," in out else names[0]
    if attrs:
        one["attrs"] = attrs
    p.append(one)
    wanted = (clauses["wrt"] or []) if op == "backward" else clauses["in"] if op in ("retain_grad", "requires_grad_") else []
    return seen + [f"{n}.grad" for n in wanted + (seen if op == "requires_grad_" else [])]
