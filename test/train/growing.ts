// A small network in which a task owns all that it can own: a copy (`per t`), a row of a shared table, prototypes; beside what is shared and would
// move in a training: weights, running statistics, a temperature. Its loss reads the prototypes of all tasks.
import { programOf, compileText } from '../check/support.js';
import type { CompileRequest } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';

/** BL stands between the others: what comes after it has another number with it than without. */
export const CODES = ['TN', 'BL', 'SL'] as const;

export const growingSpec = (tasks: readonly string[] = CODES, body = ''): string => `edition 1
from std.loss import structure

tasks lesions {
${tasks.map((code) => `  ${code} "${code}" { folder: "${{ TN: 'thyroid_nodule', BL: 'breast_lesion', SL: 'skin_lesion' }[code] ?? code}" }`).join('\n')}
}

model Net(image: f32[B, 3, 32, 32], t: task of lesions) -> f32[B, 1, 32, 32] {
  layer down = conv(8, kernel: 4, stride: 4)
  let u = down(image) |> batch_norm |> gelu
  let own = u * (1.0 + (embedding(8)(t) |> reshape([1, 8, 1, 1])))
  prototypes p per t: f32[8] {
    init   = embedding(8)(t) |> reshape([8])
    update = ema(mean(own * truth_at(8)(truth), axes: [0, 2, 3]) |> reshape([8]), momentum: 0.5)
  }
  let bank = p[*]
  let y = (own + 0.1 * (p |> reshape([1, 8, 1, 1]))) / anneal(1.0, 0.5, over: epochs)
${body}  let logits = y |> per t conv(1) |> resize([32, 32], mode: bilinear)
  return logits
}

block truth_at(side: int)(m: f32[B, 1, H, W]) -> f32[B, 1, side, side] {
  return m |> resize([side, side], mode: bilinear)
}

train main of Net {
  loss      = structure(logits, truth) + 0.01 * (mean(y * (mean(bank, axes: [0]) |> reshape([1, 8, 1, 1])), axes: [1, 2, 3]) |> reshape([B]))
  optimizer = adamw(lr: 2e-2, weight_decay: 0.1)
  sampler   = inverse_frequency(by: t, one_task: true)
  epochs = 3, batch = 4, drop_last = true
  clip      = 1.0
  augment   = [resize(32), flip(horizontal: 0.5), imagenet_normalize]
}
`;

export const programFor = (request: Partial<CompileRequest> = {}, text = growingSpec()): Program => programOf(compileText(text, request));
