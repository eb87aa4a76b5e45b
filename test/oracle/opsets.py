"""The files of opsets.ts against `onnx.checker` (full), Python's ONNX Runtime and ONNX's reference evaluator.

    python test/oracle/opsets.py FOLDER

Prints, for each opset, how many graphs pass and the largest difference to the values that our float64 evaluator gave, relative to each
output's scale; exits with 1 where a graph fails or is further off than 1e-5.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

folder = Path(sys.argv[1])
rows = json.loads((folder / 'cases.json').read_text())
DTYPE = {'f32': np.float32, 'i64': np.int64, 'bool': np.bool_}
LIMIT = 1e-5
array = lambda v: np.array(v['data'], DTYPE[v['dtype']]).reshape(v['shape'])
np.seterr(all='ignore')
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.log_severity_level = 3
bad = 0
# Faults of the reference evaluator of onnx 1.23 itself; ONNX Runtime computes these rightly. All but the second are of training alone.
KNOWN = {
    'gradient of conv2d(f32[2, 4, 5, 6], f32[6, 2, 3, 2]; groups: 2': 'ConvTranspose with groups and strides',
    'conv_transpose2d(f32[2, 4, 3, 4], f32[4, 3, 3, 3]; groups: 2': 'ConvTranspose with groups and strides',
    'gradient of max_pool(f32[2, 2, 5, 7]; kernel: [2,3])': 'MaxUnpool where cells are left over',
    'gradient of max_pool(f32[2, 1, 7, 7]; kernel: [2,2]; stride: [3,3])': 'MaxUnpool where cells are left over',
    'gradient of max_pool(f32[2, 1, 5, 5]; kernel: [3,3]; stride: [1,1]; padding: [1,1])': 'indexes of MaxPool with padding',
    'gradient of max_pool(f32[1, 1, 4, 4]; kernel: [3,3]; stride: [1,1]; padding: [1,1])': 'indexes of MaxPool with padding',
}
known = {}


def apart(found, expected):
    worst = 0.0
    for name, value in expected.items():
        want = np.array(value['data']).reshape(value['shape'])
        have = np.asarray(found[name], np.float64)
        if have.shape != want.shape:
            return float('inf')
        if want.size:
            worst = max(worst, float(np.abs(have - want).max() / max(np.abs(want).max(), 1e-2)))
    return worst


def attempt(what, row, run):
    global bad
    try:
        off = run()
        if not off < LIMIT:
            raise ValueError(f'off by {off}')
        return off
    except NotImplementedError:
        return None
    except Exception as e:  # whatever a runtime throws is the finding
        reason = next((why for start, why in KNOWN.items() if row['name'].replace('[B, ', '[2, ').startswith(start)), None)
        if what.endswith('reference') and reason is not None:
            known[reason] = known.get(reason, 0) + 1
            return None
        bad += 1
        print(f'{what}: {row["name"]}: {type(e).__name__}: {str(e)[:300]}')
        return None


print(f'onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, {len(rows)} graphs')
for opset in rows[0]['files']:
    results = {'checker': [], 'onnxruntime': [], 'reference': []}
    for row in rows:
        path = folder / row['files'][opset]
        model = onnx.load(path)
        assert model.opset_import[0].version == int(opset)
        feeds = {name: array(v) for name, v in row['feeds'].items()}
        names = list(row['expected'])

        def check():
            onnx.checker.check_model(model, full_check=True)
            return 0.0

        def ort():
            session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
            return apart(dict(zip(names, session.run(names, feeds))), row['expected'])

        def reference():
            return apart(dict(zip(names, ReferenceEvaluator(model).run(names, feeds))), row['expected'])

        for what, run in [('checker', check), ('onnxruntime', ort), ('reference', reference)]:
            results[what].append(attempt(f'opset {opset}, {what}', row, run))
    print(f'opset {opset}: ' + ', '.join(
        f'{what} {sum(o is not None for o in offs)}' + ('' if what == 'checker' else f' (largest difference {max((o for o in offs if o is not None), default=float("nan")):.2g})')
        for what, offs in results.items()))
for reason, count in known.items():
    print(f'known fault of the reference evaluator: {reason}, {count} graphs')
print('no failures' if bad == 0 else f'{bad} failures')
sys.exit(1 if bad else 0)
