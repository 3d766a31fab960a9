/**
 * Writing that is done or not done, never half done, whenever the process is killed or the power goes: the new content
 * is written beside its place, flushed to the disk, and renamed into place, which file systems do in one step.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

/** Makes a folder and those above it that are missing, and flushes the name of each that is new. */
export const makeFolder = (path: string): void => {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path); // not recursive: that says ENOENT of a disk that is read-only
  flushFolder(dirname(path));
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

/** Whether a name is that of something half written. */
export const isPartial = (name: string): boolean => /\.\d+\.partial$/.test(name);

/** Removes what processes that were killed left half written in a folder; only for the one process that writes there. */
export const removePartials = (folder: string): void => {
  for (const name of readdirSync(folder).filter(isPartial)) rmSync(join(folder, name), { recursive: true });
};

/** Makes `content` the content of the file. Its folder is made if need be. */
export const writeFileAtomic = (path: string, content: Uint8Array | string): void =>
  clearly(`write ${path}`, () => {
    makeFolder(resolve(dirname(path)));
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
      makeFolder(resolve(partial));
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

/** Removes a folder: its name goes in one step, so that no half of it is ever found under it. */
export const removeFolder = (path: string): void =>
  clearly(`remove ${path}`, () => {
    renameSync(path, beside(path));
    rmSync(beside(path), { recursive: true });
  });
