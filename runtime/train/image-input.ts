// The image that a program takes: what data sets, predictions and exports feed it with.
import { isStatic } from '../../compiler/ir/dim.js';
import { formatType } from '../../compiler/ir/graph.js';
import type { Program } from '../../compiler/program.js';
import type { Size } from '../data/index.js';
import { UserError } from '../errors.js';

export interface ImageInput extends Size { readonly name: string }

/** Throws UserError where the program takes anything but one image, f32[B, 3, H, W] with an open batch: images are RGB. */
export function imageInput(program: Program): ImageInput {
  const [image, other] = program.inputs;
  const [batch, channels, height, width] = image?.type.shape ?? [];
  const refuse = (what: string): UserError => new UserError(`${program.name} ${what}`, 'Images are fed as f32[B, 3, H, W]: red, green and blue, an open batch, known height and width.');
  if (image === undefined) throw refuse('takes no image');
  if (other !== undefined) throw refuse(`takes ${program.inputs.length} tensors (${program.inputs.map((i) => i.name).join(', ')}), not one image`);
  if (image.type.dtype !== 'f32' || image.type.shape.length !== 4 || batch === undefined || isStatic(batch) || channels !== 3 || typeof height !== 'number' || typeof width !== 'number') {
    throw refuse(`takes ${image.name}: ${formatType(image.type)}`);
  }
  return { name: image.name, height, width };
}
