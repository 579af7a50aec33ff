#!/usr/bin/env python3
"""PyTorch as an engine under examination: runs programs and speaks the line protocol (docs/protocol.md).

    python adapters/pytorch.py               answers JSON Lines requests on standard input until it ends
    python adapters/pytorch.py --as-it-is    the same, with oneDNN's convolutions even where they are wrong on this machine
    python adapters/pytorch.py --help        this text

Needs only `torch` (1.13 or 2.x) and Python 3.9 or newer. As a module: `run_program(program)` gives the outcome
as plain Python values that `json.dumps` writes exactly (a float32 is the double whose shortest form is the
float32's shortest form). Nothing but answers is ever written to standard output.

There is no line per operator: an operator's name is looked for in `torch.nn.functional`, `torch` and the Tensor's
methods, and its tensor arguments are placed by PyTorch's own signatures. `SPELLINGS` holds the few exceptions.
"""
import inspect
import json
import os
import re
import struct
import sys
import warnings
from decimal import Decimal
from types import SimpleNamespace

try:
    import torch
    import torch.nn.functional as functional
except ImportError as missing:
    if __name__ != "__main__":
        raise
    print(f"adapters/pytorch.py needs PyTorch, which this Python does not have: {missing}", file=sys.stderr)
    sys.exit(3)

torch.set_num_threads(1)  # one thread, one order of summation: the same bits on every run
warnings.filterwarnings("ignore")


class Malformed(Exception):
    """The program is not well formed; the text says where and why."""


class Unsupported(Exception):
    """The program asks for an operator or a dtype that PyTorch does not have; the text names it."""


class NullUsed(Exception):
    """A step uses a name that is bound to null."""


# ---------------------------------------------------------------------------------------------------------------
# Kinds of errors: the first pattern found in PyTorch's text decides.

KINDS = [(kind, re.compile(pattern)) for kind, pattern in [
    ("non_scalar_backward", r"grad can be implicitly created only for"),
    ("no_grad_fn", r"does not require grad and does not have a grad_fn"),
    ("freed_graph", r"Trying to backward through the graph a second time"),
    ("modified_in_place", r"has been modified by an inplace operation"),
    ("view_of_leaf_in_place", r"a view of a leaf Variable that requires grad"),
    ("leaf_in_place", r"a leaf Variable that requires grad"),
    ("overlapping_write", r"refers? to a single memory location"),
    ("multi_output_view_in_place", r"output of a function that returns multiple views"),
    ("no_grad_view_in_place", r"view( which)? was created in (no_grad|inference) mode"),
    ("detach_view", r"Can't detach views in-place"),
    ("gradient_shape", r"Mismatch in shape: grad_output|returned an invalid gradient at index"),
    ("unused_input", r"appears to not have been used in the graph"),
    ("input_without_grad", r"One of the differentiated Tensors does not require grad"),
    ("requires_grad_dtype", r"(?i)only Tensors of floating point( and complex)? dtype can require gradients"),
    ("nonleaf_requires_grad", r"you can only change requires_grad flags of leaf"),
    ("retain_grad_without_grad", r"can't retain_grad on Tensor"),
    ("other", r"detached in-place, i\.e\. with \.detach_|cannot register a hook|[Ii]nference tensor"),
    ("value", r"got [345]D\) for the modes|Unrecognised padding mode|invalid shape dimension|sizes should be greater than 0|"
              r"Expected normalized_shape|expected rounding_mode|padding='same' is not supported|a tuple of two ints|a list of \d+ values|"
              r"ignore_index is not supported|must have the same number of spatial dimensions"),
    ("unsupported", r"derivative for .* is not implemented|is not differentiable with respect to argument"),
    ("dtype", r"can't be cast to|not implemented for '|same (d|scalar )?type|could not infer output dtype|expected scalar type|"
              r"should be (the same type|floating point)|types?\b.* should be the same|must be (long|integer|floating)|mixed dtype|"
              r"tensors used as indices must be|only supports? (boolean|bool|float|integ)|[Ee]xpected .*\bdtype\b|dtypes match|"
              r"must have the same dtype|[Ee]xpected (index|tensor) to have|scalar types?:|must be either a floating|"
              r"input dtype should be|bool tensors? is not supported|Expected a? ?floating point|expects? (a )?bool|boolean tensor|"
              r"not supported (on|for|with) (bool|the)|Boolean (inputs|alpha)|Integer division|argument alpha must not be|"
              r"different element sizes|without narrowing|result requires dtype"),
    ("shape", r"supposed to be a vector|Index to scalar can have only|must be a (matrix|vector)|must be the same as input size|input Tensors supported \(got"),
    ("index", r"out of (range|bounds|DATA bounds)|exceeds dimension size|too many indices|tensor has no dimensions|self indexing axis dim|"
              r"cannot be applied to a 0-dim tensor"),
    ("shape", r"[Mm]ust match|non-zero size|[Ee]xpected reduction dim|broadcast|cannot be multiplied|does not have an identity|"
              r"view size is not compatible|is invalid for input of size|doesn't match|does not match|@ vector expected|"
              r"[Ii]nconsistent tensor size|expanded size|number of sizes provided|has no elements|should contain \d|"
              r"channels|at least \d|must be a?n? ?\d-?[dD]|tensors? with <= 2 dimensions|to be \d|expected (a )?\d+-?[dD]|"
              r"[Ee]xpected (batch|size|input|self|\d|weight|bias|Input|tensor|target size)|\dD target|spatial targets|"
              r"Given (groups|normalized_shape|input size|transposed|weight)|"
              r"[Oo]utput size|[Kk]ernel size can't|sum exactly|same size|same number of|dimension(s|al)|"
              r"sizes of tensors|[Ss]izes do not match|stack expects|size mismatch|[Ss]hape|[Nn]on-empty|cannot reshape|"
              r"1D tensors expected|is smaller than|equal sized|out of the tensor|number of dims|numel: integer multiplication overflow"),
]]


