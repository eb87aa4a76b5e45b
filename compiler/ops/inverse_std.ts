// 1 / sqrt(variance + eps) over some axes: what the gradient of normalize needs. Made by autodiff only.
import { ndarray, type NdArray } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { at } from './shared/attrs.js';
import { moments, momentsOnnx, momentsTfjs, normalType, NORMAL_ATTRS } from './shared/moments.js';

export const inverseStd: OpDef = {
  name: 'inverse_std',
  doc: '1 / sqrt(variance + eps) over the axes, which stay with size 1; the biased variance',
  inputs: ['x'],
  attrs: NORMAL_ATTRS,
  surface: false,
  infer: (inputs, attrs) => {
    const { type, axes } = normalType('inverse_std', at(inputs, 0), attrs);
    return { dtype: 'f32', shape: type.shape.map((d, i) => (axes.includes(i) ? 1 : d)) };
  },
  evaluate: ([x], attrs, shape) => ndarray(shape, moments(x as NdArray, attrs).inverseStd),
  onnx: (c, node, [x = '']) => momentsOnnx(c, node, x).inverseStd(),
  tfjs: (c, node, inputs) => momentsTfjs(c, node, at(inputs, 0)).inverseStd(),
};
