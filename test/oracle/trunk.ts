// Forward parity of the trunk with the official `sam2` package in PyTorch, for every size: random weights under the official keys, brought in by
// `tpsc weights import`, run in ONNX Runtime. Prints a table and exits with 1 where a stage is further off than 1e-4 of its scale.
//   npx tsx test/oracle/trunk.ts --python PATH [--sizes T,S,B_plus,L] [--sides 224,256,352,512]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inferFunction } from '../../compiler/functions.js';
import type { Engine } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { renderTable } from '../../runtime/report/table.js';
import { readSafetensors } from '../../runtime/state/safetensors.js';
import { compareTensors } from '../engines/compare.js';
import { compiled } from '../models/specs.js';

const SPEC = 'test/oracle/trunk.tps';
const STAGES = ['stage1', 'stage2', 'stage3', 'stage4'];
const LIMIT = 1e-4;
const SIDES: Readonly<Record<string, readonly string[]>> = { T: ['224', '256', '352'], S: ['224', '256', '352'], B_plus: ['224', '256', '352'], L: ['224', '256', '352', '512'] };
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Largest |difference| over the stage's own largest value, stage by stage. */
async function apart(engine: Engine, size: string, side: string, weights: string, oracle: string): Promise<{ readonly stages: readonly number[]; readonly torch: readonly number[]; readonly seconds: readonly [ours: number, torch: number] }> {
  const program = compiled(SPEC, { variant: size, set: { height: side, width: side } });
  const fn = await engine.compile(inferFunction(program));
  const { tensors, metadata } = readSafetensors(oracle);
  const feeds = new Map([...readSafetensors(weights).tensors, ...tensors]);
  const fed = Object.fromEntries(fn.inputs.map((name) => [name, feeds.get(name)!]));
  const start = performance.now();
  const found = await fn.run(fed);
  const ours = (performance.now() - start) / 1000;
  await fn.dispose();
  const stages = STAGES.map((name) => { const { maxAbsDiff, scale } = compareTensors(name, found[name], tensors.get(name)); return maxAbsDiff / scale; });
  return { stages, torch: JSON.parse(metadata['apart'] ?? '[]') as number[], seconds: [ours, Number(metadata['seconds'])] };
}

const { values: { python, sizes, sides } } = parseArgs({ options: { python: { type: 'string', default: 'python3' }, sizes: { type: 'string', default: Object.keys(SIDES).join(',') }, sides: { type: 'string' } } });
const engine = await createEngine('ort');
const rows: string[][] = [];
let worst = 0;
for (const size of sizes.split(',')) {
  const wanted = (SIDES[size] ?? []).filter((side) => sides?.split(',').includes(side) !== false);
  const folder = mkdtempSync(join(tmpdir(), 'trunk-'));
  try {
    const [official, weights] = [join(folder, 'official.pt'), join(folder, 'weights.safetensors')];
    execFileSync(python, [join(root, 'test/oracle/trunk.py'), size, folder, ...wanted], { stdio: ['ignore', 'inherit', 'inherit'] });
    const megabytes = (statSync(official).size / 1e6).toFixed(0);
    const start = performance.now();
    const report = JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'weights', 'import', official, '--spec', `${SPEC}#${size}`, '--out', weights, '--format', 'json'], { cwd: root, encoding: 'utf8' })) as { readonly imported: readonly unknown[]; readonly untouched: readonly string[]; readonly outside: readonly string[] };
    process.stdout.write(`${size}: ${report.imported.length} tensors of ${megabytes} MB imported in ${((performance.now() - start) / 1000).toFixed(1)} s, ${report.outside.length} keys left out, ${report.untouched.length} paths not given\n`);
    if (report.untouched.length > 0) worst = Infinity;
    rmSync(official);
    for (const side of wanted) {
      const { stages, torch, seconds } = await apart(engine, size, side, weights, join(folder, `${side}.safetensors`));
      for (const s of stages) worst = Number.isNaN(s) ? Infinity : Math.max(worst, s);
      rows.push([size, side, ...stages.map((s) => s.toExponential(1)), Math.max(...torch).toExponential(1), ...seconds.map((s) => s.toFixed(1))]);
      process.stdout.write(`  ${rows.at(-1)?.join('  ')}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.stdout.write(`\n${renderTable(['size', 'side', ...STAGES, 'torch f32 to f64', 'seconds', 'torch seconds'].map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })), rows)}\nfurthest ${worst.toExponential(1)} of a stage's scale, ${worst <= LIMIT ? 'within' : 'beyond'} ${LIMIT}\n`);
process.exitCode = rows.length > 0 && worst <= LIMIT ? 0 : 1;
