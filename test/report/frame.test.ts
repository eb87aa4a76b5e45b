// Source frames: where the carets stand, what related places look like, colours, the JSON.
import { describe, expect, it } from 'vitest';
import type { Position, Range } from '../../grammar/ast.js';
import type { Diagnostic } from '../../grammar/diagnostics.js';
import { countDiagnostics, diagnosticsJson, renderDiagnostic, renderDiagnostics } from '../../runtime/report/frame.js';

/** The range of the first `part` in a text. */
function rangeOf(file: string, text: string, part: string): Range {
  const at = (offset: number): Position => {
    const before = text.slice(0, offset).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1, offset };
  };
  const offset = text.indexOf(part);
  return { file, start: at(offset), end: at(offset + part.length) };
}

const text = ['model M(image: f32[B, 3, 8, 8]) -> f32[B, 1, 8, 8] {', '  let a = image', '', '', '\tlet b = a + 漢字wrong', '  return b', '}'].join('\n');
const texts = new Map([['m.tps', text], ['other.tps', 'block f()(x: f32[B]) -> f32[B] {\n  return x\n}']]);
const error = (over: Partial<Diagnostic> = {}): Diagnostic =>
  ({ code: 'TPS1001', severity: 'error', message: 'it does not fit', range: rangeOf('m.tps', text, 'image\n'.trim()), related: [], ...over });

describe('renderDiagnostic', () => {
  it('puts carets under the place, counting tabs and wide characters as the terminal shows them', () => {
    const lines = renderDiagnostic(error({ range: rangeOf('m.tps', text, 'wrong') }), texts, { colour: false }).split('\n');
    expect(lines).toEqual([
      'error[TPS1001]: it does not fit',
      ' --> m.tps:5:16',
      '  |',
      '5 |     let b = a + 漢字wrong',
      '  |                     ^^^^^',
    ]);
  });

  it('shows a related place of the same file in the same picture, and leaves out what lies between', () => {
    const frame = renderDiagnostic(error({
      range: rangeOf('m.tps', text, 'return b'), help: 'mend it',
      related: [{ message: 'declared here', range: rangeOf('m.tps', text, 'let a') }],
    }), texts, { colour: false });
    expect(frame.split('\n').slice(1)).toEqual([
      ' --> m.tps:6:3',
      '  |',
      '2 |   let a = image',
      '  |   ----- declared here',
      '…',
      '6 |   return b',
      '  |   ^^^^^^^^',
      '  = help: mend it',
    ]);
  });

  it('shows a related place of another file under its own path', () => {
    const frame = renderDiagnostic(error({ related: [{ message: 'the block', range: rangeOf('other.tps', texts.get('other.tps') ?? '', 'block f') }] }), texts, { colour: false });
    expect(frame).toContain(' ::: other.tps:1:1\n  |\n1 | block f()(x: f32[B]) -> f32[B] {\n  | ------- the block');
  });

  it('underlines a place of many lines to the end of its first line', () => {
    const frame = renderDiagnostic(error({ range: rangeOf('m.tps', text, 'let a = image\n\n\n\tlet b') }), texts, { colour: false });
    expect(frame.split('\n').slice(3)).toEqual(['2 |   let a = image', '  |   ^^^^^^^^^^^^^']);
  });

  it('marks an empty place (the end of a file) with one caret, and needs no text', () => {
    const end: Position = { line: 7, column: 2, offset: text.length };
    expect(renderDiagnostic(error({ range: { file: 'm.tps', start: end, end } }), texts, { colour: false })).toContain('7 | }\n  |  ^');
    expect(renderDiagnostic(error(), new Map(), { colour: false })).toBe('error[TPS1001]: it does not fit\n --> m.tps:1:9');
  });

  it('colours only where asked', () => {
    expect(renderDiagnostic(error(), texts, { colour: true })).toContain('\u001b[1;31merror[TPS1001]');
    expect(renderDiagnostic(error(), texts, { colour: false })).not.toContain('\u001b');
  });
});

describe('many diagnostics', () => {
  const warning = error({ severity: 'warning' });
  it('ends with the count, and says nothing where there are none', () => {
    expect(renderDiagnostics([error(), error(), warning], texts, { colour: false })).toMatch(/\n\n2 errors, 1 warning\n$/);
    expect(renderDiagnostics([], texts, { colour: false })).toBe('');
    expect(countDiagnostics([error()])).toBe('1 error');
  });
  it('are not ok where one is an error; lines and columns begin at 1', () => {
    expect(diagnosticsJson([warning]).ok).toBe(true);
    const json = diagnosticsJson([error({ related: [{ message: 'here', range: rangeOf('other.tps', 'x', 'x') }] })], (p) => `shown/${p}`);
    expect(json).toEqual({
      ok: false,
      diagnostics: [{
        code: 'TPS1001', severity: 'error', message: 'it does not fit', help: null, file: 'shown/m.tps',
        range: { start: { line: 1, column: 9 }, end: { line: 1, column: 14 } },
        related: [{ message: 'here', file: 'shown/other.tps', range: { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } } }],
      }],
    });
  });
});
