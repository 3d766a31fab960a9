/** Laws of records from a stream of bytes: they do not depend on how it comes in pieces, and only UTF-8 is text. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StreamFormat } from '../../lib/node.ts';
import { recordsOf, UserError } from '../../lib/node.ts';

const test = suite('lines');

const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
};

test('records are the same however the bytes come in pieces and each line ends, with names of columns or without', async () => {
  const cell = fc
    .string({ unit: fc.constantFrom('a', 'é', '猫', '🐈', ' ', ',', '"'), minLength: 1 })
    .filter((text) => text.trim() !== '');
  const end = fc.constantFrom('\n', '\r\n', '\r');
  await fc.assert(
    fc.asyncProperty(
      fc.array(cell, { minLength: 1, maxLength: 6 }),
      fc.array(end, { minLength: 7, maxLength: 7 }),
      fc.nat(),
      fc.constantFrom<StreamFormat>('text', 'tsv', 'csv', 'jsonl'),
      fc.boolean(),
      async (cells, ends, cut, format, header) => {
        const encode = {
          text: (x: string) => x,
          tsv: (x: string) => `x\t${x}`,
          csv: (x: string) => `x,"${x.replaceAll('"', '""')}"`,
          jsonl: (x: string) => JSON.stringify({ text: x }),
        }[format];
        const names = header ? { text: [], tsv: ['n\ttext'], csv: ['n,text'], jsonl: [] }[format] : [];
        const bytes = Buffer.from(
          `\uFEFF${[...names, ...cells.map(encode)].map((line, i) => line + ends[i]).join('')}`,
        );
        const at = cut % bytes.length;
        const pieces = async function* () {
          yield bytes.subarray(0, at);
          yield bytes.subarray(at);
        };
        const found = await collect(recordsOf(pieces(), 'file', format, { header }));
        const numbered = !header && (format === 'tsv' || format === 'csv');
        assert.equal(
          found.map(({ fields }) => fields[numbered ? '1' : 'text']),
          cells,
        );
        assert.equal(
          found.map(({ where }) => where),
          cells.map((_, i) => `file:${i + 1 + names.length}`),
        );
      },
    ),
  );
});

test('bytes that are not UTF-8 are refused, whatever the format', async () => {
  const wrong = async function* () {
    yield Buffer.from([0x61, 0x0a, 0xff, 0x0a]);
  };
  for (const format of ['text', 'tsv', 'csv'] as const) {
    await collect(recordsOf(wrong(), 'file', format)).then(
      () => assert.unreachable(),
      (error: Error) => {
        assert.instance(error, UserError);
        assert.match(error.message, /file: expected UTF-8 text/);
      },
    );
  }
});

test.run();
