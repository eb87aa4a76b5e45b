"""Reads the events of runs with Python's `tensorboard` package and compares them with the runs' metrics.jsonl.

  pip install tensorboard
  python test/oracle/events.py RUN [EVENTS]...     RUN: a run directory; EVENTS: the folder of its events, where it is another

(Not named tensorboard.py: it would stand before the package.) Every scalar of every line must be there once, at its step, to float32; and every validation must have its pictures, unless the events were made from the log
afterwards (--no-pictures). Ends with 1 where anything differs.
"""
import argparse
import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader


def float32(value):
    return struct.unpack('f', struct.pack('f', value))[0]


def wanted(lines):
    """(tag, step) -> value, as the log has them."""
    out = {}
    for line in lines:
        step = line['step']
        if line['kind'] == 'step':
            out['loss/step', step], out['lr', step] = line['loss'], line['lr']
            if 'gradNorm' in line:
                out['gradient/norm', step] = line['gradNorm']
            continue
        out['loss/training', step], out['loss/validation', step], out['epoch', step] = line['trainLoss'], line['loss'], line['epoch']
        out['dice/average', step], out['miou/average', step] = line['dice'], line['miou']
        for task, score in line['perTask'].items():
            out[f'dice/{task}', step], out[f'miou/{task}', step] = score['dice'], score['miou']
        for name, value in line['schedules'].items():
            if name != 'lr':
                out[f'schedule/{name}', step] = value
    return out


def check(run, folder, pictures):
    faults = []
    lines = [json.loads(line) for line in (run / 'metrics.jsonl').read_text().splitlines()]
    files = sorted(folder.glob('*tfevents*'))
    if len(files) != 1:
        return [f'{len(files)} event files, not 1']
    # the plain reader sees what is in the file; the accumulator what TensorBoard would show
    steps = [event.step for event in LegacyEventFileLoader(str(files[0])).Load() if event.HasField('summary')]
    if steps != [line['step'] for line in lines]:
        faults.append(f'{len(steps)} events for {len(lines)} lines, or in another order')
    shown = EventAccumulator(str(folder), size_guidance={'scalars': 0, 'images': 0, 'tensors': 0})
    shown.Reload()
    found = {}
    for tag in shown.Tags()['scalars']:
        for point in shown.Scalars(tag):
            if (tag, point.step) in found:
                faults.append(f'{tag} has step {point.step} twice')
            found[tag, point.step] = point.value
    asked = wanted(lines)
    for key, value in asked.items():
        if key not in found:
            faults.append(f'{key[0]} has no step {key[1]}')
        elif found[key] != float32(value):
            faults.append(f'{key[0]} at step {key[1]} is {found[key]}, not {value}')
    gates = {tag for tag, _ in found if tag.startswith('gate ')}
    faults += [f'{tag} is of no line' for tag in {tag for tag, _ in found} - {tag for tag, _ in asked} - gates]
    validations = [line['step'] for line in lines if line['kind'] == 'validation']
    tags = shown.Tags()['images']
    for tag in tags:
        at = [image.step for image in shown.Images(tag)]
        if pictures and at != validations:
            faults.append(f'{tag} is of the steps {at}, not {validations}')
        for image in shown.Images(tag):
            if image.encoded_image_string[:2] != b'\xff\xd8' or image.width != 3 * image.height and image.width % 3 != 0:
                faults.append(f'{tag} at step {image.step} is no strip of three pictures')
    if pictures and validations and not tags:
        faults.append('there is no picture')
    print(f'{run}: {len(asked)} scalars of {len({tag for tag, _ in asked})} tags, {len(gates)} of gates, {len(tags)} pictures at {len(validations)} validations: {"fine" if not faults else "; ".join(faults[:10])}')
    return faults


parser = argparse.ArgumentParser()
parser.add_argument('run', type=Path)
parser.add_argument('events', type=Path, nargs='?')
parser.add_argument('--no-pictures', action='store_true')
args = parser.parse_args()
sys.exit(1 if check(args.run, args.events or args.run, not args.no_pictures) else 0)
