// Files that are either the old one or the new one, whole, whenever the machine stops. No format lives here.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Makes a rename in this folder last (a folder is a file too). Systems that cannot open folders make renames last by themselves. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try { fsyncSync(fd); } finally { closeSync(fd); }
}

/** All of `bytes`; a write may take less than it is given. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done, bytes.byteLength - done);
}

/**
 * Writes `path` through a temporary file in the same folder: write, fsync, rename, fsync of the folder.
 * A kill at any moment leaves the old file (or none) or the new one. What `write` throws is thrown on, and nothing is left behind.
 */
export function writeAtomically(path: string, write: (fd: number) => void): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const fd = openSync(temporary, 'w');
  try {
    try {
      write(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** `value` as indented JSON, atomically. */
export function writeJsonAtomically(path: string, value: unknown): void {
  writeAtomically(path, (fd) => writeAll(fd, Buffer.from(`${JSON.stringify(value, null, 1)}\n`)));
}
