"""TP-Seg as one would write it in PyTorch, around the trunk of the `sam2` package. Modules carry the names of the spec's paths, so that tensors are
carried over by name. Needs torch and sam2."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sam2.modeling.backbones.hieradet import Hiera

TASKS = ["WA", "BT", "ADC", "TN", "CP", "LI", "BL", "SL"]
NETWORKS = {
    "nano": dict(trunk=dict(embed_dim=32, num_heads=1, stages=(1, 2, 3, 1), global_att_blocks=(4,), window_spec=(8, 4, 8, 4)),
                 grid=7, hidden=16, rfb=(16, 24, 32, 48), widths=(32, 32, 32)),
    "tiny": dict(trunk=dict(embed_dim=96, num_heads=1, stages=(1, 2, 7, 2), global_att_blocks=(5, 7, 9), window_spec=(8, 4, 14, 7)),
                 grid=7, hidden=32, rfb=(32, 64, 96, 128), widths=(96, 64, 64)),
    "large": dict(trunk=dict(embed_dim=144, num_heads=2, stages=(2, 6, 36, 4), global_att_blocks=(23, 33, 43), window_spec=(8, 4, 16, 8)),
                  grid=7, hidden=64, rfb=(64, 128, 256, 512), widths=(256, 128, 128)),
}
TEMPERATURE = 1.0


class Factor(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))


class Bottleneck(nn.Module):
    def __init__(self, c, hidden):
        super().__init__()
        self.down, self.up = nn.Linear(c, hidden, bias=False), nn.Linear(hidden, c, bias=False)

    def forward(self, u):
        return self.up(F.gelu(self.down(u)))


class Adapter(nn.Module):
    def __init__(self, c, hidden):
        super().__init__()
        self.norm, self.shared = nn.GroupNorm(1, c), Bottleneck(c, hidden)
        self.specific = nn.ModuleDict({t: Bottleneck(c, hidden) for t in TASKS})
        self.scale = nn.ModuleDict({t: Factor() for t in TASKS})

    def forward(self, x, t, g):
        u = self.norm(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.scale[t].factor * ((1 - g) * self.shared(u) + g * self.specific[t](u))


class Unit(nn.Module):
    def __init__(self, i, o, act, **conv):
        super().__init__()
        self.conv, self.group_norm, self.act = nn.Conv2d(i, o, bias=False, **conv), nn.GroupNorm(1, o), act

    def forward(self, x):
        return self.act(self.group_norm(self.conv(x)))


class Cross(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        h = s // 2
        self.units = nn.Sequential(Unit(i, o, F.relu, kernel_size=1), Unit(o, o, F.relu, kernel_size=(1, s), padding=(0, h)),
                                   Unit(o, o, F.relu, kernel_size=(s, 1), padding=(h, 0)), Unit(o, o, F.relu, kernel_size=3, padding=s, dilation=s))

    def forward(self, x):
        return self.units(x)


class ReceptiveField(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.branch0 = Unit(i, o, F.relu, kernel_size=1)
        self.branch1, self.branch2, self.branch3 = Cross(i, o, 3), Cross(i, o, 5), Cross(i, o, 7)
        self.join, self.shortcut = Unit(4 * o, o, F.relu, kernel_size=3, padding=1), Unit(i, o, F.relu, kernel_size=1)

    def forward(self, x):
        return F.relu(self.join(torch.cat([self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)], 1)) + self.shortcut(x))


class Scale(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.spread, self.norm, self.mix = nn.Conv2d(c, c, 3, padding=1, groups=c // 4), nn.GroupNorm(4, c), nn.Conv2d(c, c, 1)

    def forward(self, f):
        return self.mix(F.gelu(self.norm(self.spread(f))))


class Attend(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(c, c) for _ in range(4))

    def forward(self, query, memory):
        heads = lambda x: x.unflatten(-1, (4, -1)).transpose(1, 2)
        y = F.scaled_dot_product_attention(heads(self.q(query)), heads(self.k(memory)), heads(self.v(memory)))
        return self.out(y.transpose(1, 2).flatten(2))


class Two(nn.Module):
    def __init__(self, i, hidden, o):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(i, hidden), nn.Linear(hidden, o)])

    def forward(self, x):
        return self.layers[1](F.gelu(self.layers[0](x)))


class Head(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.spread, self.norm = nn.Conv2d(c, c, 3, padding=1, groups=c), nn.GroupNorm(1, c)
        self.conv = nn.ModuleDict({t: nn.Conv2d(c, 1, 1) for t in TASKS})

    def forward(self, y, t):
        return self.conv[t](F.gelu(self.norm(self.spread(y))))


class Decoder(nn.Module):
    def __init__(self, low, high, c, experts=6, alpha=0.5, strength=5.0):
        super().__init__()
        self.c, self.experts, self.alpha, self.strength = c, experts, alpha, strength
        self.from_high, self.from_low = Unit(high, c, F.gelu, kernel_size=1), Unit(low, c // 2, F.gelu, kernel_size=1)
        self.join = Unit(c + c // 2, c, F.gelu, kernel_size=1)
        self.scale, self.attend, self.condition = Scale(c), Attend(c), nn.Linear(3 * c, c)
        self.generate, self.choose, self.head = Two(c, 2 * c, experts * c * 9), nn.Linear(c, experts), Head(c)
        self.mix, self.rho, self.sharpness = (nn.Parameter(torch.ones(())) for _ in range(3))
        self.proto = nn.Module()
        for t in TASKS:
            self.proto.register_buffer(t, torch.zeros(2, c))
        identity = torch.zeros(3, 3)
        identity[1, 1] = 1
        self.register_buffer("identity", identity, persistent=False)

    def forward(self, low, high, t):
        b, c, h, w = low.shape[0], self.c, *low.shape[-2:]
        f = self.join(torch.cat([self.from_high(up(high, (h, w))), self.from_low(low)], 1))
        s, proto = self.scale(f), getattr(self.proto, t)
        a = self.attend(proto.expand(b, 2, c), s.flatten(2).transpose(1, 2))
        z = self.condition(torch.cat([a[:, 0], a[:, 1], a[:, 0] - a[:, 1]], 1))
        shares = self.choose(z).softmax(1)[:, :, None]
        made = (shares * self.generate(z).view(b, self.experts, c * 9)).sum(1).view(b, c, 3, 3)
        kernels = self.mix * made + (1 - self.mix) * self.identity
        d = (F.cosine_similarity(s, proto[0].view(1, c, 1, 1)) - F.cosine_similarity(s, proto[1].view(1, c, 1, 1))).unsqueeze(1)
        guided = f * (1 + self.alpha * torch.sigmoid(d))
        y = F.conv2d(guided.reshape(1, b * c, h, w), kernels.reshape(b * c, 1, 3, 3), padding=1, groups=b * c).view(b, c, h, w)
        steep = torch.tanh(d / (d.abs().mean((1, 2, 3), keepdim=True) + 1e-6) / self.sharpness.clamp(min=1e-3))
        return self.head(y, t) + self.strength * self.rho * steep, y, s

    @torch.no_grad()
    def remember(self, s, truth, t):
        s, mask, proto = F.normalize(s, dim=1), up(truth, s.shape[-2:]), getattr(self.proto, t)
        for row, m in enumerate((mask, 1 - mask)):
            weight = m.sum((1, 2, 3))
            means = ((s * m).sum((2, 3)) / weight.clamp(min=1e-6)[:, None])[weight >= 0.05]
            if len(means):
                proto[row] = F.normalize(0.9 * proto[row] + 0.1 * F.normalize(means.mean(0), dim=0), dim=0)


class Levels(nn.Module):
    def __init__(self, dims, widths):
        super().__init__()
        self.level = nn.ModuleList(ReceptiveField(i, o) for i, o in zip(dims, widths))


class Logits(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n))


class TPSeg(nn.Module):
    def __init__(self, trunk, grid, hidden, rfb, widths):
        super().__init__()
        self.enc = Hiera(window_pos_embed_bkg_spatial_size=(grid, grid), **trunk)
        self.enc.requires_grad_(False)
        dims = [b.norm1.normalized_shape[0] for b in self.enc.blocks]
        outs = [trunk["embed_dim"] * 2**i for i in range(4)]
        self.tca = nn.ModuleList(Adapter(c, hidden) for c in dims)
        self.split = nn.ModuleDict({t: Logits(len(dims)) for t in TASKS})
        self.rfb = Levels(outs, rfb)
        c3, c2, c1 = widths
        self.d3, self.d2, self.d1 = Decoder(rfb[2], rfb[3], c3), Decoder(rfb[1], c3, c2), Decoder(rfb[0], c2, c1)

    def forward(self, image, t):
        s = F.softplus(self.split[t].logits).cumsum(0)
        g = torch.sigmoid((s - 0.5 * s[-1]) / TEMPERATURE)
        x = self.enc.patch_embed(image)
        x = x + self.enc._get_pos_embed(x.shape[1:3])
        stages = []
        for i, block in enumerate(self.enc.blocks):
            x = block(self.tca[i](x, t, g[i]))
            if i in self.enc.stage_ends:
                stages.append(x.permute(0, 3, 1, 2))
        f1, f2, f3, f4 = (level(x) for level, x in zip(self.rfb.level, stages))
        l3, y3, s3 = self.d3(f3, f4, t)
        l2, y2, s2 = self.d2(f2, y3, t)
        l1, _, s1 = self.d1(f1, y2, t)
        return (l1, l2, l3), (s1, s2, s3)

    def remember(self, features, truth, t):
        for decoder, s in zip((self.d1, self.d2, self.d3), features):
            decoder.remember(s.detach(), truth, t)


def up(x, size):
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)