def kind_of(error):
    """The protocol's kind for an exception that PyTorch raised, found by its text and, failing that, its type."""
    if isinstance(error, NullUsed):
        return "unused_input"
    text = str(error)
    if isinstance(error, (TypeError, AttributeError)):
        return "value"
    for kind, pattern in KINDS:
        if pattern.search(text):
            return kind
    if isinstance(error, IndexError):
        return "index"
    if isinstance(error, NotImplementedError):
        return "unsupported"
    return "value" if isinstance(error, (ValueError, OverflowError)) or VALUE_TEXT.search(text) else "other"


VALUE_TEXT = re.compile(r"multiple times|repeated dim|[Dd]uplicate|non-negative|negative|non-positive|should be|must be|"
                        r"can only be|cannot be empty|not a valid|Expected .* to be|expects|invalid|Invalid|"
                        r"unsupported|not found in Tensor|must not be None|greater than|at most|should not be|"
                        r"only one dimension can be inferred|cannot be converted")

# ---------------------------------------------------------------------------------------------------------------
# Tensors in and out

DTYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "bool": torch.bool}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}
ELEMENT_TYPES = {"float32": {int, float, str}, "float64": {int, float, str}, "int64": {int}, "bool": {bool}}
NON_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
FLOAT32_LIMIT = 3.4028235677973366e38  # from here on a double rounds to infinity


def read_tensor(name, text):
    """A leaf tensor from its JSON form."""
    try:
        dtype, shape, data = text["dtype"], text["shape"], text["data"]
        wanted = text.get("requires_grad", False)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"input '{name}': dtype, shape and data are needed") from error
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise Unsupported(f"dtype {dtype}")
    if not isinstance(data, list) or not isinstance(shape, list):
        raise Malformed(f"input '{name}': shape and data must be lists")
    if any(type(size) is not int or size < 0 for size in shape):
        raise Malformed(f"input '{name}': shape {shape} must hold sizes of at least 0")
    unknown = set(text) - {"dtype", "shape", "data", "requires_grad"}
    if unknown:
        raise Malformed(f"input '{name}': unknown field '{min(unknown)}'")
    kinds = set(map(type, data))
    if not kinds <= ELEMENT_TYPES[dtype]:
        raise Malformed(f"input '{name}': an element of the data does not belong to {dtype}")
    if str in kinds:
        try:
            data = [NON_FINITE[value] if type(value) is str else value for value in data]
        except KeyError as error:
            raise Malformed(f"input '{name}': {error} is no number") from error
    if type(wanted) is not bool:
        raise Malformed(f"input '{name}': requires_grad must be true or false")
    if wanted and not dtype.startswith("float"):
        raise Malformed(f"input '{name}': only a float32 or float64 tensor can require gradients")
    count = 1
    for size in shape:
        count *= size
    if count != len(data):
        raise Malformed(f"input '{name}': shape {shape} needs {count} elements, data has {len(data)}")
    try:
        # .data: a leaf of its own, where reshape alone would give a view
        return torch.tensor(data, dtype=DTYPES[dtype]).reshape(shape).data.requires_grad_(wanted)
    except (OverflowError, RuntimeError) as error:
        raise Malformed(f"input '{name}': {error}") from error


