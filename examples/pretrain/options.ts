/** The command line of `pretrain.ts`, and the configuration that it asks for. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ConfigName, ElectraConfig } from '../../lib/index.ts';
import { configs, devices, parseConfig } from '../../lib/index.ts';
import { UserError } from '../../lib/node.ts';

type DeviceName = (typeof devices)[number];

export interface Options {
  readonly corpus?: string[];
  readonly config: string;
  readonly steps?: number;
  readonly batch?: number;
  readonly accumulate: number;
  readonly seq?: number;
  readonly lr?: number;
  readonly dropout?: number;
  readonly initialisation?: ElectraConfig['initialisation'];
  readonly seed: number;
  readonly vocab?: string;
  readonly vocabSize?: number;
  readonly cased: boolean;
  readonly out?: string;
  readonly resume?: string;
  readonly init?: string[];
  readonly checkpointEvery?: number;
  readonly evalEvery?: number;
  readonly device?: DeviceName;
  readonly quiet: boolean;
  readonly dryRun: boolean;
}

/** A parser of numbers within limits, whole ones unless told otherwise. */
export const number =
  (least: number, most = Infinity, whole = true) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`expected a ${whole ? 'whole ' : ''}number ${range}.`);
    }
    return value;
  };

const command = (): Command =>
  new Command('pretrain')
    .description('Pre-trains an ELECTRA on text and shows what it learns.')
    .option('--corpus <path...>', 'text: .txt, .txt.gz, .jsonl, folders or globs (default: the State of the Union addresses)')
    .option('--config <name>', `${Object.keys(configs).join(', ')}, or a .json file`, 'demo')
    .option('--steps <n>', 'training steps', number(1))
    .option('--batch <n>', 'sequences in a step', number(1))
    .option('--accumulate <n>', 'parts in which a step computes its sequences: less memory, the same update', number(1), 1)
    .option('--seq <n>', 'tokens in a sequence', number(8))
    .option('--lr <x>', 'highest learning rate', number(0, 1, false))
    .option('--dropout <x>', 'dropout rate', number(0, 0.9, false))
    .addOption(new Option('--initialisation <how>', 'how parameters are drawn').choices(['published', 'positional']))
    .option('--seed <n>', 'makes the run repeatable', number(0, 2 ** 32 - 1), 0)
    .option('--vocab <file>', 'a vocab.txt to use; without it, one is trained')
    .option('--vocab-size <n>', 'size of the vocabulary to train', number(32, 65535))
    .option('--cased', 'keep capital letters and accents', false)
    .option('--out <dir>', 'folder for everything that the run writes (default: the first of runs/1, runs/2, … that is free)')
    .addOption(new Option('--resume <dir>', 'go on with the run in this folder, after Ctrl-C, a crash or kill -9, bit for bit; with the flags of then, or none').conflicts('dryRun'))
    .addOption(
      new Option('--init <dir...>', "start from model folders: a discriminator's, then its generator's; sizes and vocabulary come from there, optimiser moments start fresh").conflicts(['vocab', 'vocabSize', 'cased', 'initialisation']),
    )
    .option('--checkpoint-every <n>', 'steps between checkpoints (default: a tenth of the run)', number(1))
    .option('--eval-every <n>', 'steps between evaluations (default: a twentieth of the run)', number(1))
    .addOption(new Option('--device <name>', 'where to compute (default: chosen automatically)').choices(devices))
    .option('--quiet', 'print nothing but errors', false)
    .option('--dry-run', 'print size, cost and time of the run, and stop', false);

/** A path that is still right when the program is started elsewhere; globs and names stay as they are. */
const absolute = (path: string): string => (existsSync(path) ? resolve(path) : path);

/** What the command line asks for, and which of it was written there rather than left to the defaults. */
export const parseOptions = (argv: readonly string[]): { options: Options; given: Partial<Options> } => {
  const parsed = command().parse(argv);
  const { corpus, config, vocab, init, ...others } = parsed.opts<Options>();
  const options: Options = {
    ...others,
    corpus: corpus?.map(absolute),
    config: Object.hasOwn(configs, config) ? config : absolute(config),
    vocab: vocab && absolute(vocab),
    init: init?.map(absolute),
  };
  const given = Object.entries(options).filter(([name]) => parsed.getOptionValueSource(name) === 'cli');
  return { options, given: Object.fromEntries(given) };
};

/** Steps between evaluations, and between checkpoints. */
export const evalEvery = (options: Options, { training: { steps } }: ElectraConfig): number => options.evalEvery ?? Math.max(1, Math.round(steps / 20));
export const checkpointEvery = (options: Options, { training: { steps } }: ElectraConfig): number => options.checkpointEvery ?? Math.max(1, Math.round(steps / 10));

/** The first of runs/1, runs/2, … that does not exist. */
export const freshFolder = (): string => {
  let n = 1;
  while (existsSync(`runs/${n}`)) n++;
  return `runs/${n}`;
};

export const namedConfig = (name: string): ElectraConfig => {
  if (Object.hasOwn(configs, name)) return configs[name as ConfigName];
  if (!name.endsWith('.json')) {
    throw new UserError(`there is no configuration '${name}'; choose ${Object.keys(configs).join(', ')}, or give a .json file`);
  }
  try {
    return parseConfig(JSON.parse(readFileSync(name, 'utf8')));
  } catch (error) {
    throw new UserError(`${name}: ${(error as Error).message}`);
  }
};

/** A configuration with the values of the command line in place of its own. */
export const chooseConfig = (options: Options, base: ElectraConfig): ElectraConfig => {
  const { steps = base.training.steps, batch = base.training.batchSize, seq = base.training.sequenceLength } = options;
  const { warmupSteps } = base.training;
  return parseConfig(
    {
      vocabSize: options.vocabSize ?? base.vocabSize,
      dropout: options.dropout ?? base.dropout,
      attentionDropout: options.dropout ?? base.attentionDropout,
      initialisation: options.initialisation ?? base.initialisation,
      // A table of positions that comes from a model folder cannot grow.
      maxPositions: options.init ? base.maxPositions : Math.max(seq, base.maxPositions),
      training: {
        steps,
        batchSize: batch,
        sequenceLength: seq,
        learningRate: options.lr ?? base.training.learningRate,
        // A shorter or longer run warms up for the same part of it.
        warmupSteps: Math.max(1, Math.round((warmupSteps / base.training.steps) * steps)),
      },
    },
    base,
  );
};

/** What about a configuration is likely to fail, with the reason. */
export const warnings = ({ discriminator, generator, training: { learningRate } }: ElectraConfig): string[] => [
  ...(generator.hiddenSize >= 0.75 * discriminator.hiddenSize
    ? [
        `the generator is ${generator.hiddenSize} wide, the discriminator ${discriminator.hiddenSize}: from three quarters on, ` +
          'its guesses are so good that the discriminator may give up; a quarter to a half works best (paper, figure 3)',
      ]
    : []),
  ...(learningRate > 5e-3 || learningRate < 5e-5
    ? [`the learning rate ${learningRate} is far from the published ones, 2e-4 to 5e-4 (small models bear up to 2e-3)`]
    : []),
];
