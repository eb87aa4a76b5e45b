"""What the oracles and the tests share: values by formula, inputs, and the sketch of a gradient.

Values. h = FNV-1a (32 bit) of the path's UTF-8 bytes; m = murmur3's 32-bit finaliser of (h + index * 0x9E3779B9) mod 2^32, index
counting the tensor's elements in row-major order; r = m / 2^31 - 1, in [-1, 1). Then, by rank and last name of the path:
  rank >= 2            r * sqrt(3 / (size / shape[0]))     unit gain for a weight [out, in, ...]
  rank 1, `weight`     1 + 0.2 r                           the scales of norms
  rank 1, other        0.5 r
  rank 0               0.5 + 0.2 r
Running statistics keep their initial values (0 and 1).

Inputs. `image` is r of the path "image:NAME", `truth` is a disc: pixel (y, x) of sample b is 1 where
(y - cy)^2 + (x - cx)^2 < rad^2, cy = size (0.35 + 0.1 b), cx = size (0.6 - 0.1 b), rad = size (0.15 + 0.05 b).

Sketch. A tensor of up to 48 elements is kept whole. Of a larger one the norm and 16 projections are kept: p_k = sum_i s_k(i) g_i with
signs s_k(i) = +1 or -1 by bit k of the same m for the path "sketch"; the mean of (p_k(a) - p_k(b))^2 estimates ||a - b||^2.
"""
import json
import math
import os

import numpy as np
import torch

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
WHOLE = 48
PROJECTIONS = 16


def fnv1a(path):
    h = 0x811C9DC5
    for byte in path.encode("utf-8"):
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def mixed(path, count):
    """uint32 numbers, one per index."""
    with np.errstate(over="ignore"):
        m = np.uint32(fnv1a(path)) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
        m ^= m >> np.uint32(16)
        m *= np.uint32(0x85EBCA6B)
        m ^= m >> np.uint32(13)
        m *= np.uint32(0xC2B2AE35)
        m ^= m >> np.uint32(16)
    return m


def noise(path, shape):
    """r, in [-1, 1)."""
    count = int(np.prod(shape, dtype=np.int64)) if len(shape) else 1
    return (mixed(path, count).astype(np.float64) / 2.0**31 - 1.0).reshape(shape)


def value(path, shape):
    r = noise(path, shape)
    if len(shape) >= 2:
        return r * math.sqrt(3.0 / (r.size / shape[0]))
    if len(shape) == 1:
        return 1.0 + 0.2 * r if path.endswith(".weight") else 0.5 * r
    return 0.5 + 0.2 * r


def images(name, batch, size):
    return torch.from_numpy(noise("image:" + name, (batch, 3, size, size)))


def discs(batch, size):
    y, x = np.mgrid[0:size, 0:size]
    out = np.zeros((batch, 1, size, size))
    for b in range(batch):
        cy, cx, rad = size * (0.35 + 0.1 * b), size * (0.6 - 0.1 * b), size * (0.15 + 0.05 * b)
        out[b, 0] = (y - cy) ** 2 + (x - cx) ** 2 < rad**2
    return torch.from_numpy(out)


def number(x):
    return float(f"{float(x):.9g}")


def sketch(g):
    flat = g.detach().to(torch.float64).reshape(-1).numpy()
    out = {"shape": list(g.shape), "norm": number(np.linalg.norm(flat))}
    if flat.size <= WHOLE:
        out["values"] = [number(v) for v in flat]
    else:
        m = mixed("sketch", flat.size)
        out["projections"] = [number(np.where((m >> np.uint32(k)) & np.uint32(1), 1.0, -1.0) @ flat) for k in range(PROJECTIONS)]
    return out


def write(name, golden):
    os.makedirs(GOLDEN, exist_ok=True)
    with open(os.path.join(GOLDEN, name), "w") as f:
        json.dump(golden, f, separators=(",", ":"))
        f.write("\n")
    print(name, os.path.getsize(os.path.join(GOLDEN, name)), "bytes")
