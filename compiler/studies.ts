// The studies of a spec without compiling it: what `inspect --study`, `ablate` and `table` begin with.
import { diagnostic, type Diagnostic } from '../grammar/diagnostics.js';
import { readStudies } from './check/studies.js';
import type { Host } from './index.js';
import { declarations, ModuleLoader, type ParsedTexts } from './resolve/modules.js';
import { taskListOf } from './resolve/task-list.js';
import type { Study } from './study.js';

export interface StudiesResult {
  /** In the file's order; meaningful where no diagnostic is an error. */
  readonly studies: readonly Study[];
  /** Codes of the tasks of a train block's model (`Study.of`), in the spec's order; none where it has none. */
  readonly tasksOf: (block: string) => readonly string[];
  /** Of parsing, of imports and of the studies: what the rows say is told when they are compiled. */
  readonly diagnostics: readonly Diagnostic[];
  readonly texts: ReadonlyMap<string, string>;
}

/** `parsed`: as for `compileSpec`. */
export function studiesOf(file: string, host: Host, parsed?: ParsedTexts): StudiesResult {
  const diagnostics: Diagnostic[] = [];
  const report = (d: Diagnostic): void => { diagnostics.push(d); };
  const loader = new ModuleLoader(host, report, parsed);
  const entry = loader.load(file, false, []);
  if (entry === undefined) {
    const nowhere = { file, start: { line: 1, column: 1, offset: 0 }, end: { line: 1, column: 1, offset: 0 } };
    report(diagnostic('TPS2002', nowhere, { what: 'file', source: file, help: 'check the path' }));
    return { studies: [], tasksOf: () => [], diagnostics, texts: loader.texts };
  }
  const studies = readStudies(entry, report);
  const tasksOf = (block: string): readonly string[] => {
    const model = declarations(entry, 'train').find((t) => t.name.text === block)?.of.text;
    return taskListOf(entry.file, declarations(entry, 'model').find((m) => m.name.text === model))?.rows.map((r) => r.code.text) ?? [];
  };
  return { studies, tasksOf, diagnostics, texts: loader.texts };
}
