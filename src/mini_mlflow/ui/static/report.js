// How does a report answer what the page would ask a server? From what lies in it.
import { boot } from './boot.js';
import { unpack } from './packed.js';
import { compareRuns } from './reportcompare.js';

let rest = null;
/** What is looked at later: it lies packed, and is unpacked once. */
const whole = () => (rest ??= unpack(document.getElementById('rest').textContent.trim()));

const SPARK = 64; // stretches of the small line beside a metric
const refuse = (status, code, message, more = {}) => Object.assign(new Error(message), { status, facts: { code, message, ...more } });

/** The answer to what a path and a body ask for; what a report has no answer to is refused. */
export async function answer(path, body) {
  const [name, query] = path.split('?');
  const run = new URLSearchParams(query).get('run');
  let data;
  try {
    data = await whole();
  } catch {
    throw refuse(0, 'unreadable', 'This browser is too old to read what lies in a report: the charts and the runs.');
  }
  switch (name) {
    case 'api/runs': return listRuns(data, body);
    case 'api/series': return readSeries(data, body);
    case 'api/run': return { ...known(data.details, run), metrics: known(data.details, run).metrics.map(metric => ({ ...metric, sparkline: spark(curveOf(data, run, metric.key)) })) };
    case 'api/diff': return known(data.diffs, run);
    case 'api/compare': return compareRuns(data.compare, places(body.runs), (key, at) => curveOf(data, boot.runs.rows.ref[at], key));
    case 'api/resolve': return { refs: Object.fromEntries(body.ids.map(id => [id, boot.runs.rows.ref.find((ref, i) => boot.runs.rows.id[i].startsWith(id))]).filter(([, ref]) => ref)) };
    case 'api/experiments': return { stores: boot.stores, experiments: boot.experiments };
    default: throw refuse(404, 'not_found', 'A report does not hold that.');
  }
}

function known(table, ref) {
  if (!Object.hasOwn(table, ref)) throw refuse(404, 'not_found', 'This run is not in the report.');
  return table[ref];
}

const places = refs => refs.map(ref => boot.runs.rows.ref.indexOf(ref)).filter(at => at >= 0);

/** The runs in an order, with columns: what the server answers to api/runs. */
function listRuns({ columns }, body) {
  const { rows } = boot.runs;
  const orders = (body.order?.length ? body.order : boot.runs.order).map(text => /^(.*?)(?:\s+(asc|desc))?\s*$/is.exec(text.trim()));
  let order = newestFirst(rows);
  for (const [, name, way] of [...orders].reverse()) {
    const column = name === 'attributes.last_step' ? { values: rows.step, kind: 'own' } : columnOf(columns, name);
    if (!column) throw refuse(400, 'query', `No run of this report has ${name}.`, { where: 'order' });
    order = sorted(order, valuesOf(column), /^desc$/i.test(way || ''));
  }
  const given = body.columns ?? boot.runs.columns.map(column => column.name);
  const shown = given.map(name => columnOf(columns, name) ?? { name, kind: 'metrics', key: name, function: null, label: '', type: 'text', values: [] });
  const pick = from => order.map(at => from[at] ?? null);
  const told = Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, name === 'values' ? shown.map(column => pick(column.values)) : pick(values)]));
  const running = told.ref.filter((_, i) => told.status[i] === 'RUNNING');
  const first = [...running, ...told.ref.filter(ref => !running.includes(ref))].slice(0, body.shown);
  const [lead] = orders;
  const leading = lead && columnOf(columns, lead[1]);
  const metric = leading?.kind === 'metrics' ? leading.key : null;
  const isDefault = !body.order?.length;
  return {
    ...boot.runs, order: orders.map(([, name, way]) => `${name} ${(way || 'ASC').toUpperCase()}`), sorted_metric: isDefault ? boot.runs.sorted_metric : metric,
    goal: isDefault ? boot.runs.goal : metric === null ? null : /^desc$/i.test(lead[2] || '') ? 'max' : 'min', columns: shown.map(({ values, numbers, ...column }) => column), rows: told, first, offset: 0,
    now_ms: boot.server.now_ms + performance.now(),
  };
}

