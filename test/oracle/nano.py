"""The nano network in PyTorch, written from the description of the method (Hiera, the task-conditioned adapter, the prototype-guided
decoder, the structure loss), to hold `models/tpseg-nano.tps` against. Prints nothing but what it wrote: golden/nano.json and
golden/nano-pretrain.json. Run with /usr/bin/python3 (PyTorch 1.13). How values are filled is said in common.py."""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import discs, images, number, sketch, value, write

SIZE = 64
TASKS = ["WA", "BT", "ADC", "TN", "CP", "LI", "BL", "SL"]
EMBED, HEADS, DEPTHS, GLOBAL, WINDOWS, GRID = 32, 1, [1, 2, 3, 1], [4], [8, 4, 8, 4], 7
RFB, WIDTH, EXPERTS, HIDDEN = [16, 24, 32, 48], 32, 6, 16
TEMPERATURE = 0.5


# ------------------------------------------------------------------ the encoder

def up(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


class Attention(nn.Module):
    def __init__(self, dim, dim_out, heads, pool):
        super().__init__()
        self.heads, self.pool = heads, pool
        self.qkv = nn.Linear(dim, 3 * dim_out)
        self.proj = nn.Linear(dim_out, dim_out)

    def forward(self, x):
        n, h, w, _ = x.shape
        q, k, v = self.qkv(x).reshape(n, h * w, 3, self.heads, -1).unbind(2)
        if self.pool:
            q = F.max_pool2d(q.reshape(n, h, w, -1).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
            h, w = q.shape[1:3]
            q = q.reshape(n, h * w, self.heads, -1)
        q, k, v = (u.transpose(1, 2) for u in (q, k, v))
        weights = ((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, h, w, -1))


class Block(nn.Module):
    def __init__(self, dim, dim_out, heads, window, pool):
        super().__init__()
        self.window, self.pool, self.changes = window, pool, dim != dim_out
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, dim_out, heads, pool)
        self.norm2 = nn.LayerNorm(dim_out, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim_out, 4 * dim_out), nn.GELU(), nn.Linear(4 * dim_out, dim_out))
        if self.changes:
            self.proj = nn.Linear(dim, dim_out)

    def forward(self, x):
        short, x = x, self.norm1(x)
        if self.changes:
            short = F.max_pool2d(self.proj(x).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
        if self.window > 0:
            x = self.windowed(x)
        else:
            x = self.attn(x)
        x = short + x
        return x + self.mlp(self.norm2(x))

    def windowed(self, x):
        b, h, w, _ = x.shape
        s = self.window
        x = F.pad(x, (0, 0, 0, -w % s, 0, -h % s))
        out = None
        for i in range(x.shape[1] // s):
            for j in range(x.shape[2] // s):
                y = self.attn(x[:, i * s:(i + 1) * s, j * s:(j + 1) * s])
                t = y.shape[1]
                if out is None:
                    out = x.new_zeros(b, x.shape[1] // s * t, x.shape[2] // s * t, y.shape[-1])
                out[:, i * t:(i + 1) * t, j * t:(j + 1) * t] = y
        return out[:, :h // 2, :w // 2] if self.pool else out[:, :h, :w]


class Hiera(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, EMBED, 7, 4, 3)
        self.pos_embed = nn.Parameter(torch.zeros(1, EMBED, GRID, GRID))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, EMBED, WINDOWS[0], WINDOWS[0]))
        self.blocks, self.ends = nn.ModuleList(), []
        dim, lag = EMBED, WINDOWS[0]
        for stage, depth in enumerate(DEPTHS):
            for i in range(depth):
                window = 0 if len(self.blocks) in GLOBAL else lag
                lag = WINDOWS[stage]
                width = EMBED * 2**stage
                self.blocks.append(Block(dim, width, HEADS * 2**stage, window, stage > 0 and i == 0))
                dim = width
            self.ends.append(len(self.blocks) - 1)

    def forward(self, image, before=None):
        x = self.patch_embed(image)
        n = x.shape[-1] // WINDOWS[0]
        x = x + F.interpolate(self.pos_embed, size=x.shape[-2:], mode="bicubic") + self.pos_embed_window.repeat(1, 1, n, n)
        x = x.permute(0, 2, 3, 1)
        stages = []
        for i, block in enumerate(self.blocks):
            if before is not None:
                x = before(i, x)
            x = block(x)
            if i in self.ends:
                stages.append(x.permute(0, 3, 1, 2))
        return stages


# ------------------------------------------------------------------ adapters and gate

class Adapter(nn.Module):
    """Eq. (1), (2) on NCHW with 1 x 1 convolutions, as the released layers are."""
    def __init__(self, dim):
        super().__init__()
        def pair():
            return nn.Sequential(nn.Conv2d(dim, HIDDEN, 1, bias=False), nn.GELU(), nn.Conv2d(HIDDEN, dim, 1, bias=False))
        self.norm = nn.GroupNorm(1, dim)
        self.shared = pair()
        self.specific = nn.ModuleDict({t: pair() for t in TASKS})
        self.factor = nn.ParameterDict({t: nn.Parameter(torch.ones(())) for t in TASKS})

    def forward(self, x, t, g):
        h = x.permute(0, 3, 1, 2)
        u = self.norm(h)
        h = h + self.factor[t] * ((1 - g) * self.shared(u) + g * self.specific[t](u))
        return h.permute(0, 2, 3, 1)


def gate(logits, temperature):
    s = F.softplus(logits).cumsum(0)
    return torch.sigmoid((s - 0.5 * s[-1]) / temperature)


# ------------------------------------------------------------------ decoders

def unit(i, o, kernel=1, padding=0, dilation=1):
    return nn.Sequential(nn.Conv2d(i, o, kernel, padding=padding, dilation=dilation, bias=False), nn.GroupNorm(1, o), nn.ReLU())


class ReceptiveField(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.branch0 = unit(i, o)
        for n, s in ((1, 3), (2, 5), (3, 7)):
            setattr(self, f"branch{n}", nn.Sequential(
                unit(i, o), unit(o, o, (1, s), (0, s // 2)), unit(o, o, (s, 1), (s // 2, 0)), unit(o, o, 3, s, s)))
        self.join = unit(4 * o, o, 3, 1)
        self.shortcut = unit(i, o)

    def forward(self, x):
        y = self.join(torch.cat([self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)], 1))
        return F.relu(y + self.shortcut(x))


def project(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 1, bias=False), nn.GroupNorm(1, o), nn.GELU())


class Decoder(nn.Module):
    def __init__(self, low, high, c):
        super().__init__()
        self.c = c
        self.from_high, self.from_low, self.join = project(high, c), project(low, c // 2), project(c + c // 2, c)
        self.scale = nn.Sequential(nn.Conv2d(c, c, 3, padding=1, groups=c // 4), nn.GroupNorm(4, c), nn.GELU(), nn.Conv2d(c, c, 1))
        self.attend = nn.MultiheadAttention(c, 4, batch_first=True)
        self.condition = nn.Linear(3 * c, c)
        self.generate = nn.Sequential(nn.Linear(c, 2 * c), nn.GELU(), nn.Linear(2 * c, EXPERTS * c * 9))
        self.choose = nn.Linear(c, EXPERTS)
        self.mix, self.rho, self.sharpness = (nn.Parameter(torch.ones(())) for _ in range(3))
        self.spread, self.norm = nn.Conv2d(c, c, 3, padding=1, groups=c), nn.GroupNorm(1, c)
        self.rows = nn.ModuleDict({t: nn.Conv2d(c, 1, 1) for t in TASKS})
        for t in TASKS:
            self.register_buffer(f"proto_{t}", torch.zeros(2, c))

    def forward(self, low, high, t):
        b, c, (h, w) = low.shape[0], self.c, low.shape[-2:]
        f = self.join(torch.cat([self.from_high(up(high, (h, w))), self.from_low(low)], 1))
        s = self.scale(f)
        self.seen = s
        proto = getattr(self, f"proto_{t}")
        memory = s.flatten(2).transpose(1, 2)
        a, _ = self.attend(proto.expand(b, 2, c), memory, memory, need_weights=False)
        z = self.condition(torch.cat([a[:, 0], a[:, 1], a[:, 0] - a[:, 1]], 1))
        identity = torch.zeros(3, 3, dtype=z.dtype)
        identity[1, 1] = 1
        kernels = self.mix * self.generate(z).view(b, EXPERTS, c, 3, 3) + (1 - self.mix) * identity
        choice = self.choose(z).softmax(-1)
        d = (F.cosine_similarity(s, proto[0].view(1, c, 1, 1), dim=1) - F.cosine_similarity(s, proto[1].view(1, c, 1, 1), dim=1)).unsqueeze(1)
        guided = f * (1 + 0.5 * torch.sigmoid(d))
        y = 0
        for m in range(EXPERTS):   # eq. (10) as it is written: every expert on its own, a group per sample and channel
            one = F.conv2d(guided.reshape(1, b * c, h, w), kernels[:, m].reshape(b * c, 1, 3, 3), padding=1, groups=b * c)
            y = y + choice[:, m].view(b, 1, 1, 1) * one.view(b, c, h, w)
        trunk = F.gelu(self.norm(self.spread(y)))
        centred = d / (d.abs().mean((1, 2, 3), keepdim=True) + 1e-6)
        logits = self.rows[t](trunk) + 5.0 * self.rho * torch.tanh(centred / self.sharpness.clamp(min=1e-3))
        return logits, y

    @torch.no_grad()
    def remember(self, truth, t):
        """Eq. (12), (13), pooled over the batch: the mean over images of each image's mean feature."""
        s = F.normalize(self.seen, dim=1)
        mask = up(truth, s.shape[-2:])
        proto = getattr(self, f"proto_{t}")
        for row, m in enumerate((mask, 1 - mask)):
            means = [(s[i] * m[i]).sum((1, 2)) / m[i].sum() for i in range(len(s)) if m[i].sum() >= 0.05]
            if means:
                mean = F.normalize(torch.stack(means).mean(0), dim=0)
                proto[row] = F.normalize(0.9 * proto[row] + 0.1 * mean, dim=0)
            else:
                proto[row] = F.normalize(proto[row], dim=0)


class Nano(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = Hiera()
        for p in self.enc.parameters():
            p.requires_grad_(False)
        self.adapters = nn.ModuleList(Adapter(b.norm1.normalized_shape[0]) for b in self.enc.blocks)
        self.split = nn.ParameterDict({t: nn.Parameter(torch.zeros(len(self.enc.blocks))) for t in TASKS})
        self.rfb = nn.ModuleList(ReceptiveField(EMBED * 2**i, o) for i, o in enumerate(RFB))
        self.d3, self.d2, self.d1 = Decoder(RFB[2], RFB[3], WIDTH), Decoder(RFB[1], WIDTH, WIDTH), Decoder(RFB[0], WIDTH, WIDTH)

    def forward(self, image, t):
        g = gate(self.split[t], TEMPERATURE)
        stages = self.enc(image, lambda i, x: self.adapters[i](x, t, g[i]))
        c1, c2, c3, c4 = (level(x) for level, x in zip(self.rfb, stages))
        l3, y3 = self.d3(c3, c4, t)
        l2, y2 = self.d2(c2, y3, t)
        l1, _ = self.d1(c1, y2, t)
        return l1, l2, l3

    def remember(self, truth, t):
        for d in (self.d3, self.d2, self.d1):
            d.remember(truth, t)


class Plain(nn.Module):
    def __init__(self, low, high, c):
        super().__init__()
        self.first, self.second, self.head = unit(low + high, c, 3, 1), unit(c, c, 3, 1), nn.Conv2d(c, 1, 1)

    def forward(self, low, high):
        y = self.second(self.first(torch.cat([up(high, low.shape[-2:]), low], 1)))
        return self.head(y), y


class NanoPretrain(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = Hiera()
        dims = [EMBED * 2**i for i in range(4)]
        self.p3, self.p2, self.p1 = Plain(dims[2], dims[3], WIDTH), Plain(dims[1], WIDTH, WIDTH), Plain(dims[0], WIDTH, WIDTH)

    def forward(self, image, _task=None):
        c1, c2, c3, c4 = self.enc(image)
        l3, y3 = self.p3(c3, c4)
        l2, y2 = self.p2(c2, y3)
        l1, _ = self.p1(c1, y2)
        return l1, l2, l3

    def remember(self, truth, t):
        pass


def structure(logits, truth):
    """Half Dice, half cross-entropy weighted by 1 + 2 |mean - m|, per sample."""
    z = up(logits, truth.shape[-2:])
    w = 1 + 2 * (F.avg_pool2d(truth, 31, stride=1, padding=15) - truth).abs()
    bce = F.binary_cross_entropy_with_logits(z, truth, reduction="none")
    wbce = (w * bce).sum((1, 2, 3)) / (w.sum((1, 2, 3)) + 1e-8)
    p = z.sigmoid()
    dice = (2 * (p * truth).sum((1, 2, 3)) + 1e-5) / (p.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1e-5)
    return 0.5 * (1 - dice) + 0.5 * wbce


def losses(outputs, truth):
    return sum(structure(o, truth) for o in outputs)


# ------------------------------------------------------------------ names

def paths(model):
    """{path of the spec: (name of the module's tensor, slice of its first axis)}"""
    out = {}
    for name, p in list(model.named_parameters()) + list(model.named_buffers()):
        out.update({spec: (name, part) for spec, part in spec_names(name, p)})
    return out


def spec_names(name, p):
    n = name
    n = n.replace("mlp.0.", "mlp.layers.0.").replace("mlp.2.", "mlp.layers.1.")
    n = n.replace("generate.0.", "generate.layers.0.").replace("generate.2.", "generate.layers.1.")
    n = n.replace("scale.0.", "scale.spread.").replace("scale.1.", "scale.norm.").replace("scale.3.", "scale.mix.")
    if n.startswith("adapters."):
        n = "tca." + n[len("adapters."):]
        n = n.replace("shared.0.", "shared.down.").replace("shared.2.", "shared.up.")
        for t in TASKS:
            n = n.replace(f"specific.{t}.0.", f"specific.{t}.down.").replace(f"specific.{t}.2.", f"specific.{t}.up.")
            n = n.replace(f".factor.{t}", f".scale.{t}.factor")
    for t in TASKS:
        n = n.replace(f"split.{t}", f"split.{t}.logits").replace(f".rows.{t}.", f".head.conv.{t}.").replace(f".proto_{t}", f".proto.{t}")
    parts = n.split(".")
    if parts[0] == "rfb":
        parts.insert(1, "level")
        if parts[3] in ("branch1", "branch2", "branch3"):
            parts.insert(4, "units")
    n = ".".join(parts)
    for container in ("branch0", "join", "shortcut", "from_high", "from_low", "first", "second", *(f"units.{i}" for i in range(4))):
        n = n.replace(f".{container}.0.", f".{container}.conv.").replace(f".{container}.1.", f".{container}.group_norm.")
    if parts[0] in ("d1", "d2", "d3"):
        for own in ("spread", "norm"):
            if parts[1] == own:
                n = n.replace(f"{parts[0]}.{own}.", f"{parts[0]}.head.{own}.")
        n = n.replace("out_proj", "out")
        if "in_proj" in n:
            kind, c = ("weight" if "weight" in n else "bias"), p.shape[0] // 3
            base = n.split(".in_proj")[0]
            return [(f"{base}.{x}.{kind}", slice(i * c, (i + 1) * c)) for i, x in enumerate("qkv")]
    if p.ndim == 4 and p.shape[-1] == 1 and n.startswith("tca."):
        return [(n, "matrix")]
    return [(n, None)]


def select(p, part):
    return p if part is None else p[:, :, 0, 0] if part == "matrix" else p[part]


def fill(model):
    tensors = dict(list(model.named_parameters()) + list(model.named_buffers()))
    with torch.no_grad():
        for path, (name, part) in paths(model).items():
            target = select(tensors[name], part)
            target.copy_(torch.as_tensor(value(path, tuple(target.shape))))
    return model


def gradients(model):
    tensors, out = dict(model.named_parameters()), {}
    for path, (name, part) in sorted(paths(model).items()):
        p = tensors.get(name)
        if p is not None and p.grad is not None:
            out[path] = sketch(select(p.grad, part))
    return out


def prototypes(model, tasks):
    return {path: sketch(dict(model.named_buffers())[name]) for path, (name, _) in sorted(paths(model).items()) if ".proto." in path and path.split(".")[-1] in tasks}


# ------------------------------------------------------------------ the goldens

def forward_golden(model, t, batch=2):
    x, truth = images("a", batch, SIZE), discs(batch, SIZE)
    outputs = model(x, t)
    each = losses(outputs, truth)
    single = fill(type(model)()).to(torch.float32)
    logits = up(outputs[0], (SIZE, SIZE))
    with torch.no_grad():
        rounded = up(single(x.float(), t)[0], (SIZE, SIZE))
    model.zero_grad(set_to_none=True)
    each.mean().backward()
    flat = logits.detach().reshape(-1)
    stride = 37
    golden = {
        "task": t, "batch": batch, "loss": [number(v) for v in each],
        "logits": {"shape": list(logits.shape), "stride": stride, "scale": number(flat.abs().max()), "values": [number(v) for v in flat[::stride]]},
        "float32LogitsDistance": number((rounded.double().reshape(-1) - flat).abs().max()),
        "gradients": gradients(model),
    }
    model.remember(truth, t)
    if isinstance(model, Nano):
        golden["prototypes"] = prototypes(model, [t])
    return golden


def steps_golden(model, tasks, lr=1e-3, count=10):
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    seen = []
    for step in range(count):
        t = tasks[step % len(tasks)]
        x, truth = images(f"step{step % len(tasks)}", 2, SIZE), discs(2, SIZE)
        loss = losses(model(x, t), truth).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        model.remember(truth, t)
        seen.append(number(loss))
    golden = {"tasks": tasks, "lr": lr, "batch": 2, "losses": seen}
    return dict(golden, prototypes=prototypes(model, tasks)) if isinstance(model, Nano) else golden


def mixed_golden(model, tasks):
    """One batch over several tasks: the gradient of its mean loss."""
    x, truth = images("mixed", len(tasks), SIZE), discs(len(tasks), SIZE)
    each = torch.cat([losses(model(x[i:i + 1], t), truth[i:i + 1]) for i, t in enumerate(tasks)])
    model.zero_grad(set_to_none=True)
    each.mean().backward()
    golden = {"tasks": tasks, "loss": [number(v) for v in each], "gradients": gradients(model)}
    for t in sorted(set(tasks)):   # one update a task, pooled over its images
        own = [i for i, other in enumerate(tasks) if other == t]
        with torch.no_grad():
            model(x[own], t)
        model.remember(truth[own], t)
    return dict(golden, prototypes=prototypes(model, tasks))


def main():
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    made = {"madeBy": "test/oracle/nano.py, PyTorch float64", "size": SIZE, "temperature": TEMPERATURE}
    nano = fill(Nano())
    golden = dict(made, parameters=sum(p.numel() for p in nano.parameters()), paths=sorted(paths(nano)))
    golden["one"] = forward_golden(nano, "SL")
    golden["mixed"] = mixed_golden(fill(Nano()), ["SL", "BT", "SL"])
    golden["steps"] = steps_golden(fill(Nano()), ["SL", "BT"])
    write("nano.json", golden)
    plain = fill(NanoPretrain())
    golden = dict(made, parameters=sum(p.numel() for p in plain.parameters()), paths=sorted(paths(plain)))
    golden["one"] = forward_golden(plain, None)
    golden["steps"] = steps_golden(fill(NanoPretrain()), ["first", "second"])
    write("nano-pretrain.json", golden)


if __name__ == "__main__":
    sys.exit(main())
