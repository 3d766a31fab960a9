/**
 * The tokenizer of a model folder: its vocabulary in `vocab.txt`, a token a line, or in `tokenizer.json`, which also says how
 * text is normalised; `tokenizer_config.json` has the last word on that, as HuggingFace has it. Written are all of them
 * (and `special_tokens_map.json`), since some readers know only the one and some only the other.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SPECIAL_TOKENS, WordPiece } from '../text/wordpiece.ts';
import { clearly } from './error.ts';
import { readJson, toJson } from './json.ts';

type Json = Record<string, unknown>;

/** The tokens of a `vocab.txt`, one a line. */
export const readVocabulary = (path: string): string[] =>
  clearly(`read ${path}`, () => readFileSync(path, 'utf8'))
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);

/** An object in JSON data; an empty one where there is none. */
const part = (json: unknown): Json => (typeof json === 'object' && json !== null ? (json as Json) : {});

/** The vocabulary of a `tokenizer.json`, by id. */
const vocabularyOf = (json: Json, path: string): string[] => {
  const { type = 'WordPiece', continuing_subword_prefix: prefix = '##', vocab } = part(json.model);
  if (type !== 'WordPiece' || prefix !== '##' || typeof vocab !== 'object') {
    throw new Error(`${path}: expected a WordPiece model whose pieces continue with ##; other tokenizers cannot be used`);
  }
  const added = Array.isArray(json.added_tokens) ? json.added_tokens.map(part) : [];
  const ids = new Map<string, unknown>([...Object.entries(part(vocab)), ...added.map(({ content, id }): [string, unknown] => [String(content), id])]);
  const tokens = new Map(Array.from(ids, ([token, id]) => [id, token]));
  return Array.from({ length: ids.size }, (_, id) => {
    const token = tokens.get(id);
    if (token === undefined) throw new Error(`${path}: expected the ids 0 to ${ids.size - 1}, each once, but no token has ${id}`);
    return token;
  });
};

/** The tokenizer of a model folder, if it has one. */
export const loadTokenizer = (dir: string): WordPiece | undefined => {
  const [list, whole, settings] = ['vocab.txt', 'tokenizer.json', 'tokenizer_config.json'].map((name) => join(dir, name));
  if (!existsSync(list) && !existsSync(whole)) return undefined;
  const json = existsSync(whole) ? readJson(whole) : {};
  const { normalizer, model } = json as { normalizer?: Json; model?: Json };
  const told = existsSync(settings) ? readJson(settings) : {};
  const { lowercase, strip_accents: strip } = part(normalizer);
  const { do_lower_case: lowerCase = lowercase ?? true, strip_accents: stripAccents = strip } = told;
  const longest = part(model).max_input_chars_per_word;
  return new WordPiece(existsSync(list) ? readVocabulary(list) : vocabularyOf(json, whole), {
    lowerCase: lowerCase !== false,
    ...(typeof stripAccents === 'boolean' && { stripAccents }),
    ...(typeof longest === 'number' && { maxCharsPerWord: longest }),
  });
};

/** How many tokens of a text are read at most, as `tokenizer_config.json` says, if that is fewer than the model has positions. */
export const sequenceLengthOf = (dir: string, maxPositions: number): number | undefined => {
  const settings = join(dir, 'tokenizer_config.json');
  const { model_max_length: length } = existsSync(settings) ? readJson(settings) : {};
  return typeof length === 'number' && Number.isInteger(length) && length >= 3 && length < maxPositions ? length : undefined;
};

/** The piece of `tokenizer.json` that puts a special token or a text somewhere. */
const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });

/** `tokenizer.json` as HuggingFace's tokenizers library writes BERT's. */
const tokenizerJson = ({ vocab, options, special: ids }: WordPiece): Json => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: Object.entries({ '[PAD]': ids.pad, '[UNK]': ids.unk, '[CLS]': ids.cls, '[SEP]': ids.sep, '[MASK]': ids.mask })
    .map(([content, id]) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }))
    .sort((a, b) => a.id - b.id),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: stripped(options), lowercase: options.lowerCase },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
    pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: Object.fromEntries([['[CLS]', ids.cls] as const, ['[SEP]', ids.sep] as const].map(([id, n]) => [id, { id, ids: [n], tokens: [id] }])),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: options.maxCharsPerWord,
    vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
  },
});

/** null means there: as `lowercase`. */
const stripped = ({ lowerCase, stripAccents }: WordPiece['options']): boolean | null => (stripAccents === lowerCase ? null : stripAccents);

/** The files of a tokenizer, by name, for a model that reads so many tokens of a text. */
export const tokenizerFiles = (tokenizer: WordPiece, sequenceLength: number): Record<string, string> => {
  const [pad_token, unk_token, cls_token, sep_token, mask_token] = SPECIAL_TOKENS;
  const tokens = { cls_token, mask_token, pad_token, sep_token, unk_token };
  return {
    'vocab.txt': `${tokenizer.vocab.join('\n')}\n`,
    'tokenizer.json': toJson(tokenizerJson(tokenizer)),
    'special_tokens_map.json': toJson(tokens),
    'tokenizer_config.json': toJson({
      ...tokens,
      do_lower_case: tokenizer.options.lowerCase,
      model_max_length: sequenceLength,
      strip_accents: stripped(tokenizer.options),
      tokenize_chinese_chars: true,
      tokenizer_class: 'ElectraTokenizer',
    }),
  };
};
