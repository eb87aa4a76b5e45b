"""The official trunk, `Hiera` of the package `sam2`, with random weights that leave nothing at zero or one. Needs that package, torch and numpy.

  trunk.py SIZE FOLDER SIDE [SIDE ...]  SIZE is T, S, B_plus or L. Writes FOLDER/official.pt, a checkpoint under the official keys with some that are
                                        none of the trunk's, and FOLDER/SIDE.safetensors: a random image and the trunk's four stages in float32. Its
                                        metadata tell seconds and how far each stage is from float64, relative to its scale.
  trunk.py golden                       writes golden/trunk.json: the official class at a small width, filled by the formula of common.py.

A SIDE is a number, or HEIGHTxWIDTH."""
import json
import math
import os
import struct
import sys
import time
from collections import OrderedDict

import torch
from sam2.modeling.backbones.hieradet import Hiera

from common import noise, number, sketch, value, write

# sam2/configs/sam2/sam2_hiera_{t,s,b+,l}.yaml; what is not named there has the class's own defaults
CONFIGS = {
    "T": dict(embed_dim=96, num_heads=1, stages=(1, 2, 7, 2), global_att_blocks=(5, 7, 9), window_pos_embed_bkg_spatial_size=(7, 7)),
    "S": dict(embed_dim=96, num_heads=1, stages=(1, 2, 11, 2), global_att_blocks=(7, 10, 13), window_pos_embed_bkg_spatial_size=(7, 7)),
    "B_plus": dict(embed_dim=112, num_heads=2),
    "L": dict(embed_dim=144, num_heads=2, stages=(2, 6, 36, 4), global_att_blocks=(23, 33, 43), window_pos_embed_bkg_spatial_size=(7, 7),
              window_spec=(8, 4, 16, 8)),
    "small": dict(embed_dim=8, num_heads=2, stages=(2, 2, 4, 2), global_att_blocks=(6,)),
}
# beside the trunk in every official checkpoint; an importer leaves them out
ASIDE = OrderedDict([("maskmem_tpos_enc", (7, 1, 1, 64)), ("image_encoder.neck.convs.0.conv.weight", (256, 4, 1, 1)),
                     ("image_encoder.neck.convs.0.conv.bias", (256,)), ("memory_attention.norm.weight", (256,)), ("no_mem_embed", (1, 1, 256))])
# 64: windows of 14 and 7 are larger than their maps; 96 x 160: each window is filled in some direction; 224: none is; 32: the position's grid shrinks
SIZES = [(64, 64), (96, 160), (224, 224), (32, 32)]


def pair(side):
    height, _, width = side.partition("x")
    return int(height), int(width or height)


def random_weights(trunk):
    """Laws of common.py, drawn by PyTorch: unit gain for weights, scales of norms about 1, biases of 0.5, positions of 1."""
    torch.manual_seed(0)
    for name, p in trunk.named_parameters():
        r = torch.rand(p.shape) * 2 - 1
        if p.dim() == 1:
            p.copy_(1 + 0.2 * r if name.endswith("weight") else 0.5 * r)
        else:
            p.copy_(r if name.startswith("pos_embed") else r * math.sqrt(3 * p.shape[0] / p.numel()))


def stages(trunk, image):
    start = time.perf_counter()
    out = trunk(image)
    return {f"stage{i + 1}": x for i, x in enumerate(out)}, time.perf_counter() - start


def write_safetensors(path, tensors, metadata):
    header, at = {"__metadata__": metadata}, 0
    for name, x in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [at, at + 4 * x.numel()]}
        at += 4 * x.numel()
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for x in tensors.values():
            f.write(x.contiguous().numpy().tobytes())


@torch.no_grad()
def compare(size, folder, sides):
    trunk = Hiera(**CONFIGS[size]).eval()
    random_weights(trunk)
    state = OrderedDict((name, torch.rand(shape)) for name, shape in ASIDE.items())
    state.update((f"image_encoder.trunk.{name}", x) for name, x in trunk.state_dict().items())
    torch.save({"model": state}, os.path.join(folder, "official.pt"))
    found = {}
    for side in sides:
        image = torch.randn(1, 3, *pair(side))
        found[side] = (image, *stages(trunk, image))
    trunk.double()
    for side, (image, outputs, seconds) in found.items():
        exact, _ = stages(trunk, image.double())
        apart = [number((outputs[k].double() - exact[k]).abs().max() / exact[k].abs().max()) for k in exact]
        write_safetensors(os.path.join(folder, f"{side}.safetensors"), {"image": image, **outputs}, {"seconds": str(seconds), "apart": json.dumps(apart)})


@torch.no_grad()
def golden():
    trunk = Hiera(**CONFIGS["small"]).eval().double()
    for name, p in trunk.named_parameters():
        path = "enc." + name.replace("patch_embed.proj.", "patch_embed.")
        p.copy_(torch.from_numpy(value(path, list(p.shape))))
    cases = []
    for height, width in SIZES:
        image = torch.from_numpy(noise("image:trunk", (1, 3, height, width)))
        outputs, _ = stages(trunk, image)
        def told(x):
            flat = x.reshape(-1)
            stride = max(1, flat.numel() // 100)
            return {**sketch(x), "scale": number(x.abs().max()), "stride": stride, "strided": [number(v) for v in flat[::stride]]}
        cases.append({"height": height, "width": width, "stages": [told(x) for x in outputs.values()]})
    write("trunk.json", {"keys": {f"image_encoder.trunk.{name}": list(x.shape) for name, x in trunk.state_dict().items()}, "cases": cases})


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        golden()
    else:
        compare(sys.argv[1], sys.argv[2], sys.argv[3:])
