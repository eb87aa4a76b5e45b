"""Two ONNX files of one network in one ONNX Runtime, by turns: ours and that of torch.onnx.

    python bench/peer/files.py OURS.onnx PEER.onnx WEIGHTS.safetensors [--steps 3] [--threads 2]

WEIGHTS holds the image (what `bench/step.ts --save` wrote). The first run of each is not timed. Prints one line of JSON: seconds of each run, on the clock and
of all processors, and the largest difference of the logits over the largest value of the peer's.
"""
import argparse
import json
import time

import numpy as np
import onnxruntime

from run import read


def main():
    options = argparse.ArgumentParser()
    for name in ("ours", "peer", "weights"):
        options.add_argument(name)
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    o = options.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = o.threads
    sides = {name: onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"]) for name, path in (("ours", o.ours), ("peer", o.peer))}
    image = read(o.weights)["image"].numpy()
    said, logits = {name: {"steps": [], "processor": []} for name in sides}, {}
    for i in range(o.steps + 1):
        for name, session in sides.items():
            began, before = time.perf_counter(), time.process_time()
            (logits[name],) = session.run(["logits"], {session.get_inputs()[0].name: image})
            if i > 0:
                said[name]["steps"].append(time.perf_counter() - began)
                said[name]["processor"].append(time.process_time() - before)
    apart = float(np.abs(logits["ours"] - logits["peer"]).max() / np.abs(logits["peer"]).max())
    print(json.dumps(said | {"apart": apart, "onnxruntime": onnxruntime.__version__}))


if __name__ == "__main__":
    main()
