// A file read at places of our choosing. What the bytes mean is not known here.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../errors.js';

/** An open file. Nothing of it is held in memory but what a call asks for. */
export interface RandomAccess {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Fills a buffer from a place. Throws UserError where the file ends before. */
  fill(buffer: Uint8Array, position: number): void;
  /** `length` bytes from a place. */
  bytes(position: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Opens a file for the time of `use`. Throws UserError where it cannot be opened. */
export function withFile<T>(path: string, use: (file: RandomAccess) => T): T {
  let fd: number;
  try { fd = openSync(path, 'r'); } catch (error) {
    throw new UserError(`${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new UserError(`${path} is no file`, 'Give a .safetensors or .pt file.');
    const fill = (buffer: Uint8Array, position: number): void => {
      for (let done = 0; done < buffer.byteLength;) {
        const got = readSync(fd, buffer, done, Math.min(buffer.byteLength - done, 1 << 30), position + done);
        if (got === 0) throw new UserError(`${path} ended while it was read`, 'It may have been changed at this moment; try again.');
        done += got;
      }
    };
    return use({ path, size: stat.size, fill, bytes: (position, length) => { const buffer = allocate(path, length); fill(buffer, position); return buffer; } });
  } finally {
    closeSync(fd);
  }
}

/** Room for part of a file. Throws UserError where the memory does not suffice (a file with holes can claim any size). */
export function allocate(path: string, length: number): Uint8Array<ArrayBuffer> {
  try { return new Uint8Array(length); } catch { throw new UserError(`${path} holds a tensor of ${length} bytes, more than the memory here takes`); }
}

/** Whether a file begins as a zip archive does (PK, 3, 4), by four bytes: two are a safetensors header's length, too, once in some thousand files. */
export const beginsAsZip = (head: Uint8Array): boolean => head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
