/**
 * Words and tags in the manner of CoNLL: a word a line, its columns separated by tabs (or, where a line has none, by spaces),
 * and a blank line behind each sentence. Columns are chosen by number, −1 being the last, or by a name of CoNLL-U
 * (universaldependencies.org/format.html), unless the file names its own in `# global.columns = …`. Of CoNLL-U's lines,
 * multiword tokens (1-2) and empty nodes (8.1) are left out: their words come beside them.
 */
import { SPAN_TAG, taggedSpans } from '../../metrics/entities.ts';
import type { Reading, TaggedRow } from '../task.ts';
import { linesOf, refuse, someRows } from './lines.ts';
import type { Column } from './records.ts';

export interface TagColumns {
  readonly word: Column;
  readonly tag: Column;
  /** Lines that begin with # say something about the sentence; unless it is said, where words are not the first column. */
  readonly comments?: boolean;
  /** Tags are O, B-kind and I-kind (or E-kind and S-kind); others are refused. */
  readonly spans?: boolean;
  /** Spans are read from B and I, and written with their ends as well (E, and S for a single word): as published for chunks. */
  readonly bioes?: boolean;
}

const CONLLU = ['ID', 'FORM', 'LEMMA', 'UPOS', 'XPOS', 'FEATS', 'HEAD', 'DEPREL', 'DEPS', 'MISC'];

/** Tags that say of each word whether it begins, continues or ends a span, or is one: B, I, E, S. */
export const toBioes = (tags: readonly string[]): string[] => {
  const written = tags.map(() => 'O');
  for (const { kind, start, end } of taggedSpans(tags)) {
    for (let i = start; i < end; i++)
      written[i] = `${end - start === 1 ? 'S' : i === start ? 'B' : i === end - 1 ? 'E' : 'I'}-${kind}`;
  }
  return written;
};

/** A reader of sentences: `taggedRows({ word: 'FORM', tag: 'UPOS' })(text, 'dev.conllu')`. */
export const taggedRows =
  ({ word, tag, comments = word !== 0, bioes = false, spans = bioes }: TagColumns) =>
  (file: string, source: string, { unlabelled = false }: Reading = {}): TaggedRow[] => {
    let names = CONLLU;
    const placeOf = (column: Column): number => {
      if (typeof column === 'number') return column;
      const place = names.indexOf(column);
      return place >= 0 ? place : refuse(source, `there is no column '${column}'; there are ${names.join(', ')}`);
    };
    const rows: TaggedRow[] = [];
    let [where, words, tags]: [string, string[], string[]] = ['', [], []];
    const close = () => {
      if (words.length > 0) rows.push({ where, words, ...(tags.length > 0 && { tags: bioes ? toBioes(tags) : tags }) });
      [words, tags] = [[], []];
    };
    linesOf(file).forEach((line, i) => {
      const at = `${source}:${i + 1}`;
      if (line.trim() === '' || line.startsWith('-DOCSTART-')) return close();
      if (comments && line.startsWith('#')) {
        const declared = /^# *global\.columns *= *(.*)$/.exec(line);
        if (declared) names = declared[1].trim().split(/\s+/);
        return;
      }
      const fields = line.includes('\t') ? line.split('\t') : line.trim().split(/ +/);
      const [form, label] = [word, tag].map((column) => fields.at(placeOf(column))?.trim() ?? '');
      if (form !== fields[0] && /^\d+[-.]\d+$/.test(fields[0])) return;
      if (form === '') refuse(at, `expected a word in column ${word}, got '${line.slice(0, 80)}'`);
      const tagged = label !== '' && fields.length > 1;
      if (!tagged && !unlabelled)
        refuse(at, `expected a word and its tag in the columns ${word} and ${tag}, got '${line.slice(0, 80)}'`);
      if (tagged && spans && !SPAN_TAG.test(label)) refuse(at, `expected O, B-kind or I-kind as the tag of a span, got '${label}'`);
      if (words.length === 0) where = at;
      words.push(form);
      if (tagged) tags.push(label);
      if (tags.length > 0 && tags.length < words.length)
        refuse(at, 'expected a tag for each word of the sentence or for none');
    });
    close();
    return someRows(rows, source);
  };