def round32(value):
    """The float32 nearest to a double, as a double."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def reads_back(text, value):
    """Whether a decimal reads back as this float32, read directly or by way of double (where it might round twice)."""
    double = float(text)
    if abs(double) >= FLOAT32_LIMIT or round32(double) != value:
        return False
    between = struct.unpack("<q", struct.pack("<d", double))[0] & 0x1FFFFFFF == 0x10000000
    return not between or Decimal(text) == Decimal(double)


def shortest32(value):
    """The double whose shortest decimal form is the shortest decimal that reads back as this float32."""
    power_of_two = struct.unpack("<i", struct.pack("<f", value))[0] & 0x7FFFFF == 0
    for digits in range(1 if power_of_two or abs(value) < 1.2e-38 else 6, 10):  # six always hold in a normal float32
        text = "%.*e" % (digits - 1, value)
        candidates = [text]
        if power_of_two:  # its lower neighbour is nearer: the nearest decimal may lie outside where the next one up is inside
            mantissa, exponent = text.split("e")
            step = 10.0 ** (int(exponent) - digits + 1)
            candidates.append("%.*e" % (digits - 1, float(text) + (step if value > 0 else -step)))
        for candidate in candidates:
            if reads_back(candidate, value):
                return float(candidate)
    return value


KNOWN32 = {}  # float32 value -> what is written for it


def number32(value):
    written = KNOWN32.get(value)
    if written is None:
        written = number64(value if value != value or value in (float("inf"), float("-inf")) else shortest32(value))
        if value == 0 or value != value:
            return written  # both zeros are one key, and nan is none
        if len(KNOWN32) > 200_000:
            KNOWN32.clear()
        KNOWN32[value] = written
    return written


def number64(value):
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if value.is_integer() and abs(value) < 1e15 and (value != 0 or str(value)[0] != "-"):
        return int(value)  # 2 rather than 2.0; -0.0 keeps its point and so its sign
    return value


def write_tensor(tensor, with_version):
    """The JSON form of a tensor as an outcome reports it."""
    name = DTYPE_NAMES.get(tensor.dtype)
    if name is None:
        raise Unsupported(f"dtype {str(tensor.dtype).replace('torch.', '')}")
    plain = tensor.detach()
    if plain._is_zerotensor():  # a gradient known to be zero, without any storage
        plain = torch.zeros(tensor.shape, dtype=tensor.dtype)
    data = plain.reshape(-1).tolist()
    if name == "float32":
        data = [number32(value) for value in data]
    elif name == "float64":
        data = [number64(value) for value in data]
    result = {"dtype": name, "shape": list(tensor.shape), "data": data, "requires_grad": tensor.requires_grad}
    try:
        function = tensor.grad_fn
        result["is_leaf"] = tensor.is_leaf
        if with_version:
            result["version"] = tensor._version
        result["grad_fn"] = None if function is None else type(function).__name__
    except RuntimeError:
        # A view whose base was written since refuses to tell its history, an inference tensor its version: left out.
        if "is_leaf" in result:
            result["grad_fn"] = None
        elif with_version:
            result["version"] = tensor._version
    return result


# ---------------------------------------------------------------------------------------------------------------
# Operators: from a name to PyTorch's function, from its signature to a call

TENSOR = re.compile(r"\bTensor\b")
# A program says what PyTorch would guess (`softmax`'s dimension, with a warning) or do without.
REQUIRED = {"softmax": "dim", "log_softmax": "dim", "to": "dtype"}
# PyTorch takes `keepdim` only beside a dimension; all of them are none.
KEEPING = {"sum", "mean"}
# PyTorch takes nothing but a list, where one integer is a list of one in a program (`interpolate` gives one size to all dimensions).
LISTS = {"dims", "shape", "size", "normalized_shape", "repeats", "pad"}
# op -> attribute as others spell it -> as the function found by the lookup order spells it
SPELLINGS = {"split": {"split_size": "split_size_or_sections", "split_sizes": "split_size_or_sections"}}


def parameter(name, type_text, has_default, keyword_only=False):
    tensor = bool(TENSOR.search(type_text))
    many = tensor and bool(re.search(r"(?i)list|tuple|sequence", type_text))
    return SimpleNamespace(name=name, tensor=tensor, many=many, optional="Optional" in type_text or has_default,
                           has_default=has_default, keyword_only=keyword_only)


def from_schemas(name):
    """PyTorch's overloads of a built-in function, each a list of parameters."""
    overloads = []
    for schema in torch._C._jit_get_schemas_for_operator("aten::" + name):
        if not any(argument.is_out for argument in schema.arguments):
            overloads.append([parameter(a.name, str(a.type), a.has_default_value(), a.kwarg_only) for a in schema.arguments])
    return overloads


