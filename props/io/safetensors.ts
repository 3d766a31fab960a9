/** Laws of the safetensors codec: nothing is lost, HuggingFace's own files come back byte for byte, bad bytes are told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SafeDType, SafeTensor } from '../../lib/io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.ts';

const DTYPES: [SafeDType, new (buffer: ArrayBuffer) => SafeTensor['data'], number][] = [
  ['F64', Float64Array, 8],
  ['I64', BigInt64Array, 8],
  ['F32', Float32Array, 4],
  ['I32', Int32Array, 4],
  ['U16', Uint16Array, 2],
  ['U8', Uint8Array, 1],
  ['BOOL', Uint8Array, 1],
];

const tensors: fc.Arbitrary<SafeTensor> = fc
  .record({ kind: fc.constantFrom(...DTYPES), shape: fc.array(fc.nat(4), { maxLength: 3 }), seed: fc.nat(255) })
  .map(({ kind: [dtype, type, width], shape, seed }) => {
    const bytes = Uint8Array.from({ length: width * shape.reduce((n, m) => n * m, 1) }, (_, i) => (seed + 7 * i) % 128);
    return { dtype, shape, data: new type(bytes.buffer) };
  });

const files = fc.record({
  map: fc
    .dictionary(fc.string({ unit: 'grapheme' }), tensors, { maxKeys: 6 })
    .map((record) => new Map(Object.entries(record).filter(([name]) => name !== '__metadata__'))),
  metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
});

/** A file from a header and as many bytes of zeros. */
const fileOf = (header: unknown, length = 0): Uint8Array => {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + json.length + length);
  bytes.writeBigUInt64LE(BigInt(json.length));
  bytes.set(json, 8);
  return bytes;
};

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

test('decoding what was encoded gives every tensor and all metadata back', () => {
  fc.assert(
    fc.property(files, ({ map, metadata }) => {
      const decoded = decodeSafetensors(encodeSafetensors(map, metadata));
      assert.equal({ ...decoded.metadata }, { ...metadata });
      assert.is(decoded.tensors.size, map.size);
      for (const [name, { dtype, shape, data }] of map) assert.equal(decoded.tensors.get(name), { dtype, shape, data });
    }),
  );
});

test('the order in which tensors are given does not change the bytes', () => {
  fc.assert(
    fc.property(files, ({ map }) => assert.equal(encodeSafetensors([...map].reverse()), encodeSafetensors(map))),
  );
});

test('the numbers begin at a multiple of eight bytes', () => {
  fc.assert(
    fc.property(files, ({ map }) => {
      assert.is(Number(new DataView(encodeSafetensors(map).buffer).getBigUint64(0, true)) % 8, 0);
    }),
  );
});

test('bytes that do not lie at a multiple of their width are read as well', () => {
  fc.assert(
    fc.property(files, fc.integer({ min: 1, max: 7 }), ({ map }, shift) => {
      const bytes = encodeSafetensors(map);
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      assert.equal(decodeSafetensors(moved.subarray(shift)), decodeSafetensors(bytes));
    }),
  );
});

test('float16 and bfloat16 become the float32 of the same value', () => {
  const halves = [0x0000, 0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x3555];
  const values = [0, 1, -2, 2 ** -24, 1023 * 2 ** -24, 65504, Infinity, -Infinity, 0.333251953125];
  const bytes = fileOf({ x: entry(0, 18, [9], 'F16') }, 18);
  bytes.set(new Uint8Array(Uint16Array.from(halves).buffer), bytes.length - 18);
  assert.equal([...(decodeSafetensors(bytes).tensors.get('x')?.data ?? [])], values);

  fc.assert(
    fc.property(fc.float({ noNaN: true }), (x) => {
      const upper = new Uint16Array(Float32Array.of(x).buffer)[1];
      const file = fileOf({ x: entry(0, 2, [], 'BF16') }, 2);
      file.set(new Uint8Array(Uint16Array.of(upper).buffer), file.length - 2);
      const expected = new Float32Array(Uint16Array.of(0, upper).buffer)[0];
      assert.is(decodeSafetensors(file).tensors.get('x')?.data[0], expected);
    }),
  );
});

