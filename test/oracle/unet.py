"""The reference UNet in PyTorch (double convolutions with batch norm, transposed convolutions), to hold `models/unet.tps` against.
Writes golden/unet.json at width 4 and 64 px; asserts the published parameter count at width 64. Run with /usr/bin/python3."""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import discs, images, number, sketch, value, write
from nano import structure

SIZE, WIDTH = 64, 4


def double(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                         nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        w = [width * 2**i for i in range(5)]
        self.inc = double(3, w[0])
        self.down = nn.ModuleList(double(a, b) for a, b in zip(w, w[1:]))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(w[i], w[i - 1], 2, 2) for i in (4, 3, 2, 1))
        self.join = nn.ModuleList(double(w[i], w[i - 1]) for i in (4, 3, 2, 1))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        features = [self.inc(x)]
        for d in self.down:
            features.append(d(F.max_pool2d(features[-1], 2)))
        y = features.pop()
        for grow, join in zip(self.grow, self.join):
            y = join(torch.cat([features.pop(), grow(y)], 1))
        return self.out(y)


def path(name):
    parts = name.split(".")
    layer = {"0": "conv1", "1": "norm1", "3": "conv2", "4": "norm2"}
    head, last = parts[0], parts[-1]
    if head == "out":
        return name
    if head == "grow":
        return f"up.{int(parts[1]) + 1}.grow.{last}"
    if head == "join":
        return f"up.{int(parts[1]) + 1}.join.{layer[parts[2]]}.{last}"
    if head == "down":
        return f"down.{int(parts[1]) + 1}.{layer[parts[2]]}.{last}"
    return f"inc.{layer[parts[1]]}.{last}"


def fill(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.as_tensor(value(path(name), tuple(p.shape))))
    return model


def main():
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    assert sum(p.numel() for p in UNet(64).parameters()) == 31_037_633
    model, single = fill(UNet(WIDTH)), fill(UNet(WIDTH)).to(torch.float32)
    x, truth = images("a", 2, SIZE), discs(2, SIZE)
    model.eval(), single.eval()
    with torch.no_grad():
        logits = model(x).reshape(-1)
        rounded = single(x.float()).reshape(-1)
    model.train()
    each = structure(model(x), truth)
    each.mean().backward()
    golden = {
        "madeBy": "test/oracle/unet.py, PyTorch float64", "size": SIZE, "width": WIDTH,
        "parameters": sum(p.numel() for p in model.parameters()), "paths": sorted(path(n) for n, _ in model.named_parameters()),
        "one": {
            "batch": 2, "loss": [number(v) for v in each],
            "logits": {"shape": [2, 1, SIZE, SIZE], "stride": 37, "scale": number(logits.abs().max()), "values": [number(v) for v in logits[::37]]},
            "float32LogitsDistance": number((rounded.double() - logits).abs().max()),
            "gradients": {path(n): sketch(p.grad) for n, p in sorted(model.named_parameters(), key=lambda e: path(e[0]))},
            "running": {path(n): sketch(b) for n, b in sorted(model.named_buffers()) if "running" in n},
        },
    }
    model, seen = fill(UNet(WIDTH)), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(10):
        loss = structure(model(images(f"step{step % 2}", 2, SIZE)), discs(2, SIZE)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(number(loss))
    golden["steps"] = {"lr": 1e-3, "batch": 2, "losses": seen}
    write("unet.json", golden)


if __name__ == "__main__":
    sys.exit(main())
