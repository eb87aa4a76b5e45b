// What `tpsc compile` says of a file that it wrote, as text and as JSON.
import type { ExportedModel, Saving } from '../export/model-file.js';
import type { Verification } from '../export/verify.js';
import { bytes, grouped, plural, short, significant } from './numbers.js';

export interface Written {
  readonly file: string;
  /** Path of the external data, where there are any. */
  readonly data: string | undefined;
  readonly model: ExportedModel;
  readonly verified: Verification | undefined;
}

export function exportedJson({ file, data, model: { bytes: text, external, opset, nodes, parameters, trainingOnly, saving, inputs, outputs, int8 }, verified }: Written): Readonly<Record<string, unknown>> {
  return {
    file, data: data ?? null, bytes: text.length + (external?.byteLength ?? 0), opset, nodes, parameters, trainingOnly, saving: saving ?? null,
    inputs: inputs.map((i) => i.name), outputs: outputs.map((o) => o.name), int8Layers: int8.length,
    maxAbsDiff: verified?.maxAbsDiff ?? null, logitsScale: verified?.logitsScale ?? null, maskDiff: verified?.maskDiff ?? null,
  };
}

export function exportedText({ file, data, model, verified }: Written): string {
  const { bytes: text, external, opset, nodes, parameters, trainingOnly, saving, inputs, int8, outputs } = model;
  const size = bytes(text.length + (external?.byteLength ?? 0));
  return [
    `${file}${data === undefined ? '' : ` and ${data}`}: ${size}, opset ${opset}, ${grouped(nodes)} nodes, ${grouped(parameters)} parameters`
    + `${trainingOnly > 0 ? ` (${grouped(trainingOnly)} more are read in training alone)` : ''}; inputs ${inputs.map((i) => i.name).join(', ')}; outputs ${outputs.map((o) => o.name).join(', ')}`,
    ...(int8.length === 0 ? [] : [`${plural(int8.length, 'frozen linear layer')} in int8`]),
    ...(saving === undefined ? [] : savingText(saving)),
    ...(verified === undefined ? [] : [`verified on ${plural(verified.images.length, 'image')}: largest difference of a logit ${significant(verified.maxAbsDiff)}, logits up to ${significant(verified.logitsScale)}`
      + (verified.maskDiff === undefined ? '' : `; with the pictures resized by the file ${significant(100 * verified.maskDiff)} % of the masks' pixels are others`)]),
  ].map((line) => `${line}\n`).join('');
}

/** Routes that are named in the text; the JSON has all. */
const NAMED = 8;

function savingText({ task, dropBelow, parameters, folded, nodes, macs, dropped }: Saving): readonly string[] {
  const routes = dropped.slice(0, NAMED).map(({ route, weight }) => `${route === '' ? 'the model itself' : route} (${significant(weight)})`);
  return [
    `${task} alone: ${grouped(parameters.after)} of ${grouped(parameters.before)} parameters, ${grouped(folded)} of them folded into constants; `
    + `nodes ${grouped(nodes.before)} -> ${grouped(nodes.after)}; multiply-adds ${short(macs.before)} -> ${short(macs.after)}`,
    ...(dropBelow === 0 ? [] : [dropped.length === 0 ? `no route weighs less than ${dropBelow}` :
      `${plural(dropped.length, 'route')} below ${dropBelow} dropped, ${grouped(dropped.reduce((sum, d) => sum + d.parameters, 0))} parameters: ${routes.join(', ')}${dropped.length > NAMED ? `, and ${dropped.length - NAMED} more (--format json names them)` : ''}`]),
  ];
}
