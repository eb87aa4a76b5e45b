// Contractions, pools, resize, softmax and normalize: gradients against finite differences, ONNX Runtime against `evaluate`.
import { describe, it } from 'vitest';
import { contractions, withoutDifferences } from './cases-contractions.js';
import { checkGradient, checkParity, nameOf } from './harness.js';

describe('gradients agree with finite differences', () => {
  for (const c of contractions) it(nameOf(c), () => checkGradient(c));
});
describe('ONNX Runtime computes what `evaluate` says', () => {
  for (const c of [...contractions, ...withoutDifferences]) it(nameOf(c), () => checkParity(c));
});
