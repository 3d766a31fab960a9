/** Laws of reading text: however it is packed, laid out or named, the same text comes out, and wrong bytes are named. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BLANK_LINES, readCorpus } from '../../lib/io/corpus.ts';
import { UserError } from '../../lib/io/error.ts';

const test = suite('corpus');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'amber-corpus-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};

/** Words of one to four bytes a character, and everything that could end a document. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom('plain', 'naïve', '漢字', '🙂', ' ', '\n', '\n\n', '\n \n'),
      fc.stringMatching(/^[a-z]{1,9}$/),
    ),
  )
  .map((parts) => `start ${parts.join('')}`);

const inked = (documents: Iterable<string>): string => [...documents].join('').replace(/\s/g, '');

/** Refusals are one sentence for the user. */
const refuses = (action: () => unknown, message: RegExp): void => {
  assert.throws(action, (error: Error) => {
    assert.instance(error, UserError);
    assert.match(error.message, message);
    return true;
  });
};

test('no character but white space is lost, wherever documents end', () => {
  const lengths = fc.oneof(fc.nat(40), fc.constant(Infinity));
  fc.assert(
    fc.property(texts, lengths, lengths, lengths, (text, blankLine, lineEnd, space) => {
      assert.is(inked(readCorpus([write('a.txt', text)], { blankLine, lineEnd, space })), inked([text]));
    }),
    { numRuns: 50 },
  );
});

test('blank lines alone separate documents when one asks for that', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,5}(\n[a-z]{1,5}){0,3}$/), { minLength: 1 }), (documents) => {
      assert.equal([...readCorpus([write('a.txt', documents.join('\n \n\n'))], BLANK_LINES)], documents);
    }),
    { numRuns: 50 },
  );
});

test('a text of any layout is cut into documents of bounded length', () => {
  const word = 'lorem ipsum ';
  for (const [separator, most] of [
    ['\n\n', 4_100],
    ['\n', 16_100],
    [' ', 1_000_100],
  ] as const) {
    const text = `${word.repeat(8).trim()}${separator}`.repeat(12_000);
    const documents = [...readCorpus([write('a.txt', text)])];
    assert.ok(documents.length > 1);
    assert.ok(documents.every((document) => document.length <= most));
    assert.is(inked(documents), inked([text]));
  }
});

test('a packed file gives the documents of the plain one', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const plain = write('a.txt', text);
      const packed = write('b.txt.gz', gzipSync(text));
      assert.equal([...readCorpus([packed])], [...readCorpus([plain])]);
    }),
    { numRuns: 30 },
  );
  const long = Buffer.from('日本語のテキスト。'.repeat(50_000)); // longer than one read, and no ASCII to cut it at
  const [a] = readCorpus([write('long.txt', long)]);
  assert.is(a, long.toString());
  assert.is([...readCorpus([write('long.txt.gz', gzipSync(long))])].join(''), a);
});

test('a byte order mark and CRLF line ends change nothing', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const unix = [...readCorpus([write('a.txt', text)], BLANK_LINES)];
      const windows = write('b.txt', `\uFEFF${text.replaceAll('\n', '\r\n')}`);
      assert.equal([...readCorpus([windows], BLANK_LINES)], unix);
    }),
    { numRuns: 50 },
  );
  const rows = 'x'.repeat(2 ** 20 - 1);
  const [document] = readCorpus([write('c.txt', `${rows}\r\n${rows}`)]); // the first read ends between CR and LF
  assert.is(document, rows);
});

test('every line of a .jsonl file is a document, packed or not', () => {
  const rows = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== ''),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(rows, (rows) => {
      const lines = rows.map((text) => `${JSON.stringify({ id: 1, text })}\n`).join('\n');
      const expected = rows.map((text) => text.trim());
      assert.equal([...readCorpus([write('a.jsonl', lines)])], expected);
      assert.equal([...readCorpus([write('a.jsonl.gz', gzipSync(lines))])], expected);
    }),
    { numRuns: 30 },
  );
  refuses(() => [...readCorpus([write('b.jsonl', '{"text": "a"}\n{"text": 1}')])], /b\.jsonl, line 2 has no text/);
  refuses(() => [...readCorpus([write('b.jsonl', '{"text": "a"}\n\n{"text"')])], /b\.jsonl, line 3 is not JSON/);
});

test('the first byte that is not UTF-8 is named with its file', () => {
  const wrong = [
    [0xff],
    [0x80],
    [0xc0, 0xaf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x99],
    [0xf5, 0x80, 0x80, 0x80],
  ];
  fc.assert(
    fc.property(texts, texts, fc.constantFrom(...wrong), fc.boolean(), (before, after, bytes, packed) => {
      const content = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
      const path = packed ? write('a.txt.gz', gzipSync(content)) : write('a.txt', content);
      const hex = bytes[0].toString(16).toUpperCase();
      const message = `${path} is not UTF-8: the byte 0x${hex} at offset ${Buffer.byteLength(before)} `;
      refuses(() => [...readCorpus([path])], new RegExp(`^${message.replaceAll('.', '\\.')}`));
    }),
    { numRuns: 50 },
  );
  const late = write('late.txt', Buffer.concat([Buffer.from('é'.repeat(2 ** 20)), Buffer.from([0xc3])]));
  refuses(() => [...readCorpus([late])], /0xC3 at offset 2097152/);
});

test('a folder, a glob and a list of its files are the same corpus, in the order of names, each file once', () => {
  const names = ['b.txt', 'a.txt', 'c.jsonl', 'deep/d.TXT', 'deep/e.txt.gz'];
  const files = names.map((name) => {
    const text = name.endsWith('jsonl') ? JSON.stringify({ text: name }) : name;
    return write(name, name.endsWith('gz') ? gzipSync(text) : text);
  });
  write('notes.md', 'not text');
  const expected = [...names].sort();
  assert.equal([...readCorpus([folder])], expected);
  assert.equal([...readCorpus([`${folder}/**/*.{txt,TXT,jsonl,gz}`])], expected);
  assert.equal([...readCorpus([...files].sort())], expected);
  assert.equal([...readCorpus([files[0], folder])], ['b.txt', ...expected.filter((name) => name !== 'b.txt')]);
});

test('a name with the signs of a glob in it means the file of that name first', () => {
  assert.equal([...readCorpus([write('odd[1]*.txt', 'here')])], ['here']);
});

test('walking through a corpus a second time gives the same documents', () => {
  const corpus = readCorpus([write('a.txt', 'one\n\ntwo')], BLANK_LINES);
  assert.equal([...corpus], [...corpus]);
});

test('a corpus that is missing, empty or broken is refused with what to do', () => {
  refuses(() => readCorpus([]), /no corpus was given/);
  refuses(() => readCorpus([join(folder, 'none.txt')]), /no file matches the corpus .*none\.txt; check/);
  refuses(() => readCorpus([folder]), /has no \.txt/);
  refuses(() => [...readCorpus([write('a.txt', ' \n\n\r\n')])], /the corpus is empty/);
  refuses(() => [...readCorpus([write('b.txt', '')])], /the corpus is empty/);
  refuses(() => [...readCorpus([write('a.txt.gz', gzipSync('some text').subarray(0, 20))])], /not a whole gzip file/);
});

test('the default corpus is every State of the Union address in chronological order', () => {
  const { files } = readCorpus();
  const documents = [...readCorpus()];
  assert.is(documents.length, files.length);
  assert.ok(files[0].includes('1790_george_washington'));
  assert.match(documents[0], /^Fellow-Citizens of the Senate/);
});

test.run();
