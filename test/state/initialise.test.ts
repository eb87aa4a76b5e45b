// Initial values: from (seed, path) alone, of the distribution that the spec says, and a task's own drawn for the task.
import { describe, expect, it } from 'vitest';
import type { Init, TensorInfo } from '../../compiler/program.js';
import { initialise } from '../../runtime/state/initialise.js';
import { TASKS, tinyProgram } from '../train/tiny.js';

const tensor = (init: Init, shape: readonly number[] = [100, 100], more: Partial<TensorInfo> = {}): TensorInfo =>
  ({ path: 'block.weight', kind: 'param', shape, perTask: false, frozen: false, init, ...more });
const values = (t: TensorInfo, seed = 1): Float32Array => initialise(t, seed, []).get(t.path)!.data as Float32Array;
const mean = (x: Float32Array): number => x.reduce((a, b) => a + b, 0) / x.length;
const std = (x: Float32Array): number => Math.sqrt(x.reduce((a, b) => a + (b - mean(x)) ** 2, 0) / x.length);

describe('initial values', () => {
  it('depend on seed and path, and on nothing else', () => {
    const init: Init = { kind: 'normal', mean: 0, std: 1 };
    expect(values(tensor(init))).toEqual(values(tensor(init)));
    expect(values(tensor(init))).not.toEqual(values(tensor(init), 2));
    expect(values(tensor(init))).not.toEqual(values(tensor(init, [100, 100], { path: 'other.weight' })).slice());
    // A wider layer begins as the narrow one does: variants share what they have in common.
    expect(values(tensor(init, [200, 100])).subarray(0, 10000)).toEqual(values(tensor(init)));
  });

  it('have the moments of their distribution', () => {
    const normal = values(tensor({ kind: 'normal', mean: 3, std: 0.5 }));
    expect(mean(normal)).toBeCloseTo(3, 1);
    expect(std(normal)).toBeCloseTo(0.5, 1);
    const uniform = values(tensor({ kind: 'uniform', low: -2, high: 4 }));
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...uniform)).toBeLessThan(4);
    expect(mean(uniform)).toBeCloseTo(1, 0);
    expect(std(uniform)).toBeCloseTo(6 / Math.sqrt(12), 1);
    const cut = values(tensor({ kind: 'truncated_normal', mean: 1, std: 0.02 }));
    expect(Math.max(...cut.map((x) => Math.abs(x - 1)))).toBeLessThanOrEqual(0.04 + 1e-7);
    expect(std(cut) / 0.02).toBeCloseTo(0.8796, 1); // of a standard normal cut at two deviations
    expect([...values(tensor({ kind: 'constant', value: 0.1 }, [3]))]).toEqual([0.1, 0.1, 0.1].map(Math.fround));
    expect([...values(tensor({ kind: 'values', value: { shape: [2], data: Float64Array.of(1, 2) } }, [2]))]).toEqual([1, 2]);
  });

  it('of a task\'s own tensor differ by task', () => {
    const own = initialise(tensor({ kind: 'normal', mean: 0, std: 1 }, [4], { path: 'head.{task}.weight', perTask: true }), 1, ['AA', 'BB']);
    expect([...own.keys()]).toEqual(['head.AA.weight', 'head.BB.weight']);
    expect(own.get('head.AA.weight')!.data).not.toEqual(own.get('head.BB.weight')!.data);
  });

  it('that are a graph are evaluated with `t` bound to the task, on parameters drawn by path and dropped', () => {
    const proto = tinyProgram().tensors.find((t) => t.path === 'proto.{task}')!;
    const table = values({ ...proto, ...(proto.init as Extract<Init, { kind: 'graph' }>).params[0]! }, 5);
    const made = initialise(proto, 5, TASKS);
    for (const [row, code] of TASKS.entries()) {
      expect([...made.get(`proto.${code}`)!.data]).toEqual([...table.subarray(row * 4, row * 4 + 4)].map((x) => Math.fround(x * 0.1)));
    }
  });
});
