import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { addCounts, batchCounts, confusion, dice, lesionMask, miouDefinitions, scoreOf, scoresOf, type Confusion } from '../../runtime/metrics/index.js';

const bits = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 60 });
const bitPairs = bits.chain((truth) => fc.tuple(fc.constant(truth), fc.array(fc.constantFrom(0, 1), { minLength: truth.length, maxLength: truth.length })));

describe('confusion', () => {
  it('counts pixels', () => {
    expect(confusion([1, 1, 0, 0, 1], [1, 0, 1, 0, 1])).toEqual({ tp: 2, fp: 1, fn: 1, tn: 1 });
    expect(() => confusion([1], [1, 0])).toThrow('prediction of 1 pixels, truth of 2');
  });

  it('cuts where sigmoid(logit) >= threshold', () => {
    expect([...lesionMask(Float32Array.of(-1, -0, 0, 1e-6, NaN, Infinity), 0.5)]).toEqual([0, 1, 1, 1, 0, 1]);
    expect([...lesionMask(Float32Array.of(1, 1.0987, 2), 0.75)]).toEqual([0, 1, 1]);
    expect([...lesionMask(Float32Array.of(-1e30, 0), 0)]).toEqual([1, 1]);
  });

  it('goes image by image through a batch', () => {
    expect(batchCounts(Float32Array.of(1, -1, 1, 1), Float32Array.of(1, 1, 0, 1), 0.5, [{ task: 'SL', image: 'a' }, { task: 'BT', image: 'b' }]))
      .toEqual([{ task: 'SL', image: 'a', tp: 1, fp: 0, fn: 1, tn: 0 }, { task: 'BT', image: 'b', tp: 1, fp: 1, fn: 0, tn: 0 }]);
  });
});

describe('scores', () => {
  const a: Confusion = { tp: 6, fp: 2, fn: 2, tn: 90 }, b: Confusion = { tp: 30, fp: 10, fn: 20, tn: 40 };

  it('Dice of an image, smooth 1e-5: nothing found where nothing is counts as right', () => {
    expect(dice(a)).toBeCloseTo(12 / 16, 6);
    expect(dice({ tp: 0, fp: 0, fn: 0, tn: 9 })).toBe(1);
    expect(dice({ tp: 0, fp: 1, fn: 0, tn: 9 })).toBeLessThan(1e-4);
  });

  it('four definitions of mIoU, each worked out by hand', () => {
    const both = [a, b];
    expect(scoreOf(both).miou).toBeCloseTo((36 / 70 + 130 / 164) / 2, 6);
    expect(scoreOf(both, 'dataset-foreground').miou).toBeCloseTo(36 / 70, 6);
    expect(scoreOf(both, 'image-foreground').miou).toBeCloseTo((6 / 10 + 30 / 60) / 2, 6);
    expect(scoreOf(both, 'image-both').miou).toBeCloseTo(((6 / 10 + 90 / 94) / 2 + (30 / 60 + 40 / 70) / 2) / 2, 6);
  });

  it('the mean over images of foreground IoU never exceeds Dice; the paper\'s mIoU may', () => {
    fc.assert(fc.property(fc.array(bitPairs, { minLength: 1, maxLength: 5 }), (images) => {
      const counts = images.map(([truth, p]) => confusion(p, truth));
      expect(scoreOf(counts, 'image-foreground').miou).toBeLessThanOrEqual(scoreOf(counts).dice + 1e-12);
    }));
    expect(scoreOf([a]).miou).toBeGreaterThan(scoreOf([a]).dice);
  });

  it('agree with Dice = 2|A∩B| / (|A| + |B|) counted from the masks', () => {
    fc.assert(fc.property(bitPairs, ([truth, p]) => {
      const common = truth.filter((t, i) => t === 1 && p[i] === 1).length, sum = truth.filter((t) => t === 1).length + p.filter((v) => v === 1).length;
      expect(dice(confusion(p, truth))).toBeCloseTo(sum === 0 ? 1 : (2 * common) / sum, 4);
    }));
  });

  it('average over tasks, each alike, however many images it has', () => {
    const rows = [{ task: 'SL', image: '1', ...a }, { task: 'BT', image: '2', ...b }, { task: 'SL', image: '3', ...a }];
    const scores = scoresOf(rows);
    expect(Object.keys(scores.perTask)).toEqual(['SL', 'BT']);
    expect(scores.perTask['SL']).toMatchObject({ images: 2, dice: dice(a) });
    expect(scores.average.dice).toBeCloseTo((dice(a) + dice(b)) / 2, 12);
    expect(scores.miouDefinition).toBe('dataset-both');
    expect(miouDefinitions).toHaveLength(4);
    expect(() => scoreOf([])).toThrow('no image to score');
  });

  it('of a data set do not depend on how images are pooled', () => {
    expect(scoreOf([addCounts(a, b)]).miou).toBe(scoreOf([b, a]).miou);
  });
});
