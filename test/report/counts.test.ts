// Counts of a network: parameters, multiply-adds by kind, modules that sum to the totals, shapes. On a hand-made program.
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { symbol } from '../../compiler/ir/dim.js';
import type { NodeId } from '../../compiler/ir/graph.js';
import type { Program, TensorInfo } from '../../compiler/program.js';
import { ancestors, estimateMemory, inspectProgram } from '../../runtime/report/counts.js';
import { renderInspection } from '../../runtime/report/inspection.js';

const B = symbol('B');
const info = (path: string, shape: readonly number[], over: Partial<TensorInfo> = {}): TensorInfo =>
  ({ path, kind: 'param', shape, perTask: path.includes('{task}'), frozen: false, init: { kind: 'constant', value: 0 }, ...over });

/** image -> enc.conv 3x3 (frozen) -> tokens -> tokens · tokensᵀ (attention) · tokens -> head.{task} (a product with a transposed weight). */
function program(): Program {
  const b = new GraphBuilder();
  const at = (path: string, make: () => NodeId): NodeId => {
    b.place = { path };
    return make();
  };
  const param = (path: string, shape: readonly number[]): NodeId => at(path.slice(0, path.lastIndexOf('.')), () => b.leaf('param', { path }, { dtype: 'f32', shape }));
  const image = b.leaf('input', { name: 'image' }, { dtype: 'f32', shape: [B, 3, 8, 8] });
  const y = at('enc.conv', () => b.add('conv2d', [image, param('enc.conv.weight', [4, 3, 3, 3])], { padding: [1, 1] }));
  const tokens = at('attn', () => b.transpose(b.reshape(y, [B, 4, 64]), [0, 2, 1]));
  const mixed = at('attn', () => b.add('matmul', [b.add('matmul', [tokens, tokens], { transpose_b: true }), tokens]));
  const weight = param('head.{task}.weight', [1, 4]);
  const logits = at('head.{task}', () => b.add('matmul', [mixed, b.transpose(weight, [1, 0])]));
  const out = at('', () => b.reshape(logits, [B, 1, 8, 8]));
  param('unused.weight', [5]);
  const graph = b.finish([{ name: 'logits', id: out }]);
  return {
    name: 'M', file: 'm.tps', hash: 'abc', resolved: '', settings: {}, inputs: [{ name: 'image', type: b.type(image) }], schedules: [], readsTask: true,
    tasks: { name: 'lesions', rows: ['SL', 'CP', 'WA'].map((code) => ({ code, label: code, record: {} })) },
    tensors: [info('enc.conv.weight', [4, 3, 3, 3], { frozen: true }), info('head.{task}.weight', [1, 4]), info('unused.weight', [5]), info('proto.{task}', [2, 4], { kind: 'state', perTask: true })],
    infer: graph, declared: graph,
  };
}

describe('inspectProgram', () => {
  const inspection = inspectProgram(program());
  it('counts a task’s own tensors once a task, and state apart', () => {
    expect(inspection.parameters).toEqual({ total: 108 + 12 + 5, trainable: 17, frozen: 108, buffers: 24 });
  });
  it('tells products with weights, also moved ones, from products of activations, at batch 1', () => {
    const conv = 4 * 3 * 9 * 64, scores = 64 * 64 * 4, values = 64 * 64 * 4, head = 64 * 4;
    expect(inspection.macs).toEqual({ total: conv + scores + values + head, convLinear: conv + head, attention: scores + values });
  });
  it('has a row for each module, whose own counts sum to the totals', () => {
    expect(inspection.modules.reduce((sum, m) => sum + m.parameters, 0)).toBe(inspection.parameters.total);
    expect(inspection.modules.reduce((sum, m) => sum + m.macs, 0)).toBe(inspection.macs.total);
    expect(inspection.modules.find((m) => m.path === 'enc.conv')).toEqual({ path: 'enc.conv', parameters: 108, macs: 6912, output: 'f32[B, 4, 8, 8]' });
    expect(inspection.modules.find((m) => m.path === 'unused')).toMatchObject({ parameters: 5, macs: 0, output: null });
  });
  it('prints the sums of a module with all inside it, as deep as asked', () => {
    const text = renderInspection(inspection, estimateMemory(program()), 1);
    expect(text).toMatch(/├─ enc +108 +6\.91 k +f32\[B, 4, 8, 8\]/);
    expect(text).not.toContain('conv  ');
    expect(renderInspection(inspection, estimateMemory(program()), 2)).toMatch(/│ {2}└─ conv +108/);
    expect(text).toContain('parameters  125: 17 trainable, 108 frozen; and 24 in state, for 3 tasks');
  });
});

it('memory: all copies of all tensors, and the most that is alive at once', () => {
  const { weights, inference, training } = estimateMemory(program());
  expect(weights).toBe(4 * (108 + 12 + 5 + 24));
  // the scores [64, 64] while they are made from the tokens [64, 4] and their source is still there
  expect(inference).toBeGreaterThanOrEqual(4 * (64 * 64 + 64 * 4));
  expect(inference).toBeLessThan(4 * (64 * 64 + 6 * 64 * 4));
  expect(training).toBeUndefined();
});

it('ancestors of a path end at the model', () => { expect([...ancestors('a.b.c')]).toEqual(['a.b.c', 'a.b', 'a', '']); });
