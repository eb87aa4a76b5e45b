// What every row of Tables 3 and 4 adds to the full network and takes away: by the formulas of its parts, and by counting the compiled
// variants of Hiera-L. No weights are made.
import { describe, expect, it } from 'vitest';
import { diskHost } from '../../cli/host.js';
import { compileSpec, studiesOf, type ParsedTexts } from '../../compiler/index.js';
import { inspectProgram, type Inspection } from '../../runtime/report/counts.js';
import { repoPath } from '../check/support.js';
import { adapters, D1, D2, D3, decoders, DELTAS, fields, norms, pgtd, plainFuse, route, WIDTHS } from './row-deltas.js';

const host = diskHost();
const parsed: ParsedTexts = new Map();
const SPEC = repoPath('models/tpseg.tps');
const CODES = ['WA', 'BT', 'ADC', 'TN', 'CP', 'LI', 'BL', 'SL'];

const known = new Map<string, Inspection>();
/** Counts of a variant (none: the full network) for the first T tasks. */
function counted(variant: string | undefined, T = 8): Inspection['parameters'] {
  const key = `${variant} ${T}`;
  let inspection = known.get(key);
  if (inspection === undefined) {
    const { program, diagnostics } = compileSpec({ file: SPEC, tasks: CODES.slice(0, T), knownVariant: true, ...(variant === undefined ? {} : { variant }) }, host, parsed);
    if (program === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
    known.set(key, inspection = inspectProgram(program));
  }
  return inspection.parameters;
}

describe('the parts have the counts of the reference', () => {
  it.each([
    ['widths before the blocks', WIDTHS, 26_352], ['a route', route, 3_373_056], ['fields', fields, 428_928 + 1_711_872 + 6_839_808 + 27_343_872],
    // 4.1, T = 1: less the prototypes' initialisers, which make no parameters here, less the dead router's 133 and the weight of a single scale
    ['PGTD1', pgtd(...D1, 1), 2_076_944 - 82_432 - 133 - 1], ['PGTD2', pgtd(...D2, 1), 2_097_424 - 82_432 - 133 - 1], ['PGTD3', pgtd(...D3, 1), 8_323_472 - 295_936 - 133 - 1],
    // section 6, T = 8
    ['PGTD1 off', plainFuse(...D1, 8), 48_264], ['PGTD2 off', plainFuse(...D2, 8), 68_744], ['PGTD3 off', plainFuse(...D3, 8), 268_552],
  ])('%s', (_, derived, stated) => { expect(derived).toBe(stated); });
  it('and sum to the full network', () => {
    for (const T of [1, 8]) expect(counted(undefined, T).total).toBe(212_149_296 + adapters(T) + fields + decoders(T));
  });
});

// ---------------------------------------------------------------- the rows

describe('a variant adds and takes away what the formulas of its parts say', () => {
  it.each(DELTAS)('%s', (variant, delta) => {
    const [own, base] = [counted(variant), counted(undefined)];
    expect(own.total - base.total).toBe(delta(8));
    // the trunk stays as it is and stays frozen
    expect(own.frozen).toBe(212_149_296);
  });
  it.each(['A2', 'B4', 'no_pgtd3'])('%s for a single task, too', (variant) => {
    const delta = DELTAS.find(([row]) => row === variant)![1];
    expect(counted(variant, 1).total - counted(undefined, 1).total).toBe(delta(1));
  });
  it('as section 5.3 has B4: the released graph without what nothing reads in it', () => {
    const dead = 436_930 + 4 * 8 + 6_657 + 7 * (512 + 1); // dead modules and heads at T = 1, fuser, fourth head
    const deadHeads = 7 * (257 + 129), embedding = 64 * 8, initialisers = 460_800, routers = 3 * (133 + 1);
    expect(288_463_181 - dead - deadHeads - embedding - initialisers - routers).toBe(counted('B4').total);
  });
});

describe('rows that are the full network', () => {
  const { studies } = studiesOf(SPEC, host, parsed);
  it.each([['A4', 'paper'], ['A5', 'paper'], ['C6', 'paper'], ['tp_seg', 'paper'], ['unified', 'paper'], ['general', 'paper'], ['no_pgtd', 'A3']])('%s is %s', (name, same) => {
    expect(studies.flatMap((s) => s.rows).find((r) => r.name === name)?.same).toBe(same);
  });
  it('every other row of every study is derived above', () => {
    const derived = new Set(DELTAS.map(([row]) => row));
    expect(studies.flatMap((s) => s.rows).filter((r) => r.same !== r.block && !derived.has(r.same)).map((r) => r.name)).toEqual([]);
  });
  it('separately trained, the eight networks of A5 have eight trunks and eight of everything shared', () => {
    expect(counted(undefined, 1).total).toBe(267_309_326);
    expect(8 * counted(undefined, 1).trainable - counted(undefined).trainable).toBe(7 * (route + norms + fields + decoders(0)));
  });
});
