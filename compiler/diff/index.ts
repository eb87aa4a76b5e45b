// Two programs in, what differs between them out. Empty exactly where the programs have one hash: it compares what the hash is of.
import { elementsOf } from '../elements.js';
import { taskCodes, type Program } from '../program.js';
import { declarationsOf } from './declarations.js';
import type { Diff, Mode, OutputChange, Side } from './diff.js';
import { schedulesOf, settingsOf, tasksOf, trainingOf } from './fields.js';
import { both, modulesOf, shapesOf, Units } from './modules.js';
import { findMoves } from './moves.js';
import { diffGraphs, type ResultChange } from './nodes.js';
import { loadOf, tensorsOf } from './tensors.js';

export type * from './diff.js';

const sideOf = (p: Program): Side =>
  ({ model: p.name, file: p.file, variant: p.variant ?? null, label: p.variantLabel ?? null, hash: p.hash, tasks: taskCodes(p) });

function outputsOf(use: readonly ResultChange[], training: readonly ResultChange[], hasTraining: boolean): readonly OutputChange[] {
  const has = (list: readonly ResultChange[], o: ResultChange): boolean => list.some((x) => x.name === o.name && x.change === o.change);
  const mode = (o: ResultChange): Mode => (!hasTraining || (has(use, o) && has(training, o)) ? 'both' : has(use, o) ? 'use' : 'training');
  return [...use, ...training.filter((o) => !has(use, o))].map((o) => ({ ...o, mode: mode(o) }));
}

export function diffPrograms(a: Program, b: Program): Diff {
  const moves = findMoves(a, b);
  const units = new Units(a, b, moves);
  const options = { path: moves.path, replaced: units.replaced };
  const use = diffGraphs(a.infer, b.infer, options);
  const hasTraining = a.train !== undefined || b.train !== undefined;
  const training = hasTraining ? diffGraphs(a.train, b.train, options) : undefined;
  const changes = both(use.nodes, training?.nodes);
  const { tensors, order } = tensorsOf(a, b, moves.path);
  const found = {
    tasks: tasksOf(a, b), outputs: outputsOf(use.outputs, training?.outputs ?? [], hasTraining), tensors, tensorOrder: order,
    training: trainingOf(a, b), schedules: schedulesOf(a, b), shapes: shapesOf(changes),
  };
  const equal = changes.length === 0 && !order && Object.values(found).every((list) => typeof list === 'boolean' || list.length === 0);
  return {
    a: sideOf(a), b: sideOf(b), equal, ...found,
    // what is written counts where it makes a difference
    declarations: equal ? [] : declarationsOf(a, b), settings: equal ? [] : settingsOf(a, b),
    modules: equal ? [] : modulesOf(changes, units),
    elements: { a: elementsOf(a), b: elementsOf(b) }, load: loadOf(a, b, moves.path),
  };
}
