// Zero mean and unit variance over some axes, the ground of layer, group, instance and batch norm.
import type { NodeId } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { at, intsAttr, normalAxes } from './shared/attrs.js';
import { moments, momentsOnnx, momentsTfjs, normalType, NORMAL_ATTRS } from './shared/moments.js';

export const normalize: OpDef = {
  name: 'normalize',
  doc: '(x - mean) / sqrt(variance + eps) over the axes, with the biased variance',
  constraints: ['(C1) the axes lie in the rank of x and differ', '(C2) eps is positive'],
  inputs: ['x'],
  attrs: NORMAL_ATTRS,
  surface: true,
  infer: (inputs, attrs) => normalType('normalize', at(inputs, 0), attrs).type,
  /** dx = s (dy − mean(dy) − y mean(dy y)) with s = 1 / sqrt(variance + eps). */
  gradient: ({ b, node, inputs, output, dy }) => {
    const axes = normalAxes(intsAttr(node.attrs, 'axes'), b.shape(dy).length);
    const s = b.add('inverse_std', [inputs[0] as NodeId], node.attrs);
    const inner = b.sub(b.sub(dy, b.mean(dy, axes)), b.mul(output, b.mean(b.mul(dy, output), axes)));
    return [b.mul(inner, s)];
  },
  evaluate: ([input], attrs, shape) => {
    const x = input as NdArray;
    const { mean, inverseStd, rowOf } = moments(x, attrs);
    const out = new Float64Array(x.data.length);
    for (let i = 0; i < out.length; i++) {
      const row = rowOf[i] as number;
      out[i] = ((x.data[i] as number) - (mean[row] as number)) * (inverseStd[row] as number);
    }
    return ndarray(shape, out);
  },
  onnx: (c, node, [x = '']) => momentsOnnx(c, node, x).normal(),
  tfjs: (c, node, inputs) => momentsTfjs(c, node, at(inputs, 0)).normal(),
};
