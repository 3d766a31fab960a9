/**
 * Every operation × every generic law × every device that is present: one test each, and one cell in the table that the
 * runner prints.
 */
import fc from 'fast-check';
import { suite, test } from 'uvu';
import '../../lib/index.ts';
import { registry } from '../../lib/op.ts';
import { sizeOf } from '../../lib/shape.ts';
import { expect, mark } from './coverage.ts';
import { casesOf, domainsOf, namesOf, sampleOf } from './draw.ts';
import { laws } from './laws.ts';
import { absent, present, skip } from './present.ts';
import { fillsTheLast } from './values.ts';

for (const [name, { law, ofGradients }] of Object.entries(laws)) {
  expect(name, ofGradients);
  for (const device of present) {
    const checks = suite(`${name} on ${device}`);
    for (const op of [...registry.values()]) {
      if (ofGradients && op.vjp === undefined) continue;
      checks(op.name, async () => {
        mark(op.name, name, device, false);
        await law(op, device);
        mark(op.name, name, device, true);
      });
    }
    checks.run();
  }
  for (const [device, why] of absent) registry.forEach(() => skip(`${device} is not here: ${why}`));
}

test('in CI every device is here, the software GPU too', () => {
  if (process.env.CI && absent.size > 0)
    throw new Error([...absent].map(([device, why]) => `${device}: ${why}`).join('; '));
});

test('every definition fills its result up to the last element', () => {
  for (const op of registry.values()) {
    // It may leave zeros where they are, so one sample says little: among many, one must reach the end.
    const filled = fc.sample(casesOf(op), 500).some((chosen) => {
      const sample = sampleOf(op, chosen);
      return sample !== undefined && fillsTheLast(op, sample);
    });
    if (!filled) throw new Error(`${op.name}: the definition never fills the last element of the shape that the shape rule gives`);
  }
});

test('every domain of every operation draws arguments that its shape rule takes, for a result that is not empty', () => {
  for (const op of registry.values()) {
    domainsOf(op).forEach((domain, which) => {
      const sizes = Object.fromEntries(namesOf(domain).map((name, i) => [name, 3 + i]));
      const results = Array.from({ length: 8 }, (_, seed) => sampleOf(op, { domain: which, sizes, seed, ties: false })?.output.shape ?? [0]);
      if (results.every((shape) => sizeOf(shape) === 0)) throw new Error(`domain ${which} of ${op.name} draws nothing for ${JSON.stringify(sizes)}`);
    });
  }
});

test.run();
