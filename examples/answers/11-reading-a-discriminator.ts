/** Exercise 11: of all pairs of a replaced and an original token, the part in which the replaced one has the higher score. */
export const pairsInOrder = (scores: readonly number[], replaced: readonly number[]): number => {
  let [pairs, inOrder] = [0, 0];
  scores.forEach((a, i) =>
    scores.forEach((b, j) => {
      if (replaced[i] === 0 || replaced[j] === 1) return;
      pairs++;
      inOrder += a > b ? 1 : a === b ? 0.5 : 0;
    }),
  );
  return inOrder / pairs;
};
