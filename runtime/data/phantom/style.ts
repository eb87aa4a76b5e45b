// What one patient's pictures have in common, and what every drawing is given.
import type { Stream } from '../../random.js';
import { between } from './canvas.js';

/** Drawn once a group. It moves brightness as devices and people do, so that no fixed grey value means lesion. */
export interface Style { readonly gain: number; readonly offset: number; readonly tone: number }

export const drawStyle = (stream: Stream): Style => ({ gain: between(stream, 0.75, 1.2), offset: between(stream, -0.06, 0.1), tone: stream.next() });
