"""The peer of `bench/step.ts`: the same network in PyTorch, timed and weighed.

    python bench/peer/run.py [WEIGHTS.safetensors] --network nano|tiny|large|unet [--work step|infer|export|build] [--mode eager|channels_last|compile]
                             [--steps 3] [--threads 2] [--out FILE.onnx] [--at-most SECONDS]

WEIGHTS is what `bench/step.ts --save` wrote: equal weights, image and truth. Prints one line of JSON like that script. `infer` gives the first values of the
logits too, `export` writes the network with its task bound by torch.onnx, `build` only makes the network (without WEIGHTS). With `--at-most` the first timed
step that takes the processors longer is the last; so is a first step that takes twice as long, unless it compiles.
"""
import argparse
import contextlib
import json
import resource
import struct
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def network(name):
    if name == "unet":
        from unet import UNet
        return UNet(64), None
    from tpseg import NETWORKS, TPSeg
    return TPSeg(**NETWORKS[name]), 1.0 if name == "nano" else None


def structure(logits, truth):
    """Half Dice, half cross-entropy weighted by 1 + 2 |mean - m|, per sample."""
    z = F.interpolate(logits, size=truth.shape[-2:], mode="bilinear", align_corners=True)
    w = 1 + 2 * (F.avg_pool2d(truth, 31, stride=1, padding=15) - truth).abs()
    bce = F.binary_cross_entropy_with_logits(z, truth, reduction="none")
    p = z.sigmoid()
    dice = 1 - (2 * (p * truth).sum((1, 2, 3)) + 1e-5) / (p.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1e-5)
    return 0.5 * dice + 0.5 * (w * bce).sum((1, 2, 3)) / (w.sum((1, 2, 3)) + 1e-8)


def read(path):
    """{name: tensor} of a safetensors file in float32."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    return {name: data[a:b].view(torch.float32).view(info["shape"]) for name, info in header.items() if name != "__metadata__" for a, b in [info["data_offsets"]]}


class Bound(nn.Module):
    """Image to logits at the image's size, for one task."""

    def __init__(self, net, task):
        super().__init__()
        self.net, self.task = net, task

    def forward(self, image):
        (logits, *_), _ = self.net(image, self.task)
        return F.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("weights", nargs="?")
    options.add_argument("--network", required=True, choices=["nano", "tiny", "large", "unet"])
    options.add_argument("--work", default="step", choices=["step", "infer", "export", "build"])
    options.add_argument("--mode", default="eager", choices=["eager", "channels_last", "compile"])
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--task", default="WA")
    options.add_argument("--out")
    options.add_argument("--at-most", type=float, default=float("inf"))
    o = options.parse_args()
    torch.set_num_threads(o.threads)
    net, clip = network(o.network)
    if o.work == "build":
        print(json.dumps({"network": o.network, "torch": torch.__version__}))
        return
    tensors = {k.replace("enc.patch_embed.", "enc.patch_embed.proj."): v for k, v in read(o.weights).items()}
    image, truth = tensors.pop("image").clone(), tensors.pop("truth").clone()
    missing, extra = net.load_state_dict(tensors, strict=False)
    if extra or any(not m.endswith("num_batches_tracked") for m in missing):
        raise SystemExit(f"the tensors are not this network's: {missing[:3]} {extra[:3]}")
    del tensors
    if o.mode == "channels_last":
        net, image = net.to(memory_format=torch.channels_last), image.to(memory_format=torch.channels_last)
    said = {"network": o.network, "mode": o.mode, "batch": len(image), "size": image.shape[-1], "threads": o.threads, "torch": torch.__version__}
    if o.work == "export":
        with contextlib.redirect_stdout(sys.stderr):
            torch.onnx.export(Bound(net.eval(), o.task), (image,), o.out, input_names=["image"], output_names=["logits"], dynamo=True)
        print(json.dumps(said))
        return
    if o.work == "infer":
        bound = Bound(net.eval(), o.task)
        bound = torch.compile(bound) if o.mode == "compile" else bound
        with torch.inference_mode():
            times, logits = timed(o, lambda: bound(image))
        said |= times | {"logits": logits.flatten()[:: max(1, logits.numel() // 64)][:64].tolist()}
    else:
        forward = torch.compile(net) if o.mode == "compile" else net
        trained = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=1e-4, fused=True)
        losses = []

        def step():
            optimizer.zero_grad()
            logits, features = forward(image, o.task)
            loss = sum(structure(z, truth) for z in logits).mean()
            loss.backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(trained, clip)
            optimizer.step()
            net.remember(features, truth, o.task)
            losses.append(loss.item())

        times, _ = timed(o, step)
        said |= times | {"losses": losses}
    print(json.dumps(said | {"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def timed(o, work):
    """Seconds of each run but the first, on the clock and of all processors, and the last result."""
    wall, processor = [], []
    for i in range(o.steps + 1):
        began, before = time.perf_counter(), time.process_time()
        result = work()
        took = time.perf_counter() - began, time.process_time() - before
        hopeless = i == 0 and o.mode != "compile" and took[1] > 2 * o.at_most
        if i > 0 or hopeless:
            wall.append(took[0])
            processor.append(took[1])
        if hopeless or i > 0 and took[1] > o.at_most:
            break
    return {"steps": wall, "processor": processor}, result


if __name__ == "__main__":
    main()
