"""Checkpoints as PyTorch writes them, small, and what PyTorch reads of them: golden/weights/*.pt and golden/weights/expected.json.
Run with /usr/bin/python3 (PyTorch 1.13). Values by formula as common.py says, of the path in the spec that a key is for.

  weights.py            writes them
  weights.py read FILE  prints as JSON what torch.load(FILE, weights_only=True) gives: a way to see that what tpsc exports is read"""
import json
import os
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import torch

from common import GOLDEN, value

FOLDER = os.path.join(GOLDEN, "weights")
EMBED, DEPTHS, WINDOW, GRID = 4, [1, 1], 4, 7


def filled(path, shape):
    return torch.from_numpy(value(path, shape)).float()


def official():
    """The trunk of a Hiera of two blocks under the official keys, and keys of the neck and the memory beside it."""
    shapes = OrderedDict()
    shapes["maskmem_tpos_enc"] = (2, 1, 1, 4)
    trunk = OrderedDict([("pos_embed", (1, EMBED, GRID, GRID)), ("pos_embed_window", (1, EMBED, WINDOW, WINDOW)),
                         ("patch_embed.proj.weight", (EMBED, 3, 7, 7)), ("patch_embed.proj.bias", (EMBED,))])
    dim = EMBED
    for i in range(sum(DEPTHS)):
        out, b = EMBED * 2 ** i, f"blocks.{i}."
        for norm, width in (("norm1", dim), ("norm2", out)):
            trunk[f"{b}{norm}.weight"] = trunk[f"{b}{norm}.bias"] = (width,)
        for name, rows, columns in (("attn.qkv", 3 * out, dim), ("attn.proj", out, out), ("mlp.layers.0", 4 * out, out), ("mlp.layers.1", out, 4 * out)):
            trunk[f"{b}{name}.weight"], trunk[f"{b}{name}.bias"] = (rows, columns), (rows,)
        if dim != out:
            trunk[f"{b}proj.weight"], trunk[f"{b}proj.bias"] = (out, dim), (out,)
        dim = out
    state = OrderedDict((k, torch.zeros(s)) for k, s in shapes.items())
    for key, shape in trunk.items():
        state["image_encoder.trunk." + key] = filled("enc." + key.replace("patch_embed.proj", "patch_embed"), shape)
    state["image_encoder.neck.convs.0.conv.weight"] = torch.zeros(2, 2, 1, 1)
    state["memory_attention.layers.0.norm1.weight"] = torch.ones(2)
    return {"model": state}


def kinds():
    """Every dtype, views, a parameter, a shared storage, a scalar, an empty tensor, what is no tensor."""
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    state = OrderedDict(
        f64=torch.tensor([0.5, -1.25], dtype=torch.float64), f16=torch.tensor([1.0, -2.5, 65504.0]).half(), bf16=torch.tensor([3.140625, -1.0]).bfloat16(),
        i64=torch.tensor([[-1, 2**40]]), i32=torch.tensor([7, -8], dtype=torch.int32), i16=torch.tensor([300], dtype=torch.int16),
        i8=torch.tensor([-128], dtype=torch.int8), u8=torch.tensor([255], dtype=torch.uint8), bool=torch.tensor([True, False]),
        parameter=torch.nn.Parameter(torch.tensor([1.5])), scalar=torch.tensor(2.25), empty=torch.zeros(0, 3),
        whole=base, turned=base.permute(2, 0, 1), part=base[1, :, 1:3], step=base.reshape(24)[1::5],
    )
    state._metadata = OrderedDict([("", {"version": 1})])
    state["version"] = 3
    state["name"] = "kinds \u00e9"
    return state


class Hostile:
    def __reduce__(self):
        return (os.system, ("touch hostile-was-here",))


def save(name, what, **options):
    path = os.path.join(FOLDER, name)
    torch.save(what, path, **options)
    print(path, os.path.getsize(path))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    save("official.pt", official())
    save("kinds.pt", kinds())
    save("kinds-protocol4.pt", kinds(), pickle_protocol=4)
    two = OrderedDict(w=torch.tensor([1.0]))
    save("training.pt", {"epoch": 3, "model_state_dict": two, "optimizer": {"state": {0: {"step": 1, "exp_avg": torch.zeros(1)}}, "param_groups": [{"lr": 1e-3, "params": [0], "betas": (0.9, 0.999)}]}, "best_dice": np.float64(0.5)})
    save("several.pt", {"ema": OrderedDict(w=torch.tensor([2.0])), "best": OrderedDict(w=torch.tensor([3.0]))})
    save("old-format.pt", two, _use_new_zipfile_serialization=False)
    save("os-system.pt", {"model": two, "extra": Hostile()})
    save("module.pt", torch.nn.Linear(1, 1))
    # the same archive, deflated: what a zip bomb is made of
    with zipfile.ZipFile(os.path.join(FOLDER, "kinds.pt")) as source, zipfile.ZipFile(os.path.join(FOLDER, "deflated.pt"), "w", zipfile.ZIP_DEFLATED) as out:
        for info in source.infolist():
            out.writestr(zipfile.ZipInfo(info.filename), source.read(info.filename), zipfile.ZIP_DEFLATED)
    expected = {k: {"dtype": str(v.dtype), "shape": list(v.shape), "values": v.double().flatten().tolist()} for k, v in kinds().items() if torch.is_tensor(v)}
    with open(os.path.join(FOLDER, "expected.json"), "w") as f:
        json.dump(expected, f)
        f.write("\n")


def read(path):
    state = torch.load(path, weights_only=True)
    entry = None
    if len(state) == 1 and isinstance(next(iter(state.values())), dict):
        (entry, state), = state.items()
    print(json.dumps({"entry": entry, "kind": type(state).__name__, "tensors": {k: {"dtype": str(v.dtype), "shape": list(v.shape), "contiguous": v.is_contiguous(), "values": v.double().flatten().tolist()} for k, v in state.items()}}))


if __name__ == "__main__":
    read(sys.argv[2]) if sys.argv[1:2] == ["read"] else main()
