// A task that is added to a trained network: what all tasks share is built as for use, what each has of its own as in training.
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { trainable, withFrozen, type Program } from '../../compiler/program.js';
import { compileText, programOf, trained } from './support.js';

const BODY = `  let u = conv(4)(x) |> batch_norm |> dropout(0.5)
  layer own = per t dropout(0.25)
  layer head = per t conv(1)
  prototypes p per t: f32[4] {
    init   = zeros
    update = ema(mean(u, axes: [0, 2, 3]) |> reshape([4]), momentum: 0.9)
  }
  let y = head(own(u) * (p |> reshape([1, 4, 1, 1])))
  return y`;
const compiled = (growing: boolean): Program => {
  const text = trained(BODY).replace('batch = 4', 'batch = 4, sampler = shuffle(one_task: true), drop_last = true');
  return programOf(compileText(text, { growing }));
};
/** Paths of the leaves of one kind that the loss reads. */
const leaves = (p: Program, name: 'train' | 'grow', op: string): string[] => {
  const graph = p[name]!, loss = new GraphBuilder(graph).finish(graph.outputs.filter((o) => o.name === 'loss'));
  return [...loss.nodes.values()].flatMap((n) => (n.op === op ? [String(n.attrs['path'])] : []));
};

describe('growing', () => {
  it('is asked for, and is no part of what the program is', () => {
    expect(compiled(false).grow).toBeUndefined();
    expect(compiled(true).hash).toBe(compiled(false).hash);
  });
  it('reads running statistics and drops nothing in what is shared; a task’s own dropout and prototypes go on', () => {
    const p = compiled(true);
    expect(leaves(p, 'train', 'drop')).toEqual(['dropout.drop', 'own.{task}.drop']);
    expect(leaves(p, 'grow', 'drop')).toEqual(['own.{task}.drop']);
    expect(leaves(p, 'train', 'state')).toEqual(['p.{task}']);
    expect(leaves(p, 'grow', 'state').sort()).toEqual(['batch_norm.running_mean', 'batch_norm.running_var', 'p.{task}']);
    expect(p.grow?.outputs.map((o) => o.name)).toContain('state:p.{task}');
  });
  it('freezes by a rule, states aside', () => {
    const p = withFrozen(compiled(true), (t) => !t.perTask);
    expect(trainable(p).map((t) => t.path)).toEqual(['head.{task}.weight', 'head.{task}.bias']);
    expect(p.tensors.find((t) => t.path === 'batch_norm.running_mean')?.frozen).toBe(false);
  });
});
