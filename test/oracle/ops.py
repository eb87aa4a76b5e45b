"""Golden vectors of single ops from PyTorch in float64: value and gradients of sum(dy * op(x)). Writes golden/ops.json.

Run: python3 test/oracle/ops.py (torch 1.13). Inputs are drawn once, rounded to 3 decimals and kept in the file; results have 9 digits.
"""
import numpy as np
import torch
import torch.nn.functional as F

from common import number, write

rng = np.random.default_rng(20240607)
cases = []


def tensor(*shape):
    return torch.from_numpy(np.round(rng.uniform(-1.5, 1.5, shape), 3)).requires_grad_()


def steps(*shape):
    """Few distinct values, so that windows hold ties."""
    return torch.from_numpy(rng.integers(-1, 3, shape).astype(np.float64)).requires_grad_()


def numbers(t):
    return {"shape": list(t.shape), "data": [number(v) for v in t.detach().reshape(-1)]}


def case(op, attrs, inputs, f):
    y = f(*inputs)
    dy = torch.from_numpy(np.round(rng.uniform(-1, 1, y.shape), 3))
    gradients = torch.autograd.grad((y * dy).sum(), inputs)
    cases.append({"op": op, "attrs": attrs, "inputs": [numbers(x) for x in inputs], "dy": numbers(dy), "y": numbers(y), "gradients": [numbers(g) for g in gradients]})


def conv(x, w, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    inputs = [tensor(*x), tensor(*w)] + ([tensor(bias)] if bias else [])
    case("conv2d", attrs, inputs, lambda x, w, b=None: F.conv2d(x, w, b, stride, padding, dilation, groups))


conv((2, 2, 5, 4), (3, 2, 3, 3), 3, padding=(1, 1))
conv((1, 2, 6, 7), (2, 2, 3, 3), stride=(2, 2), padding=(1, 1))
conv((1, 2, 7, 6), (2, 2, 3, 2), 2, stride=(2, 1), padding=(0, 1), dilation=(2, 3))
conv((1, 4, 5, 4), (2, 2, 1, 3), groups=2)
conv((2, 3, 5, 4), (3, 1, 3, 3), 3, padding=(1, 1), groups=3)
conv((1, 2, 7, 7), (4, 1, 3, 3), stride=(2, 2), padding=(2, 2), dilation=(2, 2), groups=2)
conv((2, 3, 3, 3), (2, 3, 1, 1), 2)
conv((1, 1, 9, 9), (1, 1, 7, 7), stride=(4, 4), padding=(3, 3))


def conv_transpose(x, w, bias=None, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), dilation=(1, 1), groups=1):
    attrs = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation, "groups": groups}
    inputs = [tensor(*x), tensor(*w)] + ([tensor(bias)] if bias else [])
    case("conv_transpose2d", attrs, inputs, lambda x, w, b=None: F.conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation))


conv_transpose((2, 3, 3, 2), (3, 2, 2, 2), 2, stride=(2, 2))
conv_transpose((1, 2, 4, 3), (2, 2, 3, 3), 2, padding=(1, 1))
conv_transpose((1, 2, 3, 3), (2, 1, 3, 4), stride=(2, 3), padding=(1, 0), output_padding=(1, 2))
conv_transpose((1, 4, 3, 3), (4, 1, 3, 2), 2, stride=(2, 1), dilation=(1, 2), groups=2)

for x, kernel, stride, padding in [
    (tensor(2, 2, 4, 4), (2, 2), (2, 2), (0, 0)),
    (tensor(1, 2, 5, 6), (3, 2), (2, 2), (1, 0)),
    (steps(1, 2, 4, 6), (2, 2), (2, 2), (0, 0)),
    (steps(1, 1, 5, 5), (3, 3), (1, 1), (1, 1)),
]:
    case("max_pool", {"kernel": kernel, "stride": stride, "padding": padding}, [x], lambda x: F.max_pool2d(x, kernel, stride, padding))
    for include in [True, False]:
        attrs = {"kernel": kernel, "stride": stride, "padding": padding, "count_include_pad": include}
        case("avg_pool", attrs, [x], lambda x: F.avg_pool2d(x, kernel, stride, padding, False, include))
for include in [True, False]:
    attrs = {"kernel": (7, 7), "stride": (1, 1), "padding": (3, 3), "count_include_pad": include}
    case("avg_pool", attrs, [tensor(1, 1, 7, 8)], lambda x: F.avg_pool2d(x, 7, 1, 3, False, include))

for size in [(6, 8), (5, 7), (2, 3), (1, 1), (7, 2)]:
    for mode in ["bilinear", "bicubic"]:
        for align in [False, True]:
            case("resize", {"size": size, "mode": mode, "align_corners": align}, [tensor(1, 2, 3, 4)], lambda x: F.interpolate(x, size, mode=mode, align_corners=align))
    case("resize", {"size": size, "mode": "nearest", "align_corners": False}, [tensor(1, 2, 3, 4)], lambda x: F.interpolate(x, size, mode="nearest"))

for axis in [0, 1, -1]:
    case("softmax", {"axis": axis}, [tensor(2, 3, 4)], lambda x: F.softmax(x, axis))

case("normalize", {"axes": [-1], "eps": 1e-6}, [tensor(2, 3, 5)], lambda x: F.layer_norm(x, (5,), eps=1e-6))
case("normalize", {"axes": [1, 2], "eps": 1e-5}, [tensor(2, 3, 4)], lambda x: F.layer_norm(x, (3, 4)))
case("normalize", {"axes": [0, 2, 3], "eps": 1e-5}, [tensor(2, 2, 3, 3)], lambda x: F.batch_norm(x, None, None, training=True))
case("normalize", {"axes": [2, 3], "eps": 1e-5}, [tensor(2, 2, 3, 3)], lambda x: F.instance_norm(x))
case("normalize", {"axes": [1], "eps": 1e-3}, [tensor(2, 4, 2, 3)], lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (4,), eps=1e-3).permute(0, 3, 1, 2))

for ta, tb in [(False, False), (True, False), (False, True), (True, True)]:
    a, b = tensor(2, *((4, 3) if ta else (3, 4))), tensor(*((5, 4) if tb else (4, 5)))
    case("matmul", {"transpose_a": ta, "transpose_b": tb}, [a, b], lambda a, b: (a.transpose(-1, -2) if ta else a) @ (b.transpose(-1, -2) if tb else b))

write("ops.json", {"torch": torch.__version__, "cases": cases})
