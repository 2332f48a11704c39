// How do numbers, times and sizes read? One place, so that table, tooltip, axis and run agree.

/** The text of a number with a comma at each thousand. Without Intl, whose tables take longer to load than a chart to draw. */
function commas(text) {
  const whole = text.split('.', 1)[0];
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + text.slice(whole.length);
}
const minus = text => text.replace(/-/g, '−');

/**
 * Four significant digits, exponents outside of 1e-4 … 1e6, whole numbers whole with a comma from 1,000.
 * @param {?number} value
 * @param {number} [digits] significant digits
 * @returns {string} '' for a value that is not there
 */
export function num(value, digits = 4) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '−inf';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return minus(commas(String(value)));
  if (size < 1e-4 || size >= 1e6) return minus(value.toExponential(digits - 1).replace(/\.?0+e/, 'e').replace('e+', 'e'));
  const text = value.toPrecision(digits);
  return minus(commas(text.includes('e') ? value.toFixed(0) : text)); // from 10,000 on whole, as in the terminal
}

/** All that a float has, for who copies it: the shortest text that reads back equal. */
export const exact = value => (typeof value === 'number' ? String(value) : String(value ?? ''));

/**
 * A formatter for a column: one count of decimals for all values, so that the points line up; the median has four digits.
 * @param {number[]} values some of the column, the others read alike
 * @returns {function(?number): string}
 */
export function column(values) {
  const finite = values.filter(value => Number.isFinite(value));
  if (!finite.length || finite.every(Number.isInteger)) return num;
  const sizes = finite.filter(value => value).map(value => Math.floor(Math.log10(Math.abs(value)))).sort((a, b) => a - b);
  const decimals = Math.max(0, Math.min(6, 3 - sizes[sizes.length >> 1]));
  return value => {
    const isPlain = Number.isFinite(value) && Math.abs(value) < 1e6 && (!value || Math.abs(value) >= 10 ** -decimals);
    return isPlain ? minus(commas(value.toFixed(decimals))) : num(value);
  };
}

/** The shortest exact text of a tick: the shorter of 0.001 and 1e−3; 10k, 2M. */
export function tick(value) {
  if (value === null || value === undefined) return '';
  const size = Math.abs(value);
  if (size >= 1e9) return minus(Number(value.toPrecision(6)).toExponential().replace('e+', 'e'));
  if (size >= 1e6) return minus(`${Number((value / 1e6).toPrecision(6))}M`);
  if (size >= 1e4) return minus(`${Number((value / 1e3).toPrecision(6))}k`);
  const plain = String(Number(value.toPrecision(6)));
  const power = Number(value.toPrecision(6)).toExponential();
  return minus(size && size < 1e-2 && power.length < plain.length ? power : plain);
}

/** A duration in seconds: 40 s, 40 min, 1 h 36, 2 d 3 h. */
export function span(seconds) {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 0) return minus(`-${span(-seconds)}`);
  if (seconds < 60) return `${seconds < 10 && seconds % 1 ? Number(seconds.toPrecision(2)) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, '0')}`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

const two = number => String(number).padStart(2, '0');

/** A moment (milliseconds since 1970) in local time: 2026-11-21 14:32, with seconds where asked for. */
export function moment(at, withSeconds = false) {
  const date = new Date(at);
  if (!Number.isFinite(date.getTime())) return '';
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ''}`;
}

/** A moment beside others that are *step* milliseconds apart, as short as they can be told apart: 2026, 2026-11, 2026-11-21, 14:32, 14:32:05, 14:32:05.250. */
export function clock(at, step) {
  const text = moment(at, true);
  if (step >= 320 * 86400000) return text.slice(0, 4);
  if (step >= 28 * 86400000) return text.slice(0, 7);
  const isMidnight = text.endsWith('00:00:00') && new Date(at).getMilliseconds() === 0;
  if (step >= 86400000 || isMidnight) return text.slice(0, 10);
  if (step >= 60000) return text.slice(11, 16);
  return step >= 1000 ? text.slice(11) : `${text.slice(11)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;
}

/** Local time and UTC, for what shows when the pointer rests on a time. */
export function bothTimes(at) {
  const date = new Date(at);
  return Number.isFinite(date.getTime()) ? `${moment(at, true)} local\n${date.toISOString().slice(0, 19).replace('T', ' ')} UTC` : '';
}

/** How long ago: now, 5 min ago, 4 h ago; after 30 days the date. */
export function ago(at, now = Date.now()) {
  if (!Number.isFinite(at)) return '';
  const seconds = (now - at) / 1000;
  if (seconds < 45) return 'now';
  if (seconds > 30 * 86400) return moment(at);
  return `${span(seconds).replace(/ h \d\d$/, ' h').replace(/ s$/, ' s').replace(/ d \d+ h$/, ' d')} ago`;
}

/** A size in bytes, in thousands as the terminal has it: 812 B, 38.4 kB, 44.8 MB. */
export function bytes(size) {
  if (!Number.isFinite(size)) return '';
  for (const [unit, name] of [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']]) {
    if (size >= unit) return `${(size / unit).toFixed(1)} ${name}`;
  }
  return `${size} B`;
}

/** A param or tag as it was logged. */
export function logged(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return minus(String(value));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The same in a table: a float of more digits than anybody types has six there, and all of them in its title and its run. */
export function brief(value) {
  const text = logged(value);
  return typeof value === 'number' && text.length > 10 && !Number.isInteger(value) ? logged(Number(value.toPrecision(6))) : text;
}

/** Where the prefix of a key ends: after the last "/", else the last "."; 0 where it has none. */
export function prefixEnd(key) {
  const slash = key.lastIndexOf('/');
  return slash > 0 ? slash + 1 : Math.max(0, key.lastIndexOf('.') + 1);
}

/** "24 runs", "1 run". */
export const count = (number, noun) => `${num(number)} ${noun}${number === 1 ? '' : 's'}`;
