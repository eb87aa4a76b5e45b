// The op `one_hot`: its row of the table.
import { formatType } from '../ir/graph.js';
import { ndarray, scalar, zeros } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { at, numberAttr } from './shared/attrs.js';
import { named, requireDType } from './shared/rules.js';
import { castTfjs, plain } from './shared/tfjs.js';

export const oneHot: OpDef = {
  name: 'one_hot',
  doc: 'For each index a row of `depth` zeros with a 1 at its place.',
  constraints: ['(C1) index is i64', '(C2) depth is at least 1', '(C3) every index lies in 0 .. depth - 1', '(C4) the result is f32 with `depth` as a new last axis'],
  inputs: ['index'],
  attrs: { depth: { kind: 'int', doc: 'the number of places' } },
  surface: true,
  infer(inputs, attrs) {
    const index = at(inputs, 0);
    const depth = numberAttr(attrs, 'depth');
    requireDType('one_hot', named('index', index), ['i64']);
    if (!(depth >= 1)) throw new OpError('attr', `one_hot: depth ${depth} for ${formatType(index)}`, 'depth is at least 1');
    return { dtype: 'f32', shape: [...index.shape, depth] };
  },
  evaluate(inputs, attrs, shape) {
    const depth = numberAttr(attrs, 'depth');
    const out = zeros(shape);
    for (const [i, place] of at(inputs, 0).data.entries()) {
      if (!(place >= 0 && place < depth)) throw new RangeError(`one_hot: index ${place} is not in 0 .. ${depth - 1}`);
      out.data[i * depth + place] = 1;
    }
    return out;
  },
  onnx(c, node, inputs) {
    const depth = numberAttr(node.attrs, 'depth');
    const rows = (index: string): string => c.emit('OneHot', [index, c.constant(scalar(depth), 'i64'), c.constant(ndarray([2], [0, 1]), 'f32')], { axis: { int: -1 } });
    const index = at(inputs, 0);
    // ONNX takes no scalar index
    return node.type.shape.length > 1 ? rows(index) : c.emit('Reshape', [rows(c.emit('Reshape', [index, c.ints([1])])), c.ints([depth])]);
  },
  /** In int32: the wasm backend writes integers whatever it is asked for. */
  tfjs: (c, node, inputs) => castTfjs(c, c.call('OneHot', { indices: plain(c, at(inputs, 0)) },
    { depth: numberAttr(node.attrs, 'depth'), onValue: 1, offValue: 0, dtype: 'int32' }, node.type.shape, 'i64'), 'f32'),
};
