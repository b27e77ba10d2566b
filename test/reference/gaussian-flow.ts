/**
 * The flow of normally distributed data, mean m and variance v: at sigma the marginal has the mean (1 − σ) m and the
 * variance (1 − σ)² v + σ², and along the flow a value keeps its place in it.
 */
const DATA_MEAN = 0.7;
const DATA_VARIANCE = 0.49;

export const marginalMean = (sigma: number): number => (1 - sigma) * DATA_MEAN;

export const marginalVariance = (sigma: number): number => (1 - sigma) ** 2 * DATA_VARIANCE + sigma ** 2;

/** E[noise − x0 | x], as offset and slope: the velocity at (x, sigma) is offset + slope · x. */
export function gaussianVelocity(sigma: number): { readonly offset: number; readonly slope: number } {
  const slope = (sigma - (1 - sigma) * DATA_VARIANCE) / marginalVariance(sigma);
  return { offset: -DATA_MEAN - slope * marginalMean(sigma), slope };
}

/** Where the flow takes x from one sigma to another. */
export function flowTo(x: number, from: number, to: number): number {
  return marginalMean(to) + (x - marginalMean(from)) * Math.sqrt(marginalVariance(to) / marginalVariance(from));
}
