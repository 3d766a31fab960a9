/**
 * The same step in other frameworks on the same GPU, each in a process of its own: PyTorch on CUDA, in f32 without TF32, eager
 * and compiled; TensorFlow.js and jax-js on WebGPU, which Dawn gives to Node as it gives it to Chromium.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ElectraConfig } from '../../lib/index.ts';
import { median } from '../median.ts';

export interface Peer {
  readonly name: string;
  /** Milliseconds of its step; undefined where it fails, for instance for want of memory. */
  readonly ms: (config: ElectraConfig) => number | undefined;
}

interface Wanted {
  readonly python: string;
  readonly dropout: number;
  readonly steps: number;
  /** The adapter is a processor, on which the JavaScript peers would take minutes a step. */
  readonly software: boolean;
}

const path = (name: string) => fileURLToPath(new URL(`../peers/${name}`, import.meta.url));

/** The peers that can run here, and why others cannot. */
export const findPeers = ({ python, dropout, steps, software }: Wanted): { peers: Peer[]; absent: string[] } => {
  const peer = (name: string, command: readonly string[], more: object): Peer => ({
    name,
    ms(config) {
      const job = JSON.stringify({ config, dropout, warmup: 5, steps, ...more });
      const [program, ...rest] = command;
      const run = spawnSync(program, [...rest, job], { encoding: 'utf8', timeout: 600_000 });
      const line = run.stdout?.split('\n').find((text) => text.startsWith('{'));
      const { times = [], losses = [] } = line === undefined ? {} : (JSON.parse(line) as Record<string, number[]>);
      if (run.status === 0 && losses[losses.length - 1] < losses[0]) return median(times);
      console.error(`${name} failed; its losses were [${losses}]: ${run.error?.message ?? run.stderr.slice(-500)}`);
      return undefined;
    },
  });
  const torch = [python, path('pytorch.py')];
  const node = [process.execPath, '--import', 'tsx'];
  const groups = [
    {
      peers: [
        peer('PyTorch', torch, { device: 'cuda' }),
        peer('torch.compile', torch, { device: 'cuda', compile: true }),
      ],
      lacks:
        spawnSync(python, ['-c', 'import torch; assert torch.cuda.is_available()']).status !== 0 &&
        `PyTorch is skipped: ${python} has no torch with CUDA`,
    },
    {
      peers: ['TensorFlow.js', 'jax-js'].map((name, i) =>
        peer(name, [...node, path(['tensorflow.mjs', 'jax.mjs'][i])], { backend: 'webgpu' }),
      ),
      lacks: software
        ? 'TensorFlow.js and jax-js are skipped: a step of theirs takes minutes on a software adapter'
        : !existsSync(path('node_modules')) && 'TensorFlow.js and jax-js are skipped: run npm ci in bench/peers',
    },
  ];
  return {
    peers: groups.filter(({ lacks }) => !lacks).flatMap(({ peers }) => peers),
    absent: groups.flatMap(({ lacks }) => lacks || []),
  };
};
