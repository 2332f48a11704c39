// Where do the ticks of an axis stand? In a count that is bounded, whatever the values: an axis never holds up the page.

const STRIDES = [1, 2, 3, 5, 10, 20, 50, 100]; // decades between two ticks
const MOST = 400; // ticks of any axis: far more than fit
const [DAY, HOUR] = [86400000, 3600000];
const plain = value => Number(value.toPrecision(15));

/** Round values within a range: whole times *step*. */
export function evenSplits(low, high, step) {
  const out = [];
  if (!(step > 0) || !Number.isFinite(high - low)) return out;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.min(MOST, Math.floor(high / step + 1e-9) - first + 1);
  for (let i = 0; i < count; i += 1) {
    const at = plain((first + i) * step) || 0;
    if (i && at <= out[out.length - 1]) break; // finer than numbers are there
    out.push(at);
  }
  return out;
}

/** The least step of 1, 2, 2.5 or 5 times a power of ten that fits into a range at most *most* times. */
export function roundStep(low, high, most) {
  const power = Math.floor(Math.log10((high - low) / most));
  const steps = [1, 2, 2.5, 5, 10].map(digit => Number(`${digit}e${power}`));
  return steps.find(step => (high - low) / step <= most) ?? steps[4];
}

/**
 * The ticks of a log axis: 1, or 1-2-5 where the range is below 60× or holds one decade alone; every so many decades where there are many, round steps
 * where the range is narrower than that.
 * @param {number} low above 0
 * @param {number} high above *low*
 * @param {number} [most] how many have room
 */
export function logSplits(low, high, most = 8) {
  if (!(low > 0 && high > low && Number.isFinite(high))) return [];
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = (digits, stride) => {
    const out = [];
    for (let power = Math.ceil(from / stride) * stride; power <= to; power += stride) {
      for (const digit of digits) {
        const at = Number(`${digit}e${power}`); // as it is written: a power of ten that is multiplied up is not whole any more
        if (at >= low && at <= high) out.push(at);
      }
    }
    return out;
  };
  const decades = high / low < 60 ? [] : within([1], STRIDES.find(stride => stride * Math.max(2, most) >= to - from) ?? 200);
  if (decades.length > 1) return decades;
  const digits = within([1, 2, 5], 1);
  return digits.length > 1 ? digits : evenSplits(low, high, roundStep(low, high, 5));
}

/** The ticks of an axis of clock times, in milliseconds: whole seconds, hours, days, months, years of local time. */
export function timeSplits(low, high, step) {
  const out = [];
  const put = at => {
    if (at >= low && at <= high && !(at <= out[out.length - 1])) out.push(at); // an hour that the clock is put back comes once
  };
  if (!(step > 0) || !Number.isFinite(high - low)) return out;
  const first = new Date(low);
  const [year, month, day] = [first.getFullYear(), first.getMonth(), first.getDate()];
  if (step < HOUR) {
    const shift = first.getTimezoneOffset() * 60000;
    return evenSplits(low - shift, high - shift, step).map(at => at + shift);
  }
  const count = Math.min(MOST, Math.ceil((high - low) / step) + 2 + Math.ceil(DAY / step));
  if (step < DAY) {
    for (let i = 0; i < count; i += 1) put(new Date(year, month, day, 0, 0, 0, i * step).getTime());
    return out;
  }
  const days = Math.round(step / DAY);
  const months = Math.round(days / 30.4);
  if (months >= 12) {
    const years = Math.round(months / 12);
    for (let i = 0; i < count; i += 1) put(new Date((Math.floor(year / years) + i) * years, 0, 1).getTime());
  } else if (months) {
    for (let i = 0; i < count; i += 1) put(new Date(year, (Math.floor(month / months) + i) * months, 1).getTime());
  } else {
    const since = Math.round(Date.UTC(year, month, day) / DAY) % days;
    for (let i = 0; i < count; i += 1) put(new Date(year, month, day - since + i * days).getTime());
  }
  return out;
}
