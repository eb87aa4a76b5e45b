// Every row of a spec's studies, and every variant beside them, through the whole way of a user: ten steps of training cut after the fifth and resumed,
// evaluation, export with the task open and baked in, both verified against float64.
// npx tsx test/train/rows.ts [SPEC] --data DIR [--rows A1,B2] [--tasks BT,SL] [--set size=64]; prints one line a row and ends with 1 where a row fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { diskHost } from '../../cli/host.js';
import { imagePaths } from '../../cli/images.js';
import { studiesOf } from '../../compiler/index.js';
import { runsOf } from '../../compiler/study.js';
import { parse } from '../../grammar/index.js';
import { tpsc } from '../cli/harness.js';

export interface RowRequest { readonly variant: string; readonly tasks: readonly string[] }
export interface RowOutcome { readonly dice: number; readonly steps: number; /** Largest difference of a logit from float64 over the logits' scale. */ readonly open: number; readonly baked: number }

/** Variants and the runs of all studies, each once; a run of fewer tasks than all is one by itself. */
export function rowsOfSpec(file: string, codes: readonly string[]): readonly RowRequest[] {
  const { studies } = studiesOf(file, diskHost());
  const declared = parse(diskHost().read(file) ?? '', file).file.declarations.flatMap((d) => (d.kind === 'variant' ? [{ variant: d.name.text, tasks: codes }] : []));
  const asked = studies.flatMap((s) => runsOf(s, codes)).flatMap(({ row, tasks }) => (row.variant === undefined ? [] : [{ variant: row.variant, tasks }]));
  return [...new Map([...declared, ...asked].map((r) => [`${r.variant} ${r.tasks.join(',')}`, r])).values()];
}

async function json(argv: readonly string[]): Promise<unknown> {
  const { code, out, err } = await tpsc([...argv, '--format', 'json']);
  if (code !== 0) throw new Error(`tpsc ${argv.join(' ')}\n${err}`);
  return JSON.parse(out);
}

/** Throws where a command fails or gives what is not finite. */
export async function throughRow(spec: string, { variant, tasks }: RowRequest, { data, set = [] }: { readonly data: string; readonly set?: readonly string[] }): Promise<RowOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'row-')), run = join(folder, 'run');
  try {
    const train = async (...more: readonly string[]): Promise<void> => {
      const { code, err } = await tpsc(['train', `${spec}#${variant}`, '--data', data, '--out', run, '--weights', 'random', '--tasks', tasks.join(','), '--threads', '2', ...set.flatMap((s) => ['--set', s]), ...more]);
      if (code !== 0) throw new Error(err);
    };
    await train('--max-steps', '5');
    await train('--max-steps', '10', '--resume');
    const scores = await json(['eval', run, '--data', data]) as { readonly average: { readonly dice: number } };
    const [image = ''] = imagePaths([join(data, 'skin_lesion', 'images')]);
    const verified = async (...baked: readonly string[]): Promise<number> => {
      const { maxAbsDiff, logitsScale } = await json(['compile', run, '--target', 'onnx', '--out', join(folder, 'net.onnx'), ...baked, '--verify', image]) as { readonly maxAbsDiff: number; readonly logitsScale: number };
      return maxAbsDiff / logitsScale;
    };
    const outcome = { dice: scores.average.dice, steps: 10, open: await verified(), baked: await verified('--task', tasks.at(-1) ?? '') };
    if (Object.values(outcome).some((x) => !Number.isFinite(x))) throw new Error(`not finite: ${JSON.stringify(outcome)}`);
    return outcome;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals: [spec = 'models/tpseg-nano.tps'] } = parseArgs({ allowPositionals: true, options: {
    data: { type: 'string', default: '../shared/data/lesions8' }, rows: { type: 'string' }, tasks: { type: 'string', default: 'BT,ADC,TN,CP,LI,BL,SL' }, set: { type: 'string', multiple: true, default: [] },
  } });
  const wanted = values.rows?.split(',');
  let failed = 0;
  for (const row of rowsOfSpec(spec, values.tasks.split(',')).filter((r) => wanted === undefined || wanted.includes(r.variant))) {
    const began = Date.now(), name = `${row.variant} ${row.tasks.join(',')}`;
    try {
      const { dice, open, baked } = await throughRow(spec, row, values);
      console.log(`${name}: Dice ${dice.toFixed(3)} after 10 steps; from float64, of the logits' scale: open ${open.toExponential(1)}, baked ${baked.toExponential(1)}; ${((Date.now() - began) / 1000).toFixed(0)} s`);
    } catch (error) {
      failed++;
      console.log(`${name}: FAILED ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  console.log(`${failed} rows failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
