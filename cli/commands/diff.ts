// tpsc diff: what differs between two specs, variants or runs, by what they compute.
import type { Program } from '../../compiler/program.js';
import type { ParsedTexts } from '../../compiler/index.js';
import { MisuseError } from '../../runtime/errors.js';
import { comparePrograms } from '../../runtime/report/diff/compare.js';
import { diffHtml } from '../../runtime/report/diff/html.js';
import { diffMarkdown } from '../../runtime/report/diff/markdown.js';
import { textPatch } from '../../runtime/report/diff/patch.js';
import { diffText } from '../../runtime/report/diff/text.js';
import { deltaInWords } from '../../runtime/report/diff/words.js';
import { command } from '../command.js';
import { programFlags } from '../flags.js';
import { showPath, type Io } from '../io.js';
import { needProgram } from '../program.js';
import { isRun, openRunProgram } from '../trained.js';

interface DiffArgs { readonly tasks?: string; readonly set?: string | readonly string[]; readonly block?: string }

/** A run's program is what it was trained from: no flag changes it. */
function programOf(what: string, args: DiffArgs, io: Io, json: boolean, parsed: ParsedTexts): Program {
  if (!isRun(what)) return needProgram({ spec: what, ...args }, io, json, { parsed, knownVariant: true, quiet: true });
  const { program } = openRunProgram(what);
  return { ...program, file: what };
}

export const diff = command({
  name: 'diff',
  arguments: '<a> <b>',
  summary: 'what differs between two specs, variants or runs',
  about: 'Compares what is computed, not how it is written: comments, layout and names of locals make no difference, and the diff is empty exactly where both have one hash.\n'
    + 'Says which declarations, modules, shapes, counts and entries of training differ, and which tensors of a checkpoint of A would load into B.\n'
    + 'The exit code is 0 whether they differ or not; with --exit-code it is 1 where they do, as git\'s.',
  flags: {
    a: { type: 'string', demandOption: true, describe: 'a .tps file, FILE#VARIANT, or a run' },
    b: { type: 'string', demandOption: true, describe: 'another' },
    ...programFlags,
    block: { type: 'string', describe: 'the train block of both (default: the last, or that of the variant)' },
    text: { type: 'boolean', describe: 'a patch of the two resolved specs in place of their meaning' },
    format: { type: 'string', choices: ['text', 'markdown', 'json', 'html'], default: 'text', describe: 'what standard output holds' },
    'exit-code': { type: 'boolean', describe: 'exit with 1 where they differ' },
  },
  examples: [
    ['tpsc diff net.tps net.tps#A2', 'what a variant changes'],
    ['tpsc diff runs/a net.tps', 'what changed in a spec since a run was trained'],
    ['tpsc diff a.tps b.tps --tasks SL --format markdown', 'for one task, to paste into a page'],
    ['tpsc diff a.tps b.tps --text', 'the resolved texts, line by line'],
  ],
  run: async (args, io) => {
    if (args.text === true && args.format !== 'text') throw new MisuseError(`--text is a patch, and has no --format ${args.format}`, 'leave out one of the two');
    const json = args.format === 'json';
    const flags: DiffArgs = {
      ...(args.tasks === undefined ? {} : { tasks: args.tasks }), ...(args.set === undefined ? {} : { set: args.set }), ...(args.block === undefined ? {} : { block: args.block }),
    };
    const parsed: ParsedTexts = new Map();
    const [a, b] = [programOf(args.a, flags, io, json, parsed), programOf(args.b, flags, io, json, parsed)];
    if (args.text === true) {
      const patch = textPatch(a.resolved, b.resolved, [args.a, args.b], io.colour);
      io.out(patch);
      return args['exit-code'] === true && patch !== '' ? 1 : 0;
    }
    const comparison = comparePrograms(a, b);
    switch (args.format) {
      case 'json': io.out(`${JSON.stringify({ words: deltaInWords(comparison), ...comparison }, null, 2)}\n`); break;
      case 'markdown': io.out(diffMarkdown(comparison, showPath)); break;
      case 'html': io.out(diffHtml(comparison, showPath)); break;
      default: io.out(diffText(comparison, { colour: io.colour, showPath }));
    }
    return args['exit-code'] === true && !comparison.equal ? 1 : 0;
  },
});
