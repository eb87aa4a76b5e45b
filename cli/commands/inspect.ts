// tpsc inspect: parameters, multiply-adds, shapes and memory, module by module. Allocates no weights.
import { estimateMemory, inspectProgram } from '../../runtime/report/counts.js';
import { renderInspection } from '../../runtime/report/inspection.js';
import { command } from '../command.js';
import { countOf, formatFlag, programFlags, specArgument } from '../flags.js';
import { needProgram } from '../program.js';

export const inspect = command({
  name: 'inspect',
  arguments: '<spec>',
  summary: 'parameters, multiply-adds, shapes and memory, module by module',
  about: 'Counts the network as the spec says it, before any pass; multiply-adds are for one image and one task.\nIn the JSON each module has its own counts, without those of the modules inside it: they sum to the total.',
  flags: {
    spec: specArgument,
    ...programFlags,
    depth: { type: 'number', default: 2, describe: 'levels of the tree that are shown' },
    format: formatFlag,
  },
  examples: [
    ['tpsc inspect net.tps', 'the network, two levels deep'],
    ['tpsc inspect net.tps#A2 --tasks SL,CP --set size=256', 'a variant with two tasks at another size'],
    ['tpsc inspect net.tps --format json', 'every module, for a tool'],
  ],
  run: async (args, io) => {
    const depth = countOf('depth', args.depth, 0) ?? 2;
    const json = args.format === 'json';
    const program = needProgram(args, io, json);
    const inspection = inspectProgram(program);
    io.out(json ? `${JSON.stringify(inspection, null, 2)}\n` : renderInspection(inspection, estimateMemory(program), depth));
    return 0;
  },
});
