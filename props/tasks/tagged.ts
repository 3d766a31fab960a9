/** Laws of reading tagged words: any sentences read back equal from any of CoNLL's layouts, and what is wrong is told by its line. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tags } from '../../lib/index.ts';
import { toBioes } from '../../lib/tasks/read/tagged.ts';
import { taggedSpans } from '../../lib/metrics/entities.ts';
import { refuses } from './refuses.ts';

const test = suite('tagged');

const word = fc
  .oneof(fc.constantFrom('#', '"', '-', '1-2', '漢字', 'é'), fc.stringMatching(/^[!-~]{1,6}$/))
  .filter((word) => !word.startsWith('-DOC'));
const sentence = fc.array(fc.record({ word, tag: fc.stringMatching(/^[A-Z]{1,4}$/) }), { minLength: 1, maxLength: 6 });
const sentences = fc.array(sentence, { minLength: 1, maxLength: 5 });
const plain = (rows: readonly { words: readonly string[]; tags?: readonly string[] }[]) =>
  rows.map(({ words, tags }) => ({ words, tags }));
const expected = (rows: { word: string; tag: string }[][]) =>
  rows.map((row) => ({ words: row.map(({ word }) => word), tags: row.map(({ tag }) => tag) }));

test('sentences read back equal from words and tags in columns of tabs or of spaces, wherever lines end', () => {
  fc.assert(
    fc.property(
      sentences,
      fc.constantFrom('\t', ' '),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.constantFrom('', '\uFEFF'),
      (rows, gap, end, mark) => {
        const line = ({ word, tag }: { word: string; tag: string }) => [word, 'x', tag].join(gap) + end;
        const text = mark + rows.map((row) => row.map(line).join('')).join(end + end);
        assert.equal(plain(tags({ word: 0, tag: 2 }).read(text, 'a.conll')), expected(rows));
        assert.equal(plain(tags({ word: -3, tag: -1, comments: false }).read(text, 'a.conll')), expected(rows));
      },
    ),
  );
});

test('of CoNLL-U come words and the named column, without comments, multiword tokens and empty nodes', () => {
  fc.assert(
    fc.property(sentences, (rows) => {
      const node = (id: string, { word, tag }: { word: string; tag: string }) =>
        [id, word, '_', tag, '_', '_', '0', '_', '_', '_'].join('\t');
      const extra = { word: 'not', tag: 'X' };
      const text = rows
        .map((row) =>
          [
            '# text = a\tb',
            node('1-2', extra),
            ...row.map((it, i) => node(String(i + 1), it)),
            node('1.1', extra),
            '',
          ].join('\n'),
        )
        .join('\n');
      assert.equal(plain(tags({ word: 'FORM', tag: 'UPOS' }).read(text, 'a.conllu')), expected(rows));
    }),
  );
  const own = '# global.columns = ID FORM MY:TAG\n1\tnice\tgood\n';
  assert.equal(tags({ word: 'FORM', tag: 'MY:TAG' }).read(own, 'a.conllup'), [
    { where: 'a.conllup:2', words: ['nice'], tags: ['good'] },
  ]);
});

test('documents are no sentences, a word may hold spaces between tabs, and words alone are to be predicted', () => {
  const text = '-DOCSTART- -X- O\n\nJapan NNP B-LOC\nwins VB O\n';
  assert.equal(plain(tags({ word: 0, tag: -1 }).read(text, 'a')), [{ words: ['Japan', 'wins'], tags: ['B-LOC', 'O'] }]);
  assert.equal(tags({ word: 0, tag: 1 }).read('10 000\tNUM\n', 'a')[0].words, ['10 000']);
  assert.equal(tags({ word: 0, tag: 1 }).read('one\ntwo\n\nthree\n', 'a', { unlabelled: true }), [
    { where: 'a:1', words: ['one', 'two'] },
    { where: 'a:4', words: ['three'] },
  ]);
});

test('tags with ends mean the same spans, and are the published ones', () => {
  assert.equal(toBioes(['B-NP', 'I-NP', 'I-NP', 'O', 'B-VP', 'I-NP', 'I-NP']), [
    'B-NP',
    'I-NP',
    'E-NP',
    'O',
    'S-VP',
    'B-NP',
    'E-NP',
  ]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('O', 'B-a', 'I-a', 'B-b', 'I-b'), { maxLength: 12 }), (bio) => {
      assert.equal(taggedSpans(toBioes(bio)), taggedSpans(bio));
      assert.equal(toBioes(toBioes(bio)), toBioes(bio));
    }),
  );
});

test('what is wrong in tagged words is told with file and line', () => {
  const { read } = tags({ word: 0, tag: 1 });
  refuses(
    () => read('a\tX\n\nb\n', 'a.conll'),
    /^a\.conll:3: expected a word and its tag in the columns 0 and 1, got 'b'/,
  );
  refuses(() => read('a\tX\n\tY\n', 'a.conll'), /^a\.conll:2: expected a word in column 0/);
  refuses(
    () => read('a\tX\nb\n', 'a.conll', { unlabelled: true }),
    /^a\.conll:2: expected a tag for each word of the sentence or for none/,
  );
  refuses(() => read('', 'a.conll'), /^a\.conll: there are no rows/);
  refuses(
    () => tags({ word: 0, tag: 1, spans: true }).read('a\tB-x\nb\tQ\n', 'a.conll'),
    /^a\.conll:2: expected O, B-kind or I-kind as the tag of a span, got 'Q'/,
  );
  refuses(
    () => tags({ word: 'FORM', tag: 'POS' }).read('1\ta\tb\n', 'a.conllu'),
    /^a\.conllu: there is no column 'POS'; there are ID, FORM/,
  );
});

test.run();
