/**
 * The law of tuned replacements (kernels/fast), on every device that has them: replacement = gpu.js definition = definition
 * in double precision, for each operation that has one, on random sizes and on large, odd ones, and on no elements or one;
 * on the `gpu` device with subgroups and without. `tuned: false` runs the same device by its gpu.js definitions alone, so those
 * stay tested where nobody runs them.
 */
import fc from 'fast-check';
import { suite, test } from 'uvu';
import '../../lib/index.ts';
import type { Device } from '../../kernels/device/device.ts';
import { openGpu } from '../../kernels/device/gpu.ts';
import type { Queue } from '../../kernels/device/queue.ts';
import { openQueue } from '../../kernels/device/queue.ts';
import { openWasm } from '../../kernels/device/wasm.ts';
import { replacements as wasm } from '../../kernels/fast/wasm/replacements.ts';
import { replacements as wgsl } from '../../kernels/fast/wgsl/replacements.ts';
import type { Op } from '../../lib/op.ts';
import { registry } from '../../lib/op.ts';
import { assertClose, largest } from '../laws/close.ts';
import type { Case, Sample } from '../laws/draw.ts';
import { casesOf, domainsOf, namesOf, referenceOf, sampleOf } from '../laws/draw.ts';
import { edgesOf } from '../laws/laws.ts';
import { absent, present, skip } from '../laws/present.ts';
import { toleranceOf } from '../laws/values.ts';

/** Sizes that make many tiles and workgroups, and end in the middle of a tile, a vector and a stripe. */
const odd = [
  [67, 131, 9, 35, 3],
  [130, 20, 3, 66, 5],
  [2, 300, 70, 5, 17],
  [1100, 3, 2, 2, 9],
];

/** Products in the tiles of every size, and one that is cut along k. */
const products = [
  { z: 130, m: 122, k: 9, n: 250 },
  { z: 130, m: 60, k: 33, n: 126 },
  { z: 2, m: 70, k: 2100, n: 72 },
  { z: 1, m: 402, k: 35, n: 126 },
];
const more: Record<string, Record<string, number>[]> = {
  matmul: products,
  dense: [{ m: 2050, k: 9, n: 2049 }, ...products],
  attentionScores: [{ b: 2, i: 130, h: 3, d: 36, j: 300 }],
  attentionContext: [
    { b: 2, i: 130, h: 3, d: 36, j: 300 },
    { b: 1, i: 66, h: 2, d: 20, j: 1100 },
  ],
  denseSlope: [
    { m: 9, k: 2052, n: 2044 },
    { m: 2100, k: 70, n: 72 },
    { m: 1030, k: 67, n: 65 },
    { m: 1030, k: 270, n: 130 },
  ],
  layerNormParameters: [{ m: 2100, n: 72 }],
  scatterAdd: [
    { n: 1100, e: 3 },
    { n: 5000, e: 3 },
  ],
};

const largeOf = (op: Op): Case[] =>
  domainsOf(op).flatMap((domain, which) => {
    const names = namesOf(domain);
    const sizes = odd.map((list) => Object.fromEntries(names.map((name, i) => [name, list[i % list.length]])));
    return [...sizes, ...(more[op.name] ?? [])].map((sizes, seed) => ({
      domain: which,
      sizes,
      seed,
      ties: seed % 2 === 1,
    }));
  });

const compute = (queue: Queue, op: Op, { params, specs, inputs, output }: Sample) => {
  const given = inputs.map((x) => queue.write(x));
  const y = queue.launch(op, params, given, specs, output);
  const read = queue.read(y);
  [...given, y].forEach((buffer) => queue.release(buffer));
  return read;
};

/** What a device replaces, and the ways in which it computes that. */
const tunable: Record<string, { replacements: object; ways: Record<string, () => Promise<Device>> }> = {
  wasm: {
    replacements: wasm,
    ways: { 'the replacement': () => openWasm({ tuned: true }), 'the definition': () => openWasm({ tuned: false }) },
  },
  gpu: {
    replacements: wgsl,
    ways: {
      'the replacement': () => openGpu({ tuned: true }),
      'the replacement without subgroups': () => openGpu({ tuned: true, subgroups: false }),
      'the definition': () => openGpu({ tuned: false }),
    },
  },
};

for (const name of present) {
  if (!(name in tunable)) continue;
  const { ways, replacements } = tunable[name];
  const queues = Object.entries(ways).map(([way, open]) => ({ way, queue: openQueue(open()) }));

  const check = async (op: Op, sample: Sample) => {
    const expected = referenceOf(op, sample, sample.inputs);
    const tolerance = toleranceOf(op, sample, largest(expected));
    const came = await Promise.all(queues.map(({ queue }) => compute(queue, op, sample)));
    queues.forEach(({ way }, i) => assertClose(came[i], expected, tolerance, `${op.name}, ${way}`));
  };

  const laws = suite(`replacement = definition = reference on ${name}`);
  for (const which of Object.keys(replacements)) {
    laws(which, async () => {
      const op = registry.get(which);
      if (op === undefined) throw new Error(`kernels/fast replaces '${which}', which is no operation`);
      const large = largeOf(op).map((chosen) => ({ chosen, sample: sampleOf(op, chosen) }));
      for (const { chosen, sample } of [...edgesOf(op), ...large]) {
        if (sample === undefined) continue;
        await check(op, sample).catch((cause: Error) => {
          throw new Error(`${JSON.stringify(chosen)}: ${cause.message}`, { cause });
        });
      }
      const { numRuns = 10 } = fc.readConfigureGlobal();
      const property = fc.asyncProperty(casesOf(op), async (chosen) => {
        const sample = sampleOf(op, chosen);
        if (sample !== undefined) await check(op, sample);
      });
      await fc.assert(property, { numRuns });
    });
  }
  laws.run();
}

for (const name of Object.keys(tunable))
  if (absent.has(name as Device['name'])) skip(`${name} is not here: ${absent.get(name as Device['name'])}`);

test.run();
