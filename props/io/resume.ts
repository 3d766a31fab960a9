/**
 * The law of runs that survive: however a run is stopped, it goes on as if nothing had happened. Real processes run the
 * program `pretrain.ts` and are stopped at drawn acts on the file system (every half-written state can come up) and at
 * drawn times: by `kill -9`, by Ctrl-C and SIGTERM, and by a disk that is full from then on. A GPU may also be lost.
 *
 * KILLS=200 npm test -- io/resume stops it that many times; a few without.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkpointSteps } from '../../lib/io/checkpoint.ts';
import { readMetrics } from '../../lib/io/metrics.ts';
import { absent, present, skip } from '../laws/present.ts';

const test = suite('resume');
let folder = '';
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-resume-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const words = fc.sample(fc.constantFrom(...'the of and to a in that it was he for on are with as I his they be at'.split(' ')), 9_000);
  writeFileSync(join(folder, 'text.txt'), words.map((word, i) => word + (i % 11 === 10 ? '.\n\n' : ' ')).join(''));
});
test.after(() => rmSync(folder, { recursive: true }));

const config = {
  vocabSize: 64,
  embeddingSize: 16,
  maxPositions: 16,
  discriminator: { hiddenSize: 16, layers: 1, heads: 2, feedForwardSize: 32 },
  generator: { hiddenSize: 8, layers: 1, heads: 1, feedForwardSize: 16 },
  dropout: 0.1,
  attentionDropout: 0.1,
  training: { sequenceLength: 16, batchSize: 4, steps: 7, warmupSteps: 2 },
};

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const FLAGS = ['--checkpoint-every', '1', '--eval-every', '2', '--quiet'];

/** Runs the program to its end, to the fault, or until it is killed after some milliseconds. */
const pretrain = async (args: string[], fault = 'nothing', after = Infinity) => {
  const begun = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', path('fault.ts'), path('../../examples/pretrain.ts'), ...args], {
    env: { ...process.env, FAULT: fault, AMBER_DEVICE: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const timer = after < Infinity ? setTimeout(() => child.kill('SIGKILL'), after) : undefined;
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output, ms: performance.now() - begun };
};

const first = (out: string, device: string) => ['--corpus', join(folder, 'text.txt'), '--config', join(folder, 'config.json'), '--device', device, '--out', out, ...FLAGS];

/** The same command again where no checkpoint was written yet, else `--resume`, without other flags or with the original ones. */
const again = (out: string, device: string, withFlags: boolean): string[] => {
  if (checkpointSteps(join(out, 'checkpoints')).length === 0) return first(out, device);
  return ['--resume', out, ...(withFlags ? first(out, device) : ['--quiet'])];
};

/** All that a finished run leaves, less the speed. */
const leftBy = (out: string) => ({
  metrics: readMetrics(join(out, 'metrics.jsonl')).map(({ tokensPerSecond: _, ...rest }) => rest),
  steps: checkpointSteps(join(out, 'checkpoints')),
  state: readFileSync(join(out, 'checkpoints', String(config.training.steps), 'state.safetensors')),
  models: ['discriminator', 'generator'].map((name) => readFileSync(join(out, name, 'model.safetensors'))),
});

/** The run that nothing stops. */
const undisturbedRun = async (device: string, out = join(folder, 'runs', device)) => {
  const { code, output, ms } = await pretrain(first(out, device));
  assert.is(code, 0, output);
  return { left: leftBy(out), acts: Number(/(\d+) acts/.exec(output)![1]), ms };
};

/** How a run is stopped: after a part of all acts, or of the time, of one that is left alone. */
const stops = fc.record({
  how: fc.constantFrom('SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM', 'ENOSPC', 'time', 'time'),
  part: fc.double({ min: 0, max: 0.999, noNaN: true }),
  withFlags: fc.boolean(),
});

/** The most stops of one run before it is left alone. */
const MOST = 3;
const KILLS = Number(process.env.KILLS ?? MOST);
const devices = process.env.KILLS === undefined ? ['wasm'] : ['wasm', 'reference'];

for (const device of devices) {
  test(`a run that is stopped anywhere, again and again, goes on as if nothing had happened (${device})`, async () => {
    const { left, acts, ms } = await undisturbedRun(device);
    const drawn = fc.sample(stops, 20 * KILLS);
    let stopped = 0;
    for (let run = 0; stopped < KILLS / devices.length; run++) {
      const out = join(folder, 'runs', `${device}-${run}`);
      const story: string[] = [];
      for (;;) {
        const { how, part, withFlags } = drawn.pop()!;
        const args = again(out, device, withFlags);
        const fault = how === 'time' || story.length === MOST ? 'nothing' : `${how} ${1 + Math.floor(part * acts)}`;
        const after = how === 'time' && story.length < MOST ? part * ms : Infinity;
        const { code, output } = await pretrain(args, fault, after);
        story.push(`${args.slice(0, 2).join(' ')}, ${fault} after ${after} ms: exit code ${code}`);
        const isDone = code === 0 && checkpointSteps(join(out, 'checkpoints')).at(-1) === config.training.steps;
        if (isDone) break;
        stopped++;
        const told = `${story.join('\n')}\n${output}`;
        if (how === 'ENOSPC') assert.match(output, /the disk is full; free some space/, told);
        else assert.ok(code === null || (code === 0 && /SIGINT|SIGTERM/.test(how)), told);
      }
      assert.equal(leftBy(out), left, story.join('\n'));
      rmSync(out, { recursive: true });
    }
    if (process.env.KILLS !== undefined) console.log(`${stopped} stops, every run as the undisturbed one (${device})`);
  });
}

if (present.includes('gpu')) {
  test('a run whose GPU is lost on the way says so, and goes on from its last checkpoint on wasm', async () => {
    const out = join(folder, 'runs', 'lost');
    const { acts, left } = await undisturbedRun('wasm', join(folder, 'runs', 'kept'));
    const { code, output } = await pretrain(first(out, 'gpu'), `LOST ${Math.floor(acts / 2)}`);
    assert.is(code, 0, output);
    assert.match(output, /the device was lost[^]*the run goes on from step [1-6], on wasm/);
    assert.equal(leftBy(out).steps, left.steps);
    assert.equal(leftBy(out).metrics.map(({ step }) => step), left.metrics.map(({ step }) => step));
  });
} else skip(`gpu is not here: ${absent.get('gpu') ?? 'AMBER_DEVICE names another device'}`);

test.run();
