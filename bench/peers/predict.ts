/**
 * `npx tsx bench/peers/predict.ts`: 10,000 short sentences through a `mini` classifier, in Amber and in TensorFlow.js, in
 * turn, each in a process of its own, for several rounds. Both read one model folder, batch by length, and must agree on
 * every logit (up to the shift that a softmax ignores) before any time counts. Amber's time includes tokenising; TensorFlow.js
 * is given token ids. The figure is the median over rounds.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { configs, initElectra, initTaskHead, key, map, mul, sentences, split, trainWordPiece, useDevice, withTaskHead, WordPiece } from '../../lib/index.ts';
import { readCorpus, saveModel } from '../../lib/node.ts';
import { median } from '../median.ts';

interface Options {
  readonly texts?: string;
  readonly rounds: number;
  readonly batchTokens: number;
  readonly peerBatchTokens: number;
  readonly markdown: boolean;
}

const options = new Command('predict')
  .option('--texts <file>', 'sentences, one a line (default: those of 3 to 18 words from the State of the Union addresses)')
  .option('--rounds <n>', 'how often each has its turn', Number, 3)
  .option('--batch-tokens <n>', "tokens of one of Amber's batches at most", Number, 2048)
  .option('--peer-batch-tokens <n>', "tokens of one of TensorFlow.js's batches at most", Number, 2048)
  .option('--markdown', 'print the table as Markdown', false)
  .parse()
  .opts<Options>();

const HOW_MANY = 10_000;
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'amber-predict-'));
const [model, texts, ids] = ['model', 'texts.txt', 'ids.json'].map((name) => join(folder, name));

const wordsOf = (sentence: string): number => sentence.split(/\s+/).length;

/** Sentences of the corpus, taken from all over it, or the lines of a file. */
const chooseTexts = (corpus: readonly string[]): string[] => {
  if (options.texts !== undefined) return readFileSync(options.texts, 'utf8').split(/\r?\n/).filter((line) => line.trim() !== '').slice(0, HOW_MANY);
  const short = corpus.filter((sentence) => wordsOf(sentence) >= 3 && wordsOf(sentence) <= 18).map((sentence) => sentence.replace(/\s+/g, ' '));
  return Array.from({ length: HOW_MANY }, (_, i) => short[Math.floor((i * short.length) / HOW_MANY)]);
};

/** A `mini` with a head for seven classes, its weights eight times as large as fresh ones, so that logits differ visibly. */
const makeModel = async (vocab: readonly string[]): Promise<void> => {
  await useDevice('wasm');
  const { params, head } = split(key(0), 'params', 'head');
  const config = { ...configs.mini, vocabSize: vocab.length };
  const large = map((x) => (x.shape.length > 1 ? mul(x, 8) : x), initTaskHead(head, 'classification', 7, config, 'huggingface'));
  const tokenizer = new WordPiece(vocab, { lowerCase: true });
  await saveModel(model, { config, params: withTaskHead(initElectra(params, config), large), tokenizer, task: 'classification' });
};

interface Turn {
  readonly description: string;
  readonly ms: number;
  readonly peakRssMb: number;
}

const logitsOf = (name: string): number[][] => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as number[][];

/** Numbers less the logarithm of the sum of their exponentials: of logits, or of logarithms of probabilities, the same. */
const normalised = (logits: readonly number[]): number[] => {
  const most = Math.max(...logits);
  const total = most + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - most), 0));
  return logits.map((x) => x - total);
};

const turn = (name: string, command: readonly string[]): Turn => {
  const run = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  const line = run.stdout?.split('\n').find((text) => text.startsWith('{'));
  if (run.status !== 0 || line === undefined) throw new Error(`${name} failed: ${run.error?.message ?? run.stderr.slice(-2000)}`);
  return JSON.parse(line) as Turn;
};

/** The largest difference between the two sides' logits; throws when they compute different things. */
const verify = (): number => {
  const theirs = logitsOf('theirs').map(normalised);
  const ours = logitsOf('ours').map((probabilities) => normalised(probabilities.map(Math.log)));
  const spread = Math.max(...theirs.map((logits) => Math.max(...logits) - Math.min(...logits)));
  const worst = Math.max(...ours.map((row, i) => Math.max(...row.map((x, k) => Math.abs(x - theirs[i][k])))));
  if (ours.length !== theirs.length || !(worst < 1e-3)) throw new Error(`the two sides' logits differ by ${worst}; at most 1e-3 is right`);
  if (!(spread > 0.5)) throw new Error(`the logits of a text differ by ${spread} at most: too little to compare`);
  return worst;
};

try {
  if (!existsSync(`${here}node_modules/@tensorflow/tfjs-backend-wasm`)) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: ['ignore', process.stderr, 'inherit'] });
  }
  const corpus = [...readCorpus()].flatMap(sentences);
  const vocab = trainWordPiece(corpus, { size: configs.mini.vocabSize, lowerCase: true });
  await makeModel(vocab);
  const chosen = chooseTexts(corpus);
  const tokenizer = new WordPiece(vocab, { lowerCase: true });
  const encoded = chosen.map((text) => tokenizer.encode(text).ids.slice(0, configs.mini.maxPositions));
  const lengths = encoded.map((one) => one.length).sort((a, b) => a - b);
  writeFileSync(texts, `${chosen.join('\n')}\n`);
  writeFileSync(ids, JSON.stringify(encoded));

  const out = (name: string) => join(folder, `${name}.json`);
  const theirs = JSON.stringify({ model, ids, batchTokens: options.peerBatchTokens, out: out('theirs') });
  const sides = {
    Amber: ['npx', 'tsx', `${here}../predict.ts`, model, texts, '--batch-tokens', String(options.batchTokens), '--out', out('ours')],
    'TensorFlow.js': ['node', `${here}tensorflow-predict.mjs`, theirs],
  };
  const turns = Object.entries(sides).map(([name, command]) => ({ name, command, all: [] as Turn[] }));
  let worst = 0;
  for (let round = 1; round <= options.rounds; round++) {
    for (const { name, command, all } of turns) {
      all.push(turn(name, command));
      console.error(`round ${round} of ${options.rounds}: ${name} ${(all.at(-1)!.ms / 1000).toFixed(2)} s`);
    }
    worst = Math.max(worst, verify());
  }

  const secondsOf = (all: readonly Turn[]) => median(all.map(({ ms }) => ms)) / 1000;
  const best = secondsOf(turns[0].all);
  const rows = turns.map(({ name, all }) => {
    const seconds = secondsOf(all);
    const each = all.map(({ ms }) => (ms / 1000).toFixed(1));
    return [name, seconds.toFixed(1), each.join(' '), `${(seconds / best).toFixed(2)}×`, (chosen.length / seconds).toFixed(0), Math.max(...all.map((one) => one.peakRssMb)).toFixed(0)];
  });
  const table = [['', 's', 'rounds', 'Amber’s time ×', 'texts/s', 'peak MB'], ...rows];
  const [middle, least, most] = [lengths[lengths.length >> 1], lengths[0], lengths.at(-1)];
  console.log(
    `mini, ${chosen.length.toLocaleString('en')} texts of ${least} to ${most} tokens (median ${middle}); logits equal to ${worst.toExponential(1)}; ` +
      `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`,
  );
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))));
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  if (options.markdown) [lines[0], rule, ...lines.slice(1)].forEach((row) => console.log(`| ${row.join(' | ')} |`));
  else lines.forEach((row) => console.log(row.join('  ')));
  console.log('');
  turns.forEach(({ all }) => console.log(`- ${all[0].description}`));
} finally {
  rmSync(folder, { recursive: true });
}