/** A column by its name, or by the name of its metric, param or tag alone. */
function columnOf(columns, name) {
  const plain = name.replace(/^attributes\./, '').replace(/`/g, '');
  for (const each of [name, plain, `metrics.${plain}`, `params.${plain}`, `tags.${plain}`, `attributes.${plain}`]) if (Object.hasOwn(columns, each)) return columns[each];
  return Object.values(columns).find(column => column.key === plain && !column.function) ?? null;
}

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
/** Texts by their code points, as Python sorts them; not by UTF-16. */
function byPoints(a, b) {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((sign, i) => sign !== right[i]);
  return at < 0 ? left.length - right.length : at >= right.length ? 1 : left[at].codePointAt(0) - right[at].codePointAt(0);
}

/** Of one millisecond as they were given, which is newest first where nobody named them. */
const newestFirst = ({ ref, start_ms: start }) => ref.map((_, i) => i).sort((a, b) => (start[b] ?? -1) - (start[a] ?? -1));

/** The values of a column as the server sorts them: numbers that JSON has as texts are numbers. */
const valuesOf = ({ values, kind, function: of, numbers }) => values.map((value, i) => {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'string' || (kind !== 'metrics' && !numbers?.[i])) return value;
  return of === 'min' || of === 'max' ? NaN : Number(value); // who has diverged comes behind all best values
});

/** Numbers, then NaN, then texts, and what is missing last, upwards and downwards. */
function sorted(rows, values, isDown) {
  const kind = value => (value === null || value === undefined ? 3 : typeof value !== 'number' ? 2 : Number.isNaN(value) ? 1 : 0);
  const way = isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [one, other] = [values[a], values[b]];
    const kinds = kind(one) - kind(other);
    if (kinds) return kinds;
    return kind(one) === 0 ? way * order(one, other) : kind(one) === 2 ? way * byPoints(one, other) : 0;
  });
}

let found = null;
/** The curve of a run's metric. */
function curveOf(data, ref, key) {
  found ??= new Map(data.curves.map(curve => [`${boot.runs.rows.ref[curve.run]}\n${data.keys[curve.metric]}`, curve]));
  return found.get(`${ref}\n${key}`) ?? null;
}

/** The curves that a chart asks for, whole: a zoom shows a part of them. */
function readSeries(data, { runs, metrics }) {
  const curves = runs.flatMap((ref, run) => metrics.map((key, metric) => ({ ...(curveOf(data, ref, key) ?? { n: 0, m: 0, rows: 0 }), run, metric })));
  const doubles = curves.reduce((sum, { n, m }) => sum + 2 * (n + m), 0);
  const weights = curves.reduce((sum, { m }) => sum + m, 0);
  const buffer = new ArrayBuffer(8 * doubles + 4 * weights);
  let at = 0;
  let after = 8 * doubles;
  const put = numbers => { new Float64Array(buffer, at, numbers.length).set(numbers); at += 8 * numbers.length; return at - 8 * numbers.length; };
  const series = curves.map(({ xs, ys, mxs, mys, weights: mw, ...curve }) => {
    if (!curve.n) return curve;
    const told = { ...curve, y: 'f8', is_raw: Boolean(curve.is_raw), gaps: curve.gaps ?? [], x_at: put(xs), y_at: put(ys) };
    if (!curve.m) return told;
    Object.assign(told, { mx_at: put(mxs), my_at: put(mys), mw_at: after });
    new Uint32Array(buffer, after, curve.m).set(mw);
    after += 4 * curve.m;
    return told;
  });
  return { header: { x: 'step', series }, data: { buffer, at: 0 } };
}

/** The last value of each of some stretches of a curve, as the server sends it. */
function spark(curve) {
  if (!curve?.n) return [];
  const [x, y] = curve.m ? [curve.mxs, curve.mys] : [curve.xs, curve.ys];
  const count = Math.min(SPARK, x.length);
  const line = new Array(count).fill(null);
  const width = x[x.length - 1] - x[0] + 1;
  for (let i = 0; i < x.length; i += 1) line[Math.min(count - 1, Math.max(0, Math.floor(((x[i] - x[0]) * count) / width)))] = Number.isFinite(y[i]) ? y[i] : null;
  return line;
}