def from_python(function):
    """The parameters of a function written in Python, or nothing where its signature says nothing."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return []
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return []
    return [[parameter(p.name, str(p.annotation) if i or p.annotation is not p.empty else "Tensor", p.default is not p.empty,
                       p.kind is p.KEYWORD_ONLY) for i, p in enumerate(parameters)]]


def look_up(op):
    """The callable for an operator's name and its overloads, in the protocol's order of places; None where there is none."""
    if not re.fullmatch(r"((linalg|special)\.)?[a-zA-Z][a-zA-Z0-9_]*", op):
        return None
    for prefix in ("linalg", "special"):
        if op.startswith(prefix + "."):
            found = getattr(getattr(torch._C, "_" + prefix), f"{prefix}_{op[len(prefix) + 1:]}", None)
            return found and (found, from_schemas(op.replace(".", "_")))
    method = getattr(torch.Tensor, op, None)
    method = method if callable(method) and (from_schemas(op) or op in ("split", "norm")) else None
    if op.endswith("_"):
        return method and (method, from_schemas(op))
    found = getattr(functional, op, None)
    written_there = not inspect.isfunction(found) or found.__module__ in ("torch.nn.functional", "torch._jit_internal")
    if op != "boolean_dispatch" and inspect.isroutine(found) and written_there:
        # logsigmoid is torch's log_sigmoid.
        return found, from_python(found) or from_schemas(op) or from_schemas(found.__name__)
    found = getattr(torch, op, None) if op in torch.functional.__all__ else getattr(torch._C._VariableFunctions, op, None)
    if found is not None:
        return found, from_python(found) or from_schemas(op)
    return method and (method, from_schemas(op))


def place(parameters, shape, attributes):
    """How a call is put together for one overload: for each argument (keyword or None, where its value comes from).

    `shape` says for every entry of `in` whether it is a name (1), null (0) or a list (2). None where they do not fit."""
    calls, taken, missing, gap = [], 0, len(shape), False
    left = set(attributes)
    for p in parameters:
        name = p.name if p.name in left else "input" if p.name == "self" and "input" in left else \
            "self" if p.name == "input" and "self" in left else None
        if name is not None:
            left.discard(name)
            source = name
        elif p.tensor and taken < len(shape) and (shape[taken] == 2) == p.many or \
                p.tensor and taken < len(shape) and shape[taken] == 0:
            source, taken, missing = taken, taken + 1, missing - 1
        elif p.has_default or p.optional and not p.tensor:
            gap = True
            continue
        elif p.optional and taken == len(shape):  # a null at the end that was dropped
            source = None
        else:
            return None
        by_name = gap or p.keyword_only or (name is not None and missing == 0)
        calls.append((p.name if by_name else None, source))
    return calls if not left and missing == 0 else None


PLANS = {}


def plan_for(op, shape, attributes):
    key = (op, shape, attributes)
    plan = PLANS.get(key)
    if plan is None:
        found = look_up(op)
        if found is None:
            raise Unsupported(op)
        function, overloads = found
        fitting = (place(parameters, shape, attributes) for parameters in overloads)
        calls = next((calls for calls in fitting if calls is not None), None)
        placed = calls is not None
        if not placed:  # PyTorch itself says what is wrong with it
            calls = [(None, i) for i in range(len(shape))] + [(name, name) for name in attributes]
        plan = PLANS[key] = (function, calls, placed)
    return plan


def attribute(name, value):
    """An attribute's Python value: dtypes by name, non-finite numbers from their strings."""
    if name == "dtype" and isinstance(value, str):
        dtype = getattr(torch, value, None)
        if not isinstance(dtype, torch.dtype):
            raise Unsupported(f"dtype {value}")
        return dtype
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, list):
        return [attribute("", item) for item in value]
    return value


# ---------------------------------------------------------------------------------------------------------------
# Convolutions by oneDNN, which some builds get plainly wrong on some processors

AVOIDED = []  # one sentence, where programs with a convolution run without oneDNN


def convolves_rightly():
    """Whether float32 convolutions hold on this machine, with oneDNN if it is on."""
    x = torch.arange(1.0, 9.0).reshape(2, 2, 2, 1)
    weight = torch.arange(1.0, 17.0).reshape(2, 2, 2, 2)
    return torch.equal(functional.conv_transpose2d(x, weight).double(), functional.conv_transpose2d(x.double(), weight.double()))


