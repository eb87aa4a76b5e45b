// docs/performance.md says what the results say: what is met, what is missed, what nobody measured.
import { expect, it } from 'vitest';
import { performancePage } from '../../bench/report.js';

const origin = { date: '2026-01-02', machine: { cpu: 'A CPU', cores: 2, memory: 2 ** 33, system: 'linux 6', load: 0.5 }, versions: { node: 'v20', torch: '2.15' } };
const times = (...steps: readonly number[]): object => ({ steps, processor: steps.map((s) => 2 * s) });
const line = (page: string, starts: string): string => page.split('\n').find((l) => l.startsWith(`| ${starts} |`)) ?? '';
const peer = {
  ...origin, threads: 2, ratios: { 'step.tiny': 0.75, 'memory.tiny': 0.9, 'infer.nano': 1.2 }, ratiosByProcessor: { 'step.tiny': 0.7, 'infer.nano': 1.1 },
  rows: [
    { key: 'step.tiny', ours: times(0.9, 0.7, 0.8), peers: { channels_last: times(4), eager: times(1, 1.1) }, apart: 2e-5, memory: { ours: 0.9 * 2 ** 30, peer: 2 ** 30 } },
    { key: 'infer.nano', ours: times(0.12), peers: { eager: times(0.1) }, apart: 1e-6 },
  ],
};

it('a ratio stands with its medians, spread and what was asked; the best of the peers comes first', () => {
  const page = performancePage(new Map([['peer', peer]]), '{{peer}}');
  expect(line(page, 'step.tiny')).toBe('| step.tiny | 0.75 | 0.70 | <= 0.8, met | 800 ms (700 ms to 900 ms) | eager 1.10 s (1.00 s to 1.10 s); channels_last 4.00 s (4.00 s to 4.00 s) | 2.0e-5 |');
  expect(line(page, 'memory.tiny')).toBe('| memory.tiny | 0.90 |  | <= 0.7, **missed** | 0.90 GiB | 1.00 GiB |  |');
  expect(line(page, 'infer.nano')).toContain('<= 1, **missed**');
  expect(line(page, 'step.large')).toBe('| step.large | not measured |  | <= 0.8 |  |  |  |');
});

it('says on what it was measured, and that a busy machine makes times by the clock worthless', () => {
  const page = (load: number): string => performancePage(new Map([['peer', { ...peer, machine: { ...origin.machine, load } }]]), '{{peer}}');
  expect(page(0.5)).toContain('Measured 2026-01-02 on 2 x A CPU, 8.00 GiB, linux 6; node v20, torch 2.15; 2 threads. Load before: 0.5.');
  expect(page(12)).toContain('**Other work ran on it** (load 12)');
});

it('growth that is faster than what there is to do is told', () => {
  const growth = { macs: 0, parameters: 1, nodes: 0, step: 0.1, memory: 0.4, compile: 2 };
  const scaling = [{ axis: 'tasks', points: [{ size: 8, macs: 1e9, parameters: 2e6, nodes: 6682, step: 0.25, memory: 2 ** 27, compile: 6 }], growth, faster: ['compile'] }];
  const page = performancePage(new Map([['ours', { ...origin, threads: 2, rows: [], scaling }]]), '{{scaling}}');
  expect(page).toContain('| tasks | 0.00 | 1.00 | 0.00 | 0.10 | 0.40 | 2.00 | **compile** |');
  expect(page).toContain('| tasks 8 | 1.00 G | 2.00 M | 6682 | 250 ms | 128.0 MiB | 6.00 s |');
});

it('kept runs of other scripts', () => {
  const said = { identical: true, mibPerImage: 9.5, allowed: 4.2, wall: { ratio: 3.4 }, cpu: { ratio: 3.5 } };
  const page = performancePage(new Map([['prefix-cache', { ...origin, runs: [{ command: 'npx tsx bench/prefix-cache.ts a.tps', load: 1, said }] }]]), '{{prefix-cache}}');
  expect(page).toContain('| `npx tsx bench/prefix-cache.ts a.tps` | 3.40 | 3.50 | 4.20 | 0.83 | identical | 9.5 |');
});

it('without results each table says that nobody measured', () => {
  for (const name of ['peer', 'files', 'ours', 'scaling', 'prefix-cache', 'many-images', 'tfjs', 'engine']) expect(performancePage(new Map(), `{{${name}}}`)).toContain('not measured');
});

it('a table that is not there is an error, not a hole', () => { expect(() => performancePage(new Map(), '{{speed}}')).toThrow('asks for a table speed'); });
