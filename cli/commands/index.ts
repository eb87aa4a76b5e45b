// The list of commands, in the order of their help. Only a list.
import type { AnyCommand } from '../command.js';
import { ablate } from './ablate.js';
import { analyze } from './analyze.js';
import { check } from './check.js';
import { compile } from './compile.js';
import { dataCheck } from './data-check.js';
import { dataPhantom } from './data-phantom.js';
import { diff } from './diff.js';
import { evaluate } from './eval.js';
import { explain } from './explain.js';
import { fmt } from './fmt.js';
import { inspect } from './inspect.js';
import { predict } from './predict.js';
import { report } from './report.js';
import { table } from './table.js';
import { train } from './train.js';
import { weightsDiff } from './weights-diff.js';
import { weightsExport } from './weights-export.js';
import { weightsImport } from './weights-import.js';
import { weightsList } from './weights-list.js';

export const commands: readonly AnyCommand[] = [check, inspect, diff, train, evaluate, ablate, table, report, predict, analyze, compile, weightsImport, weightsExport, weightsList, weightsDiff, dataCheck, dataPhantom, fmt, explain];

/** Words that stand before others: `tpsc data check`. */
export const groups: readonly { readonly name: string; readonly summary: string }[] = [
  { name: 'weights', summary: 'bring checkpoints in and out, look into them' },
  { name: 'data', summary: 'check a data set, or make a synthetic one' },
];