test('a file that breaks a rule of the format is refused with a sentence that names the rule', () => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(5), /fewer than the 8/],
    [Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255]), /header should have/],
    [Uint8Array.from([9, 0, 0, 0, 0, 0, 0, 0, 123]), /header should have 9 bytes, but 1 follow/],
    [fileOf('[]'), /begin with \{/],
    [fileOf('{"a":'), /not JSON/],
    [fileOf(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`), /tensor "a"/],
    [fileOf({ __metadata__: { a: 1 } }), /metadata "a" is not a text/],
    [fileOf({ x: entry(0, 4) }, 3), /take 4 bytes, but 3 follow/],
    [fileOf({ x: entry(0, 4) }, 5), /take 4 bytes, but 5 follow/],
    [fileOf({ x: entry(0, 4), y: entry(8, 12) }, 12), /"y" begins at byte 8, expected 4/],
    [fileOf({ x: entry(0, 8), y: entry(4, 12) }, 12), /"y" begins at byte 4, expected 8/],
    [fileOf({ x: entry(0, 4, [2]) }, 4), /8 bytes, but is given 4/],
    [fileOf({ x: entry(0, 0, [2 ** 40, 2 ** 40, 0]) }), /impossible shape/],
    [fileOf({ x: entry(0, 4, [-1]) }, 4), /not a list of sizes/],
    [fileOf({ x: entry(0, 4, [1], 'Q4') }, 4), /dtype "Q4"/],
    [fileOf({ x: entry(0, 4, [1], 'constructor') }, 4), /dtype "constructor"/],
    [fileOf({ x: { dtype: 'F32', shape: [] } }), /should have dtype, shape and data_offsets/],
    [fileOf(`{"x":${JSON.stringify(entry(0, 0))},"x":${JSON.stringify(entry(0, 0))}}`), /occurs twice/],
    [fileOf('{"x":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4), /occurs twice/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => decodeSafetensors(bytes), message);
});

test('a file with some bytes changed is refused or gives a map that fills the file exactly', () => {
  const base = encodeSafetensors(
    new Map<string, SafeTensor>([
      ['weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['ids', { dtype: 'I64', shape: [2], data: BigInt64Array.of(7n, 8n) }],
    ]),
  );
  const changes = fc.array(
    fc.tuple(fc.nat(base.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('0129[]{}",:')))),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  const cut = fc.option(fc.nat(base.length), { nil: base.length, freq: 4 });
  fc.assert(
    fc.property(changes, cut, (list, length) => {
      const bytes = base.slice(0, length);
      for (const [at, byte] of list) if (at < length) bytes[at] = byte;
      let decoded;
      try {
        decoded = decodeSafetensors(bytes);
      } catch (error) {
        assert.match((error as Error).message, /^(not a safetensors file: |tensor ").+; (fetch|convert)/s);
        return;
      }
      let filled = 0;
      for (const { shape, data } of decoded.tensors.values()) {
        assert.is(
          data.length,
          shape.reduce((n, m) => n * m, 1),
        );
        filled += data.byteLength;
      }
      const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      // A dtype changed to F16 or BF16 is widened to twice its bytes, which no byte of this base can become alone.
      assert.is(8 + header + filled, bytes.length);
    }),
    { numRuns: Number(process.env.RUNS ?? 500) },
  );
});

test('model files as HuggingFace writes them come back byte for byte', () => {
  const golden = new URL('../../../shared/golden/', import.meta.url).pathname;
  if (!existsSync(golden)) return console.log('    skipped: ../shared/golden is not there');
  const found = readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /model\w*\.safetensors$/.test(name),
  );
  assert.ok(found.length > 0);
  for (const name of found) {
    const bytes = readFileSync(join(golden, name));
    const { tensors: map, metadata } = decodeSafetensors(bytes);
    assert.ok(bytes.equals(encodeSafetensors(map, metadata)), name);
  }
});

test.run();
