// Puts an ONNX model on the disk: one file, or one and its external data beside it. What is in them is decided elsewhere.
import { existsSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { OnnxModel } from '../../compiler/targets/onnx/index.js';
import { writeAll, writeAtomically } from '../state/atomic.js';

/** `net.onnx` -> `net.onnx.data` */
export const dataFile = (file: string): string => `${file}.data`;
/** The name by which an ONNX file knows its external data. */
export const dataLocation = (file: string): string => basename(dataFile(file));

/**
 * Writes the model to `file`, holding one tensor at a time. Both files are complete under other names before an old pair is touched, then the old file
 * goes, the data take their place, and the file last: a kill at any moment leaves the old pair, or no file, or the new pair, never a file with the
 * data of another. Where there are no external data, those of an old pair go. What reading a tensor throws is thrown on, and the old pair stays.
 */
export function writeOnnx(file: string, { bytes, external }: Pick<OnnxModel, 'bytes' | 'external'>): void {
  const data = dataFile(file);
  writeAtomically(file, (fd) => {
    writeAll(fd, bytes);
    if (external === undefined) return;
    writeAtomically(data, (dataFd) => {
      let end = 0;
      for (const { offset, byteLength, pieces } of external.tensors) {
        writeAll(dataFd, new Uint8Array(offset - end));
        for (const piece of pieces()) writeAll(dataFd, piece);
        end = offset + byteLength;
      }
      if (existsSync(data)) rmSync(file, { force: true });
    });
  });
  if (external === undefined) rmSync(data, { force: true });
}
