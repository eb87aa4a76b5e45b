// The op `cast`: its row of the table.
import type { OpDef } from './op.js';
import { mapArray } from './shared/arrays.js';
import { at, dtypeAttr } from './shared/attrs.js';
import { castTfjs } from './shared/tfjs.js';

// ONNX TensorProto.DataType
const onnxType = { f32: 1, i64: 7, bool: 9 } as const;

export const cast: OpDef = {
  name: 'cast',
  doc: 'The same values in another dtype: to i64 towards zero, to bool whether it is not 0.',
  constraints: ['(C1) the result has the shape of x and the dtype `to`', '(C2) a gradient passes from f32 to f32 only'],
  inputs: ['x'],
  attrs: { to: { kind: 'enum', values: ['f32', 'i64', 'bool'], doc: 'the dtype of the result' } },
  surface: true,
  infer: (inputs, attrs) => ({ dtype: dtypeAttr(attrs, 'to'), shape: at(inputs, 0).shape }),
  gradient: ({ b, dy, inputs, node, needs }) => [needs(0) && node.type.dtype === 'f32' && b.type(at(inputs, 0)).dtype === 'f32' ? dy : undefined],
  evaluate(inputs, attrs) {
    const x = at(inputs, 0);
    switch (dtypeAttr(attrs, 'to')) {
      case 'f32': return x;
      case 'i64': return mapArray(x, Math.trunc);
      case 'bool': return mapArray(x, (v) => (v !== 0 ? 1 : 0));
    }
  },
  onnx: (c, node, inputs) => c.emit('Cast', inputs, { to: { int: onnxType[node.type.dtype] } }),
  tfjs: (c, node, inputs) => castTfjs(c, at(inputs, 0), node.type.dtype),
};
