"""Trains a network with nothing but ONNX Runtime and numpy, from the files of `tpsc compile --target onnx-train`.

    tpsc compile models/tpseg-nano.tps --target onnx-train --weights random --out steps
    python examples/train_onnxruntime.py steps --steps 20 --save trained.safetensors
    tpsc compile models/tpseg-nano.tps --target onnx --weights trained.safetensors --out net.onnx

Batches come from --batches FOLDER: NAME.image.npy f32[B, 3, H, W] (preprocessed), NAME.truth.npy f32[B, 1, H, W] and, where the network reads tasks,
NAME.tasks.npy i64[B], in the order of their names. Without a folder they are bright discs on noise, drawn here.

What a step is, as `tpsc train` has it: grad.onnx gives losses and gradients, once for each task in the batch with that task's own tensors; the
gradient's global norm is clipped; apply.onnx updates the tensors that tasks share, apply_task.onnx each task's own, which count their own steps.
States (prototypes, running statistics) come out of grad.onnx and are put back.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import onnxruntime


def load_tensors(path):
    """A .safetensors file as {name: float32 array}."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], 'little')
    header = json.loads(data[8:8 + length])
    rows = {name: row for name, row in header.items() if name != '__metadata__'}
    assert all(row['dtype'] == 'F32' for row in rows.values()), 'tensors of another type than F32'
    return {name: np.frombuffer(data, np.float32, math.prod(row['shape']), 8 + length + row['data_offsets'][0]).reshape(row['shape']).copy() for name, row in rows.items()}


