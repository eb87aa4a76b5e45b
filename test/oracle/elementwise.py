"""Golden vectors of elementwise, reduction and movement ops from PyTorch in float64, in the form of ops.py. Writes golden/elementwise.json.

Run: python3 test/oracle/elementwise.py (torch 1.13). Inputs are rounded to 3 decimals; ties and kinks are among them on purpose.
Our max and min are amax and amin, whose gradients share evenly (torch.max over one axis picks an element).
"""
import numpy as np
import torch
import torch.nn.functional as F

from common import number, write

rng = np.random.default_rng(20240608)
cases = []


def real(*shape, low=-2.0, high=2.0):
    return torch.tensor(np.round(rng.uniform(low, high, shape), 3), dtype=torch.float64).requires_grad_()


def steps(*shape):
    """Few distinct values: ties, zeros."""
    return torch.from_numpy(rng.integers(-1, 2, shape).astype(np.float64)).requires_grad_()


def flags(*shape):
    return torch.from_numpy(rng.integers(0, 2, shape).astype(bool))


def index(*values):
    return torch.tensor(values)


DTYPES = {torch.float64: "f32", torch.int64: "i64", torch.bool: "bool"}


def numbers(t):
    return {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "data": [number(float(v)) for v in t.detach().reshape(-1)]}


def case(op, inputs, f, **attrs):
    y = f(*inputs)
    dy = torch.tensor(np.round(rng.uniform(-1, 1, tuple(y.shape)), 3), dtype=torch.float64)
    wanted = [x for x in inputs if x.requires_grad]
    found = torch.autograd.grad((y * dy).sum(), wanted) if y.requires_grad else []
    gradients = iter(found)
    cases.append({
        "op": op, "attrs": attrs, "inputs": [numbers(x) for x in inputs], "dy": numbers(dy), "y": numbers(y),
        "gradients": [numbers(next(gradients)) if x.requires_grad and len(found) > 0 else None for x in inputs],
    })


for op, f in {"neg": torch.neg, "abs": torch.abs, "exp": torch.exp, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": F.relu, "erf": torch.erf, "gelu": F.gelu, "softplus": F.softplus}.items():
    case(op, [real(2, 5, low=-6, high=6)], f)
for op, f in {"abs": torch.abs, "relu": F.relu, "gelu": F.gelu}.items():
    case(op, [steps(6)], f)
for op, f in {"log": torch.log, "sqrt": torch.sqrt, "reciprocal": torch.reciprocal}.items():
    case(op, [real(2, 4, low=0.1, high=3)], f)
case("not", [flags(5)], torch.logical_not)

for op, f in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "maximum": torch.maximum, "minimum": torch.minimum}.items():
    case(op, [real(2, 1, 3), real(1, 4, 3)], f)
    case(op, [steps(3, 4), steps(3, 4)], f)
    case(op, [real(2, 3), real()], f)
case("div", [real(2, 1, 3), real(1, 4, 3, low=0.3)], torch.div)
case("pow", [real(2, 1, low=0.1), real(1, 3)], torch.pow)
for op, f in {"less": torch.lt, "less_equal": torch.le, "greater": torch.gt, "greater_equal": torch.ge, "equal": torch.eq, "not_equal": torch.ne}.items():
    case(op, [steps(3, 4), steps(3, 4)], f)
for op, f in {"and": torch.logical_and, "or": torch.logical_or}.items():
    case(op, [flags(3, 4), flags(3, 4)], f)
case("where", [flags(2, 3), real(2, 3), real(2, 1)], torch.where)

for axes in [[1], [0, 2], [0, 1, 2]]:
    case("sum", [real(2, 3, 4)], lambda x: x.sum(axes, keepdim=True), axes=axes)
    case("mean", [real(2, 3, 4)], lambda x: x.mean(axes, keepdim=True), axes=axes)
    for make in [real, steps]:
        case("max", [make(2, 3, 4)], lambda x: x.amax(axes, keepdim=True), axes=axes)
        case("min", [make(2, 3, 4)], lambda x: x.amin(axes, keepdim=True), axes=axes)
for axis in [0, -1]:
    case("cumsum", [real(3, 4)], lambda x: x.cumsum(axis), axis=axis)

case("reshape", [real(2, 6)], lambda x: x.reshape(3, 4), shape=[3, 4])
case("expand", [real(2, 1, 3)], lambda x: x.expand(2, 4, 3), shape=[2, 4, 3])
case("transpose", [real(2, 3, 4)], lambda x: x.permute(2, 0, 1), perm=[2, 0, 1])
case("concat", [real(2, 1, 3), real(2, 2, 3)], lambda a, b: torch.cat([a, b], 1), axis=1)
case("slice", [real(2, 7)], lambda x: x[:, 1:6:2], axis=1, **{"from": 1, "to": 6, "step": 2})
case("slice", [real(2, 7)], lambda x: x[:, -4:-1], axis=1, **{"from": -4, "to": -1})
for mode, name in [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge")]:
    case("pad", [real(1, 2, 3, 4)], lambda x: F.pad(x, (3, 1, 0, 2), mode=mode), before=[0, 0, 0, 3], after=[0, 0, 2, 1], mode=name)
case("flip", [real(2, 3, 2)], lambda x: x.flip([0, 2]), axes=[0, 2])
case("gather", [real(2, 4, 3), index(3, 0, 3)], lambda x, i: x.index_select(1, i), axis=1)
case("gather", [real(4, 3), torch.tensor(2)], lambda x, i: x[i], axis=0)
case("one_hot", [index(2, 0, 1)], lambda i: F.one_hot(i, 4).to(torch.float64), depth=4)

write("elementwise.json", {"torch": torch.__version__, "cases": cases})
