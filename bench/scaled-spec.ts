// Networks like models/tpseg-nano.tps of other sizes, as text. Where its text no longer has what is replaced, that is an error.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../cli/host.js';

export interface Sizes { /** At least 5. */ readonly blocks: number; readonly tasks: number; /** Of all widths, against the nano network's. */ readonly widths: number }
export const NANO: Sizes = { blocks: 7, tasks: 8, widths: 1 };

/** The encoder's third stage takes the blocks; tasks are made up; widths of encoder, adapters and decoders grow together. */
export function scaledSpec({ blocks, tasks, widths }: Sizes): string {
  const replace = (text: string, what: RegExp, by: string): string => {
    if (!what.test(text)) throw new Error(`models/tpseg-nano.tps has no ${what.source}`);
    return text.replace(what, by);
  };
  const rows = Array.from({ length: tasks }, (_, i) => `  T${i} "Task ${i}" { folder: "task_${i}" }`).join('\n');
  return [
    [/^(study|variant) [^\n]*\{\n[\s\S]*?^\}\n/gm, ''],
    [/^variant [^\n]*\}\n/gm, ''],
    [/^tasks lesions \{[\s\S]*?^\}/m, `tasks lesions {\n${rows}\n}`],
    [/^model NanoPretrain[\s\S]*?^\}\n/m, ''],
    [/^train pretrain [\s\S]*?^\}\n/m, ''],
    [/\n    with \{ frozen: true, weights: pretrain \}/, ' with { frozen: true }'],
    [/depths: \[1, 2, 3, 1\]/, `depths: [1, 2, ${blocks - 4}, 1]`],
    [/param f32\[7\]/, `param f32[${blocks}]`],
    [/embed: 32/, `embed: ${32 * widths}`],
    [/setting hidden: int = 16/, `setting hidden: int = ${16 * widths}`],
    [/setting width: int = 32/, `setting width: int = ${32 * widths}`],
    [/rfb\(\[16, 24, 32, 48\]\)/, `rfb([${[16, 24, 32, 48].map((n) => n * widths).join(', ')}])`],
  ].reduce((text, [what, by]) => replace(text, what as RegExp, by as string), readFileSync(join(packageRoot, 'models/tpseg-nano.tps'), 'utf8'));
}
