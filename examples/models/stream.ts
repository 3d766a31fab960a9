/** What predict.ts and embed.ts have in common: a stream of texts in, a line for each out. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline as flow, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { DeviceName, Prediction, Text, Words } from '../../lib/index.ts';
import type { Model, StreamFormat, StreamRecord } from '../../lib/node.ts';
import { recordsOf, UserError } from '../../lib/node.ts';
import { deviceOption } from './program.ts';

export interface StreamOptions extends Prediction {
  readonly format?: StreamFormat;
  readonly text: string;
  readonly pair?: string;
  readonly out?: string;
  readonly device?: DeviceName;
}

const atLeast = (least: number) => (text: string) => {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
};

/** Adds the arguments and options that both programs know. */
export const streamOptions = (command: Command, out: string): Command =>
  command
    .argument('<model>', 'the folder of a model, or of the run that made it')
    .argument('[file]', 'texts, UTF-8, .gz too (default: standard input)')
    .addOption(
      new Option(
        '--format <name>',
        'text: one a line; jsonl: objects; tsv and csv: tables (default: by the name of the file, else text)',
      ).choices(['text', 'jsonl', 'tsv', 'csv']),
    )
    .option(
      '--text <column>',
      'the field or column of the text: a name, or a number from 0 where a table has no header',
      'text',
    )
    .option('--pair <column>', 'that of the second text, for a model of pairs')
    .option('--out <file>', out)
    .option(
      '--max-tokens <n>',
      'tokens of a text at most, of which the rest is cut (default: as many as in fine-tuning, else all positions)',
      atLeast(3),
    )
    .option('--batch-tokens <n>', 'tokens of a batch at most, padding included (default: 2048)', atLeast(1))
    .addOption(deviceOption());

const isNumber = (column: string): boolean => /^-?\d+$/.test(column);

/** The bytes of a file, unpacked if it is a `.gz`. */
async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  const packed = createReadStream(file);
  if (!/\.gz$/i.test(file)) return yield* packed;
  try {
    yield* flow(packed, createGunzip(), () => undefined);
  } catch (cause) {
    const { message } = cause as Error;
    throw new UserError(`${file} is not a whole gzip file: ${message}; fetch or pack it again`, { cause });
  }
}

/** The records of a file, or of standard input. Where columns are chosen by number, tables have no header. */
export const readRecords = async (
  file: string | undefined,
  { format, text, pair }: StreamOptions,
): Promise<AsyncIterable<StreamRecord>> => {
  const layout = { header: ![text, ...(pair === undefined ? [] : [pair])].every(isNumber) };
  if (file === undefined) {
    if (process.stdin.isTTY) console.error('reading texts from the keyboard, one a line; Ctrl-D ends');
    return recordsOf(process.stdin, 'standard input', format ?? 'text', layout);
  }
  const [, ending] = /\.(jsonl|tsv|csv)(\.gz)?$/i.exec(file) ?? [];
  try {
    // A folder opens, and fails only when it is read.
    const handle = await open(file);
    if ((await handle.stat()).isDirectory()) throw new UserError(`cannot read ${file}: it is a folder; give a file`);
    await handle.close();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`cannot read ${file}: ${(cause as Error).message}; check the path`, { cause });
  }
  return recordsOf(
    bytesOf(file),
    file,
    format ?? (ending?.toLowerCase() as StreamFormat | undefined) ?? 'text',
    layout,
  );
};

const field = ({ fields, where }: StreamRecord, column: string): unknown => {
  // −1 is the last column.
  const name = /^-\d+$/.test(column) ? (Object.keys(fields).at(Number(column)) ?? column) : column;
  if (Object.hasOwn(fields, name)) return fields[name];
  throw new UserError(
    `${where}: there is no '${column}'; there are ${Object.keys(fields)
      .map((name) => `'${name}'`)
      .join(', ')}`,
  );
};

const textOf = (record: StreamRecord, column: string): string => {
  const value = field(record, column);
  if (typeof value === 'string') return value;
  throw new UserError(`${record.where}: expected a string as '${column}', got ${JSON.stringify(value).slice(0, 60)}`);
};

export interface RecordText extends Text {
  readonly record: StreamRecord;
}

export interface RecordWords extends Words {
  readonly record: StreamRecord;
}

/** A record as text or pair. */
export const asText =
  ({ text, pair }: StreamOptions) =>
  (record: StreamRecord): RecordText => ({
    record,
    text: textOf(record, text),
    ...(pair !== undefined && { pair: textOf(record, pair) }),
  });

/** A record as words: a list of them, or a text that white space cuts. */
export const asWords =
  ({ text }: StreamOptions) =>
  (record: StreamRecord): RecordWords => {
    const value = field(record, text);
    if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return { record, words: value };
    if (typeof value === 'string') return { record, words: value.split(/\s+/u).filter((word) => word !== '') };
    throw new UserError(
      `${record.where}: expected a list of words or a string as '${text}', got ${JSON.stringify(value).slice(0, 60)}`,
    );
  };

export async function* mapEach<A, B>(stream: AsyncIterable<A>, f: (one: A) => B): AsyncGenerator<B> {
  for await (const one of stream) yield f(one);
}

/** Writes what a stream gives to a file, or to standard output as fast as it is read. */
export const write = (pieces: AsyncIterable<string | Uint8Array>, file?: string): Promise<void> =>
  pipeline(Readable.from(pieces), file === undefined ? process.stdout : createWriteStream(file), {
    end: file !== undefined,
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.syscall === undefined || cause.code === 'EPIPE') throw cause;
    throw new UserError(`cannot write ${file ?? 'to standard output'}: ${cause.message}`, { cause });
  });

/** What those of the library's functions refuse that a model's folder decides. */
export const fitting = <T>(dir: string, make: () => T): T => {
  try {
    return make();
  } catch (cause) {
    throw new UserError(`${dir}: ${(cause as Error).message}`, { cause });
  }
};

/** Whether a model gives one value, not classes. */
export const isRegression = ({ params }: Model): boolean =>
  'task' in params && 'output' in params.task && params.task.output.bias.shape[0] === 1;
