/** JSON files: told by their path when they are not there or are none. */
import { readFileSync } from 'node:fs';
import { clearly } from './error.ts';

/** Data as the text of a JSON file. */
export const toJson = (data: unknown): string => `${JSON.stringify(data, null, 2)}\n`;

/** The object in a JSON file. */
export const readJson = (path: string): Record<string, unknown> => {
  const text = clearly(`read ${path}`, () => readFileSync(path, 'utf8'));
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path}: expected JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Error(`${path}: expected a JSON object`);
  return data as Record<string, unknown>;
};
