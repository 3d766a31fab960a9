/**
 * `npm run bench:peers`: the pre-training step beside the same step in other frameworks, in turn, each in a process of its
 * own, for several rounds. Every one must first be right: its first loss near ln V + λ ln 2, its last one lower. The
 * figure is the median over rounds of the median of a round's steps. `--markdown` prints the table of docs/benchmarks.md.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import type { ConfigName, ElectraConfig } from '../../lib/index.ts';
import { configs, stepFlops } from '../../lib/index.ts';
import { median } from '../median.ts';
import { WARM_UP } from '../training.ts';

interface Options {
  readonly config: ConfigName;
  readonly dropout: string;
  readonly rounds: string;
  readonly steps: string;
  readonly node: string;
  readonly python: string;
  readonly instructions?: 'avx2';
  readonly markdown: boolean;
}

const options = new Command('peers')
  .option('--config <name>', 'mini, or small (batch 8; PyTorch alone)', 'mini')
  .option('--dropout <x>', 'dropout rate', '0')
  .option('--rounds <n>', 'how often each has its turn', '3')
  .option('--steps <n>', `steps that are timed in a turn, after ${WARM_UP} that are not`, '8')
  .option('--node <path>', 'the Node that runs Amber, jax-js and TensorFlow.js', process.execPath)
  .option('--python <path>', 'a Python that has PyTorch', existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3')
  .addOption(new Option('--instructions <set>', 'PyTorch a second time, held to this instruction set').choices(['avx2']))
  .option('--markdown', 'print the table as Markdown', false)
  .parse()
  .opts<Options>();

const here = fileURLToPath(new URL('.', import.meta.url));
const [rounds, steps, dropout] = [options.rounds, options.steps, options.dropout].map(Number);
const named: ElectraConfig = configs[options.config];
const training = options.config === 'small' ? { ...named.training, batchSize: 8 } : named.training;
const config: ElectraConfig = { ...named, training };
const { batchSize: b, sequenceLength: t } = training;
const job = JSON.stringify({ config, dropout, warmup: WARM_UP, steps });

/** What a turn gives: the peers print `times`, ours their median. */
interface Turn {
  readonly description: string;
  readonly threads?: number;
  readonly msPerStep: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly peakRssMb: number;
}

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * PyTorch's fastest setting: a thread a core, and a malloc that keeps its memory, without which a step takes twice as long.
 * What this shell says of OpenBLAS is left out: it finds the kernels for the processor itself.
 */
const tuned: NodeJS.ProcessEnv = {
  OMP_NUM_THREADS: String(availableParallelism()),
  OPENBLAS_CORETYPE: undefined,
  OPENBLAS_L2_SIZE: undefined,
  MALLOC_TOP_PAD_: '268435456',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
  MALLOC_MMAP_THRESHOLD_: '4294967296',
};

/**
 * PyTorch without AVX-512, whose vectors are four times as wide as WebAssembly's: what a processor without it would show.
 * Each library has a setting of its own: ATen, OpenBLAS (Haswell was the first core with AVX2), oneDNN old and new, MKL.
 */
const avx2: NodeJS.ProcessEnv = {
  ...tuned,
  ATEN_CPU_CAPABILITY: 'avx2',
  OPENBLAS_CORETYPE: 'Haswell',
  DNNL_MAX_CPU_ISA: 'AVX2',
  ONEDNN_MAX_CPU_ISA: 'AVX2',
  MKL_ENABLE_INSTRUCTIONS: 'AVX2',
};

const step = [`${here}../step.ts`, '--config', options.config, '--dropout', options.dropout, '--steps', options.steps, '--device', 'wasm', '--json'];
const ours: Contender = { name: 'Amber', command: [options.node, '--import', 'tsx', ...step] };
const pytorch: Contender = { name: 'PyTorch', command: [options.python, `${here}pytorch.py`, job], environment: tuned };
const narrow: Contender = { ...pytorch, name: 'PyTorch, AVX2', environment: avx2 };
const jax: Contender = { name: 'jax-js', command: [options.node, `${here}jax.mjs`, job] };
const tensorflow: Contender = { name: 'TensorFlow.js', command: [options.node, `${here}tensorflow.mjs`, job] };

