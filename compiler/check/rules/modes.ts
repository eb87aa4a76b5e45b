// A network is built twice, for training and for use: what both declare under one path is one tensor, and what is used must be trained.
import { formatShape } from '../../ir/dim.js';
import type { Module } from '../../resolve/modules.js';
import type { Elaboration } from '../model.js';

export function checkModes(module: Module, infer: Elaboration, training: Elaboration): void {
  for (const [path, entry] of infer.ctx.tensors) {
    const other = training.ctx.tensors.get(path);
    if (other === undefined) {
      if (training.config !== undefined && entry.info.kind === 'param' && !entry.info.frozen) training.ctx.report('TPS7001', entry.range, module, { what: `\`${path}\`, which is not there in training` });
    } else if (other.info.shape.join() !== entry.info.shape.join()) {
      training.ctx.report('TPS3022', other.range, module, { path, first: formatShape(entry.info.shape), second: formatShape(other.info.shape) },
        { help: 'unnamed layers are numbered as they are called: give those that only one mode calls a name of their own', related: [{ message: 'where the network is not in training', range: entry.range }] });
    }
  }
}
