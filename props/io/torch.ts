/**
 * Laws of PyTorch's own files: what torch wrote comes back in both formats, whatever its strides; a pickle runs nothing;
 * damaged bytes are told and never take more memory than the file.
 *
 * The files in props/golden/torch were written by PyTorch 1.13.1 (make.py beside them).
 */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPickle } from '../../lib/io/pickle.ts';
import { decodeTorch } from '../../lib/io/torch.ts';
import { golden } from '../golden/path.ts';

const file = (name: string) => readFileSync(golden(`torch/${name}`));

const formats = ['zip', 'legacy'] as const;

/** What make.py put into windows.*.bin. */
const windows: [name: string, dtype: string, shape: number[], values: (number | bigint)[]][] = [
  ['contiguous', 'F32', [3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['transposed', 'F32', [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
  ['part', 'F32', [5], [2, 3, 4, 5, 6]],
  ['column', 'F32', [3], [1, 5, 9]],
  ['middle', 'F32', [2, 2, 3], [1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22]],
  ['scalar', 'F32', [], [2.5]],
  ['empty', 'F32', [0, 3], []],
  ['half', 'F32', [5], [1, -2, 65504, 2 ** -24, Infinity]],
  ['brain', 'F32', [2, 2], [1, 3, -2, 2 ** 100]],
  ['double', 'F64', [2], [0.1, 1e300]],
  ['long', 'I64', [1, 3], [1n, -2n, 2n ** 40n]],
  ['int', 'I32', [2], [7, -8]],
  ['bool', 'BOOL', [2], [1, 0]],
  ['parameter', 'F32', [2], [1, 1]],
];

for (const format of formats) {
  test(`windows on storages of every dtype, shared, strided or neither, give the numbers that torch sees (${format})`, () => {
    const found = Array.from(decodeTorch(file(`windows.${format}.bin`)), ([name, { dtype, shape, data }]) => [
      name,
      dtype,
      shape,
      Array.from<number | bigint>(data),
    ]);
    assert.equal(found, windows);
  });
}

/** A file of the older format whose state dict is this program. */
const legacy = (program: string): Uint8Array => {
  const head = file('windows.legacy.bin');
  return Buffer.concat([head.subarray(0, head.indexOf('\x80\x02ccollections', 0, 'latin1')), Buffer.from(program, 'latin1')]);
};

const archive = (program: string, level: 0 | 9 = 0): Uint8Array =>
  zipSync({ 'm/data.pkl': Buffer.from(program, 'latin1') }, { level });

test('a pickle that names anything but what a state dict needs is refused, and nothing is called', () => {
  const attacks = [
    "\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
    "\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
    '\x80\x02c__main__\n__proto__\n.',
    '\x80\x02cconstructor\nconstructor\n.',
    '\x80\x02ctorch\nload\n)R.',
  ];
  for (const program of attacks) {
    for (const bytes of [archive(program), legacy(program)]) assert.throws(() => decodeTorch(bytes), /it names ".+", which no file of weights needs/);
  }
});

test('instructions that torch does not write are refused, each by its place', () => {
  const known = '\x80N\x88\x89KMJG\x8aX)]}(t\x85\x86\x87aesuqrhjcRQb.';
  for (let code = 0; code < 256; code++) {
    const char = String.fromCharCode(code);
    if (known.includes(char)) continue;
    assert.throws(() => readPickle(Buffer.from(`\x80\x02${char}.`, 'latin1'), 0, { names: new Map() }), /at byte 2 is not one that torch uses/);
  }
});

test('a file that is none, or holds something else, is refused with a sentence that says what is wrong', () => {
  const cases: [Uint8Array, RegExp][] = [
    [Buffer.from(''), /begins neither as a zip archive nor as a pickle/],
    [Buffer.from('PK\x03\x04 but no more'), /zip archive is damaged/],
    [zipSync({ 'm/other': Buffer.from('x') }, { level: 0 }), /has no data\.pkl/],
    [archive('\x80\x02].', 9), /is compressed/],
    [archive('\x80\x02].'), /holds no state dict/],
    [archive('\x80\x02}X\x01\x00\x00\x00aK\x01s.'), /"a" is not the name of a tensor/],
    [archive('\x80\x04}.'), /protocol is not 2/],
    [archive('\x80\x02}X\xff\xff\xff\xffa'), /in the middle of an instruction/],
    [file('windows.legacy.bin').subarray(0, -1), /ends before storage/],
    [Buffer.concat([file('windows.legacy.bin'), Buffer.from('x')]), /1 bytes follow its last storage/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => decodeTorch(bytes), message);
});

test('a tensor larger than its storage, such as an expanded one, is refused before memory is taken', () => {
  const name = Buffer.from('K\x05\x85', 'latin1');
  for (const format of formats) {
    const bytes = Buffer.from(file(`windows.${format}.bin`));
    const at = bytes.indexOf(name);
    assert.ok(at > 0);
    bytes[at + 1] = 255;
    assert.throws(() => decodeTorch(bytes), /of shape \[255\] reaches beyond its 12 numbers/);
  }
});

for (const format of formats) {
  test(`a file with some bytes changed is refused in a sentence, or gives tensors that fill their shapes (${format})`, () => {
    const base = file(`windows.${format}.bin`);
    const changes = fc.array(fc.tuple(fc.nat(base.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('KMJX)]}(ts\x85uqhjcRQb.', 'latin1')))), { minLength: 1, maxLength: 4 });
    const cut = fc.option(fc.nat(base.length), { nil: base.length, freq: 4 });
    fc.assert(
      fc.property(changes, cut, (list, length) => {
        const bytes = Buffer.from(base.subarray(0, length));
        for (const [at, byte] of list) if (at < length) bytes[at] = byte;
        let tensors;
        try {
          tensors = decodeTorch(bytes);
        } catch (error) {
          return assert.match((error as Error).message, /^not a (file of PyTorch weights that can be read|pickle that torch wrote): ./);
        }
        let total = 0;
        for (const { shape, data } of tensors.values()) {
          assert.is(data.length, shape.reduce((n, m) => n * m, 1));
          total += data.length;
        }
        assert.ok(total <= bytes.length);
      }),
      { numRuns: Number(process.env.RUNS ?? 500) },
    );
  });
}

test.run();
