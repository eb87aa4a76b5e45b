// Files that are either the old one or the new one, whole, whenever the machine stops. No format lives here.
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.js';

/** Makes a rename in this folder last (a folder is a file too). Systems that cannot open folders make renames last by themselves. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try { fsyncSync(fd); } finally { closeSync(fd); }
}

/** All of `bytes`; a write may take less than it is given. Throws what the system says where the disk is full. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done, bytes.byteLength - done);
}

/** What the system says of a path that cannot be written, as a mistake of the user's. */
function told<T>(path: string, act: () => T): T {
  try { return act(); } catch (error) {
    throw new UserError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, 'The folder must exist and be writable, and nothing of another kind may stand there.');
  }
}

/** In the folder of `path`. A shared folder may have writers with one number on two machines. */
const temporaryOf = (path: string, writer: string | number): string => join(dirname(path), `.${basename(path)}.${hostname()}.${writer}.tmp`);

/**
 * Writes `path` through a temporary file in the same folder: write, fsync, rename, fsync of the folder.
 * A kill at any moment leaves the old file (or none) or the new one. What `write` throws is thrown on, and nothing is left behind; a place that cannot be written is a UserError.
 */
export function writeAtomically(path: string, write: (fd: number) => void): void {
  const temporary = temporaryOf(path, process.pid);
  const fd = told(path, () => openSync(temporary, 'w'));
  try {
    try {
      write(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    told(path, () => { renameSync(temporary, path); });
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** `text` in UTF-8, atomically. */
export function writeTextAtomically(path: string, text: string): void {
  writeAtomically(path, (fd) => writeAll(fd, Buffer.from(text)));
}

/** Makes a folder and those above it, where they are not there. Throws UserError where a file stands in the way. */
export function makeFolder(path: string): void {
  told(path, () => mkdirSync(path, { recursive: true }));
}

/** `value` as indented JSON, atomically. */
export function writeJsonAtomically(path: string, value: unknown): void {
  writeTextAtomically(path, `${JSON.stringify(value, null, 1)}\n`);
}

let replaced = 0;

/** Puts a file of these pieces in the place of `path`, whole, without waiting for the disk: for what may be lost with the power, but not be read in half. */
export async function replaceFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = temporaryOf(path, `${process.pid}.${replaced++}`);
  try {
    await writeFile(temporary, pieces);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
