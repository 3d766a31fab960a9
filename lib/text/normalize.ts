/**
 * BERT's normalisation and pre-tokenisation: from raw text to words. In this order, every code point is dropped
 * (control characters, U+0000, U+FFFD), turned into a space (whitespace), stripped of its accents (canonical
 * decomposition without the non-spacing marks) and lower-cased; then words end at spaces, and every punctuation mark
 * and CJK ideograph is a word of its own.
 *
 * Each of these looks at one code point alone, so the whole of it is a table from code points to characters, filled
 * as they are met. Words remember, for every character, which code point of the original text it comes from.
 *
 * Source: `BertNormalizer` and `BertPreTokenizer` of HuggingFace's tokenizers. `BasicTokenizer` of
 * google-research/electra also drops code points that Unicode has not assigned, strips accents only where it
 * lower-cases, and lower-cases a final Σ to ς.
 */

export interface Normalization {
  lowerCase: boolean;
  /** Default: as `lowerCase`. */
  stripAccents?: boolean;
}

/** A word after normalisation; `at[i]` is the code point of the original text that its i-th UTF-16 unit comes from. */
export interface Word {
  text: string;
  at: number[];
}

/** What ends a word and is no part of any. */
export const SPACES = /[\t\n\r\p{Zs}\p{Zl}\p{Zp}]+/u;

const SPACE = /^[\t\n\r\p{Zs}\p{Zl}\p{Zp}]$/u;
const DROPPED = /^[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]$/u;
const MARKS = /\p{Mn}/gu;
const PUNCTUATION = /^[!-/:-@[-`{-~\p{P}]$/u;
const IDEOGRAPH =
  /^[\u4E00-\u9FFF\u3400-\u4DBF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2CEAF}\u{2F800}-\u{2FA1F}]$/u;

/** What one code point becomes: '' if it is dropped, ' ' if it is whitespace. */
const normalize = (char: string, lowerCase: boolean, stripAccents: boolean): string => {
  if (SPACE.test(char)) return ' ';
  if (DROPPED.test(char)) return '';
  const bare = stripAccents ? char.normalize('NFD').replace(MARKS, '') : char;
  return lowerCase ? bare.toLowerCase() : bare;
};

type Character = { text: string; alone: boolean };

/** The function that splits a text into normalised words. It keeps a table, so make it once and use it often. */
export const wordSplitter = ({ lowerCase, stripAccents = lowerCase }: Normalization): ((text: string) => Word[]) => {
  const table = new Map<string, Character[]>();
  const learn = (char: string): Character[] => {
    const characters = Array.from(normalize(char, lowerCase, stripAccents), (text) => ({
      text,
      alone: PUNCTUATION.test(text) || IDEOGRAPH.test(text),
    }));
    table.set(char, characters);
    return characters;
  };

  return (text) => {
    const words: Word[] = [];
    let word: Word | undefined;
    let position = 0;
    for (const char of text) {
      for (const { text, alone } of table.get(char) ?? learn(char)) {
        if (alone || text === ' ') word = undefined;
        if (text === ' ') continue;
        if (!word) words.push((word = { text: '', at: [] }));
        word.text += text;
        for (let unit = 0; unit < text.length; unit++) word.at.push(position);
        if (alone) word = undefined;
      }
      position++;
    }
    return words;
  };
};
