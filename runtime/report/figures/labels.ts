// Where the names of points go, so that none lies on another or on a point. (Vega's own placing needs a canvas.)

export interface Labelled { readonly x: number; readonly y: number; readonly text: string }
export interface PlacedLabel { readonly x: number; readonly y: number; readonly text: string; readonly align: 'left' | 'center' | 'right' }

interface Box { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }
const overlap = (a: Box, b: Box): number => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

/** Right, left, above, below, then the corners. */
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]] as const;
const GAP = 7;

/** One label a point, its middle at `y`; pixels. Each takes the first side that hides least. */
export function placeLabels(points: readonly Labelled[], width: number, height: number, fontSize = 11): readonly PlacedLabel[] {
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 }));
  return points.map(({ x, y, text }) => {
    const long = text.length * fontSize * 0.68, tall = fontSize;
    const choices = SIDES.map(([sx, sy]) => {
      const gap = sx !== 0 && sy !== 0 ? GAP - 2 : GAP;
      const at = { x: x + sx * gap, y: y + sy * (sx === 0 ? GAP + tall / 2 : gap + 2) };
      const left = sx > 0 ? at.x : sx < 0 ? at.x - long : at.x - long / 2;
      const box: Box = { left, right: left + long, top: at.y - tall / 2, bottom: at.y + tall / 2 };
      const outside = long * tall - overlap(box, { left: 0, top: 0, right: width, bottom: height });
      return { box, label: { ...at, text, align: sx > 0 ? 'left' : sx < 0 ? 'right' : 'center' } as const, cost: Math.round(outside + taken.reduce((sum, other) => sum + overlap(box, other), 0)) };
    });
    const best = choices.reduce((a, b) => (b.cost < a.cost ? b : a));
    taken.push(best.box);
    return best.label;
  });
}
