// Every op and every gradient in ONNX Runtime against the reference evaluator, with static sizes and with a symbolic batch.
import { describe, it } from 'vitest';
import { cases } from './cases.js';
import { checkParity, nameOf } from './harness.js';

describe('ONNX Runtime computes what `evaluate` says', () => {
  for (const c of cases) it(nameOf(c), () => checkParity(c));
});
