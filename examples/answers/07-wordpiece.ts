/** Exercise 7: the most frequent pair of neighbouring pieces. */
export const bestPair = (words: readonly (readonly string[])[]): [string, string] => {
  const counts = new Map<string, number>();
  for (const pieces of words) {
    for (let i = 0; i + 1 < pieces.length; i++) {
      const pair = `${pieces[i]} ${pieces[i + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  const [best] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return best.split(' ') as [string, string];
};
