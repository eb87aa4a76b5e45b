// tpsc inspect: parameters, multiply-adds, shapes and memory, module by module; or the rows of a study. Allocates no weights.
import { estimateMemory, inspectProgram } from '../../runtime/report/counts.js';
import { renderInspection } from '../../runtime/report/inspection.js';
import { GroupPathFault, inspectStudy } from '../../runtime/report/study.js';
import { renderStudy } from '../../runtime/report/study-text.js';
import { diagnostic } from '../../grammar/diagnostics.js';
import { suggestion } from '../../compiler/check/suggest.js';
import { command } from '../command.js';
import { countOf, formatFlag, programFlags, specArgument } from '../flags.js';
import { showPath, type Io } from '../io.js';
import { needProgram, SpecFaults, tellDiagnostics, type ProgramArgs } from '../program.js';
import { barOf } from '../progress.js';
import { openStudy } from '../study.js';

export const inspect = command({
  name: 'inspect',
  arguments: '<spec>',
  summary: 'parameters, multiply-adds, shapes and memory, module by module',
  about: 'Counts the network as the spec says it, before any pass; multiply-adds are for one image and one task.\nIn the JSON each module has its own counts, without those of the modules inside it: they sum to the total.\nWith --study every row of a study is counted, its groups too, each beside what the study says was published: which values are reproduced, and which no counting rule gives.',
  flags: {
    spec: specArgument,
    ...programFlags,
    study: { type: 'string', describe: 'name of a study: its rows and groups in place of one network' },
    depth: { type: 'number', default: 2, describe: 'levels of the tree that are shown' },
    format: formatFlag,
  },
  examples: [
    ['tpsc inspect net.tps', 'the network, two levels deep'],
    ['tpsc inspect net.tps#A2 --tasks SL,CP --set size=256', 'a variant with two tasks at another size'],
    ['tpsc inspect net.tps --format json', 'every module, for a tool'],
    ['tpsc inspect net.tps --study table3', 'the rows of a table: parameters, differences, published values'],
  ],
  run: async (args, io) => {
    const depth = countOf('depth', args.depth, 0) ?? 2;
    const json = args.format === 'json';
    if (args.study !== undefined) {
      study(args, args.study, io, json);
      return 0;
    }
    const program = needProgram(args, io, json);
    const inspection = inspectProgram(program);
    io.out(json ? `${JSON.stringify(inspection, null, 2)}\n` : renderInspection(inspection, estimateMemory(program), depth));
    return 0;
  },
});

function study(args: ProgramArgs, name: string, io: Io, json: boolean): void {
  const open = openStudy(args, name, io, json);
  const bar = barOf(io, 'compiling {bar} {value}/{total} rows');
  try {
    const inspection = inspectStudy(open.study, open.codes, open.published, open.programOf, bar.update);
    bar.stop();
    io.out(json ? `${JSON.stringify(inspection, null, 2)}\n` : renderStudy(inspection, new Map(open.study.columns.map((c) => [c.label, c.unit])), showPath));
    open.tellWarnings();
  } catch (error) {
    if (!(error instanceof GroupPathFault)) throw error;
    const { path, step, names } = error;
    const fault = diagnostic('TPS4002', path.range, { path: path.text, detail: `nothing that counts stands at \`${step}\``, help: suggestion(step, names, 'the modules of a network are listed by `tpsc inspect`') });
    tellDiagnostics({ diagnostics: [fault], texts: open.texts }, json, io);
    throw new SpecFaults();
  } finally {
    bar.stop();
  }
}