def avoid_wrong_convolutions():
    """Lets programs with a convolution run without oneDNN where only that is right here; says so on standard error, and `hello` says it too."""
    if AVOIDED or not torch.backends.mkldnn.is_available() or convolves_rightly():
        return
    torch.backends.mkldnn.set_flags(False)
    right = convolves_rightly()
    torch.backends.mkldnn.set_flags(True)
    if right:
        AVOIDED.append("oneDNN's float32 convolution is wrong on this machine, so programs with a convolution run in PyTorch without oneDNN (adapters/pytorch.py --as-it-is examines it with it)")
        print(f"adapters/pytorch.py: {AVOIDED[0]}", file=sys.stderr)


# ---------------------------------------------------------------------------------------------------------------
# Running a program

STEP_FIELDS = {"op", "in", "out", "attrs", "gradients", "wrt", "steps"}
BLOCKS = {"no_grad": torch.no_grad, "enable_grad": torch.enable_grad, "inference_mode": torch.inference_mode}


class Run:
    """One run of one program: the names and what they are bound to."""

    def __init__(self):
        self.names = {}
        self.gradients = []  # tensors that a gradient was handed out as: their versions are PyTorch's own affair
        self.path = []

    def where(self):
        return f"step {self.path}"

    def bound(self, name):
        if not isinstance(name, str):
            raise Malformed(f"{self.where()}: {json.dumps(name)} is no name")
        try:
            return self.names[name]
        except KeyError:
            raise Malformed(f"{self.where()}: nothing is called '{name}'") from None

    def tensor(self, name):
        value = self.bound(name)
        if value is None:
            raise NullUsed(f"'{name}' is null and cannot be used")
        if not isinstance(value, torch.Tensor):
            raise Malformed(f"{self.where()}: '{name}' is no tensor")
        return value

    def argument(self, entry):
        if entry is None:
            return None
        if isinstance(entry, list):
            return [self.argument(item) for item in entry]
        return self.tensor(entry)

    def bind(self, out, value):
        """Binds a step's result to its `out`: a name, or a list for several results."""
        if out is None:
            return
        if isinstance(out, str):
            if isinstance(value, (list, tuple)):
                if len(value) != 1:
                    raise Malformed(f"{self.where()}: {len(value)} results for the one name '{out}'")
                value = value[0]
            self.names[out] = value
            return
        if not isinstance(out, list) or any(name is not None and not isinstance(name, str) for name in out):
            raise Malformed(f"{self.where()}: out must be a name or a list of names and nulls")
        values = value if isinstance(value, (list, tuple)) else [value]
        if len(values) != len(out):
            raise Malformed(f"{self.where()}: {len(values)} results for {len(out)} names")
        for name, item in zip(out, values):
            if name is not None:
                self.names[name] = item

    def steps(self, steps):
        if not isinstance(steps, list):
            raise Malformed(f"{self.where() if self.path else 'the program'}: steps must be a list")
        path = self.path
        path.append(0)
        for i, step in enumerate(steps):
            path[-1] = i
            self.step(step)
        path.pop()

    def step(self, step):
        if not isinstance(step, dict) or not isinstance(step.get("op"), str):
            raise Malformed(f"{self.where()}: a step is an object with an op")
        if not STEP_FIELDS.issuperset(step):
            raise Malformed(f"{self.where()}: unknown field '{min(set(step) - STEP_FIELDS)}'")
        op, names, attrs = step["op"], step.get("in", []), step.get("attrs") or {}
        if not isinstance(names, list) or not isinstance(attrs, dict):
            raise Malformed(f"{self.where()}: in must be a list and attrs an object")
        attrs = {name: value for name, value in attrs.items() if value is not None or REQUIRED.get(op) == name}
        if op in BLOCKS:
            with BLOCKS[op]():
                self.steps(step.get("steps", []))
            return
        structural = STRUCTURAL.get(op)
        if structural is not None:
            lowest, highest, allowed, function = structural
            if not lowest <= len(names) <= highest:
                raise Malformed(f"{self.where()}: {op} takes {lowest} in its in, not {len(names)}")
            if not allowed.issuperset(attrs):
                raise Malformed(f"{self.where()}: {op} has no attribute '{min(set(attrs) - allowed)}'")
            self.bind(step.get("out"), function(self, step, names, attrs))
            return
        if AVOIDED and op.startswith("conv"):
            torch.backends.mkldnn.set_flags(False)  # to the end of the program: the backward chooses anew
        arguments = [self.argument(entry) for entry in names]
        if op in SPELLINGS:
            attrs = {SPELLINGS[op].get(name, name): value for name, value in attrs.items()}
        if op != "interpolate":
            attrs = {name: [value] if name in LISTS and type(value) is int else value for name, value in attrs.items()}
        if op in KEEPING and "keepdim" in attrs and "dim" not in attrs:
            attrs = {"dim": None, **attrs}
        if op in REQUIRED and REQUIRED[op] not in attrs:
            raise ValueError(f"{op} needs the attribute '{REQUIRED[op]}'")
        shape = tuple(0 if a is None else 2 if isinstance(a, list) else 1 for a in arguments)
        function, calls, placed = plan_for(op, shape, tuple(attrs))
        positional, keywords = [], {}
        for keyword, source in calls:
            value = None if source is None else arguments[source] if type(source) is int else attribute(source, attrs[source])
            if keyword is None:
                positional.append(value)
            else:
                keywords[keyword] = value
        try:
            result = function(*positional, **keywords)
        except (TypeError, AttributeError, RuntimeError) as error:
            if placed or isinstance(error, RuntimeError) and not str(error).startswith("Boolean value of Tensor"):
                raise
            # What follows the first line are the signatures that it does not fit.
            raise Malformed(f"{self.where()}: {str(error).splitlines()[0].removesuffix(', but expected one of:')}") from error
        if not isinstance(result, (torch.Tensor, tuple, list)):
            raise Malformed(f"{self.where()}: {op} gives no tensor")
        self.bind(step.get("out"), result)

    def list_of(self, step, field):
        entries = step.get(field)
        if entries is None:
            return None
        if not isinstance(entries, list):
            raise Malformed(f"{self.where()}: {field} must be a list of names")
        return [self.argument(entry) for entry in entries]

    def backward(self, step, names, attrs):
        torch.autograd.backward([self.tensor(n) for n in names], self.list_of(step, "gradients"), attrs.get("retain_graph"),
                                attrs.get("create_graph", False), inputs=self.list_of(step, "wrt"))

    def grad(self, step, names, attrs):
        wrt = self.list_of(step, "wrt")
        if wrt is None:
            raise Malformed(f"{self.where()}: grad needs wrt")
        found = torch.autograd.grad([self.tensor(n) for n in names], wrt, self.list_of(step, "gradients"), attrs.get("retain_graph"),
                                    attrs.get("create_graph", False), allow_unused=attrs.get("allow_unused", False))
        self.gradients += [g for g in found if g is not None]
        return found

    def get_grad(self, step, names, attrs):
        found = self.tensor(names[0]).grad
        if found is not None:
            self.gradients.append(found)
        return found

    def zero_grad(self, step, names, attrs):
        tensor = self.tensor(names[0])
        if attrs.get("set_to_none", True):
            tensor.grad = None
        elif tensor.grad is not None:  # as torch.nn.Module.zero_grad does it
            if tensor.grad.grad_fn is not None:
                tensor.grad.detach_()
            else:
                tensor.grad.requires_grad_(False)
            tensor.grad.zero_()

    def register_hook(self, step, names, attrs):
        if "scale" not in attrs:
            raise TypeError("register_hook needs the attribute 'scale', a number")
        scale = attribute("", attrs["scale"])
        tensor = self.tensor(names[0])
        tensor.grad_fn  # PyTorch 2.6 crashes where the hook is the first to ask for a history that has to be made anew
        return tensor.register_hook(lambda gradient: None if gradient is None else gradient * scale)

    def remove_hook(self, step, names, attrs):
        handle = self.bound(names[0])
        if not hasattr(handle, "remove"):
            raise Malformed(f"{self.where()}: '{names[0]}' is no hook")
        handle.remove()

    def dropout(self, step, names, attrs):
        x, mask = self.tensor(names[0]), self.tensor(names[1])
        p = attrs.get("p", 0.5)
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        if not x.is_floating_point():
            raise RuntimeError("result type Float can't be cast to the desired output type of the input")
        if mask.dtype != torch.bool:
            raise ValueError(f"dropout expects a bool mask, but got {DTYPE_NAMES[mask.dtype]}")
        if mask.shape != x.shape:
            raise ValueError(f"dropout expects a mask of shape {list(x.shape)}, but got {list(mask.shape)}")
        kept = mask.to(x.dtype)
        return x * (kept * 0 if p == 1 else kept / (1 - p))

    def key(self, attrs):
        """Python's index for the `index` attribute of getitem and setitem_."""
        index = attrs.get("index")
        if not isinstance(index, list):
            raise Malformed(f"{self.where()}: index must be a list")
        key = []
        for entry in index:
            if entry is None:
                key.append(slice(None))
            elif type(entry) is int:
                key.append(entry)
            elif isinstance(entry, list) and len(entry) == 3 and all(e is None or type(e) is int for e in entry):
                key.append(slice(*entry))
            else:
                raise Malformed(f"{self.where()}: {json.dumps(entry)} is no index: an integer, null or [start, stop, step]")
        return tuple(key)

    def setitem_(self, step, names, attrs):
        x = self.tensor(names[0])
        x[self.key(attrs)] = self.tensor(names[1])
        return x

    def indices(self, names):
        if not isinstance(names[1], list):
            raise Malformed(f"{self.where()}: the second entry of in must be the list of indices")
        return self.tensor(names[0]), self.argument(names[1])

    def index(self, step, names, attrs):
        x, indices = self.indices(names)
        return torch.ops.aten.index(x, indices)  # x[i] is a view where i is a number, which is getitem's affair

    def index_put(self, step, names, attrs):
        x, indices = self.indices(names)
        function = torch.ops.aten.index_put_ if step["op"].endswith("_") else torch.ops.aten.index_put
        return function(x, indices, self.tensor(names[2]), attrs.get("accumulate", False))

    def detach_(self, step, names, attrs):
        return self.tensor(names[0]).detach_()

    def run(self, program):
        """Runs the steps; what was raised, or None."""
        if not isinstance(program, dict) or not isinstance(program.get("inputs", {}), dict):
            raise Malformed("a program is an object with inputs (an object), steps and observe (lists)")
        observe = program.get("observe", [])
        if not isinstance(observe, list) or any(not isinstance(name, str) for name in observe):
            raise Malformed("observe must be a list of names")
        for name, text in program.get("inputs", {}).items():
            self.names[name] = read_tensor(name, text)
        try:
            self.steps(program.get("steps", []))
        except (Malformed, Unsupported, RecursionError, MemoryError):
            raise
        except Exception as error:  # whatever PyTorch raises is the outcome
            return {"step": list(self.path), "kind": kind_of(error), "message": str(error)}
        return None

    def observed(self, names):
        """The values of the observed names that exist, at the end of the run."""
        storages = {storage_of(gradient) for gradient in self.gradients}
        values = {}
        for name in names:
            if name in self.names:
                value = self.names[name]
                if value is None:
                    values[name] = None
                elif isinstance(value, torch.Tensor):
                    values[name] = write_tensor(value, storage_of(value) not in storages if storages else True)
                else:
                    raise Malformed(f"observe: '{name}' is no tensor")
            elif name.endswith(".grad") and name[:-5] in self.names:
                value = self.names[name[:-5]]
                gradient = value.grad if isinstance(value, torch.Tensor) else None
                values[name] = None if gradient is None else write_tensor(gradient, False)
        return values


