/** The `cpu` device: gpu.js kernels as the plain JavaScript that they are, one call an element. For breakpoints; slow. */
import type { Device } from './device.ts';
import { compiler, launchOnHost } from './gpujs.ts';
import { runOnHost, valuesOf } from './host.ts';

export const openCpu = (): Device => {
  const compile = compiler('cpu');
  return {
    name: 'cpu',
    description: 'cpu (gpu.js, plain JavaScript)',
    precision: 'f32',
    eager: true,
    run: runOnHost(
      (data) => Float32Array.from(data),
      ({ op, params, inputs, specs, output, spec }) =>
        launchOnHost(compile, op.launches(params, specs, spec), inputs.map(valuesOf), output.size, () => undefined),
    ),
  };
};
