/** The `reference` device: every operation by its textbook definition, in double precision. Slow, exact, easy to step into. */
import type { Device } from './device.ts';
import { runOnHost, valuesOf } from './host.ts';

export const openReference = (): Device => ({
  name: 'reference',
  description: 'reference (textbook loops in double precision)',
  precision: 'f64',
  eager: true,
  run: runOnHost(
    (data) => Float64Array.from(data),
    ({ op, params, inputs, specs, output, spec }) => {
      const out = new Float64Array(output.size);
      op.reference(inputs.map(valuesOf), out, params, specs, spec);
      return out;
    },
  ),
});
