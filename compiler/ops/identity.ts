// The op `identity`: its row of the table.
import type { OpDef } from './op.js';
import { at } from './shared/attrs.js';

export const identity: OpDef = {
  name: 'identity',
  doc: 'x itself.',
  constraints: ['(C1) the result has the type of x'],
  inputs: ['x'],
  attrs: {},
  surface: true,
  infer: (inputs) => at(inputs, 0),
  gradient: ({ dy, needs }) => [needs(0) ? dy : undefined],
  evaluate: (inputs) => at(inputs, 0),
  onnx: (c, _node, inputs) => c.emit('Identity', inputs),
  tfjs: (_c, _node, inputs) => at(inputs, 0),
};
