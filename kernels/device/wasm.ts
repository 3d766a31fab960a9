/** The `wasm` device: gpu.js kernels compiled to WebAssembly. Runs everywhere, nothing to install. */
import type { Device } from './device.ts';
import { compiler, launchOnHost } from './gpujs.ts';
import { runOnHost, valuesOf } from './host.ts';

export const openWasm = (): Device => {
  const compile = compiler('webasm');
  return {
    name: 'wasm',
    description: 'wasm (gpu.js WebAssembly, one thread)',
    precision: 'f32',
    eager: false,
    run: runOnHost(
      (data) => Float32Array.from(data),
      ({ op, params, inputs, specs, spec }) =>
        launchOnHost(compile, op.launches(params, specs, spec), inputs.map(valuesOf), ({ kernel }, call) => {
          const ran = kernel.constructor.name;
          if (ran !== 'WebAssemblyKernel') throw new Error(`wasm: gpu.js ran ${call.kernel.name} on ${ran}, not on WebAssembly`);
        }),
    ),
  };
};
