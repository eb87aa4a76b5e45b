// Studies: each entry read from the tree and checked at its place. Nothing is elaborated; whether a row compiles is the row's own matter.
import type { EntriesDecl, Expr, Identifier, RecordExpr, SettingDecl } from '../../grammar/ast.js';
import { diagnostic, type Diagnostic } from '../../grammar/diagnostics.js';
import { printExpr } from '../../grammar/index.js';
import { declarations, type Module } from '../resolve/modules.js';
import { isOfType, parseSetting } from '../resolve/settings.js';
import { taskListOf } from '../resolve/task-list.js';
import { rootOf } from '../resolve/variants.js';
import { measureOf, MEASURES, type GroupPath, type Measure, type Study, type StudyColumn, type StudyGroup, type StudyRow, type TaskChoice } from '../study.js';
import { suggestion } from './suggest.js';
import { formatTypeExpr } from './shapes.js';
import { NUMBERS, STUDY_ENTRIES } from './vocabulary.js';

/** Seeds, and rows of a sweep: more is a slip of the pen. */
const MOST = 1000;
const UNITS = ['', 'k', 'M', 'G', 'T', '%'] as const;
const MEASURE_HELP = `there are: ${Object.keys(MEASURES).join(', ')}; a count also with _per_task (what one more task adds), with _share (percent of the whole), or both`;
/** A path of a group: names and `*`, joined by points. */
const GROUP_PATH = /^(\*|\w+|\{task\})(\.(\*|\w+|\{task\}))*$/;

/** The studies of a file. What is faulty is reported and left out. */
export function readStudies(module: Module, report: (d: Diagnostic) => void): readonly Study[] {
  return declarations(module, 'study').map((decl) => new Reader(module, decl, report).study());
}

type Fields = ReadonlyMap<string, Expr>;

class Reader {
  private readonly trains: readonly EntriesDecl[];
  private readonly codes: readonly string[];
  private readonly entries: Fields;
  constructor(private readonly module: Module, private readonly decl: EntriesDecl, private readonly report: (d: Diagnostic) => void) {
    this.trains = declarations(module, 'train');
    const train = this.trains.find((t) => t.name.text === decl.of.text);
    const models = declarations(module, 'model');
    this.codes = taskListOf(module.file, models.find((m) => m.name.text === train?.of.text) ?? models.at(-1))?.rows.map((r) => r.code.text) ?? [];
    for (const { key } of decl.entries) this.known('a study', key, STUDY_ENTRIES);
    this.entries = new Map(decl.entries.map((e) => [e.key.text, e.value]));
  }

  study(): Study {
    const { decl } = this;
    if (!this.trains.some((t) => t.name.text === decl.of.text)) this.missing('train block', decl.of, this.trains.map((t) => t.name.text));
    const named = this.rows();
    const names = named.map((r) => r.name);
    const repeat = this.nameList('repeat', 'row', names);
    const rows = this.swept(named.map((r) => ({ ...r, repeat: repeat.includes(r.name) })));
    const baseline = this.entries.get('baseline');
    const base = baseline === undefined ? undefined : this.nameOf('baseline', 'row', baseline, names);
    const tasks = this.read('tasks', (e) => this.tasks(e));
    const published = this.read('published', (e) => (e.kind === 'string' && e.value !== '' ? { path: e.value, range: e.range } : this.refuse('published', e, 'the path of a CSV file in quotes, relative to this file')));
    return {
      name: decl.name.text, of: decl.of.text, range: decl.name.range,
      ...(decl.label === undefined ? {} : { label: decl.label }), ...(decl.doc === undefined ? {} : { doc: decl.doc }),
      rows, seeds: this.seeds(), columns: this.columns(), groups: this.groups(), budget: this.budget(),
      ...(base === undefined ? {} : { baseline: base }), ...(tasks === undefined ? {} : { tasks }), ...(published === undefined ? {} : { published }),
    };
  }

  // -------------------------------------------------------------- entries

