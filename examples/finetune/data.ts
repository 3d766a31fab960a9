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

const FILES = ['data', 'train', 'dev', 'test'] as const;
const TABLE = ['text', 'pair', 'label', 'regression'] as const;
const TAGGED = ['word', 'tag', 'spans'] as const;
const COLUMNS = [...TABLE, 'tags', ...TAGGED] as const;

/** Which of some flags there are. */
const given = (options: Options, names: readonly ((typeof FILES)[number] | (typeof COLUMNS)[number])[]): string[] =>
  names.filter((name) => options[name] !== undefined && options[name] !== false).map((name) => `--${name}`);

/** Refuses flags that would be ignored. */
const refuseFlags = (options: Options, names: Parameters<typeof given>[1], why: string): void => {
  const ignored = given(options, names);
  if (ignored.length > 0) throw new UserError(`${why}; leave out ${ignored.join(', ')}`);
};

const known = (name: string, options: Options): { declaration: TaskDeclaration; files: Files } => {
  const { data, train, dev, test } = options;
  const declaration = knownTasks.find((task) => task.name === name);
  if (declaration === undefined) throw new UserError(`there is no task '${name}'; choose ${knownTasks.map(({ name }) => name).join(', ')}, or give files of your own with --train and their columns`);
  if (train !== undefined) {
    refuseFlags(options, ['data'], '--train names the files themselves');
    return { declaration, files: { train, dev, test } };
  }
  refuseFlags(options, ['dev', 'test'], `--task ${name} knows its files in --data`);
  const { files } = declaration;
  if (data === undefined || files === undefined) throw new UserError(`--task ${name} needs --data, the folder with ${Object.values(files ?? {}).flat().join(', ')}, or --train and --dev`);
  const place = (file?: FileName) => file && inFolder(data, file);
  return { declaration, files: { train: inFolder(data, files.train), dev: place(files.dev), test: place(files.test) } };
};

const own = (options: Options): { declaration: TaskDeclaration; files: Files } => {
  const { train, dev, test, text = 'text', pair, label = 'label', regression, word = '0', tag = '-1', spans } = options;
  if (train === undefined) throw new UserError('expected --train with a file to learn from, or --task with --data');
  refuseFlags(options, ['data'], '--data is the folder of a --task, and --train names files');
  if (options.tags) refuseFlags(options, TABLE, '--tags is for files of words, which have no such columns');
  else refuseFlags(options, TAGGED, 'only files of words, --tags, have such columns');
  const declaration = options.tags
    ? tags({ name: 'tags', word: column(word), tag: column(tag), spans })
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
  const { task: name, train: learned } = options;
  if (name !== undefined) refuseFlags(options, COLUMNS, `--task ${name} knows the columns of its files`);
  const demonstration = name === undefined && given(options, [...FILES, ...COLUMNS]).length === 0;
  if (demonstration || (name === 'brown' && learned === undefined)) {
    refuseFlags(options, FILES, 'without --train the Brown corpus is taken from its package');
    return brownData(options);
  }
  const { declaration: declared, files } = name === undefined ? own(options) : known(name, options);
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
