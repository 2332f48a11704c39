// What does a curve look like once it is smoothed, and where does it break?

/**
 * Put a break (NaN) into each gap, so that what follows knows breaks in one form only.
 * @returns {{x: Float64Array, y: Float32Array|Float64Array}}
 */
export function broken(x, y, gaps) {
  const inside = (gaps || []).filter(([, to]) => to > x[0] && to <= x[x.length - 1]);
  if (!inside.length) return { x, y };
  const wide = new Float64Array(x.length + inside.length);
  const high = new y.constructor(x.length + inside.length);
  let g = 0;
  let n = 0;
  for (let i = 0; i < x.length; i += 1) {
    while (g < inside.length && x[i] >= inside[g][1]) {
      wide[n] = (inside[g][0] + inside[g][1]) / 2;
      high[n] = NaN;
      n += 1;
      g += 1;
    }
    wide[n] = x[i];
    high[n] = y[i];
    n += 1;
  }
  return { x: wide.subarray(0, n), y: high.subarray(0, n) };
}

/**
 * Exponential mean whose reach is a share of the x axis: s = Σ w·y·exp(−Δx/τ) / Σ w·exp(−Δx/τ). Sparse metrics stay as logged; it starts again after a break.
 * @param {ArrayLike<number>} x ascending
 * @param {ArrayLike<number>} y NaN and infinities break the line
 * @param {number} tau reach, in units of x; 0: as it is
 * @param {?ArrayLike<number>} weights how many rows a value stands for
 */
export function smooth(x, y, tau, weights = null) {
  if (!(tau > 0)) return y;
  const out = new Float64Array(y.length);
  let sum = 0;
  let weight = 0;
  let before = NaN;
  for (let i = 0; i < y.length; i += 1) {
    const value = y[i];
    if (!Number.isFinite(value)) {
      out[i] = NaN;
      sum = weight = 0;
      before = NaN;
      continue;
    }
    const fade = before === before ? Math.exp((before - x[i]) / tau) : 0;
    const w = weights ? weights[i] : 1;
    sum = sum * fade + value * w;
    weight = weight * fade + w;
    out[i] = sum / weight;
    before = x[i];
  }
  return out;
}

/** The place of the first x that is not below *at*. */
export function placeOf(x, at) {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place of the x nearest to *at*, -1 where there is none. */
export function nearest(x, at) {
  if (!x.length) return -1;
  const right = placeOf(x, at);
  if (right === 0) return 0;
  if (right === x.length) return x.length - 1;
  return at - x[right - 1] <= x[right] - at ? right - 1 : right;
}

/** Whether a place lies in one of the gaps of a series, further from both ends than rows are apart. */
export const isInGap = (gaps, at, apart) => gaps.some(([from, to]) => at - from > apart && to - at > apart);

/** The height of a line at *at* (between its points), NaN beside it and in breaks. */
export function heightAt(x, y, at) {
  const right = placeOf(x, at);
  if (right < x.length && x[right] === at) return y[right];
  if (right === 0 || right === x.length) return NaN;
  const part = (at - x[right - 1]) / (x[right] - x[right - 1]);
  return y[right - 1] + part * (y[right] - y[right - 1]);
}
