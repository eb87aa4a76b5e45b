"""Makes test/oracle/golden/adam.json: five steps of PyTorch's optimisers in float64 on fixed numbers.

Run from the repository's root:  python3 test/oracle/adam.py
"""
import json
import math

import torch

SIZE, STEPS, LRS = 6, 5, [1e-2, 1e-2, 5e-3, 1e-3, 1e-4]
START = [math.sin(1 + 2.7 * i) for i in range(SIZE)]
GRADIENTS = [[math.cos(3 * t + 1.3 * i) * 10 ** (i - 3) for i in range(SIZE)] for t in range(STEPS)]
CASES = {
    "adam": (torch.optim.Adam, dict(betas=(0.9, 0.999), eps=1e-8)),
    "adam with L2": (torch.optim.Adam, dict(betas=(0.9, 0.99), eps=1e-6, weight_decay=0.1)),
    "adamw": (torch.optim.AdamW, dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.05)),
    "sgd": (torch.optim.SGD, dict()),
    "sgd with momentum and L2": (torch.optim.SGD, dict(momentum=0.9, weight_decay=0.1)),
}


def run(kind, options):
    p = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = kind([p], lr=1.0, **options)
    after = []
    for lr, gradient in zip(LRS, GRADIENTS):
        optimizer.param_groups[0]["lr"] = lr
        p.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        after.append(p.detach().tolist())
    return after


golden = {"torch": torch.__version__, "lrs": LRS, "start": START, "gradients": GRADIENTS, "after": {name: run(*case) for name, case in CASES.items()}}
with open("test/oracle/golden/adam.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
