// Dropout masks, drawn outside the graph from (seed, step, path), so that a resumed run and a variant draw the same.
import { dimAt, type Dim } from '../../compiler/ir/dim.js';
import { leafName, type Graph } from '../../compiler/ir/graph.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { f32, type Feeds, type Tensor } from '../engines/engine.js';
import { streamOf } from '../random.js';

export interface DropLeaf { readonly name: string; readonly path: string; readonly rate: number; readonly shape: readonly Dim[] }

export const dropLeaves = (graph: Graph): readonly DropLeaf[] => [...graph.nodes.values()].filter((n) => n.op === 'drop')
  .map((n) => ({ name: leafName(n), path: String(n.attrs.path), rate: Number(n.attrs.rate), shape: n.type.shape }));

const at = (shape: readonly Dim[], batch: number): readonly number[] => shape.map((d) => dimAt(d, batch));

/**
 * Masks for the samples `rows` of a batch of `batch` samples: 0 with probability `rate`, else 1 / (1 - rate). A mask is drawn for the whole
 * batch and cut, so a batch that is split by task drops what it would have dropped whole.
 */
export function dropFeeds(leaves: readonly DropLeaf[], seed: number, step: number, batch: number, rows: readonly number[]): Feeds {
  const feeds: Record<string, Tensor> = {};
  for (const { name, path, rate, shape } of leaves) {
    const whole = draw(sizeOf(at(shape, batch)), rate, seed, `drop/${step}/${path}`);
    const sample = whole.length / batch, mine = at(shape, rows.length), data = new Float32Array(sizeOf(mine));
    if (data.length === whole.length) data.set(whole);
    else for (const [i, row] of rows.entries()) data.set(whole.subarray(row * sample, (row + 1) * sample), i * sample);
    feeds[name] = f32(mine, data);
  }
  return feeds;
}

function draw(size: number, rate: number, seed: number, key: string): Float32Array {
  const stream = streamOf(seed, key), kept = Math.fround(1 / (1 - rate)), mask = new Float32Array(size);
  for (let i = 0; i < size; i++) mask[i] = stream.next() < rate ? 0 : kept;
  return mask;
}
