/**
 * Every operation × every generic law × every device that is present: one test each, and one cell in the table that the
 * runner prints.
 */
import { suite, test } from 'uvu';
import '../../lib/index.ts';
import { registry } from '../../lib/op.ts';
import { expect, mark } from './coverage.ts';
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

test('every operation declares its domain', () => {
  for (const op of registry.values()) if (op.domain === undefined) throw new Error(`${op.name} declares no domain`);
});

test.run();
