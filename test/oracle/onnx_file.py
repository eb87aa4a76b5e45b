"""An exported file against `onnx.checker` and Python's ONNX Runtime, and against the masks that `tpsc predict` wrote.

    python test/oracle/onnx_file.py MODEL.onnx TASK PREDICTIONS IMAGE...

Needs onnx, onnxruntime, numpy, pillow. The images must have the model's size, so that no resize stands between the two;
PREDICTIONS is the folder that `tpsc predict RUN --task TASK --input IMAGE... --out PREDICTIONS` wrote. Batches of 1 and 3 are run.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

model_path, task, predictions, *images = sys.argv[1:]
# By its path: the checker then looks at the external data too, and no file is too large for it.
onnx.checker.check_model(model_path, full_check=True)
model = onnx.load(model_path, load_external_data=False)
print(f'onnx {onnx.__version__}: checker (full) passes; opset {model.opset_import[0].version}, {len(model.graph.node)} nodes, '
      f'{sum(int(np.prod(t.dims)) for t in model.graph.initializer)} elements in initialisers, '
      f'{sum(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer)} tensors in external data')

meta = {p.key: p.value for p in model.metadata_props}
tasks = json.loads(meta['tpsc.tasks'])
normalise = next(step for step in json.loads(meta['tpsc.preprocessing']) if step['kind'] == 'normalize')
mean, std = (np.array(normalise[k], np.float32).reshape(3, 1, 1) for k in ('mean', 'std'))
threshold = float(meta['tpsc.threshold'])
session = onnxruntime.InferenceSession(model_path, providers=['CPUExecutionProvider'])
image_name = next(i.name for i in session.get_inputs() if len(i.shape) == 4)
side = session.get_inputs()[[i.name for i in session.get_inputs()].index(image_name)].shape[2:]


def load(path):
    picture = Image.open(path).convert('RGB')
    assert [picture.height, picture.width] == list(side), f'{path} is {picture.size}, the model takes {side}'
    return (np.asarray(picture, np.float32).transpose(2, 0, 1) / 255 - mean) / std


batch = np.stack([load(p) for p in images]).astype(np.float32)
feeds = {'t': np.array(tasks.index(task), np.int64)} if any(i.name == 't' for i in session.get_inputs()) else {}
run = lambda x: session.run(['logits'], {image_name: x, **feeds})[0]
singly = np.concatenate([run(batch[i:i + 1]) for i in range(len(batch))])
threes = np.concatenate([run(batch[i:i + 3]) for i in range(0, len(batch), 3)])
print(f'onnxruntime {onnxruntime.__version__}: batch 1 against 3: largest logit difference {np.abs(singly - threes).max():.3g} at scale {np.abs(singly).max():.3g}')
wrong = 0
for path, logits in zip(images, threes):
    ours = np.asarray(Image.open(Path(predictions) / f'{Path(path).stem}_mask.png').convert('L')) > 127
    theirs = 1 / (1 + np.exp(-logits[0])) >= threshold
    wrong += int((ours != theirs).sum())
print(f'{len(images)} masks: {wrong} of {len(images) * side[0] * side[1]} pixels differ from `tpsc predict`')
sys.exit(1 if wrong > 0 else 0)
