/**
 * What predicting costs: `npx tsx bench/predict.ts MODEL TEXTS` classifies a file of texts, one a line, by the library's
 * `classifier`, reading and tokenising included, and prints one line of JSON. With `--out`, the probabilities go there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { classifier, devices, useDevice } from '../lib/index.ts';
import { loadModel } from '../lib/node.ts';

const command = new Command('predict')
  .argument('<model>', 'the folder of a classifier')
  .argument('<texts>', 'a file of texts, one a line')
  .option('--device <name>', `where to compute: ${devices.join(', ')}`, 'wasm')
  .option('--batch-tokens <n>', 'tokens of a batch at most', Number)
  .option('--out <file>', 'where the probabilities go, as JSON')
  .parse();
const [folder, file] = command.args;
const { device: name, batchTokens, out } = command.opts<{ device: (typeof devices)[number]; batchTokens?: number; out?: string }>();

const device = await useDevice(name);
const predict = classifier(loadModel(folder), { ...(batchTokens && { batchTokens }) });
const linesOf = (most = Infinity) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, most).map((text) => ({ text }));
for await (const _ of predict(linesOf(500)));

const start = performance.now();
const found: number[][] = [];
for await (const { probabilities } of predict(linesOf())) found.push([...probabilities]);
const ms = performance.now() - start;
if (out !== undefined) writeFileSync(out, JSON.stringify(found));
console.log(JSON.stringify({ description: `${device.description}, tokenising included`, ms, peakRssMb: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
