"""Makes test/oracle/golden/statistics.json: SciPy's tests and intervals of recorded scores and of small made-up cases.

golden/statistics-counts.csv holds confusion counts per validation image of six runs of an ablation of models/tpseg-nano.tps (rows A4, A1, A2, B2; real
lesions, 128 px), as `tpsc eval` wrote them; images are numbered within their task.

Resamples. SciPy draws its own. For exact agreement this script draws those of runtime/random.ts (xoshiro128** from SHA-256 of "seed/bootstrap", `int` as
floor(53 bits * n)) and hands their distribution to scipy.stats.bootstrap as `bootstrap_result` with n_resamples=0: the interval is SciPy's, the resamples
are ours. Beside it stands SciPy's interval on a million resamples of its own,
which ours must approach.

Run from the repository's root:  python3 test/oracle/statistics.py   (needs numpy and scipy)
"""
import csv
import hashlib
import json
import math
import os

import numpy as np
import scipy
from scipy import stats

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
RESAMPLES, SEED, OWN = 9999, 0, 1_000_000
MASK = 0xFFFFFFFF


def stream(seed, key):
    words = np.frombuffer(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:16], "<u4").tolist()
    a, b, c, d = words[0], words[1], words[2], words[3] | 1
    rotl = lambda x, k: ((x << k) | (x >> (32 - k))) & MASK

    def word():
        nonlocal a, b, c, d
        out = (rotl((b * 5) & MASK, 7) * 9) & MASK
        t = (b << 9) & MASK
        c ^= a; d ^= b; b ^= c; a ^= d; c ^= t; d = rotl(d, 11)
        return out

    return lambda n: int(((word() >> 5) * 67108864 + (word() >> 6)) / 9007199254740992 * n)


def mean_of_means(*groups, axis=-1):
    return sum(np.mean(g, axis=axis) for g in groups) / len(groups)


def intervals(groups):
    draw = stream(SEED, "bootstrap")
    drawn = []
    for _ in range(RESAMPLES):
        total = 0.0
        for g in groups:
            s = 0.0
            for _ in range(len(g)):
                s += g[draw(len(g))]
            total += s / len(g)
        drawn.append(total / len(groups))
    given = stats._resampling.BootstrapResult(None, np.array(drawn), None)
    data = tuple(np.array(g) for g in groups)
    out = {"first": drawn[:5]}
    for method in ("BCa", "percentile"):
        ci = stats.bootstrap(data, mean_of_means, n_resamples=0, bootstrap_result=given, method=method, vectorized=True).confidence_interval
        out[method] = list(ci)
    own = stats.bootstrap(data, mean_of_means, n_resamples=OWN, batch=10_000, method="BCa", vectorized=True, rng=np.random.default_rng(1))
    out["own"] = {"BCa": list(own.confidence_interval), "error": float(own.standard_error)}
    return out


def signed_rank(d):
    r = stats.wilcoxon(np.array(d, dtype=float))
    return {"statistic": float(r.statistic), "p": float(r.pvalue)}


def dice(tp, fp, fn):
    return (2 * tp + 1e-5) / (2 * tp + fp + fn + 1e-5)


def recorded():
    scores = {}
    with open(os.path.join(GOLDEN, "statistics-counts.csv")) as f:
        for r in csv.DictReader(f):
            scores.setdefault(r["row"], {}).setdefault((r["task"], r["image"]), []).append(dice(int(r["tp"]), int(r["fp"]), int(r["fn"])))
    return {row: {k: sum(v) / len(v) for k, v in images.items()} for row, images in scores.items()}


def wave(n, f=1.7, step=None):
    xs = [math.sin(1 + f * i) + 0.25 for i in range(n)]
    return xs if step is None else [round(x / step) * step for x in xs]


def main():
    scores = recorded()
    base = scores["A4"]
    rows = {}
    for row in ("A1", "A2", "B2"):
        tasks = {}
        for k in base:
            tasks.setdefault(k[0], []).append(scores[row][k] - base[k])
        groups = list(tasks.values())
        rows[row] = {"wilcoxon": signed_rank([x for g in groups for x in g]), "bootstrap": intervals(groups)}
        rows[row]["perTask"] = {t: {"wilcoxon": signed_rank(g), "bootstrap": intervals([g])} for t, g in list(tasks.items())[:3]}
    ps = [rows[r]["wilcoxon"]["p"] for r in rows]
    cases = {
        "exact, 1": wave(1), "exact, 5": wave(5), "exact, 13": wave(13), "exact, 50": wave(50),
        "normal, 51": wave(51), "normal, 400": wave(400, 2.39996),
        "all one sign, 20": [abs(x) + i / 1000 for i, x in enumerate(wave(20))], "far tail, 300": [0.01 * (i + 1) for i in range(300)],
        "ties, 9": wave(9, step=0.5), "ties and zeros, 12": wave(12, step=0.5), "ties and zeros, 13": wave(13, step=1.0),
        "ties, 14": wave(14, step=0.5), "ties and zeros, 60": wave(60, step=0.25), "zeros, 30": [0.0] * 10 + wave(20),
        "all zero, 5": [0.0] * 5, "one and zeros, 8": [0.0] * 7 + [1.0],
    }
    zs = [-8.5, -3, -1.96, -0.3, 0, 1e-9, 0.7, 1.999, 2, 2.001, 3.5, 6, 12, 30]
    qs = [1e-300, 1e-20, 1e-6, 0.001, 0.025, 0.3, 0.5, 0.6, 0.975, 1 - 1e-9]
    pvalues = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.9], [0.2], [1e-5, 0.049, 0.02, 0.02, 0.3, 1]]
    golden = {
        "made by": f"test/oracle/statistics.py, SciPy {scipy.__version__}", "options": {"resamples": RESAMPLES, "seed": SEED, "level": 0.95, "own": OWN},
        "tail": [[z, float(stats.norm.sf(z))] for z in zs], "quantile": [[q, float(stats.norm.ppf(q))] for q in qs],
        "wilcoxon": [{"name": n, "d": d, **signed_rank(d)} for n, d in cases.items()],
        "holm": [[p, holm(p)] for p in pvalues],
        "recorded": {"baseline": "A4", "rows": rows, "holm": holm(ps)},
    }
    with open(os.path.join(GOLDEN, "statistics.json"), "w") as f:
        json.dump(golden, f, indent=1, allow_nan=True)
        f.write("\n")


def holm(ps):
    """R's p.adjust: SciPy has no Holm."""
    order = np.argsort(ps, kind="stable")
    out = np.empty(len(ps))
    out[order] = np.minimum(1, np.maximum.accumulate([(len(ps) - k) * ps[i] for k, i in enumerate(order)]))
    return out.tolist()


main()
