// tpsc check: every mistake of a spec at once.
import { taskCodes } from '../../compiler/program.js';
import { countDiagnostics, renderDiagnostics } from '../../runtime/report/frame.js';
import { paint } from '../../runtime/report/colour.js';
import { plural } from '../../runtime/report/numbers.js';
import { command } from '../command.js';
import { formatFlag, programFlags, specArgument } from '../flags.js';
import { showPath } from '../io.js';
import { compileFile, tellDiagnostics } from '../program.js';

export const check = command({
  name: 'check',
  arguments: '<spec>',
  summary: 'check a spec: every mistake at once, with its place and its mend',
  about: 'Without a variant or --block, every train block and every variant of the file is checked.\nExit code 1 where there is an error; warnings alone leave it 0. `tpsc explain CODE` says more about a code.',
  flags: {
    spec: specArgument,
    block: { type: 'string', describe: 'name of the train block (default: all)' },
    ...programFlags,
    format: formatFlag,
  },
  examples: [
    ['tpsc check net.tps', 'the whole file'],
    ['tpsc check net.tps#A2 --format json', 'a variant, for a tool'],
  ],
  run: async (args, io) => {
    const json = args.format === 'json';
    const result = compileFile(args, { everything: args.block === undefined && !args.spec.includes('#'), json });
    const failed = result.diagnostics.some((d) => d.severity === 'error');
    if (json) {
      tellDiagnostics(result, true, io);
      return failed ? 1 : 0;
    }
    io.out(renderDiagnostics(result.diagnostics, result.texts, { colour: io.colour, showPath }));
    if (failed) return 1;
    const { program } = result;
    const warnings = countDiagnostics(result.diagnostics);
    const about = program === undefined ? '' : `: ${program.name}${program.tasks === undefined ? '' : `, ${plural(taskCodes(program).length, 'task')}`}`;
    io.out(`${paint(io.colour).green('ok')} ${args.spec}${about}${warnings === '' ? '' : `, ${warnings}`}\n`);
    return 0;
  },
});
