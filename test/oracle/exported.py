"""Exported files in Python: `onnx.checker` (full), ONNX Runtime, and ONNX's own reference evaluator, on the same random input.

    python test/oracle/exported.py FILE.onnx...

Files with preprocessing get a picture of 90 x 70. Prints the largest difference of each output to ONNX Runtime's, over the output's scale;
exits with 1 where it is more than 1e-3 (int8: 5e-2, a last bit may move a rounding).
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

np.seterr(all='ignore')
bad = 0
print(f'onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}')
for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    meta = {p.key: p.value for p in model.metadata_props}
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    random = np.random.default_rng(0)
    feeds = {}
    for i in session.get_inputs():
        if i.type == 'tensor(uint8)':
            feeds[i.name] = random.integers(0, 256, (1, 90, 70, 3), np.uint8)
        elif i.type == 'tensor(int64)':
            feeds[i.name] = np.array(1, np.int64)
        else:
            feeds[i.name] = random.normal(0, 1, (1, *i.shape[1:])).astype(np.float32)
    names = [o.name for o in session.get_outputs()]
    ort = session.run(names, feeds)
    reference = ReferenceEvaluator(model).run(names, feeds)
    off = {n: float(np.abs(a.astype(np.float64) - b).max() / max(1e-9, np.abs(a).max())) if n != 'mask' else float((a != b).mean()) for n, a, b in zip(names, ort, reference)}
    print(f'{path}: opset {model.opset_import[0].version}, checker passes; reference evaluator against ONNX Runtime: ' + ', '.join(f'{n} {v:.1e}' for n, v in off.items()))
    bad += max(off.values()) > (5e-2 if meta['tpsc.frozen'] == 'int8' else 1e-3)
sys.exit(1 if bad else 0)
