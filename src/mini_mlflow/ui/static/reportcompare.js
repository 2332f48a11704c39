// What differs between some of the runs of a report? Worked out from what differs between all of them.

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const numberOf = value => (typeof value === 'number' ? value : typeof value === 'string' && NUMBER.test(value) ? Number(value) : NaN);
const unfold = value => (value === 'NaN' ? NaN : value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value);
const isSame = values => new Set(values.map(value => JSON.stringify(value ?? null))).size < 2;

/**
 * The answer of api/compare for some of the runs.
 * @param {?Object} all what differs between all runs of the report
 * @param {number[]} places of the runs among all of them
 * @param {function(string, number): ?Object} curveOf the curve of a metric and a run
 */
export function compareRuns(all, places, curveOf) {
  const pick = row => ({ ...row, values: places.map(at => row.values[at]) });
  const split = (rows, known) => {
    const differing = [];
    const same = [...known];
    for (const row of rows.map(pick)) {
      if (isSame(row.values)) same.push({ ...row, value: row.values[0] });
      else differing.push(row);
    }
    return [differing, same.filter(row => row.value !== null && row.value !== undefined)];
  };
  const [params, sameParams] = split(all.params, all.same_rows.params);
  const [tags, sameTags] = split(all.tags, all.same_rows.tags);
  const [provenance, sameProvenance] = split(all.provenance, all.same_rows.provenance);
  const metrics = all.metrics.filter(row => places.some(at => row.last[at] !== null));
  const differing = metrics.filter(row => !isSameMetric(row, places, curveOf)).map(row => metricOf(row, places));
  return {
    runs: places.map(at => all.runs[at]), metrics: differing, params: params.map(row => ({ ...row, ...ratioOf(row.values) })), tags, provenance,
    same: { params: sameParams.length, tags: sameTags.length, provenance: sameProvenance.length, metrics: all.same.metrics + metrics.length - differing.length },
    same_rows: { params: sameParams, tags: sameTags, provenance: sameProvenance },
  };
}

/** Whether a metric is the same in these runs: its last and its best value, and its curve as the report has it. */
function isSameMetric(row, places, curveOf) {
  if (!isSame(places.map(at => row.last[at])) || !isSame(places.map(at => row.best[at]))) return false;
  const [first, ...others] = places.map(at => curveOf(row.key, at));
  return others.every(other => other?.n === first?.n && (first?.ys ?? []).every((y, i) => Object.is(y, other.ys[i]) && first.xs[i] === other.xs[i]));
}

function metricOf(row, places) {
  const [last, best, steps] = [row.last, row.best, row.best_step].map(values => places.map(at => values[at]));
  const numbers = (row.goal ? best : last).map(unfold);
  const finite = numbers.filter(Number.isFinite);
  const isWhole = places.length === row.last.length;
  const told = { ...row, last, best, best_step: steps, difference: null, percent: null, better: null, first_difference_step: isWhole ? row.first_difference_step : null };
  if (row.goal && new Set(finite).size > 1) told.better = numbers.indexOf(row.goal === 'min' ? Math.min(...finite) : Math.max(...finite));
  if (numbers.length === 2 && finite.length === 2) {
    told.difference = finite[1] - finite[0];
    told.percent = finite[0] ? ((finite[1] - finite[0]) / Math.abs(finite[0])) * 100 : null;
  }
  return told;
}

function ratioOf(values) {
  const [first, second] = values.map(numberOf);
  if (values.length !== 2 || !Number.isFinite(first) || !Number.isFinite(second)) return { ratio: null, difference: null };
  return { ratio: first ? second / first : null, difference: second - first };
}
