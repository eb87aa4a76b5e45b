// Constant folding: what depends on constants alone is computed here, in float64, by the reference evaluator.
import { evaluateConstant } from '../evaluate.js';
import { isStatic } from '../ir/dim.js';
import { sizeOf } from '../ir/ndarray.js';
import { constantOf, inputOf, type Law } from './rewrite.js';

/** Elements up to which a folded value may be larger than what it was made of: a file should not swell by a broadcast zero. */
const GROWTH_LIMIT = 4096;

export const fold: Law = (b, node) => {
  if (node.inputs.length === 0) return undefined;
  const values = node.inputs.flatMap((_, i) => constantOf(inputOf(b, node, i)) ?? []);
  if (values.length < node.inputs.length || !node.type.shape.every(isStatic)) return undefined;
  const before = values.reduce((n, v) => n + v.data.length, 0);
  if (sizeOf(node.type.shape) > Math.max(before, GROWTH_LIMIT)) return undefined;
  const value = evaluateConstant(node, values);
  return value === undefined ? undefined : b.constant(value, node.type.dtype);
};
