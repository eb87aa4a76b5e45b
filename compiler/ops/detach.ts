// The op `detach`: its row of the table.
import type { OpDef } from './op.js';
import { at } from './shared/attrs.js';

export const detach: OpDef = {
  name: 'detach',
  doc: 'x itself, as a constant to the gradient.',
  constraints: ['(C1) the result has the type of x', '(C2) no gradient passes'],
  inputs: ['x'],
  attrs: {},
  surface: true,
  infer: (inputs) => at(inputs, 0),
  evaluate: (inputs) => at(inputs, 0),
  onnx: (c, _node, inputs) => c.emit('Identity', inputs),
  tfjs: (_c, _node, inputs) => at(inputs, 0),
};
