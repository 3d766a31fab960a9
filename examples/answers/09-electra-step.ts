/** Exercise 9: the best constant verdict when this part of the tokens is replaced, and its loss, the entropy of the rate. */
export const ignorance = (rate: number): { logit: number; loss: number } => ({
  logit: Math.log(rate / (1 - rate)),
  loss: -rate * Math.log(rate) - (1 - rate) * Math.log(1 - rate),
});
