/** Laws of reading tables: what was written is read back, wherever lines end, and what is wrong is told with file and line. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paste, table } from '../../lib/index.ts';
import { records } from '../../lib/tasks/read/records.ts';
import { refuses } from './refuses.ts';

const test = suite('tables');

/** Everything that a field in quotes may hold, most often what could break it. */
const fields = fc
  .array(fc.oneof(fc.constantFrom('"', ',', '\n', '\r', '\r\n', '\t', ' ', '\uFEFF', '漢', '🙂', 'x'), fc.string()))
  .map((parts) => parts.join(''));
const tables = fc
  .integer({ min: 1, max: 4 })
  .chain((width) => fc.array(fc.array(fields, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }));
const lineEnds = fc.constantFrom('\n', '\r\n', '\r');
const marks = fc.constantFrom('', '\uFEFF');

const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`;

test('any table of strings written as CSV with quotes reads back equal, wherever lines end, with a byte order mark or without', () => {
  fc.assert(
    fc.property(
      tables,
      fc.array(lineEnds, { minLength: 6, maxLength: 6 }),
      marks,
      fc.boolean(),
      (rows, ends, mark, last) => {
        const csv = rows
          .map((row, i) => row.map(quote).join(',') + (i < rows.length - 1 || last ? ends[i] : ''))
          .join('');
        const read = records(mark + csv, 'a.csv', { header: false });
        assert.equal(
          read.map(({ columns, value }) => columns.map((_, i) => value(i))),
          rows,
        );
        let line = 1;
        rows.forEach((row, i) => {
          assert.is(read[i].where, `a.csv:${line}`);
          line += 1 + row.join('|').replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n').length - 1;
        });
      },
    ),
  );
});

test('any table without tabs and line ends reads back equal from TSV, quotes and commas being letters like others', () => {
  fc.assert(
    fc.property(tables, lineEnds, marks, (drawn, end, mark) => {
      const rows = drawn.map((row) => row.map((field) => `.${field.replace(/[\t\n\r]/g, '')}`));
      const read = records(mark + rows.map((row) => row.join('\t') + end).join(''), 'a.tsv', { header: false });
      assert.equal(
        read.map(({ columns, value }) => columns.map((_, i) => value(i))),
        rows,
      );
      assert.equal(
        read.map(({ where }) => where),
        rows.map((_, i) => `a.tsv:${i + 1}`),
      );
    }),
  );
});

test('any texts and labels read back equal from JSONL, at their lines, blank ones between', () => {
  const rows = fc.array(fc.record({ text: fc.string({ unit: 'binary' }), label: fc.stringMatching(/^[a-z]{1,5}$/) }), {
    minLength: 1,
  });
  const { read } = table({ text: 'text', label: 'label' });
  fc.assert(
    fc.property(rows, lineEnds, marks, (rows, end, mark) => {
      const expected = rows.map((row, i) => ({ where: `a.jsonl:${2 * i + 1}`, ...row }));
      assert.equal(
        read(mark + rows.map((row) => JSON.stringify({ id: 7, ...row })).join(end + end), 'a.jsonl'),
        expected,
      );
    }),
  );
});

test('columns are found by name in any order, by number from the front and from the back, and labels become numbers', () => {
  const csv = 'label,second,first\nno,b,"a,"\n';
  const expected = [{ where: 'a.csv:2', text: 'a,', pair: 'b', label: 'no' }];
  assert.equal(table({ text: 'first', pair: 'second', label: 'label' }).read(csv, 'a.csv'), expected);
  assert.equal(table({ text: 2, pair: -2, label: 0, header: true }).read(csv, 'a.csv'), expected);
  assert.equal(
    table({ text: 'first', pair: 'second', label: 'label' }).read(csv, 'a.csv', { unlabelled: true }),
    expected,
  );
  const [{ label }] = table({ text: 't', label: 'y', regression: true, scale: 5 }).read('t\ty\nx\t 2.5\n', 'a.tsv');
  assert.is(label, 0.5);
  assert.is(table({ text: 't', label: 'y' }).read('{"t": "x", "y": 1}', 'a.jsonl')[0].label, '1');
});

test('rows to be predicted need no labels, neither column nor value', () => {
  const { read } = table({ text: 'text', label: 'label' });
  for (const [text, source] of [
    ['text\na', 'a.csv'],
    ['text,label\na,', 'a.csv'],
    ['{"text": "a", "label": null}', 'a.jsonl'],
  ] as const) {
    const [row] = read(text, source, { unlabelled: true });
    assert.equal([row.text, row.label], ['a', undefined]);
    assert.throws(() => read(text, source));
  }
});

test('an empty text and one of 100,000 characters are texts', () => {
  const long = 'word '.repeat(20_000);
  const rows = table({ text: 'text', label: 'label' }).read(`text,label\n"",a\n"${long}",b\n`, 'a.csv');
  assert.equal(
    rows.map(({ text }) => text),
    ['', long],
  );
});

test('what is wrong in a table is told with file and line, also behind line ends in quotes', () => {
  const { read } = table({ text: 'text', label: 'label' });
  const head = 'text,label\n"two\nlines\r\nand three",a\n';
  const numbers = table({ text: 'text', label: 'label', regression: true });
  for (const [action, message] of [
    [() => read(`${head}b\n`, 'a.csv'), /^a\.csv:5: expected 2 fields, as in line 1, got 1/],
    [
      () => read(`${head}b, and c,x\n`, 'a.csv'),
      /^a\.csv:5: expected 2 fields, as in line 1, got 3; a text with commas stands in quotes/,
    ],
    [() => read(`${head}b, \n`, 'a.csv'), /^a\.csv:5: the label is empty/],
    [() => read(`${head}"b,c\n`, 'a.csv'), /^a\.csv:5: a quote in or after this line is never closed/],
    [() => read(`${head}b "c",d\n`, 'a.csv'), /^a\.csv:5: expected quotes around a whole field/],
    [() => read('text,kind\na,b\n', 'a.csv'), /^a\.csv:2: there is no column 'label'; there are 'text', 'kind'/],
    [() => read('text,label,label\na,b,c\n', 'a.csv'), /^a\.csv:1: there are two columns 'label'/],
    [
      () => table({ text: 0, label: 2 }).read('a\tb\n', 'a.tsv'),
      /^a\.tsv:1: there is no column number 2; there are '0', '1'/,
    ],
    [() => numbers.read(`${head}`, 'a.csv'), /^a\.csv:2: expected a number as label, got 'a'/],
    [() => numbers.read('text,label\na,\n', 'a.csv'), /^a\.csv:2: expected a number as label, got ''/],
    [() => read('', 'a.csv'), /^a\.csv: there are no rows in it/],
    [() => read('text,label\n\n', 'a.csv'), /^a\.csv: there are no rows in it/],
    [() => read('{"text": "a", "label": "b"}\n{"text"\n', 'a.jsonl'), /^a\.jsonl:2: expected one JSON object a line/],
    [() => read('["a", "b"]', 'a.jsonl'), /^a\.jsonl:1: expected one JSON object a line, such as/],
    [
      () => read('{"text": ["a"], "label": "b"}', 'a.jsonl'),
      /^a\.jsonl:1: expected a string or number as 'text', got \["a"\]/,
    ],
    [() => read('{"text": 5, "label": "b"}', 'a.jsonl'), /^a\.jsonl:1: expected a string as 'text', got 5/],
  ] as const)
    refuses(action, message);
});

test('files whose lines belong together stand beside each other, or are refused when one has more lines', () => {
  assert.is(paste(['a b\nc\n', 'x\r\ny'], ['texts', 'labels']), 'a b\tx\nc\ty');
  refuses(
    () => paste(['a\nb\n', 'x\n'], ['texts', 'labels']),
    /as many lines in each file, got 2 in texts, 1 in labels/,
  );
});

test.run();
