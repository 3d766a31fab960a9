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

/**
 * How CSV is parsed, whole or piece by piece: csv-parse's options, with which each record is given to `found` beside the line
 * where it begins, and what an error of the parser is to the reader. Lines end as they please, one so and the next otherwise.
 */
export const csvParsing = (source: string, delimiter: string, found: (fields: string[], line: number) => void) => {
  let last = 0;
  let counted = 0;
  return {
    options: {
      bom: true,
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (fields: string[], { lines }: { readonly lines: number }) => {
        // The parser's count is of the record's last line, and takes \r\n in quotes for two line ends.
        const inside = fields.join('|');
        counted += inside.split('\r\n').length - 1;
        last = lines - counted;
        found(fields, last - lineEnds(inside));
        return null;
      },
    },
    refuse: (error: Error & { readonly code?: string }): never => {
      const message =
        error.code === 'CSV_QUOTE_NOT_CLOSED'
          ? 'a quote in or after this line is never closed; a quote in a text is written twice'
          : `expected quotes around a whole field alone, and quotes in it doubled; ${error.message.replace(/ at line \d+/, '')}`;
      return refuse(`${source}:${last + 1}`, message, error);
    },
  };
};

const quoted = (text: string, source: string, delimiter: string): Fields[] => {
  const rows: Fields[] = [];
  const parsing = csvParsing(source, delimiter, (fields, line) => rows.push({ line, fields }));
  try {
    parse(text, parsing.options);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    parsing.refuse(error);
  }
  return rows;
};

const unquoted = (text: string, delimiter: string): Fields[] =>
  linesOf(text).flatMap((line, i) => (line === '' ? [] : [{ line: i + 1, fields: line.split(delimiter) }]));

/** The place of each column by its name. Throws a UserError, with the place of the header, where two have one name. */
export const places = (columns: readonly string[], where: string): ReadonlyMap<string, number> => {
  const twice = columns.find((name, i) => columns.indexOf(name) !== i && name !== '');
  return twice === undefined
    ? new Map(columns.map((name, i) => [name, i]))
    : refuse(where, `there are two columns '${twice}'; give one another name`);
};

/** Refuses a row that has more or fewer fields than the first. */
export const refuseWidth = (where: string, expected: number, got: number, format: Format): never => {
  const kind = format === 'csv' ? 'a text with commas stands in quotes' : 'a text has no tabs';
  return refuse(where, `expected ${expected} fields, as in line 1, got ${got}; ${kind}`);
};

const delimited = (text: string, source: string, { format, header, quotes, skipShort }: Layout & { readonly format: Format }): TableRecord[] => {
  const delimiter = format === 'csv' ? ',' : '\t';
  const rows = (quotes ?? format === 'csv') ? quoted(text, source, delimiter) : unquoted(text, delimiter);
  const [first] = rows;
  if (first === undefined) return [];
  const columns = header ? first.fields : first.fields.map((_, i) => String(i));
  const place = places(columns, `${source}:${first.line}`);
  const kept = rows.slice(header ? 1 : 0).filter(({ line, fields: { length } }) => {
    if (length === columns.length) return true;
    if (length < columns.length && skipShort) return false;
    return refuseWidth(`${source}:${line}`, columns.length, length, format);
  });
  return kept.map(({ line, fields }) => ({
    where: `${source}:${line}`,
    columns,
    value: (column) => (typeof column === 'number' ? fields.at(column) : fields[place.get(column) ?? -1]),
  }));
};

/** The object in a line of JSONL. Throws a UserError, with the place of the line, where there is another thing. */
export const objectOf = (line: string, where: string): Readonly<Record<string, unknown>> => {
  const expected = 'expected one JSON object a line, such as {"text": "…", "label": "…"}';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    refuse(where, `${expected}; ${(cause as Error).message}`, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(where, expected);
  return value as Record<string, unknown>;
};

const objects = (text: string, source: string): TableRecord[] =>
  linesOf(text).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const where = `${source}:${i + 1}`;
    const values = new Map<Column, unknown>(Object.entries(objectOf(line, where)));
    return [{ where, columns: [...values.keys()] as string[], value: (column) => values.get(column) }];
  });

/** The records of a table, empty lines left out. Throws a UserError with file and line. */
export const records = (text: string, source: string, layout: Layout = {}): TableRecord[] => {
  const format = layout.format ?? formatOf(source);
  return format === 'jsonl' ? objects(text, source) : delimited(text, source, { ...layout, format });
};