def save_tensors(path, tensors):
    header, at = {}, 0
    for name, value in tensors.items():
        header[name] = {'dtype': 'F32', 'shape': list(value.shape), 'data_offsets': [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    Path(path).write_bytes(len(text).to_bytes(8, 'little') + text + b''.join(np.ascontiguousarray(v, np.float32).tobytes() for v in tensors.values()))


def schedule_value(schedule, epoch, step, epochs, steps_per_epoch):
    """Of a learning rate or another scheduled number; `epoch` and `step` count from 0."""
    by_epoch = schedule['over'] == 'epochs'
    unit = epoch if by_epoch else step
    length = schedule.get('horizon') or (epochs if by_epoch else epochs * steps_per_epoch)
    x = min(1.0, unit / (length - 1) if length > 1 else unit)
    first, last = schedule['from'], schedule['to']
    value = {
        'constant': lambda: first,
        'linear': lambda: first + (last - first) * x,
        'cosine': lambda: last + (first - last) * (1 + math.cos(math.pi * x)) / 2,
    }[schedule['kind']]()  # a plateau needs validations, which this example has none of
    warmup = schedule.get('warmup') or 0
    return value * ((unit + 1) / (warmup + 1) if unit < warmup else 1)


class Trainer:
    def __init__(self, folder, tensors, threads):
        self.manifest = json.loads((folder / 'manifest.json').read_text())
        assert self.manifest['format'] == 2, 'steps of another version of tpsc'
        assert not self.manifest['afterImprovement'], 'tensors that wait for an improvement need validations'
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        functions = {name: f for name, f in self.manifest['functions'].items() if name not in ('infer', 'eval')}
        self.sessions = {name: onnxruntime.InferenceSession(str(folder / f['file']), options, providers=['CPUExecutionProvider']) for name, f in functions.items()}
        self.inputs = {name: [i['name'] for i in f['inputs']] for name, f in functions.items()}
        # An output that an input has the name of is called otherwise in the file: `value`.
        self.outputs = {name: {o['value']: o['name'] for o in f['outputs']} for name, f in functions.items()}
        self.infos = {t['path']: t for t in self.manifest['tensors']}
        self.codes = [t['code'] for t in self.manifest['tasks']]
        self.image = next(i['name'] for i in functions['grad']['inputs'] if len(i['shape']) == 4 and i['name'] != 'truth' and i['name'] not in self.infos)
        assert not any(name.startswith('drop:') for name in self.inputs['grad']), 'dropout masks are the caller\'s: draw them here'
        self.tensors, self.moments, self.updates = tensors, {}, {}

    def stored(self, path, task):
        return path.replace('{task}', self.codes[task]) if self.infos[path]['perTask'] else path

    def run(self, function, feeds):
        values = self.sessions[function].run(list(self.outputs[function]), {name: np.asarray(feeds[name]) for name in self.inputs[function]})
        return dict(zip(self.outputs[function].values(), values))

    def gradients(self, batch, rows, task, scalars):
        feeds = {self.image: batch['image'][rows], 'truth': batch['truth'][rows], 'weights': np.full(len(rows), 1 / len(batch['image']), np.float32), 't': np.int64(task or 0)}
        for name in self.inputs['grad']:
            if name in self.infos:
                feeds[name] = self.tensors[self.stored(name, task)]
            elif name.startswith('every_task:'):
                feeds[name] = np.stack([self.tensors[name[len('every_task:'):].replace('{task}', code)] for code in self.codes])
            elif name.startswith('schedule:'):
                feeds[name] = np.float32(scalars[name[len('schedule:'):]])
        return self.run('grad', feeds)

    def apply(self, function, task, gradients, rate, clip):
        paths = [name for name in self.outputs[function].values() if name in self.infos]
        step = self.updates.get((function, task), 0) + 1
        feeds = {'lr': np.float32(rate), 'step': np.float32(step), 'clip': np.float32(clip)}
        for path in paths:
            place, gradient = self.stored(path, task), gradients[path]
            feeds[path], feeds[f'grad:{path}'] = self.tensors[place], gradient
            for kind in ('m', 'v'):
                feeds[f'{kind}:{path}'] = self.moments.get((kind, place), np.zeros_like(gradient))
        results = self.run(function, feeds)
        for path in paths:
            place = self.stored(path, task)
            self.tensors[place] = results[path]
            for kind in ('m', 'v'):
                if f'{kind}:{path}' in results:
                    self.moments[kind, place] = results[f'{kind}:{path}']
        self.updates[function, task] = step

    def step(self, batch, scalars):
        """Changes the tensors; gives the mean loss of the batch before the change."""
        size = len(batch['image'])
        tasks = [None] if 'tasks' not in batch else sorted(set(batch['tasks'].tolist()))
        losses, shared, own, states = np.zeros(size), {}, {}, {}
        for task in tasks:
            rows = np.arange(size) if task is None else np.flatnonzero(batch['tasks'] == task)
            results = self.gradients(batch, rows, task, scalars)
            losses[rows] = results['loss']
            for name, value in results.items():
                kind, _, path = name.partition(':')
                if kind == 'grad':
                    into = own.setdefault(task, {}) if self.infos[path]['perTask'] else shared
                    into[path] = into[path] + value if path in into else value
                elif kind == 'state':
                    states.setdefault(self.stored(path, task), []).append((len(rows) / size, value))
        norm = math.sqrt(sum(float(np.sum(np.square(g, dtype=np.float64))) for group in (shared, *own.values()) for g in group.values()))
        limit = self.manifest['clip']
        clip = 1.0 if limit is None or norm <= limit else limit / norm
        if 'apply' in self.sessions:
            self.apply('apply', None, shared, scalars['lr'], clip)
        for task, gradients in own.items():
            self.apply('apply_task', task, gradients, scalars['lr'], clip)
        for place, parts in states.items():
            self.tensors[place] = parts[0][1] if len(parts) == 1 else sum(part * value for part, value in parts).astype(np.float32)
        return losses.mean()


def folder_batches(folder):
    for image in sorted(folder.glob('*.image.npy')):
        stem = image.name[:-len('.image.npy')]
        parts = {'image': image, 'truth': folder / f'{stem}.truth.npy', 'tasks': folder / f'{stem}.tasks.npy'}
        yield {name: np.load(path) for name, path in parts.items() if path.exists()}


def drawn_batches(manifest, image):
    """Discs on noise, for ever."""
    shape = next(i['shape'] for i in manifest['functions']['grad']['inputs'] if i['name'] == image)
    size, side = manifest['batch'], shape[2]
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:shape[3]]
    while True:
        centre, radius = random.uniform(0.3, 0.7, (size, 2)) * side, random.uniform(0.1, 0.3, size) * side
        truth = np.stack([[(y - cy) ** 2 + (x - cx) ** 2 < r * r] for (cy, cx), r in zip(centre, radius)]).astype(np.float32)
        batch = {'image': (random.normal(0, 0.5, (size, 3, side, shape[3])) + truth).astype(np.float32), 'truth': truth}
        if manifest['tasks']:
            batch['tasks'] = np.full(size, random.integers(len(manifest['tasks'])), np.int64)
        yield batch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('steps_folder', type=Path, metavar='STEPS')
    parser.add_argument('--weights', help='a .safetensors file; default: the tensors that STEPS holds')
    parser.add_argument('--batches', type=Path)
    parser.add_argument('--steps', type=int, default=20)
    parser.add_argument('--steps-per-epoch', type=int, help='for schedules; default: --steps, one epoch')
    parser.add_argument('--epochs', type=int, help='for schedules; default: the spec\'s')
    parser.add_argument('--threads', type=int, default=0, help='0: one a core')
    parser.add_argument('--save')
    args = parser.parse_args()
    weights = args.weights or args.steps_folder / 'tensors.safetensors'
    if not Path(weights).exists():
        parser.error(f'there is no {weights}: write STEPS with `tpsc compile --target onnx-train --weights …`, or give --weights')
    trainer = Trainer(args.steps_folder, load_tensors(weights), args.threads)
    manifest = trainer.manifest
    per_epoch, epochs = args.steps_per_epoch or args.steps, args.epochs or manifest['epochs']
    batches = drawn_batches(manifest, trainer.image) if args.batches is None else folder_batches(args.batches)
    schedules = [*manifest['schedules'], {**manifest['optimizer']['lr'], 'name': 'lr'}]
    for step, batch in zip(range(args.steps), batches):
        scalars = {s['name']: schedule_value(s, step // per_epoch, step, epochs, per_epoch) for s in schedules}
        print(json.dumps({'step': step + 1, 'loss': trainer.step(batch, scalars), 'lr': scalars['lr']}), flush=True)
    if args.save:
        save_tensors(args.save, trainer.tensors)


if __name__ == '__main__':
    main()