  private rows(): StudyRow[] {
    const variants = declarations(this.module, 'variant');
    const known = [...variants, ...this.trains].map((d) => d.name.text);
    const names = this.entries.has('rows') ? this.nameList('rows', 'variant or train block', known) : [this.decl.of.text];
    return names.flatMap((name): StudyRow[] => {
      const variant = variants.find((v) => v.name.text === name);
      const block = variant === undefined ? name : rootOf(this.module.file, variant);
      const train = this.trains.find((t) => t.name.text === block);
      // a base that is not there has been told where it is named
      if (train === undefined) return [];
      const label = variant === undefined ? train.label : variant.label;
      return [{ name, label: label ?? name, ...(variant === undefined ? {} : { variant: name }), block, same: this.unaliased(name), set: {}, repeat: false }];
    });
  }

  private unaliased(name: string): string {
    const variants = declarations(this.module, 'variant');
    let same = name;
    for (let turn = 0; turn <= variants.length; turn++) {
      const variant = variants.find((v) => v.name.text === same);
      if (variant === undefined || variant.edits.length === 0 || !variant.edits.every((e) => e.kind === 'alias')) break;
      same = variant.of.text;
    }
    return same;
  }

  /** Every row once for each point of the grid. */
  private swept(rows: readonly StudyRow[]): readonly StudyRow[] {
    const grid = this.read('sweep', (e) => {
      const points = this.grid(e);
      const count = (points ?? []).reduce((n, { values }) => n * values.length, rows.length);
      return count > MOST ? this.refuse('sweep', e, `that makes ${count} rows; the most is ${MOST}`) : points;
    });
    return (grid ?? []).reduce<readonly StudyRow[]>((all, { name, values }) => all.flatMap((row) => values.map((value) => ({ ...row, set: { ...row.set, [name]: value } }))), rows)
      .map((row) => {
        const point = Object.entries(row.set).map(([name, value]) => `${name}=${value}`).join(',');
        return point === '' ? row : { ...row, name: `${row.name}[${point}]`, label: `${row.label} (${point})` };
      });
  }

  private grid(e: Expr): readonly { readonly name: string; readonly values: readonly string[] }[] | undefined {
    if (e.kind !== 'record') return this.refuse('sweep', e, 'settings with the values that each takes: `{ alpha: [0.4, 0.5], experts: [4, 6] }`');
    const settings = declarations(this.module, 'setting');
    return [...this.fields(undefined, e)].flatMap(([name, values]) => {
      const setting = settings.find((s) => s.name.text === name);
      const at = e.fields.find((f) => f.name.text === name)?.name.range ?? e.range;
      if (setting === undefined) {
        if (!this.module.doubtful.has(name)) this.report(diagnostic('TPS5005', at, { name, help: suggestion(name, settings.map((s) => s.name.text), 'the spec has no settings') }));
        return [];
      }
      const texts = this.items(name, values, 'a list of values: `[0.4, 0.5]`', (v) => this.settingValue(setting, v));
      return texts.length === 0 ? [] : [{ name, values: texts }];
    });
  }

  /** A value of a sweep as `--set` takes it. */
  private settingValue(setting: SettingDecl, e: Expr): string | undefined {
    const type = formatTypeExpr(setting.type);
    const text = literalText(e);
    if (text === undefined) return this.refuse(setting.name.text, e, 'a plain value');
    const value = parseSetting(text, type);
    // a number in quotes is none
    if (value !== undefined && isOfType(value, type) && (e.kind === 'string') === (type === 'string')) return text;
    this.report(diagnostic('TPS5006', e.range, { name: setting.name.text, type: type === 'int' ? 'an int' : `a ${type}`, value: printExpr(e) }));
    return undefined;
  }

  private seeds(): readonly number[] {
    const help = 'how many (they are 0, 1, …), or a list of different whole numbers';
    return this.read('seeds', (e): readonly number[] | undefined => {
      if (e.kind === 'number') return NUMBERS.count.holds(e.value) && e.value <= MOST ? Array.from({ length: e.value }, (_, i) => i) : this.refuse('seeds', e, help);
      if (e.kind !== 'list') return this.refuse('seeds', e, help);
      const seeds = this.items('seeds', e, help, (v, seen: readonly number[]) => (v.kind === 'number' && v.integer && !seen.includes(v.value) ? v.value : this.refuse('seeds', v, help)));
      return seeds.length === 0 ? undefined : seeds;
    }) ?? [0];
  }

