// The resolved texts of two specs as a unified patch.
import { createTwoFilesPatch } from 'diff';
import { paint } from '../colour.js';

/** '' where the texts are equal. `names`: of both, for the head. */
export function textPatch(a: string, b: string, names: readonly [string, string], colour: boolean): string {
  if (a === b) return '';
  const p = paint(colour);
  const [, ...lines] = createTwoFilesPatch(names[0], names[1], a, b, '', '', { context: 3 }).replace(/^=+\n/, '\n').split('\n');
  const painted = lines.map((line) => (/^(---|\+\+\+) /.test(line) ? p.bold(line) : line.startsWith('+') ? p.green(line) : line.startsWith('-') ? p.red(line) : line.startsWith('@@') ? p.cyan(line) : line));
  return painted.join('\n');
}