const hasTorch = spawnSync(options.python, ['-c', 'import torch']).status === 0;
if (!hasTorch) console.error(`PyTorch is skipped: ${options.python} has no torch (--python names another; Debian's package is python3-torch)`);
const others = options.config === 'mini';
if (!others) console.error('jax-js and TensorFlow.js are skipped: they are timed at mini alone');
const { dependencies } = JSON.parse(readFileSync(`${here}package.json`, 'utf8')) as { dependencies: Record<string, string> };
if (others && !Object.keys(dependencies).every((name) => existsSync(`${here}node_modules/${name}`))) {
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: ['ignore', process.stderr, 'inherit'] });
}
const torches = [pytorch, ...(options.instructions === 'avx2' ? [narrow] : [])];
const contenders = [ours, ...(hasTorch ? torches : []), ...(others ? [jax, tensorflow] : [])];

/** ln V + λ ln 2: the loss of a model that knows nothing. */
const ignorance = config.generatorWeight * Math.log(config.vocabSize) + config.discriminatorWeight * Math.LN2;

const version = execFileSync(options.node, ['--version'], { encoding: 'utf8' }).trim();

const turn = ({ name, command: [program, ...rest], environment }: Contender): Turn => {
  const run = spawnSync(program, rest, { encoding: 'utf8', env: { ...process.env, ...environment } });
  const line = run.stdout?.split('\n').find((text) => text.startsWith('{'));
  if (run.status !== 0 || line === undefined) throw new Error(`${name} failed: ${run.error?.message ?? run.stderr.slice(-2000)}`);
  const { times, losses, ...said } = JSON.parse(line) as Turn & { times?: number[]; losses?: number[] };
  const result = times && losses ? { ...said, msPerStep: median(times), firstLoss: losses[0], lastLoss: losses[losses.length - 1] } : said;
  const { firstLoss, lastLoss } = result;
  if (!(Math.abs(firstLoss - ignorance) < 0.1 * ignorance && lastLoss < firstLoss)) {
    throw new Error(`${name} computes something else: its loss went from ${firstLoss} to ${lastLoss}; expected a fall from about ${ignorance.toFixed(1)}`);
  }
  return result;
};

const turns = new Map<Contender, Turn[]>(contenders.map((one) => [one, []]));
for (let round = 1; round <= rounds; round++) {
  for (const [one, all] of turns) {
    all.push(turn(one));
    console.error(`round ${round} of ${rounds}: ${one.name} ${all[all.length - 1].msPerStep.toFixed(0)} ms a step`);
  }
}

const msOf = (all: readonly Turn[]) => median(all.map(({ msPerStep }) => msPerStep));
const best = msOf(turns.get(ours)!);
const rows = [...turns].map(([{ name }, all]) => {
  const ms = msOf(all);
  const rss = Math.max(...all.map(({ peakRssMb }) => peakRssMb));
  const range = `${Math.min(...all.map((one) => one.msPerStep)).toFixed(0)}–${Math.max(...all.map((one) => one.msPerStep)).toFixed(0)}`;
  return [name, ms.toFixed(0), range, `${(ms / best).toFixed(2)}×`, ((1000 * b * t) / ms).toFixed(0), (stepFlops(config) / ms / 1e6).toFixed(1), rss.toFixed(0)];
});
const table = [['', 'ms a step', 'rounds', 'Amber’s time ×', 'tokens/s', 'GFLOP/s', 'peak MB'], ...rows];
const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
const lines = table.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))));
console.log(`${options.config}, batch ${b}, sequence ${t}, dropout ${dropout}; ${cpus().length} × ${cpus()[0]?.model}, Node ${version}, ${new Date().toISOString().slice(0, 10)}\n`);
if (options.markdown) {
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  [lines[0], rule, ...lines.slice(1)].forEach((row) => console.log(`| ${row.join(' | ')} |`));
} else lines.forEach((row) => console.log(row.join('  ')));
console.log('');
[...turns.values()].forEach((all) => console.log(`- ${all[0].description}${/thread/.test(all[0].description) || !all[0].threads ? '' : `, ${all[0].threads} thread${all[0].threads === 1 ? '' : 's'}`}`));
