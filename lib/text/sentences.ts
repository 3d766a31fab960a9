/**
 * Cuts running text into sentences, by four rules:
 *
 *  1. `.` `!` `?` `…` and the closing quotes and brackets after it end a sentence if white space follows, so a decimal
 *     number or a web address is never cut;
 *  2. but not if the next word begins with a lower-case letter ("Is it so?" he asked), nor if the full stop belongs to
 *     a title (Mr.), to an initial or dotted letters (J. P. Morgan, the U.S. Army), or to a word before a number
 *     (No. 5, Sept. 3), nor after a numbering or dots alone (2. Of duties);
 *  3. `。` `！` `？`, the danda and their like end a sentence whatever follows;
 *  4. a blank line ends a sentence.
 *
 * It errs on the side of sentences that are too long: pre-training only needs likely places for a segment to end.
 * `Intl.Segmenter` is the ready-made alternative. On the State of the Union addresses it cut after 328 of the `Mr.`
 * and after every initial, took twenty times as long, and its answers change with the version of ICU.
 */

const CLOSING = '["\'”’»)\\]}」』）】》]*';
const END = new RegExp(`(?<![.!?…])[.!?…]+${CLOSING}(?=\\s)|[。！？｡।॥۔؟።]+${CLOSING}|\\n\\s*\\n`, 'gu');
const GOES_ON = /\s+["'“‘«([]*\p{Ll}/uy;
const NUMBER_NEXT = /\s+\d/uy;
const TITLE =
  /(?:^|[^\p{L}])(?:Mr|Mrs|Ms|Messrs|Mme|Dr|Prof|Rev|Hon|St|Gen|Brig|Col|Maj|Capt|Lt|Lieut|Sgt|Adm|Gov|Sen|Rep|Pres|vs|viz|cf|e\.g|i\.e)$/u;
const BEFORE_NUMBER = /(?:^|[^\p{L}])(?:Nos?|Art|Sec|Vol|Ch|Fig|pp?|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)$/iu;
const WORD = /\p{L}\p{L}/u;
const INITIAL = /(?:^|[^\p{L}\d])(?:\p{L}\.)*\p{Lu}$/u;

const follows = (pattern: RegExp, text: string, at: number): boolean => {
  pattern.lastIndex = at;
  return pattern.test(text);
};

/** Whether the mark at `at` ends the sentence that began at `start`. */
const endsSentence = (text: string, start: number, mark: string, at: number): boolean => {
  const end = at + mark.length;
  if (!/^[.!?…]/.test(mark)) return true;
  if (follows(GOES_ON, text, end)) return false;
  if (at - start < 100 && !WORD.test(text.slice(start, at))) return false;
  if (mark !== '.') return true;
  const before = text.slice(Math.max(start, at - 12), at);
  if (TITLE.test(before) || INITIAL.test(before)) return false;
  return !(BEFORE_NUMBER.test(before) && follows(NUMBER_NEXT, text, end));
};

/** The sentences of a text, in order, without the white space around them. Together they are the whole text. */
export const sentences = (text: string): string[] => {
  const found: string[] = [];
  let start = 0;
  for (const { 0: mark, index } of text.matchAll(END)) {
    if (!endsSentence(text, start, mark, index)) continue;
    found.push(text.slice(start, index + mark.length).trim());
    start = index + mark.length;
  }
  found.push(text.slice(start).trim());
  return found.filter((sentence) => sentence !== '');
};
