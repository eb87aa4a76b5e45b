// What `tpsc compile --target tfjs` and `tfjs-train` write and say.
import type { Program } from '../compiler/program.js';
import type { Trained } from '../runtime/export/model-file.js';
import type { TfjsExport, TfjsWritten } from '../runtime/export/tfjs-files.js';
import { bytes, grouped } from '../runtime/report/numbers.js';
import { MisuseError } from '../runtime/errors.js';
import type { Io } from './io.js';

/** Flags that say what only an ONNX file can be. */
const ONNX_ONLY = ['verify', 'opset', 'external-data', 'precision', 'frozen', 'with-preprocessing', 'with-postprocessing'] as const;

/** Throws MisuseError where one of them is given. */
export function refuseOnnxFlags(args: { readonly target: string } & { readonly [flag in (typeof ONNX_ONLY)[number]]?: unknown }): void {
  const useless = ONNX_ONLY.find((flag) => args[flag] !== undefined);
  if (useless !== undefined) throw new MisuseError(`--${useless} means nothing with --target ${args.target}`);
}

export async function toTfjsFile(trained: Trained, options: TfjsExport, json: boolean, io: Io): Promise<number> {
  const { writeTfjs } = await import('../runtime/export/tfjs-files.js');
  const written = writeTfjs(trained, options);
  io.out(json ? `${JSON.stringify(written, null, 2)}\n` : text(written));
  return 0;
}

export async function toTfjsFolder(program: Program, folder: string, toolVersion: string, json: boolean, io: Io): Promise<number> {
  const { writeTfjsTraining } = await import('../runtime/export/tfjs-files.js');
  const files = writeTfjsTraining(program, folder, toolVersion);
  if (json) io.out(`${JSON.stringify({ folder, files: files.map(({ file, data, calls }) => ({ file, data, calls })) }, null, 2)}\n`);
  else io.out(files.map(text).join(''));
  return 0;
}

const text = ({ file, data, bytes: size, calls, kernels, inputs, outputs }: TfjsWritten): string =>
  `${file} and ${data}: ${bytes(size)}, ${grouped(calls)} calls of ${kernels.length} kernels; ${inputs.length > 8 ? `${inputs.length} inputs` : `inputs ${inputs.join(', ')}`}; ${outputs.length > 8 ? `${outputs.length} outputs` : `outputs ${outputs.join(', ')}`}\n`;
