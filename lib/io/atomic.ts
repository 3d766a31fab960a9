/**
 * Writing that is done or not done, never half done, whenever the process is killed or the power goes: the new content
 * is written beside its place, flushed to the disk, and renamed into place, which file systems do in one step.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clearly } from './error.ts';

/** Flushes the names in a folder. Windows cannot open folders and needs no such flush. */
const flushFolder = (folder: string): void => {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

const writeFlushed = (path: string, content: Uint8Array | string): void => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const fd = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, Math.min(bytes.length - at, 2 ** 30));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** Where something is written before it is renamed to `path`. */
const beside = (path: string): string => `${path}.${process.pid}.partial`;

/** Makes `content` the content of the file. Its folder is made if need be. */
export const writeFileAtomic = (path: string, content: Uint8Array | string): void =>
  clearly(`write ${path}`, () => {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFlushed(beside(path), content);
      renameSync(beside(path), path);
    } catch (error) {
      rmSync(beside(path), { force: true });
      throw error;
    }
    flushFolder(dirname(path));
  });

/**
 * Makes `files`, by name, the content of the folder: all of them or none. A folder that is there already is replaced,
 * and there is none for the moment between two renames; give a new name where that moment matters.
 */
export const writeFolderAtomic = (path: string, files: Record<string, Uint8Array | string>): void =>
  clearly(`write ${path}`, () => {
    const partial = beside(path);
    try {
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
      for (const [name, content] of Object.entries(files)) writeFlushed(join(partial, name), content);
      flushFolder(partial);
      rmSync(path, { recursive: true, force: true });
      renameSync(partial, path);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      throw error;
    }
    flushFolder(dirname(path));
  });
