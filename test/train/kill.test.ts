// A few kills for the suite; `kill.ts` does twenty.
import { expect, it } from 'vitest';
import { killAndResume } from './kill.js';

it('killed with -9 at random moments, a training resumes to the numbers of an uninterrupted one', async () => {
  const { kills, unequal } = await killAndResume(2, Date.now() % 1e6);
  expect(unequal).toEqual([]);
  expect(kills).toBe(2);
});
