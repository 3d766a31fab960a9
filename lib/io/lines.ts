/**
 * Records of a stream of bytes, one by one, however many there are: what a program takes from its standard input, or from a
 * file that need not fit in memory. Text is UTF-8 (a byte order mark is none of it), lines end with \n, \r\n or \r.
 */
import { parse } from 'csv-parse';
import type { Placed } from '../tasks/task.ts';
import { UserError } from './error.ts';

export type StreamFormat = 'text' | 'jsonl' | 'tsv' | 'csv';

/** What stands in one line or row; a line of plain text is its field `text`. */
export interface StreamRecord extends Placed {
  readonly fields: Readonly<Record<string, unknown>>;
}

type Bytes = AsyncIterable<Uint8Array>;

/** Text piece by piece. Throws a UserError where the bytes are not UTF-8, or cannot be read. */
async function* decoded(bytes: Bytes, source: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (cause) {
      throw new UserError(`${source}: expected UTF-8 text, got other bytes; convert it, for example with iconv`, {
        cause,
      });
    }
  };
  for await (const chunk of bytes) yield decode(chunk);
  yield decode();
}

interface Line extends Placed {
  readonly text: string;
}

async function* lines(bytes: Bytes, source: string): AsyncGenerator<Line> {
  let rest = '';
  let n = 0;
  const next = (text: string): Line => ({ where: `${source}:${++n}`, text });
  for await (const piece of decoded(bytes, source)) {
    // A \r at the end may be half of a line end.
    const open = piece.endsWith('\r') ? '\r' : '';
    const parts = (rest + piece.slice(0, piece.length - open.length)).split(/\r\n|\n|\r/);
    rest = parts.pop()! + open;
    for (const part of parts) yield next(part);
  }
  if (rest !== '') yield next(rest.replace(/\r$/, ''));
}

const objectOf = ({ text, where }: Line): StreamRecord['fields'] => {
  const expected = 'expected one JSON object a line, such as {"text": "…"}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${where}: ${expected}; ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UserError(`${where}: ${expected}`);
  return value as StreamRecord['fields'];
};

async function* table(bytes: Bytes, source: string): AsyncGenerator<StreamRecord> {
  let names: string[] | undefined;
  for await (const { text, where } of lines(bytes, source)) {
    const fields = text.split('\t');
    if (names === undefined) names = fields;
    else if (text === '') continue;
    else if (fields.length !== names.length)
      throw new UserError(
        `${where}: expected ${names.length} fields, as in line 1, got ${fields.length}; a text has no tabs`,
      );
    else yield { where, fields: Object.fromEntries(names.map((name, i) => [name, fields[i]])) };
  }
}

async function* quoted(bytes: Bytes, source: string): AsyncGenerator<StreamRecord> {
  const found: StreamRecord[] = [];
  let last = 1;
  // What the parser has is taken from it at once: when it fails, it drops what it holds.
  const parser = parse({
    bom: true,
    columns: true,
    skip_empty_lines: true,
    on_record: (fields: Record<string, string>, { lines }) => {
      last = lines;
      found.push({ where: `${source}:${lines}`, fields });
      return null;
    },
  }).on('error', () => undefined);
  const given = (give: (done: (cause?: Error | null) => void) => void) => new Promise<Error | null | undefined>(give);
  const taken = function* (cause?: Error | null) {
    yield* found.splice(0);
    if (cause) throw new UserError(`${source}: after line ${last}: ${cause.message}`, { cause });
  };
  for await (const piece of decoded(bytes, source)) yield* taken(await given((done) => parser.write(piece, done)));
  yield* taken(await given((done) => parser.end(done)));
}

/**
 * The records of a stream. Tables have the names of their columns in the first line; CSV keeps the rules of RFC 4180, and TSV
 * has no quotes. Empty lines of plain text are records, since answers are counted line by line; elsewhere they are nothing.
 *
 * Throws a UserError with source and line where a line is not of the format.
 */
export async function* recordsOf(bytes: Bytes, source: string, format: StreamFormat): AsyncGenerator<StreamRecord> {
  if (format === 'tsv') yield* table(bytes, source);
  else if (format === 'csv') yield* quoted(bytes, source);
  else {
    for await (const line of lines(bytes, source)) {
      if (format === 'text') yield { where: line.where, fields: { text: line.text } };
      else if (line.text.trim() !== '') yield { where: line.where, fields: objectOf(line) };
    }
  }
}
