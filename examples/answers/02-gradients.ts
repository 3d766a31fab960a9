/** Exercise 2: the derivative of L = ln(1 + eˣ) − x·z is eˣ / (1 + eˣ) − z, the probability σ(x) less the label. */
export const slope = (x: number, z: number): number => 1 / (1 + Math.exp(-x)) - z;
