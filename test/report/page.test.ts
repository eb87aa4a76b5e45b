// The parts of report pages by themselves: what is escaped, how curves are thinned, what an overlay has in which pixel, which images changed most.
import { describe, expect, it } from 'vitest';
import { thinned } from '../../runtime/report/figures/curves.js';
import { median } from '../../runtime/statistics/index.js';
import { PREDICTION, TINT, TRUTH } from '../../runtime/report/figures/panels.js';
import { pageHtml } from '../../runtime/report/page/page.js';
import { cell, facts, figure, gallery, html, missing, numberCell, source, table, text } from '../../runtime/report/page/parts.js';
import { overlayPixels } from '../../runtime/report/page/pictures.js';
import { changesOf } from '../../runtime/report/results-table/index.js';

const HOSTILE = '</title></script><img src=x onerror="alert(1)">&amp;';

describe('markup', () => {
  it('takes no text as it is, wherever it stands', () => {
    const layers = { base: 'data:,', width: 1, height: 1 };
    const page = pageHtml({
      title: HOSTILE, subtitle: text(HOSTILE), headline: [[HOSTILE, HOSTILE]], footer: HOSTILE,
      sections: [{ id: 'a', title: HOSTILE, body: html`${facts([[HOSTILE, text(HOSTILE)]])}${missing(HOSTILE)}${source(HOSTILE)}${table(HOSTILE, [{ title: HOSTILE }], [[cell(HOSTILE)]])}${gallery(HOSTILE, [{ layers, alt: HOSTILE, caption: text(HOSTILE) }])}${figure('<svg/>', HOSTILE, HOSTILE)}` }],
    });
    expect(page).not.toContain('<img src=x');
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page.match(/<\/title>/g)).toHaveLength(1);
    // title twice, its section's and its link, subtitle, headline's two, footer, facts' two, missing, source, table's four, gallery's three, figure's two
    expect(page.split('&lt;/title&gt;&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;amp;')).toHaveLength(1 + 21);
  });
  it('leaves a cell empty where there is no number, and gives the number to sort by where there is one', () => {
    expect(numberCell(undefined, String).content).toBe('');
    expect(numberCell(NaN, String).content).toBe('');
    expect(table('t', [{ title: 'a' }, { title: 'b', numeric: true }], [[cell('x'), numberCell(0.5, (v) => `${100 * v} %`)]])).toContain('<td class="number" data-value="0.5">50 %</td>');
  });
});

describe('numbers', () => {
  it('many points become means of equal runs', () => {
    const points = Array.from({ length: 1000 }, (_, i) => ({ x: i + 1, y: i % 2 }));
    const { each, points: few } = thinned(points);
    expect(each).toBe(3);
    expect(few).toHaveLength(334);
    expect(few[0]).toEqual({ x: 3, y: 1 / 3 });
    expect(few.at(-1)).toEqual({ x: 1000, y: 1 });
    expect(thinned(points.slice(0, 400))).toEqual({ each: 1, points: points.slice(0, 400) });
  });
  it('the median is the middle, or between the two in the middle', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, NaN]);
  });
  it('an overlay is clear where nothing is, tinted inside, and outlined by both', () => {
    const size = { height: 1, width: 7 };
    const pixels = overlayPixels(Uint8Array.of(0, 1, 1, 1, 0, 0, 0), Uint8Array.of(0, 0, 0, 0, 0, 1, 1), size);
    const at = (i: number): readonly number[] => [...pixels.slice(4 * i, 4 * i + 4)];
    expect(at(0)).toEqual([0, 0, 0, 0]);
    expect(at(1)).toEqual([...PREDICTION, 255]);
    expect(at(5)).toEqual([...TRUTH, 255]);
    expect(overlayPixels(new Uint8Array(81).fill(1), new Uint8Array(81), { height: 9, width: 9 }).slice(4 * 40, 4 * 41)).toEqual(Uint8Array.of(...PREDICTION, Math.round(255 * TINT)));
  });
  it('images are paired by task and name, each averaged over the seeds, the greatest change first', () => {
    const counts = (tp: number, image: string) => ({ task: 'A', image, tp, fp: 0, fn: 10 - tp, tn: 0 });
    const a = new Map([[0, [counts(10, 'x'), counts(5, 'y')]], [1, [counts(10, 'x'), counts(5, 'y')]]]);
    const b = new Map([[0, [counts(10, 'x'), counts(10, 'y')]], [1, [counts(0, 'x'), counts(5, 'y')]]]);
    const [first, second] = changesOf(a, b, [0, 1]);
    expect(first).toMatchObject({ image: 'x', a: 1 });
    expect(first!.change).toBeCloseTo(-0.5, 4);
    expect(second).toMatchObject({ image: 'y' });
    expect(second!.change).toBeCloseTo((1 - 2 / 3) / 2, 4);
  });
});
