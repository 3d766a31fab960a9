/**
 * Random numbers in 32-bit words, which WGSL has: the same bits as kernels/random.ts, which makes them of 16-bit halves. A
 * thread computes one block of the cipher, which is two numbers.
 */
import { sizeOf } from '../../../lib/shape.ts';
import type { Dispatch, Replacement } from './dispatch.ts';
import { OUTPUT, declare, groupsFor, main } from './dispatch.ts';

const THREADS = 256;

/** Threefry-2x32-20 (kernels/threefry.ts), its rounds written out. */
const threefry = (() => {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  const round = (i: number) => {
    const r = rotations[i % 8];
    const mix = `  x.x += x.y; x.y = ((x.y << ${r}u) | (x.y >> ${32 - r}u)) ^ x.x;`;
    if (i % 4 !== 3) return mix;
    const s = (i + 1) / 4;
    return `${mix}\n  x.x += k[${s % 3}]; x.y += k[${(s + 1) % 3}] + ${s}u;`;
  };
  return `
fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  let k = vec3u(key, key.x ^ key.y ^ 0x1bd11bdau);
  var x = counter + key;
${Array.from({ length: 20 }, (_, i) => round(i)).join('\n')}
  return x;
}`;
})();

/**
 * What is drawn from a list of keys, each for `size` elements of the output: thread p of a key has block p, and so elements
 * 2p and 2p + 1. `value` makes an element i of its 24 random bits.
 */
const draws = (uniforms: string, reads: string[], value: string) => `
${declare(`size: u32, pairs: u32, blocks: u32${uniforms}`, ['keys: f32', ...reads], ['y: f32'])}
${threefry}
fn value(bits: u32, i: u32) -> f32 { ${value} }
${main(THREADS)}
  let index = group * ${THREADS}u + thread;
  if (index >= u.blocks) { return; }
  let which = index / u.pairs;
  let pair = index % u.pairs;
  let halves = vec4u(vec4f(keys[4 * which], keys[4 * which + 1], keys[4 * which + 2], keys[4 * which + 3]));
  let bits = threefry((halves.xz << vec2u(16)) | halves.yw, vec2u(pair, 0u)) >> vec2u(8);
  let i = which * u.size + 2 * pair;
  y[i] = value(bits.x, i);
  if (2 * pair + 1 < u.size) { y[i + 1] = value(bits.y, i + 1); }
}`;

const uniformCode = draws('', [], 'return f32(bits) / 16777216.0;');
const gumbelCode = draws(
  '',
  [],
  `
  let w = (f32(min(16777216 - bits, 8388608)) - 0.5) / 16777216.0;
  let z = w / (2.0 - w);
  let s = z * z;
  var e = 2.0 * z * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0 + s / 11.0)))));
  if (bits < 8388608) { e = -log((f32(bits) + 0.5) / 16777216.0); }
  return -log(e);
`,
);

const dropoutCode = draws(
  ', below: u32, scale: f32',
  ['x: f32'],
  'return select(0.0, x[i] * u.scale, bits >= u.below);',
);

const drawing =
  <P extends object>(
    code: string,
    buffers: Dispatch['buffers'],
    more: (params: P) => { integers: number[]; floats?: number[] },
  ): Replacement<P> =>
  ({ params, specs: [keys], spec }) => {
    const count = sizeOf(keys.shape) / 4;
    const size = sizeOf(spec.shape) / count;
    const pairs = Math.ceil(size / 2);
    const { integers, floats } = more(params);
    const groups = groupsFor(Math.ceil((count * pairs) / THREADS));
    return { dispatches: [{ code, buffers, integers: [size, pairs, count * pairs, ...integers], floats, groups }] };
  };

export const uniform = drawing(uniformCode, [0, OUTPUT], () => ({ integers: [] }));

export const gumbel = drawing(gumbelCode, [0, OUTPUT], () => ({ integers: [] }));

/** A number of 24 bits is at least the rate where its bits are at least `below`. */
export const dropout = drawing<{ rate: number }>(dropoutCode, [0, 1, OUTPUT], ({ rate }) => ({
  integers: [Math.ceil(rate * 2 ** 24)],
  floats: [1 / (1 - rate)],
}));
