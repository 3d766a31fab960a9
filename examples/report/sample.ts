/** A held-out text as ELECTRA saw it: which words were hidden, what the generator put there, what was made of each. */
export interface Word {
  /** As the discriminator saw it; a piece that continues the word before it begins with `##`. */
  readonly text: string;
  /** What stood there, if the word was hidden. */
  readonly original?: string;
  readonly hidden: boolean;
  /** Whether the generator put another word there. */
  readonly replaced: boolean;
  /** That the word was replaced, according to the discriminator. */
  readonly probability: number;
}

export interface PaintedSample {
  readonly step: number;
  readonly words: readonly Word[];
}

/** Whether the discriminator calls the word replaced. */
export const isFlagged = ({ probability }: Word): boolean => probability >= 0.5;

export const isContinuation = ({ text }: Word): boolean => text.startsWith('##') && text.length > 2;

export const withoutHashes = (text: string): string => (text.length > 2 ? text.replace(/^##/, '') : text);

/** What the discriminator's verdict on a word amounts to, or undefined where there is nothing to say. */
export const verdictOf = (word: Word): 'caught' | 'missed' | 'false alarm' | undefined => {
  if (word.replaced) return isFlagged(word) ? 'caught' : 'missed';
  return isFlagged(word) ? 'false alarm' : undefined;
};