def storage_of(tensor):
    """Something equal exactly for tensors that share their memory."""
    if tensor._is_zerotensor():  # it has none
        return id(tensor)
    return (tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage())._cdata


# op -> (fewest and most entries of `in`, attributes, function)
STRUCTURAL = {
    "backward": (1, 1 << 30, {"retain_graph", "create_graph"}, Run.backward),
    "grad": (1, 1 << 30, {"retain_graph", "create_graph", "allow_unused"}, Run.grad),
    "get_grad": (1, 1, set(), Run.get_grad),
    "zero_grad": (1, 1, {"set_to_none"}, Run.zero_grad),
    "detach": (1, 1, set(), lambda run, step, names, attrs: run.tensor(names[0]).detach()),
    "detach_": (1, 1, set(), Run.detach_),
    "data": (1, 1, set(), lambda run, step, names, attrs: run.tensor(names[0]).data),
    "requires_grad_": (1, 1, {"requires_grad"},
                       lambda run, step, names, attrs: run.tensor(names[0]).requires_grad_(attrs.get("requires_grad", True))),
    "retain_grad": (1, 1, set(), lambda run, step, names, attrs: run.tensor(names[0]).retain_grad()),
    "register_hook": (1, 1, {"scale"}, Run.register_hook),
    "remove_hook": (1, 1, set(), Run.remove_hook),
    "dropout": (2, 2, {"p"}, Run.dropout),
    "getitem": (1, 1, {"index"}, lambda run, step, names, attrs: run.tensor(names[0])[run.key(attrs)]),
    "setitem_": (2, 2, {"index"}, Run.setitem_),
    "index": (2, 2, set(), Run.index),
    "index_put": (3, 3, {"accumulate"}, Run.index_put),
    "index_put_": (3, 3, {"accumulate"}, Run.index_put),
}


