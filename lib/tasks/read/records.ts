/**
 * Tables as records: CSV (RFC 4180: a field in quotes may hold commas, line ends and doubled quotes), TSV (no quotes: a tab
 * or line end is always one), and JSONL (an object a line). A record knows its line of the file and finds a value by the
 * name of its column or, without a header, by its number: 0 is the first, −1 the last.
 */
import { CsvError, parse } from 'csv-parse/browser/esm/sync';
import type { Placed } from '../task.ts';
import { lineEnds, linesOf, refuse } from './lines.ts';

export type Column = string | number;
export type Format = 'csv' | 'tsv' | 'jsonl';

export interface Layout {
  /** By the ending of the file's name unless it is said: .csv, .tsv, .jsonl; of other names, tsv. */
  readonly format?: Format;
  /** The first line names the columns; unless it is said, where columns are asked for by name. */
  readonly header?: boolean;
  /** Quotes hold fields together; unless it is said, in CSV. */
  readonly quotes?: boolean;
  /** Rows that lack fields are left out instead of refused. */
  readonly skipShort?: boolean;
}

export interface TableRecord extends Placed {
  /** The value of a column, undefined where there is none of that name; `columns` are those there are. */
  readonly value: (column: Column) => unknown;
  readonly columns: readonly string[];
}

interface Fields {
  readonly line: number;
  readonly fields: readonly string[];
}

export const formatOf = (source: string): Format =>
  /\.csv(\.gz)?$/i.test(source) ? 'csv' : /\.(jsonl|ndjson)(\.gz)?$/i.test(source) ? 'jsonl' : 'tsv';

const quoted = (text: string, source: string, delimiter: string): Fields[] => {
  const rows: Fields[] = [];
  let last = 0;
  let counted = 0;
  try {
    parse(text, {
      bom: true,
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (fields: string[], { lines }) => {
        // The parser's count is of the record's last line, and takes \r\n in quotes for two line ends.
        const inside = fields.join('|');
        counted += inside.split('\r\n').length - 1;
        last = lines - counted;
        rows.push({ line: last - lineEnds(inside), fields });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const message =
      error.code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a quote in or after this line is never closed; a quote in a text is written twice'
        : `expected quotes around a whole field alone, and quotes in it doubled; ${error.message.replace(/ at line \d+/, '')}`;
    refuse(`${source}:${last + 1}`, message, error);
  }
  return rows;
};

const unquoted = (text: string, delimiter: string): Fields[] =>
  linesOf(text).flatMap((line, i) => (line === '' ? [] : [{ line: i + 1, fields: line.split(delimiter) }]));

const places = (columns: readonly string[], source: string): ReadonlyMap<string, number> => {
  const twice = columns.find((name, i) => columns.indexOf(name) !== i && name !== '');
  return twice === undefined
    ? new Map(columns.map((name, i) => [name, i]))
    : refuse(`${source}:1`, `there are two columns '${twice}'; give one another name`);
};

const delimited = (text: string, source: string, { format, header, quotes, skipShort }: Layout): TableRecord[] => {
  const delimiter = format === 'csv' ? ',' : '\t';
  const rows = (quotes ?? format === 'csv') ? quoted(text, source, delimiter) : unquoted(text, delimiter);
  const [first] = rows;
  if (first === undefined) return [];
  const columns = header ? first.fields : first.fields.map((_, i) => String(i));
  const place = places(columns, source);
  const kept = rows.slice(header ? 1 : 0).filter(({ line, fields: { length } }) => {
    if (length === columns.length) return true;
    if (length < columns.length && skipShort) return false;
    const kind = format === 'csv' ? 'a text with commas stands in quotes' : 'a text has no tabs';
    return refuse(
      `${source}:${line}`,
      `expected ${columns.length} fields, as in line ${first.line}, got ${length}; ${kind}`,
    );
  });
  return kept.map(({ line, fields }) => ({
    where: `${source}:${line}`,
    columns,
    value: (column) => (typeof column === 'number' ? fields.at(column) : fields[place.get(column) ?? -1]),
  }));
};

const objects = (text: string, source: string): TableRecord[] =>
  linesOf(text).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const where = `${source}:${i + 1}`;
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (cause) {
      refuse(where, `expected one JSON object a line; ${(cause as Error).message}`, cause);
    }
    if (typeof record !== 'object' || record === null || Array.isArray(record))
      return refuse(where, 'expected one JSON object a line, such as {"text": "…", "label": "…"}');
    const values = new Map<Column, unknown>(Object.entries(record));
    return [{ where, columns: Object.keys(record), value: (column) => values.get(column) }];
  });

/** The records of a table, empty lines left out. Throws a UserError with file and line. */
export const records = (text: string, source: string, layout: Layout = {}): TableRecord[] => {
  const format = layout.format ?? formatOf(source);
  return format === 'jsonl' ? objects(text, source) : delimited(text, source, { ...layout, format });
};
