// A value that waits for another one: how a pass says that something is to be computed late. Made by passes only.
import { OpError, type OpDef } from './op.js';
import { at } from './shared/attrs.js';

export const after: OpDef = {
  name: 'after',
  doc: 'x, once the value `other` has been computed',
  constraints: ['(C1) other has rank 1 or more'],
  inputs: ['x', 'other'],
  attrs: {},
  surface: false,
  infer: (inputs) => {
    if (at(inputs, 1).shape.length === 0) throw new OpError('rank', 'after: other is a scalar; it must have an axis');
    return at(inputs, 0);
  },
  evaluate: (inputs) => at(inputs, 0),
  /** A Reshape to its own shape, plus nothing that the size of `other` is needed to know: ONNX has no other order than that of needs. */
  onnx: (c, node, [x = '', other = '']) => {
    const nothing = c.emit('Mul', [c.emit('Shape', [other], { start: 0, end: 1 }), c.ints([0])]);
    return c.emit('Reshape', [x, c.emit('Add', [c.shape(node.type.shape), nothing])]);
  },
  /** A program for TensorFlow.js has an order of its own. */
  tfjs: (_, __, inputs) => at(inputs, 0),
};
