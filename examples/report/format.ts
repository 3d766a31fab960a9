/** What the parts of the page share: how text, numbers and settings are written, and the entropy that two of them compare with. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

export const count = (n: number): string => Math.round(n).toLocaleString('en-US');
export const nats = (x: number): string => x.toFixed(3);
export const percent = (x: number): string => (Number.isFinite(x) ? `${(100 * x).toFixed(1)} %` : '–');

export const duration = (seconds: number): string => {
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
};

/** Loss, in nats, of one who only knows which part of the words is replaced. */
export const entropyOf = (rate: number): number =>
  [rate, 1 - rate].reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);

/** Every value of nested settings with its path: `['training.steps', 3000]`. */
export const settingsByPath = (node: unknown, path = ''): [string, unknown][] =>
  typeof node === 'object' && node !== null
    ? Object.entries(node).flatMap(([key, value]) => settingsByPath(value, path === '' ? key : `${path}.${key}`))
    : [[path, node]];
