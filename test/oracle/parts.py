"""The parts of the method alone, in PyTorch, written from its description: decoder, adapter, receptive fields, the way up of SAM2-UNet, losses,
laws of the gate, laws of the prototypes, contrastive terms. Writes golden/parts.json. Run with /usr/bin/python3 (PyTorch 1.13).

A part is a function of `leaf`, which gives its tensors by the path that they have in the spec (values: common.py; prototypes at length 1), of the
image, the masks and the task. It gives its values by name. Its gradients are those of the sum of probe * value over all values named in `PROBED`,
where a probe is r of the path "probe:NAME". Masks are rectangles: [top, bottom, left, right] of each sample, kept in the golden.
A value is kept as its scale (largest magnitude) and as samples at a stride; `float32` is how far PyTorch's own float32 is from float64, in all elements.
"""
import sys

import torch
import torch.nn.functional as F

from common import noise, number, sketch, value, write

TASKS = ["A", "B", "C"]
SAMPLES = 40


class Leaves:
    """Tensors by path, each made at its first use."""
    def __init__(self, dtype):
        self.dtype, self.made = dtype, {}

    def __call__(self, path, *shape):
        if path not in self.made:
            x = torch.as_tensor(value(path, shape)).to(self.dtype)
            if "proto" in path and ".init." not in path:
                x = F.normalize(torch.as_tensor(value(path, shape)), dim=-1).to(self.dtype)
            else:
                x.requires_grad_(True)
            self.made[path] = x
        return self.made[path]

    def under(self, prefix):
        return under(self, prefix)


def under(leaf, prefix):
    return lambda path, *shape: leaf(f"{prefix}.{path}", *shape)


