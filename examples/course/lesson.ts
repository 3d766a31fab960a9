/**
 * What the programs of the course share: how one begins, and how it prints prose, numbers and pictures in a terminal of
 * 100 columns. Lessons compute on `wasm` unless AMBER_DEVICE names another device, so that everybody sees the same numbers.
 */
import chalk from 'chalk';
import { Command, InvalidArgumentError } from 'commander';
import wrapAnsi from 'wrap-ansi';
import type { Tensor } from '../../lib/index.ts';
import { useDevice } from '../../lib/index.ts';

const COLUMNS = 92;

const count = (text: string): number => {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on.');
  return Number(text);
};

/** Begins a lesson: `steps` as the command line has it, else as given; `words` are its other arguments. */
export const lesson = async (title: string, steps = 1): Promise<{ steps: number; words: string[] }> => {
  const command = new Command()
    .description(title)
    .option('--steps <n>', 'how many steps to run', count, steps)
    .argument('[words...]', 'what the lesson asks for, if anything')
    .parse();
  process.env.AMBER_DEVICE ??= 'wasm';
  await useDevice();
  console.log(chalk.bold(title));
  return { steps: command.opts<{ steps: number }>().steps, words: command.args };
};

/** What stays on one line: shapes and calls. */
const UNBROKEN = /\[[\d ]+\]|\w+\([^() ]*(?:, [^() ]*)*\)/g;

/** Prints a paragraph. */
export const say = (text: string): void => {
  const words = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(UNBROKEN, (code) => code.replaceAll(' ', '\u00a0'));
  console.log(`\n${wrapAnsi(words, COLUMNS).replaceAll('\u00a0', ' ')}`);
};

/** Prints the heading of a part. */
export const heading = (text: string): void => console.log(`\n${chalk.bold(text)}`);

/** Prints the exercise at the end of a lesson; `answer` is its file under examples/answers/. */
export const exercise = (answer: string, text: string): void => {
  heading('Exercise');
  say(text);
  say(`Our answer is examples/answers/${answer}.ts. Put yours in its place, and let the law judge:`);
  console.log('  npm test -- examples/answers');
};

/** A number with this many digits behind the point. */
export const fixed = (x: number, digits = 3): string => x.toFixed(digits).replace(/^-(0\.?0*)$/, '$1');

const NUMBER = /^[-+]?[\d.,]+(e[-+]?\d+)?( %)?$/;

/** Lines of columns; those whose cells, but for a head, are numbers stand to the right. */
const aligned = (rows: readonly (readonly (string | number)[])[], heads = 0): string[] => {
  const cells = rows.map((row) => row.map(String));
  const columns = cells[0].map((_, c) => ({
    width: Math.max(...cells.map((row) => [...row[c]].length)),
    right: cells.slice(heads).every((row) => NUMBER.test(row[c])),
  }));
  const pad = (cell: string, c: number) => {
    const space = ' '.repeat(columns[c].width - [...cell].length);
    return columns[c].right ? `${space}${cell}` : `${cell}${space}`;
  };
  return cells.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
};

/** Prints rows under a head. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  const [first, ...rest] = aligned([head, ...rows], 1);
  console.log(`\n${chalk.dim(first)}\n${rest.join('\n')}`);
};

/** Prints a tensor: its name, its shape, and its numbers, one line for each row of the last axis. */
export const show = async (name: string, x: Tensor, digits = 3): Promise<void> => {
  const values = Array.from(await x.data(), (v) => (x.dtype === 'i32' ? `${v}` : fixed(v, digits)));
  const columns = x.shape.at(-1) ?? 1;
  const rows = Array.from({ length: values.length / columns }, (_, r) => values.slice(r * columns, (r + 1) * columns));
  const label = `${name} [${x.shape.join(' ')}]`;
  const lines = aligned(rows).map((line, r) => `  ${r === 0 ? label : ' '.repeat([...label].length)} ${line}`);
  console.log(lines.join('\n'));
};

/** Prints a picture made of characters: `mark(column, row)`, row 0 at the top. */
export const draw = (columns: number, rows: number, mark: (column: number, row: number) => string): void => {
  const line = (row: number) => Array.from({ length: columns }, (_, column) => mark(column, row)).join('');
  console.log(Array.from({ length: rows }, (_, row) => `  ${line(row)}`.trimEnd()).join('\n'));
};

/** The message of the error that `f` throws. */
export const complaint = async (f: () => unknown): Promise<string> => {
  try {
    await f();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected an error, but none came');
};