def run_program(program):
    """Runs a program and gives its outcome: {"values": ..., "raised": ...}, `raised` absent where nothing was raised.

    Raises Malformed for what is no program and Unsupported for what PyTorch does not have."""
    run = Run()
    try:
        raised = run.run(program)
    finally:
        if AVOIDED:
            torch.backends.mkldnn.set_flags(True)
    outcome = {"values": run.observed(program.get("observe", []))}
    if raised is not None:
        outcome["raised"] = raised
    return outcome


# ---------------------------------------------------------------------------------------------------------------
# The line protocol


# Not offered: what is random, not for this device, or no function of tensors.
LEFT_OUT = re.compile(r"\._|cuda|quant|sparse|coo|csr|csc|cudnn|miopen|mkldnn|bernoulli|cauchy|exponential_|geometric|log_normal|"
                      r"normal_|random_|uniform|poisson|multinomial|rand|binomial|rrelu|gumbel|empty|_stats|elemt|handle_torch|"
                      r"feature_|alpha_dropout|dropout[123]d|resize|rename|names|requires_grad|align_|fractional|boolean_dispatch|"
                      r"torch_function|fbgemm|^q_|qscheme|^new_|_packed|lowrank|histogramdd|^is_|choose_|"
                      r"^(data|dim|size|stride|storage_offset|numel|element_size|get_device|item|from_numpy|as_tensor|result_type|equal|allclose|"
                      r"record_stream|pin_memory|linspace|logspace|normal|range|numpy|set_|share_memory_|apply_|map_|is_\w+|backward|cpu|save|load)$")


