/**
 * Where the `gpu` device comes from: `navigator.gpu` in browsers; in Node the optional package `webgpu` (Dawn). What an
 * adapter offers beyond WebGPU's defaults is asked for here, since a device gets only what was asked for.
 */
import { inNode, nodeModule } from '../node.ts';

/** `navigator.gpu`; in Node, from the package `webgpu`, when it is installed and loads. */
const webgpu = async (): Promise<GPU | undefined> => {
  if (typeof navigator !== 'undefined' && navigator.gpu) return navigator.gpu;
  if (!inNode()) return undefined;
  const { create, globals } = await nodeModule('webgpu');
  Object.assign(globalThis, globals);
  // Dawn rounds a GPU's times to steps in which many kernels run, so that pages cannot spy by them.
  const gpu = create(['disable-dawn-features=timestamp_quantization']);
  // Node has a navigator from version 21 on, whose other properties stay as they are.
  if (typeof navigator === 'undefined')
    Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  else Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  return gpu;
};

/** The adapter that answers. Rejects when there is none, saying why. */
export const findAdapter = async (): Promise<GPUAdapter> => {
  const gpu = await webgpu().catch((cause) => {
    throw new Error('the package webgpu does not load here', { cause });
  });
  if (gpu === undefined) throw new Error('there is no WebGPU here');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('no GPU answers');
  return adapter;
};

/** The adapter in words. */
export const describe = ({ info: { vendor, architecture, device, description } }: GPUAdapter): string =>
  [vendor, architecture, description || device].filter(Boolean).join(' ');

/** Whether the adapter is a processor that plays one: good for tests, slower than `wasm`. */
export const isSoftware = ({ info: { vendor, architecture, device, description } }: GPUAdapter): boolean =>
  /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(`${vendor} ${architecture} ${device} ${description}`);

/** Why `gpu` should not be chosen automatically, in words; undefined when a real adapter answers. */
export const probeGpu = async (): Promise<string | undefined> => {
  try {
    return isSoftware(await findAdapter()) ? 'the only GPU adapter is a software one' : undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

/**
 * The adapter's device with all the storage that it can bind, and what else of use it offers: numbers of 16 bits, subgroups,
 * and its clock for benchmarks.
 */
export const requestDevice = (adapter: GPUAdapter): Promise<GPUDevice> => {
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const wanted: GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];
  return adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize },
  });
};

/**
 * Threads of a subgroup, where the adapter's have all the same number, and a thread can ask for its place in them; else 1, and
 * shaders do without.
 */
export const subgroupOf = ({ features, adapterInfo }: GPUDevice): number => {
  if (!features.has('subgroups') || !navigator.gpu.wgslLanguageFeatures.has('subgroup_id')) return 1;
  const { subgroupMinSize: least, subgroupMaxSize: most = 1 } = adapterInfo;
  return least === most ? most : 1;
};
