// The gradient of resize: made by autodiff only. The adjoint of the two interpolations, exact, as two products with constants.
import type { NodeId } from '../ir/graph.js';
import type { OpDef } from './op.js';
import { HOW, interpolationMaps } from './resize.js';
import { at, pairAttr } from './shared/attrs.js';
import { adjoint, mapImages, mapImagesOnnx } from './shared/interpolation.js';
import { imageOf } from './shared/spatial.js';
import { mapImagesTfjs } from './shared/tfjs-images.js';

export const resizeGrad: OpDef = {
  name: 'resize_grad',
  doc: 'gradient of resize: rowsᵀ · dy · columns with the matrices of the interpolation',
  inputs: ['dy'],
  attrs: { size: { kind: 'dims', doc: 'height and width of the input of resize' }, ...HOW },
  surface: false,
  infer: ([dy], attrs) => {
    const image = imageOf('resize_grad', 'dy', dy);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...pairAttr(attrs, 'size')] };
  },
  evaluate: (inputs, attrs) => {
    const dy = at(inputs, 0);
    return mapImages(dy, adjoint(interpolationMaps(pairAttr(attrs, 'size'), [at(dy.shape, 2), at(dy.shape, 3)], attrs)));
  },
  onnx: (c, node, names) => {
    const { size } = imageOf('resize_grad', 'dy', c.typeOf(node.inputs[0] as NodeId));
    return mapImagesOnnx(c, at(names, 0), adjoint(interpolationMaps(pairAttr(node.attrs, 'size'), size, node.attrs)));
  },
  tfjs: (c, node, inputs) => {
    const dy = at(inputs, 0);
    return mapImagesTfjs(c, dy, adjoint(interpolationMaps(pairAttr(node.attrs, 'size'), imageOf('resize_grad', 'dy', dy).size, node.attrs)));
  },
};