def larger(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


def conv(leaf, x, out, k=1, bias=False, groups=1, **how):
    k = (k, k) if isinstance(k, int) else k
    w = leaf("weight", out, x.shape[1] // groups, *k)
    return F.conv2d(x, w, leaf("bias", out) if bias else None, groups=groups, **how)


def linear(leaf, x, out, bias=True):
    return F.linear(x, leaf("weight", out, x.shape[-1]), leaf("bias", out) if bias else None)


def group(leaf, x, groups=1):
    return F.group_norm(x, groups, leaf("weight", x.shape[1]), leaf("bias", x.shape[1]))


class Batch:
    """Batch norm; what the running statistics become is kept in `after`."""
    def __init__(self, training):
        self.training, self.after = training, {}

    def __call__(self, leaf, x, path):
        c = x.shape[1]
        mean, var = x.new_zeros(c), x.new_ones(c)
        out = F.batch_norm(x, mean, var, leaf("weight", c), leaf("bias", c), training=self.training)
        if self.training:
            self.after.update({f"{path}.running_mean": mean, f"{path}.running_var": var})
        return out


# ------------------------------------------------------------------ receptive fields and the way up

def field(leaf, x, width, unit):
    """Four branches, joined 3 x 3, plus a 1 x 1 residual, ReLU."""
    def branch(k, s):
        y = unit(f"branch{k}.units.0", x, width, 1, 0, 1)
        y = unit(f"branch{k}.units.1", y, width, (1, s), (0, s // 2), 1)
        y = unit(f"branch{k}.units.2", y, width, (s, 1), (s // 2, 0), 1)
        return unit(f"branch{k}.units.3", y, width, 3, s, s)
    four = [unit("branch0", x, width, 1, 0, 1), branch(1, 3), branch(2, 5), branch(3, 7)]
    return F.relu(unit("join", torch.cat(four, 1), width, 3, 1, 1) + unit("shortcut", x, width, 1, 0, 1))


def rfb(leaf, image, masks, task):
    """TP-Seg: GroupNorm(1), ReLU after every convolution."""
    own = leaf.under("field")

    def unit(path, x, out, k, padding, dilation):
        y = conv(under(own, f"{path}.conv"), x, out, k, padding=padding, dilation=dilation)
        return F.relu(group(under(own, f"{path}.group_norm"), y))
    return {"y": field(own, image, 8, unit)}


def rfb_batch(training):
    """SAM2-UNet: BatchNorm, no ReLU inside."""
    def part(leaf, image, masks, task):
        own, norm = leaf.under("field.field"), Batch(training)

        def unit(path, x, out, k, padding, dilation):
            y = conv(under(own, f"{path}.conv"), x, out, k, padding=padding, dilation=dilation)
            return norm(under(own, f"{path}.batch_norm"), y, f"field.field.{path}.batch_norm")
        return {"y": field(own, image, 8, unit), **norm.after}
    return part


def up(training):
    """x2 bilinear to the skip, [skip, up], (3 x 3, BN, ReLU) x 2, 1 x 1 head."""
    def part(leaf, image, masks, task):
        norm, skip, coarse = Batch(training), image[:, :8], image[:, 8:, :5, :4]
        y = torch.cat([skip, larger(coarse, skip.shape[-2:])], 1)
        for i in (1, 2):
            y = conv(leaf.under(f"d.up.join.conv{i}"), y, 8, 3, padding=1)
            y = F.relu(norm(leaf.under(f"d.up.join.norm{i}"), y, f"d.up.join.norm{i}"))
        return {"y": y, "logits": conv(leaf.under("d.head"), y, 1, bias=True), **norm.after}
    return part


# ------------------------------------------------------------------ adapters

def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def pointwise_pair(leaf, u, width):
    """1 x 1, GELU, 1 x 1 on NCHW, kernels kept as matrices."""
    c = u.shape[1]
    down, upw = leaf("down.weight", width, c), leaf("up.weight", c, width)
    return F.conv2d(F.gelu(F.conv2d(u, down[:, :, None, None])), upw[:, :, None, None])


def rising(logits, tem):
    s = torch.cumsum(F.softplus(logits), 0)
    return torch.sigmoid((s - 0.5 * s[-1]) / tem)


def adapter(leaf, image, masks, task):
    """h' = h + scale_t ((1 - g) shared(GN h) + g specific_t(GN h))."""
    own, g = leaf.under("tca"), rising(4 * leaf(f"logits.{task}", 6), 0.5)[3]
    u = group(under(own, "norm"), image)
    mixed = (1 - g) * pointwise_pair(under(own, "shared"), u, 5) + g * pointwise_pair(under(own, f"specific.{task}"), u, 5)
    return {"y": channels_last(image + own(f"scale.{task}.factor") * mixed)}


def adapter_released(leaf, image, masks, task):
    """x + scale_t W2_t GELU(W1_t GN(x)); the scales of all tasks in one vector."""
    own = leaf.under("tca")
    scale = own("scale.factors", len(TASKS))[TASKS.index(task)]
    return {"y": channels_last(image + scale * pointwise_pair(under(own, f"inner.{task}"), group(under(own, "norm"), image), 5))}


def adapter_sam2unet(leaf, image, masks, task):
    """x + GELU(W2 GELU(W1 x)), biased, NHWC."""
    x, own = channels_last(image), leaf.under("tca.inner")
    return {"y": x + F.gelu(linear(under(own, "up"), F.gelu(linear(under(own, "down"), x, 5)), x.shape[-1]))}


# ------------------------------------------------------------------ the decoder

def decoder(released):
    """Eq. (4) to (11); `released`: one table of head rows, mean |d| over the batch, the sequential law."""
    def part(leaf, image, masks, task):
        own, c, M, ti = leaf.under("d"), 16, 6, TASKS.index(task)
        low, high = image[:, :12, :9, :7], image[:, 12:, :5, :4]
        B, (H, W) = image.shape[0], low.shape[-2:]

        def project(path, x, out):
            return F.gelu(group(under(own, f"{path}.group_norm"), conv(under(own, f"{path}.conv"), x, out)))
        xh, xl = project("from_high", larger(high, (H, W)), c), project("from_low", low, c // 2)
        f = project("join", torch.cat([xh, xl], 1), c)
        s = conv(under(own, "scale.spread"), f, c, 3, bias=True, groups=c // 4, padding=1)
        s = conv(under(own, "scale.mix"), F.gelu(group(under(own, "scale.norm"), s, 4)), c, bias=True)

        P = leaf(f"d.proto.{task}", 2, c)
        kv = s.flatten(2).permute(2, 0, 1)   # sequence first
        names = [own(f"attend.{n}.{k}", *((c, c) if k == "weight" else (c,))) for k in ("weight", "bias") for n in "qkv"]
        A, _ = F.multi_head_attention_forward(
            P[:, None].expand(2, B, c), kv, kv, c, 4, torch.cat(names[:3]), torch.cat(names[3:]), None, None, False, 0.0,
            own("attend.out.weight", c, c), own("attend.out.bias", c), need_weights=False)
        fg, bg = A
        Z = linear(under(own, "condition"), torch.cat([fg, bg, fg - bg], 1), c)

        raw = linear(under(own, "generate.layers.1"), F.gelu(linear(under(own, "generate.layers.0"), Z, 2 * c)), M * c * 9)
        k, eye = own("mix"), torch.zeros(3, 3, dtype=Z.dtype)
        eye[1, 1] = 1
        K = k * raw.view(B, M, c, 3, 3) + (1 - k) * eye
        w = torch.softmax(linear(under(own, "choose"), Z, M), -1)

        unit = F.normalize(s, dim=1)
        d = (torch.einsum("bchw,c->bhw", unit, F.normalize(P[0], dim=0)) - torch.einsum("bchw,c->bhw", unit, F.normalize(P[1], dim=0)))[:, None]
        fp = f * (1 + 0.5 * torch.sigmoid(d))
        y = torch.cat([sum(w[b, m] * F.conv2d(fp[b:b + 1], K[b, m][:, None], padding=1, groups=c) for m in range(M)) for b in range(B)])

        trunk = F.gelu(group(under(own, "head.norm"), conv(under(own, "head.spread"), y, c, 3, bias=True, groups=c, padding=1)))
        if released:
            size = d.abs().mean()
            rows = conv(under(own, "head.rows"), trunk, len(TASKS), bias=True)[:, ti:ti + 1]
        else:
            size = torch.stack([one.abs().mean() for one in d]).view(B, 1, 1, 1)
            rows = conv(under(own, f"head.conv.{task}"), trunk, 1, bias=True)
        S = d / (size + 1e-6)
        logits = rows + 5.0 * own("rho") * torch.tanh(S / own("sharpness").clamp(min=1e-3))
        law = sequential(0.995) if released else pooled(0.9)
        return {"f": f, "s": s, "A": A.transpose(0, 1), "Z": Z, "raw": raw, "w": w, "K": (w[:, :, None, None, None] * K).sum(1), "d": d, "f'": fp,
                "y": y, "logits": logits, f"d.proto.{task}": law(P, s, masks)}
    return part


# ------------------------------------------------------------------ prototypes

def pooled(m, banded=False):
    """One update a step: per side the mean over images of an image's weighted mean of unit features; its direction is blended, and the blend renormalised."""
    def law(P, s, masks):
        with torch.no_grad():
            mask = larger(masks, s.shape[-2:])
            sides = ((mask > 0.5).to(s.dtype), (mask < 0.1).to(s.dtype)) if banded else (mask, 1 - mask)
            rows = []
            for old, weight in zip(P, sides):
                means = []
                for one, w in zip(s, weight):
                    if w.sum() >= 0.05:
                        means.append((F.normalize(one, dim=0) * w).flatten(1).sum(1) / w.sum())
                rows.append(F.normalize(m * old + (1 - m) * F.normalize(sum(means) / len(means), dim=0), dim=0) if means else old)
            return torch.stack(rows)
    return law


def sequential(m):
    """Image after image: fg above .5, bg below .1, a side of at most 10 pixels skipped."""
    def law(P, s, masks):
        with torch.no_grad():
            mask, P = larger(masks, s.shape[-2:]), P.clone()
            for b in range(len(s)):
                pixels = F.normalize(s[b], dim=0).flatten(1)
                for row, chosen in enumerate((mask[b].flatten() > 0.5, mask[b].flatten() < 0.1)):
                    if int(chosen.sum()) > 10:
                        P[row] = F.normalize(m * P[row] + (1 - m) * pixels[:, chosen].mean(1), dim=0)
            return P
    return law


def beginning(leaf, image, masks, task):
    """Eq. (5): unit vectors from the task's embedding of width 64, by 64 -> 2 c, GELU, 2 c -> 2 c; no gradient leaves it."""
    own, c = under(leaf, "d.proto.init"), 16
    with torch.no_grad():
        e = own("embedding.weight", len(TASKS), 64)[TASKS.index(task)][None]
        two = linear(under(own, "feed_forward.layers.1"), F.gelu(linear(under(own, "feed_forward.layers.0"), e, 2 * c)), 2 * c)
        return {"P": F.normalize(two.view(2, c), dim=-1)}


def memory(leaf, image, masks, task):
    s = image[:, :, :9, :8]
    laws = {"pooled": pooled(0.9), "banded": pooled(0.9, banded=True), "sequential": sequential(0.995), "quick": sequential(0.9)}
    return {f"proto_{name}.{task}": law(leaf(f"proto_{name}.{task}", 2, s.shape[1]), s, masks) for name, law in laws.items()}


def memory_whole(leaf, image, masks, task):
    laws = {"pooled": pooled(0.9), "sequential": sequential(0.9)}
    return {f"proto_{name}.{task}": law(leaf(f"proto_{name}.{task}", 2, image.shape[1]), image, masks) for name, law in laws.items()}


# ------------------------------------------------------------------ gates

TEMPERATURES = [1.0, 0.65, 0.3, 0.05]


def gate_laws(n):
    b = torch.arange(n)

    def released(L, tem):
        return torch.cat([L.new_zeros(3), torch.sigmoid(L[3:] / tem)])

    def clamped(L, tem):
        g = rising(L, tem)
        return torch.cat([g.new_zeros(1), g[1:-1], g.new_ones(1)])

    def hazard(L, tem):
        return 1 - torch.cumprod(torch.sigmoid(-L / tem), 0)   # sigmoid(-x) is 1 - sigmoid(x), with its digits kept

    def position(L, tem):
        return torch.sigmoid((b - (torch.softmax(L, 0) * b).sum()) / tem)
    return {
        "cumulative_sigmoid": rising, "cumulative_softmax": lambda L, tem: torch.cumsum(torch.softmax(L / tem, 0), 0), "hazard": hazard, "position": position,
        "naive_cumulative": lambda L, tem: torch.sigmoid(torch.cumsum(L, 0) / tem), "independent": released, "clamped": clamped,
        "hard_outside_training": rising,
    }


def gates(leaf, image, masks, task):
    out = {}
    for name, law in gate_laws(12).items():
        for i, tem in enumerate(TEMPERATURES):
            own = leaf(f"{name}_{i}", 12)
            out[f"{name}_{i}_g"] = law(4 * own, tem)
    return {**out, "fixed_g": (torch.arange(12) >= 5).to(leaf.dtype)}


def gates_used(leaf, image, masks, task):
    """Outside training the soft law is a step at one half."""
    return {f"hard_outside_training_{i}_g": (rising(4 * leaf(f"hard_outside_training_{i}", 12), tem) >= 0.5).to(leaf.dtype) for i, tem in enumerate(TEMPERATURES)}


def gate_terms(leaf, image, masks, task):
    g = torch.sigmoid(6 * leaf("gates", 3, 8))
    tem = leaf("temperature")
    centres = (1 - g).sum(1)
    middle = g[:, 2:6].mean(1)
    out = {"temperature_term": F.relu(0.8 - tem), "diversity": -centres.std()}
    for k in range(3):
        out[f"hinge_{k}"] = F.relu(g[k, :-1] - g[k, 1:] - 0.15).mean()
        out[f"sparsity_{k}"] = (4 * g[k] * (1 - g[k])).pow(2).mean()
        out[f"exploration_{k}"] = 1 - (middle[k] - 0.5).abs() * 2
        out[f"loss_guided_{k}"] = 1 - (middle[k] - 0.5).abs()
    return out


# ------------------------------------------------------------------ losses

def windowed(m):
    return F.avg_pool2d(m, 31, stride=1, padding=15)


def over(x):
    return x.sum((1, 2, 3))


def structure(z, m):
    w = 1 + 2 * (windowed(m) - m).abs()
    wbce = over(w * F.binary_cross_entropy_with_logits(z, m, reduction="none")) / (over(w) + 1e-8)
    p = torch.sigmoid(z)
    dice = 1 - (2 * over(p * m) + 1e-5) / (over(p) + over(m) + 1e-5)
    return 0.5 * dice + 0.5 * wbce


def structure_iou(z, m):
    w = 1 + 5 * (windowed(m) - m).abs()
    wbce = over(w * F.binary_cross_entropy_with_logits(z, m, reduction="none")) / over(w)
    p = torch.sigmoid(z)
    both, union = over(p * m * w), over((p + m) * w)
    return wbce + 1 - (both + 1) / (union - both + 1)


def loss_of(law, small):
    def part(leaf, image, masks, task):
        z = 4 * (larger(image[:, :1, :10, :9], image.shape[-2:]) if small else image[:, :1])
        return {"loss": law(z, masks)}
    return part


def halved(s, masks):
    return (larger(masks, s.shape[-2:]) >= 0.5).to(s.dtype)


def infonce(leaf, image, masks, task):
    """-log softmax over all 2 T prototypes of cos(s, P) / 0.1; the positive is the own task's prototype of the pixel's side."""
    s = image[:, :, :9, :7]
    bank = torch.stack([leaf(f"proto.{t}", 2, s.shape[1]) for t in TASKS])
    out = []
    for one, m in zip(s, halved(s, masks)):
        pixels = one.flatten(1).t()
        cos = F.cosine_similarity(pixels[:, None], bank.reshape(1, -1, s.shape[1]), dim=-1)
        positive = 2 * TASKS.index(task) + (1 - m.flatten()).long()
        out.append(F.cross_entropy(cos / 0.1, positive))
    return {"loss": torch.stack(out)}


def margin(pool):
    def part(leaf, image, masks, task):
        s, bg = image[:, :, :9, :7], leaf(f"proto.{task}", 2, image.shape[1])[1]
        m = halved(s, masks)
        if pool:
            mean = ((s * m).sum((0, 2, 3)) / m.sum())[None].expand(len(s), -1)
        else:
            mean = torch.stack([(one * w).sum((1, 2)) / w.sum() for one, w in zip(s, m)])
        return {"loss": F.relu(F.cosine_similarity(mean, bg[None]) + 0.3)}
    return part


def cosine_of_sides(leaf, image, masks, task):
    P = leaf(f"proto.{task}", 2, image.shape[1])
    return {"loss": F.cosine_similarity(P[0], P[1], dim=0).expand(len(image))}


# ------------------------------------------------------------------ the goldens

WIDE = [[3, 11, 2, 9], [6, 18, 0, 5], [1, 2, 4, 7]]
# at 9 x 8: .089 and .107 on both sides of one limit, .571 above the other; the last shows no foreground
BAND = [[0, 15, 2, 10], [0, 10, 2, 8], [1, 2, 4, 6]]
# at full size: 20 pixels; 10, which are too few; 11; all but 10, so that the background is too small; none at all
EXACT = [[2, 6, 3, 8], [0, 2, 0, 5], [1, 12, 4, 5], [0, 11, 0, 10], [0, 0, 0, 0]]
BIG = [[5, 20, 8, 30], [0, 3, 33, 36], [10, 40, 0, 18]]

PARTS = {
    "rfb": (rfb, (2, 6, 10, 8), None, "A"),
    "rfb_batch": (rfb_batch(True), (3, 6, 10, 8), None, "A"),
    "rfb_batch_used": (rfb_batch(False), (3, 6, 10, 8), None, "A"),
    "up": (up(True), (3, 16, 10, 8), None, "A"),
    "up_used": (up(False), (3, 16, 10, 8), None, "A"),
    "adapter": (adapter, (2, 12, 6, 5), None, "B"),
    "adapter_other_task": (adapter, (2, 12, 6, 5), None, "C"),
    "adapter_released": (adapter_released, (2, 12, 6, 5), None, "B"),
    "adapter_sam2unet": (adapter_sam2unet, (2, 12, 6, 5), None, "B"),
    "decoder": (decoder(False), (3, 32, 18, 14), WIDE, "A"),
    "decoder_other_task": (decoder(False), (3, 32, 18, 14), WIDE, "C"),
    "decoder_released": (decoder(True), (3, 32, 18, 14), WIDE, "B"),
    "beginning": (beginning, (1, 32, 18, 14), None, "C"),
    "memory": (memory, (3, 16, 18, 14), BAND, "B"),
    "memory_whole": (memory_whole, (5, 16, 12, 10), EXACT, "B"),
    "gates": (gates, (1, 1, 4, 4), None, "A"),
    "gates_used": (gates_used, (1, 1, 4, 4), None, "A"),
    "gate_terms": (gate_terms, (1, 1, 4, 4), None, "A"),
    "structure": (loss_of(structure, True), (3, 1, 40, 36), BIG, "A"),
    "structure_same_size": (loss_of(structure, False), (3, 1, 40, 36), BIG, "A"),
    "structure_iou": (loss_of(structure_iou, True), (3, 1, 40, 36), BIG, "A"),
    "structure_iou_same_size": (loss_of(structure_iou, False), (3, 1, 40, 36), BIG, "A"),
    "infonce": (infonce, (3, 16, 18, 14), WIDE, "B"),
    "side_margin": (margin(False), (2, 16, 18, 14), WIDE[:2], "B"),
    "side_margin_pooled": (margin(True), (3, 16, 18, 14), WIDE, "B"),
    "prototype_cosine": (cosine_of_sides, (2, 16, 18, 14), WIDE[:2], "B"),
}


def rectangles(spans, shape):
    if spans is None:
        spans = [[0, 0, 0, 0]] * shape[0]
    out = torch.zeros(shape[0], 1, *shape[2:])
    for mask, (top, bottom, left, right) in zip(out, spans):
        mask[:, top:bottom, left:right] = 1
    return out


def run(part, shape, spans, task, dtype):
    leaf = Leaves(dtype)
    image = torch.as_tensor(noise("image:part", shape)).to(dtype).requires_grad_(True)
    return leaf, image, part(leaf, image, rectangles(spans, shape).to(dtype), task)


def kept(exact, single):
    flat = exact.detach().reshape(-1)
    stride = max(1, -(-flat.numel() // SAMPLES))
    apart = (single.detach().double().reshape(-1) - flat).abs().max()
    return {"shape": list(exact.shape), "scale": number(flat.abs().max()), "stride": stride, "values": [number(v) for v in flat[::stride]], "float32": number(apart)}


def golden_of(name, part, shape, spans, task):
    leaf, image, values = run(part, shape, spans, task, torch.float64)
    _, _, single = run(part, shape, spans, task, torch.float32)
    probed = [n for n, v in values.items() if v.requires_grad]
    out = {"image": list(shape), "masks": spans or [], "task": task, "values": {n: kept(v, single[n]) for n, v in values.items()}, "probed": probed}
    if probed:
        sum((torch.as_tensor(noise("probe:" + n, tuple(values[n].shape))) * values[n]).sum() for n in probed).backward()
        tensors = {**leaf.made, "image": image}
        out["gradients"] = {path: sketch(x.grad) for path, x in sorted(tensors.items()) if x.grad is not None}
    return out


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    write("parts.json", {"madeBy": "test/oracle/parts.py, PyTorch float64", "parts": {n: golden_of(n, *p) for n, p in PARTS.items()}})


if __name__ == "__main__":
    sys.exit(main())
