/** The rows of a fine-tuning: of a task that is known, or of files with columns that the command line names. */
import { join } from 'node:path';
import type { Column, FileName, TaggedRow, TaskDeclaration, TextRow } from '../../lib/index.ts';
import { goldOf, labelsOf, requireLabels, splitRows, table, tags, tasks } from '../../lib/index.ts';
import { readRows, UserError } from '../../lib/node.ts';
import { brown, brownRows } from './brown.ts';
import type { Options } from './options.ts';
import * as sets from './sets.ts';

export type Tunable = TextRow | TaggedRow;

export interface Data {
  readonly declaration: TaskDeclaration<Tunable>;
  readonly train: readonly Tunable[];
  readonly dev: readonly Tunable[];
  /** Where a row has no label, it is only predicted. */
  readonly test?: readonly Tunable[];
}

interface Files {
  readonly train: FileName;
  readonly dev?: FileName;
  readonly test?: FileName;
}

/** Part of the training rows that decides where there is no dev file. */
const HELD_OUT = 0.1;

/** A column by name, or by number where it is written as one. */
const column = (text: string): Column => (/^-?\d+$/.test(text) ? Number(text) : text);

const inFolder = (dir: string, name: FileName): FileName => (typeof name === 'string' ? join(dir, name) : name.map((part) => join(dir, part)));

/** Every task that has a name. */
export const knownTasks: readonly TaskDeclaration[] = [brown, ...Object.values(tasks), ...Object.values(sets)];

const known = (name: string, { data, train, dev, test }: Options): { declaration: TaskDeclaration; files: Files } => {
  const declaration = knownTasks.find((task) => task.name === name);
  if (declaration === undefined) throw new UserError(`there is no task '${name}'; choose ${knownTasks.map(({ name }) => name).join(', ')}, or give files of your own with --train and their columns`);
  if (train !== undefined) return { declaration, files: { train, dev, test } };
  const { files } = declaration;
  if (data === undefined || files === undefined) throw new UserError(`--task ${name} needs --data, the folder with ${Object.values(files ?? {}).flat().join(', ')}, or --train and --dev`);
  const place = (file?: FileName) => file && inFolder(data, file);
  return { declaration, files: { train: inFolder(data, files.train), dev: place(files.dev), test: place(files.test) } };
};

const own = (options: Options): { declaration: TaskDeclaration; files: Files } => {
  const { train, dev, test, text = 'text', pair, label, regression } = options;
  if (train === undefined) throw new UserError('expected --train with a file to learn from, or --task with --data');
  const declaration = options.tags
    ? tags({ name: 'tags', word: column(options.word), tag: column(options.tag), spans: options.spans })
    : table({ name: 'table', text: column(text), ...(pair !== undefined && { pair: column(pair) }), label: column(label), regression });
  return { declaration, files: { train, dev, test } };
};

/** A tenth of the texts of the Brown corpus decides; of those and of the others, some sentences from all over. */
const brownData = ({ limit }: Options): Data => ({
  declaration: brown as TaskDeclaration<Tunable>,
  train: brownRows((text) => text % 10 !== 0, 13).slice(0, limit),
  dev: brownRows((text) => text % 10 === 0, 10).slice(0, limit),
});

/** Reads all files. Throws a UserError with file and line, whatever is wrong with them. */
export const readData = (options: Options): Data => {
  if (options.train === undefined && (options.task ?? 'brown') === 'brown') return brownData(options);
  const { declaration: declared, files } = options.task === undefined ? own(options) : known(options.task, options);
  if (declared.task === 'answering') throw new UserError(`'${declared.name}' is a task of answering questions; examples/answer.ts trains those`);
  const task = declared as unknown as TaskDeclaration<Tunable>;
  const rows = (file: FileName, unlabelled = false) => readRows(task, file, { unlabelled });
  const some = (all: readonly Tunable[]) => all.slice(0, options.limit);
  const all = rows(files.train);
  // Of some rows only, the labels are still those of all.
  const declaration = task.regression ? task : { ...task, labels: labelsOf(task, all) };
  const { train, dev } = files.dev ? { train: some(all), dev: some(rows(files.dev)) } : splitRows([0, options.seed], some(all), HELD_OUT);
  const test = files.test && some(rows(files.test, true));
  if (declaration.labels && test) requireLabels(declaration.labels, test);
  return { declaration, train, dev, ...(test && { test }) };
};

/** How many of the rows have no label to be compared with. */
export const countUnlabelled = (rows: readonly Tunable[]): number => rows.filter((row) => goldOf(row) === undefined).length;
