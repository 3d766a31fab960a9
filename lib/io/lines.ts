/**
 * Records of a stream of bytes, one by one, however many there are: what a program takes from its standard input, or from a
 * file that need not fit in memory. Text is UTF-8 (a byte order mark is none of it), lines end with \n, \r\n or \r.
 */
import { parse } from 'csv-parse';
import { LINE_END } from '../tasks/read/lines.ts';
import { csvParsing, objectOf, places, refuseWidth } from '../tasks/read/records.ts';
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
    const parts = (rest + piece.slice(0, piece.length - open.length)).split(LINE_END);
    rest = parts.pop()! + open;
    for (const part of parts) yield next(part);
  }
  if (rest !== '') yield next(rest.replace(/\r$/, ''));
}

/** A row of a table, or its header. */
interface Fields extends Placed {
  readonly fields: readonly string[];
}

async function* tabbed(bytes: Bytes, source: string): AsyncGenerator<Fields> {
  for await (const { text, where } of lines(bytes, source)) if (text !== '') yield { where, fields: text.split('\t') };
}

async function* quoted(bytes: Bytes, source: string): AsyncGenerator<Fields> {
  const found: Fields[] = [];
  // What the parser has is taken from it at once: when it fails, it drops what it holds.
  const parsing = csvParsing(source, ',', (fields, line) => found.push({ where: `${source}:${line}`, fields }));
  const parser = parse(parsing.options).on('error', () => undefined);
  const given = (give: (done: (cause?: Error | null) => void) => void) => new Promise<Error | null | undefined>(give);
  const taken = function* (cause?: Error | null) {
    yield* found.splice(0);
    if (cause) parsing.refuse(cause);
  };
  for await (const piece of decoded(bytes, source)) yield* taken(await given((done) => parser.write(piece, done)));
  yield* taken(await given((done) => parser.end(done)));
}

/** Rows by the names in the first one, or, without a header, by the numbers of their columns. */
async function* named(
  rows: AsyncIterable<Fields>,
  format: 'tsv' | 'csv',
  header: boolean,
): AsyncGenerator<StreamRecord> {
  let names: readonly string[] | undefined;
  for await (const { where, fields } of rows) {
    const first = names === undefined;
    names ??= header ? fields : fields.map((_, i) => String(i));
    if (first && header) places(names, where);
    else if (fields.length !== names.length) refuseWidth(where, names.length, fields.length, format);
    else yield { where, fields: Object.fromEntries(names.map((name, i) => [name, fields[i]])) };
  }
}

/**
 * The records of a stream. Tables have the names of their columns in the first line, or, without a `header`, numbers from 0
 * on; CSV keeps the rules of RFC 4180, and TSV has no quotes. Empty lines of plain text are records, since answers are counted
 * line by line; elsewhere they are nothing.
 *
 * Throws a UserError with source and line where a line is not of the format.
 */
export async function* recordsOf(
  bytes: Bytes,
  source: string,
  format: StreamFormat,
  { header = true }: { readonly header?: boolean } = {},
): AsyncGenerator<StreamRecord> {
  if (format === 'tsv') yield* named(tabbed(bytes, source), format, header);
  else if (format === 'csv') yield* named(quoted(bytes, source), format, header);
  else {
    for await (const line of lines(bytes, source)) {
      if (format === 'text') yield { where: line.where, fields: { text: line.text } };
      else if (line.text.trim() !== '') yield { where: line.where, fields: objectOf(line.text, line.where) };
    }
  }
}