  private budget(): Study['budget'] {
    return this.read('budget', (e): Study['budget'] | undefined => {
      if (e.kind !== 'record') return this.refuse('budget', e, '`{ epochs: 12 }`, or `{ steps: 500 }` to stop earlier');
      const fields = this.fields('a budget', e, ['epochs', 'steps']);
      const count = (key: string): number | undefined => {
        const v = fields.get(key);
        if (v === undefined) return undefined;
        return v.kind === 'number' && NUMBERS.count.holds(v.value) ? v.value : this.refuse(key, v, NUMBERS.count.says);
      };
      const [epochs, steps] = [count('epochs'), count('steps')];
      return { ...(epochs === undefined ? {} : { epochs }), ...(steps === undefined ? {} : { steps }) };
    }) ?? {};
  }

  private columns(): readonly StudyColumn[] {
    const help = 'a list of measures, `[dice, parameters]`, or of columns, `[{ label: "params", by: [parameters] }]`';
    const labels = new Set<string>();
    return this.read('columns', (list) => this.items('columns', list, help, (e): StudyColumn | undefined => {
      const measure = (m: Expr): Measure | undefined => {
        const found = m.kind === 'name' ? measureOf(m.name) : undefined;
        return found ?? this.refuse('columns', m, m.kind === 'name' ? suggestion(m.name, Object.keys(MEASURES), MEASURE_HELP) : MEASURE_HELP);
      };
      const column = e.kind === 'record' ? this.columnOf(e, measure) : this.plainColumn(e, measure);
      if (column === undefined) return undefined;
      if (labels.has(column.label)) return this.refuse('columns', e, `there is a column "${column.label}" before this one`);
      labels.add(column.label);
      return column;
    })) ?? [];
  }
  private plainColumn(e: Expr, measure: (m: Expr) => Measure | undefined): StudyColumn | undefined {
    const by = measure(e);
    return by === undefined || e.kind !== 'name' ? undefined : { label: e.name, by: [by], unit: '' };
  }
  private columnOf(e: RecordExpr, measure: (m: Expr) => Measure | undefined): StudyColumn | undefined {
    const fields = this.fields('a column', e, ['label', 'by', 'unit']);
    const label = this.text('label', fields, e);
    const rules = fields.get('by');
    const [first, ...others] = rules === undefined ? [] : this.items('by', rules, 'a list of measures: `[macs, weight_macs]`', measure);
    const said = fields.get('unit');
    const unit = said === undefined ? '' : UNITS.find((u) => said.kind === 'string' && said.value === u) ?? this.refuse('unit', said, 'one of "k", "M", "G", "T", "%"');
    if (rules === undefined) return this.refuse('columns', e, 'a column says what it holds: `by: [parameters]`');
    return label === undefined || first === undefined || unit === undefined ? undefined : { label, by: [first, ...others], unit };
  }

  private groups(): readonly StudyGroup[] {
    const help = 'a list of groups: `[{ label: "adapters", paths: ["tca.*"] }]`';
    return this.read('groups', (list) => this.items('groups', list, help, (e): StudyGroup | undefined => {
      if (e.kind !== 'record') return this.refuse('groups', e, help);
      const fields = this.fields('a group', e, ['label', 'paths', 'without', 'tasks']);
      const label = this.text('label', fields, e);
      const [paths, without, tasks] = [fields.get('paths'), fields.get('without'), fields.get('tasks')];
      if (paths === undefined) return this.refuse('groups', e, 'a group says which paths it counts: `paths: ["tca.*"]`, or `["*"]` for all');
      const counted = this.paths('paths', paths);
      const left = without === undefined ? [] : this.paths('without', without, true);
      const chosen = tasks === undefined ? undefined : this.tasks(tasks);
      return label === undefined || counted.length === 0 ? undefined : { label, paths: counted, without: left, ...(chosen === undefined ? {} : { tasks: chosen }) };
    })) ?? [];
  }
  private paths(key: string, e: Expr, mayBeEmpty = false): readonly GroupPath[] {
    return this.items(key, e, 'a list of paths in quotes: `["tca.*.inner"]`', (p): GroupPath | undefined =>
      (p.kind === 'string' && GROUP_PATH.test(p.value) ? { text: p.value, range: p.range } : this.refuse(key, p, 'a path in quotes: names joined by points, `*` for one step of any name')), mayBeEmpty);
  }

