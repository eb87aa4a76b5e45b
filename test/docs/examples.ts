// Code blocks of the documentation, and how they are compiled: the words after ```tps say under which flags.
import { compileSpec, type CompileResult, type Host } from '../../compiler/index.js';
import { diskHost } from '../../cli/host.js';

export interface Example { readonly words: readonly string[]; readonly flags: Readonly<Record<string, string>>; readonly text: string }

/** The ```tps blocks of a page. `key=value` words are flags; `(…` in a text with `repeat=N` stands for N brackets. */
export function examplesOf(page: string): readonly Example[] {
  return [...page.matchAll(/^```tps([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => {
    const words = info.trim().split(/\s+/).filter((w) => w !== '');
    const flags = Object.fromEntries(words.flatMap((w) => (w.includes('=') ? [[w.slice(0, w.indexOf('=')), w.slice(w.indexOf('=') + 1)]] : [])));
    const times = Number(flags['repeat'] ?? 1);
    return { words: words.filter((w) => !w.includes('=')), flags, text: times === 1 ? text : text.replace(/(.)…/g, (_, char: string) => char.repeat(times)) };
  });
}

const MAIN = 'main.tps';

/** Compiles a text as main.tps; `others` are files beside it. */
export function compileExample(example: Example, others: readonly Example[] = []): CompileResult {
  const disk = diskHost();
  const texts = new Map([[MAIN, example.text], ...others.flatMap((o): [string, string][] => [[o.flags['file'] ?? '', o.text]])]);
  const host: Host = { ...disk, read: (path) => texts.get(path) ?? disk.read(path), resolve: (from, path) => (texts.has(from) ? path.replace(/^\.\//, '') : disk.resolve(from, path)) };
  const { variant, block, set, tasks, everything } = example.flags;
  return compileSpec({
    file: MAIN, everything: variant === undefined && block === undefined && everything !== 'no',
    ...(variant === undefined ? {} : { variant }), ...(block === undefined ? {} : { block }), ...(tasks === undefined ? {} : { tasks: tasks.split(',') }),
    ...(set === undefined ? {} : { set: Object.fromEntries(set.split(',').map((pair) => pair.split(':') as [string, string])) }),
  }, host);
}

/** A fragment of statements as the body of a model. */
export const inModel = (statements: string): string =>
  `edition 1\n\nmodel M(image: f32[B, 3, 32, 32]) -> f32[B, 1, 32, 32] {\n${statements}}\n`;
