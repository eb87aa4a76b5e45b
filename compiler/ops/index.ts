// The closed list of ops. Only a list: what an op is stands in its own file.
import { abs } from './abs.js';
import { add } from './add.js';
import { after } from './after.js';
import { logicalAnd } from './and.js';
import { avgPool } from './avg_pool.js';
import { avgPoolGrad } from './avg_pool_grad.js';
import { cast } from './cast.js';
import { concat } from './concat.js';
import { conv2d } from './conv2d.js';
import { conv2dWeightGrad } from './conv2d_weight_grad.js';
import { convTranspose2d } from './conv_transpose2d.js';
import { cumsum } from './cumsum.js';
import { detach } from './detach.js';
import { div } from './div.js';
import { equal } from './equal.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { flip } from './flip.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { greater } from './greater.js';
import { greaterEqual } from './greater_equal.js';
import { identity } from './identity.js';
import { inverseStd } from './inverse_std.js';
import { less } from './less.js';
import { lessEqual } from './less_equal.js';
import { log } from './log.js';
import { matmul } from './matmul.js';
import { max } from './max.js';
import { maxPool } from './max_pool.js';
import { maxPoolGrad } from './max_pool_grad.js';
import { maximum } from './maximum.js';
import { mean } from './mean.js';
import { min } from './min.js';
import { minimum } from './minimum.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { normalize } from './normalize.js';
import { logicalNot } from './not.js';
import { notEqual } from './not_equal.js';
import { oneHot } from './one_hot.js';
import type { OpDef } from './op.js';
import { logicalOr } from './or.js';
import { pad } from './pad.js';
import { pow } from './pow.js';
import { reciprocal } from './reciprocal.js';
import { relu } from './relu.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';
import { resizeGrad } from './resize_grad.js';
import { sigmoid } from './sigmoid.js';
import { sign } from './sign.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { softplus } from './softplus.js';
import { sqrt } from './sqrt.js';
import { sub } from './sub.js';
import { sum } from './sum.js';
import { tanh } from './tanh.js';
import { transpose } from './transpose.js';
import { where } from './where.js';

export const ops: readonly OpDef[] = [
  abs, add, after, logicalAnd, avgPool, avgPoolGrad, cast, concat, conv2d, conv2dWeightGrad, convTranspose2d, cumsum, detach, div, equal,
  erf, exp, expand, flip, gather, gelu, greater, greaterEqual, identity, inverseStd, less, lessEqual, log, matmul, max, maxPool,
  maxPoolGrad, maximum, mean, min, minimum, mul, neg, normalize, logicalNot, notEqual, oneHot, logicalOr, pad, pow, reciprocal, relu,
  reshape, resize, resizeGrad, sigmoid, sign, slice, softmax, softplus, sqrt, sub, sum, tanh, transpose, where,
];

const byName: ReadonlyMap<string, OpDef> = new Map(ops.map((op) => [op.name, op]));

export const isOp = (name: string): boolean => byName.has(name);
export function opOf(name: string): OpDef {
  const op = byName.get(name);
  if (op === undefined) throw new Error(`no op is called ${name}`);
  return op;
}
