// Every gradient of the op table against central finite differences in float64.
import { describe, it } from 'vitest';
import { cases } from './cases.js';
import { checkGradient, nameOf, passesGradient } from './harness.js';

describe('gradients agree with finite differences', () => {
  for (const c of cases.filter(passesGradient)) it(nameOf(c), () => checkGradient(c));
});