def operators():
    """Every name that a program may use as an op: PyTorch's functions that take and give tensors, and the structural steps."""
    names = set(STRUCTURAL) | set(BLOCKS)
    places = [n for n in dir(functional) if n.islower()] + list(torch.functional.__all__)
    places += dir(torch._C._VariableFunctions) + dir(torch.Tensor)
    places += [p + "." + n[len(p) + 1:] for p in ("linalg", "special") for n in dir(getattr(torch._C, "_" + p)) if n.startswith(p)]
    for name in set(places):
        if not name.startswith("_") and name not in names and not LEFT_OUT.search(name):
            found = look_up(name)
            if found and any(any(p.tensor for p in overload) for overload in found[1]):
                names.add(name)
    return sorted(names)


# Float32 on the processor: what SLEEF promises for its vector functions, and what dividing after them adds; a square root is rounded rightly.
ULP = {"exp": 2, "expm1": 2, "log": 2, "log1p": 2, "pow": 2, "tanh": 2, "erf": 2, "sqrt": 1, "rsqrt": 2, "sin": 4, "cos": 4, "sigmoid": 4}


def hello():
    return {"engine": {"name": "PyTorch", "version": torch.__version__.split("+")[0], "language": "Python"},
            "ops": operators(), "dtypes": list(DTYPES),
            "features": ["in_place", "views", "detach", "accumulate", "retain_graph", "create_graph", "no_grad", "inference_mode",
                         "hooks", "versions", "is_leaf", "requires_grad", "grad_fn", "errors", "messages", "gradient_memory", "attributes", "broadcasting"],
            "numerics": {"ulp": ULP}, "notes": AVOIDED}


def refuse_constant(text):
    raise ValueError(f"{text} must be written as a string")


def answer(line):
    """The answer to one request line, as an object; never raises."""
    try:
        request = json.loads(line, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        return {"seq": None, "failed": f"the request is not JSON: {error}"}
    if not isinstance(request, dict):
        return {"seq": None, "failed": "the request is not an object"}
    if "hello" in request:
        return hello()
    reply = {"seq": request.get("seq")}
    if "run" not in request:
        return {**reply, "failed": "the request has neither hello nor run"}
    try:
        reply["outcome"] = run_program(request["run"])
    except Unsupported as error:
        reply["unsupported"] = str(error)
    except Malformed as error:
        reply["failed"] = str(error)
    except Exception as error:  # an answer in form, whatever a program does
        reply["failed"] = f"{type(error).__name__}: {error}"
    return reply


def main(arguments):
    if arguments not in ([], ["--as-it-is"]):
        print(__doc__.strip(), file=sys.stderr)
        return 0 if arguments in (["--help"], ["-h"]) else 2
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    if not arguments:
        avoid_wrong_convolutions()
    os.dup2(2, 1)  # whatever else writes to standard output goes to standard error
    for line in open(0, encoding="utf-8", errors="replace", newline="\n"):
        if line.strip():
            answers.write(json.dumps(answer(line), separators=(",", ":"), allow_nan=False) + "\n")
            answers.flush()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(3)
