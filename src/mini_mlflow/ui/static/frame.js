// Which part of the values does a chart show: linear or log, from where to where?

const isLine = value => Number.isFinite(value);

const ENOUGH = 4000; // values that quantiles are told by; the least and the greatest are always among them

function sorted(lines, from, isLog) {
  let many = 0;
  for (const { y } of lines) many += y.length;
  const stride = Math.ceil(many / ENOUGH) | 1; // odd, as least and greatest values of a pixel take turns
  const values = new Float64Array(Math.ceil(many / stride) + lines.length + 2);
  let n = 0;
  let least = Infinity;
  let most = -Infinity;
  let place = 0;
  for (const { x, y } of lines) {
    for (let i = 0; i < y.length; i += 1) {
      const value = y[i];
      if (!isLine(value) || x[i] < from || (isLog && value <= 0)) continue;
      if (value < least) least = value;
      if (value > most) most = value;
      place += 1;
      if (place % stride === 0) { values[n] = value; n += 1; }
    }
  }
  if (place && stride > 1) { values[n] = least; values[n + 1] = most; n += 2; }
  return values.subarray(0, n).sort();
}
const quantile = (values, q) => values[Math.round((values.length - 1) * q)];

/** Whether a metric is easier to read on a log axis: its values are positive and reach over more than a decade. */
export function looksLog(lines, goal, key) {
  if (goal === 'max' || key.startsWith('system/')) return false;
  const values = sorted(lines, -Infinity, false);
  return values.length > 2 && values[0] > 0 && quantile(values, 0.992) / quantile(values, 0.002) >= 10;
}

/**
 * The frame of a chart. Outliers are mostly high, so more is left out above; what comes in the first tenth of x counts where nothing else does.
 * @param {Array<{x: ArrayLike<number>, y: ArrayLike<number>}>} lines what is drawn
 * @param {{isLog: boolean, isClipped: boolean, goal: ?string, xRange: [number, number], isZoomed: boolean, raws: Array}} how; `raws` are the lines before they
 *     were smoothed: a spike that smoothing spreads out widens no frame
 * @returns {{range: [number, number], isClipped: boolean}|null} null: there is nothing to show
 */
export function frameOf(lines, { isLog, isClipped, goal, xRange, isZoomed, raws }) {
  const seen = these => (isZoomed ? these.map(line => cut(line, xRange)) : these);
  const within = seen(lines);
  const all = sorted(within, -Infinity, isLog);
  if (!all.length) return null;
  const least = all[0];
  const most = all[all.length - 1];
  let [low, high] = [least, most];
  if (isClipped && all.length > 20) {
    const isSettling = goal && !isZoomed && !isLog;
    const start = isSettling ? xRange[0] + (xRange[1] - xRange[0]) / 10 : -Infinity;
    const tail = isSettling ? sorted(within, start, isLog) : all;
    const values = tail.length > 4 ? tail : all;
    const raw = sorted(seen(raws), start, isLog);
    const isBoth = raw.length > 20;
    const a = isBoth ? Math.max(quantile(values, 0.002), quantile(raw, 0.002)) : quantile(values, 0.002);
    const b = isBoth ? Math.min(quantile(values, 0.992), quantile(raw, 0.992)) : quantile(values, 0.992);
    if (isLog) {
      if (most > quantile(all, 0.985) * 8) high = quantile(all, 0.985) * 3;
    } else if (b <= a) {
      [low, high] = [least, most];
    } else if (isSettling || most - least > 1.5 * (b - a)) {
      [low, high] = [a, b];
    }
  }
  return { range: padded(low, high, isLog), isClipped: low > least || high < most };
}

function cut({ x, y }, [from, to]) {
  let i = 0;
  let n = x.length;
  while (i < n && x[i] < from) i += 1;
  while (n > i && x[n - 1] > to) n -= 1;
  return { x: x.slice(i, n), y: y.slice(i, n) };
}

function padded(low, high, isLog) {
  if (isLog) {
    const by = low === high ? 2 : 1.08;
    return [Math.max(low / by, Number.MIN_VALUE), Math.min(high * by, Number.MAX_VALUE)];
  }
  if (low === high) {
    const room = Math.abs(low) * 0.1 || 1;
    return [low - room, high + room];
  }
  const room = (high - low) * 0.06;
  return [low - room, high + room];
}