  private tasks(e: Expr): TaskChoice | undefined {
    const help = 'a list of codes, or how many of the first';
    if (e.kind === 'number') return NUMBERS.count.holds(e.value) && (this.codes.length === 0 || e.value <= this.codes.length) ? { first: e.value } : this.refuse('tasks', e, `a whole number from 1 to ${this.codes.length}`);
    const codes = this.items('tasks', e, help, (c): string | undefined => {
      if (c.kind !== 'name') return this.refuse('tasks', c, help);
      if (this.codes.includes(c.name) || this.module.doubtful.has(c.name)) return c.name;
      this.report(diagnostic('TPS5010', c.range, { name: c.name, help: suggestion(c.name, this.codes, 'the spec has no tasks') }));
      return undefined;
    });
    return codes.length === 0 ? undefined : { codes };
  }

  // -------------------------------------------------------------- pieces

  private read<T>(key: string, of: (e: Expr) => T | undefined): T | undefined {
    const e = this.entries.get(key);
    return e === undefined ? undefined : of(e);
  }
  private refuse(key: string, e: Expr, help: string): undefined {
    // what did not parse has been told
    if (e.kind !== 'error') this.report(diagnostic('TPS6002', e.range, { key, found: `\`${printExpr(e)}\``, help }));
    return undefined;
  }
  private known(block: string, key: Identifier, names: readonly string[]): boolean {
    if (names.includes(key.text)) return true;
    this.report(diagnostic('TPS6001', key.range, { block, key: key.text, help: suggestion(key.text, names) }));
    return false;
  }
  private missing(what: string, at: { readonly range: Study['range']; readonly text: string }, names: readonly string[]): undefined {
    if (!this.module.doubtful.has(at.text)) this.report(diagnostic('TPS2007', at.range, { what, name: at.text, help: suggestion(at.text, names) }));
    return undefined;
  }

  /** A record's fields by name; `names`: those that it may have. */
  private fields(block: string | undefined, e: RecordExpr, names?: readonly string[]): Fields {
    const fields = new Map<string, Expr>();
    for (const f of e.fields) {
      if (block !== undefined && names !== undefined && !this.known(block, f.name, names)) continue;
      if (fields.has(f.name.text)) this.report(diagnostic('TPS2004', f.name.range, { name: f.name.text }));
      else fields.set(f.name.text, f.value);
    }
    return fields;
  }
  private text(key: string, fields: Fields, e: Expr): string | undefined {
    const v = fields.get(key);
    if (v === undefined) return this.refuse(key, e, `it needs \`${key}: "…"\``);
    return v.kind === 'string' && v.value !== '' ? v.value : this.refuse(key, v, 'a text in quotes');
  }
  /** The items of a list, those that are right; `one` sees the ones before. */
  private items<T>(key: string, e: Expr, help: string, one: (item: Expr, before: readonly T[]) => T | undefined, mayBeEmpty = false): readonly T[] {
    if (e.kind !== 'list' || e.elements.some((x) => x.for !== undefined) || (e.elements.length === 0 && !mayBeEmpty)) {
      this.refuse(key, e, help);
      return [];
    }
    const found: T[] = [];
    for (const { value } of e.elements) {
      const item = one(value, found);
      if (item !== undefined) found.push(item);
    }
    return found;
  }
  private nameList(key: string, what: string, names: readonly string[]): readonly string[] {
    return this.read(key, (list) => this.items(key, list, `a list of names: \`[${names.slice(0, 2).join(', ')}]\``, (e, before: readonly string[]) => {
      const name = this.nameOf(key, what, e, names);
      return name !== undefined && before.includes(name) ? this.refuse(key, e, 'each stands here once') : name;
    })) ?? [];
  }
  private nameOf(key: string, what: string, e: Expr, names: readonly string[]): string | undefined {
    if (e.kind !== 'name') return this.refuse(key, e, `the name of a ${what}`);
    return names.includes(e.name) ? e.name : this.missing(what, { text: e.name, range: e.range }, names);
  }
}

/** A literal as text: `0.5`, `-1`, `true`, `nearest` for "nearest". */
function literalText(e: Expr): string | undefined {
  switch (e.kind) {
    case 'number': return e.text;
    case 'bool': return String(e.value);
    case 'string': return e.value;
    case 'unary': return e.operator === '-' && e.operand.kind === 'number' ? `-${e.operand.text}` : undefined;
    default: return undefined;
  }
}
