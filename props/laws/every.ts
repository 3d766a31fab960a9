/**
 * Every operation × every generic law × every device that is present: one test each, and one cell in the table that the
 * runner prints.
 */
import { suite, test } from 'uvu';
import '../../lib/index.ts';
import { registry } from '../../lib/op.ts';
import { sizeOf } from '../../lib/shape.ts';
import { expect, mark } from './coverage.ts';
import { domainsOf, namesOf, sampleOf } from './draw.ts';
import { laws } from './laws.ts';
import { absent, present, skip } from './present.ts';

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
