// Studies for tests: of the nano network, and of four rows on the tiny network of the command line's tests: a shared head, twice the width, and an alias that shares the runs of its base.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.js';
import { TINY } from '../cli/specs.js';

export const ROWS = ['main', 'wide', 'shared', 'same'] as const;
export const study = (entries: string, rows: readonly string[] = ROWS): string => `${TINY}
variant shared "one head for all tasks" of main {
  set Tiny.logits = conv(1)(y) |> resize([32, 32], mode: bilinear)
}
variant same "main again" of main { alias }

study widths "Widths of the first layer" of main {
  rows = [${rows.join(', ')}], baseline = main
  columns = [{ label: "AVG_Dice", by: [dice] }]
  ${entries}
}
`;

/** The nano network at 64 x 64 on two tasks, with one study of it alone, of `steps` a run. */
export const nanoStudy = (name: string, rows: readonly string[], seeds: number, steps: number): string => {
  const nano = readFileSync(join(packageRoot, 'models', 'tpseg-nano.tps'), 'utf8').replaceAll(/^study [\s\S]*?^\}\n/gm, '').replace('setting size: int = 128', 'setting size: int = 64');
  return `${nano}\nstudy ${name} of main {\n  rows = [${rows.join(', ')}], baseline = A4, seeds = ${seeds}, tasks = [SL, CP], budget = { steps: ${steps} }\n}\n`;
};
/** Arguments of `tpsc data phantom` for it. */
export const NANO_PHANTOM = ['--seed', '1', '--size', '64', '--train', '24', '--val', '4'] as const;
