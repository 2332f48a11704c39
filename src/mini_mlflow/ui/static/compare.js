// What differs between the selected runs, and only that?
import { html, Component } from './vendor/preact.js';
import { M, watchModel } from './model.js';
import { ask, unfold, whenBack } from './server.js';
import { selectedRows } from './rowactions.js';
import { signature } from './charts.js';
import { assign } from './colors.js';
import { Card } from './card.js';
import { Dot, Key, Mark } from './parts.js';
import { commandText, Diff } from './provenance.js';
import { count, logged, moment, num, span } from './format.js';

const MOST = 20;
const ISO = /^\d{4}-\d\d-\d\dT/;
/** A fact as text: times local, commits short. */
const said = (key, value) => (typeof value === 'string' && ISO.test(value) ? moment(Date.parse(value), true) : key === 'git_commit' ? String(value).slice(0, 7) : commandText(value));
/** A fact's name as it is read: "start time", "commit". */
const called = key => (/^[a-z_]+$/.test(key) ? key.replace(/^git_/, '').replace(/_/g, ' ') : key);
const GROUPS = { git: 'Git', versions: 'Versions and machine', machine: 'Versions and machine', run: 'Run' };

export class Compare extends Component {
  state = { answer: null, error: null, isAll: false, diffs: [] };

  componentDidMount() {
    this.fetch();
    this.end = watchModel(() => this.fetch());
    this.endBack = whenBack(() => { this.key = null; this.fetch(); });
  }
  componentDidUpdate() { this.fetch(); }
  componentWillUnmount() { this.end(); this.endBack(); }

  async fetch() {
    const rows = selectedRows().slice(0, MOST);
    const key = rows.map(row => `${row.ref} ${row.status} ${row.step}`).join('\n');
    if (key === this.key) return;
    this.key = key;
    if (rows.length < 2) { this.setState({ answer: null }); return; }
    try {
      const answer = await ask('api/compare', { runs: rows.map(row => row.ref) });
      if (this.key !== key) return;
      this.setState({ answer, error: null, diffs: [] }, () => this.fetchDiffs(rows, key));
    } catch (error) {
      if (this.key === key) this.setState({ error });
    }
  }

  /** The uncommitted changes of two runs, under the table. */
  async fetchDiffs(rows, key) {
    const { answer } = this.state;
    const dirty = [...answer.provenance, ...(answer.same_rows?.provenance || [])].some(each => each.key === 'git_dirty' && (each.values || [each.value]).some(value => value && value !== 'false'));
    if (rows.length !== 2 || !dirty) return;
    const texts = await Promise.all(rows.map(row => ask(`api/diff?run=${encodeURIComponent(row.ref)}`).then(diff => diff.text, () => '')));
    if (this.key === key && texts[0] !== texts[1]) this.setState({ diffs: rows.map((row, i) => ({ row, text: texts[i] })).filter(each => each.text) });
  }

  render(_, { answer, error, isAll, diffs }) {
    const selected = selectedRows();
    const rows = selected.slice(0, MOST);
    if (rows.length < 2) return html`<div class="empty"><h2>Select two or more runs</h2><p>Tick rows in the table<span class="keys">, or press <kbd>x</kbd> on a row</span>.</p></div>`;
    for (const row of rows) if (row.slot === undefined) assign(rows);
    const items = [...rows].sort((a, b) => place(a) - place(b));
    const charts = curves(answer);
    const sig = signature(items);
    const goals = new Map(M.keys.metrics.map(each => [each.key, each.goal]));
    return html`<div class="cmp"><div class="two-up">${charts.map(key => html`<${Card} key=${key} metric=${key} section="compare" goal=${goals.get(key)} items=${items} sig=${sig} height=${168}/>`)}</div>
      ${error && html`<p class="brk">${error.message}</p>`}
      ${selected.length > MOST && html`<p class="dimt">The first ${MOST} of ${selected.length} selected runs</p>`}
      ${answer && html`<div class="sheet"><${Sheet} answer=${answer} rows=${answer.runs.map(ref => M.byRef.get(ref)).filter(Boolean)} isAll=${isAll} onAll=${() => this.setState({ isAll: !isAll })}/>
        ${diffs.map(({ row, text }) => html`<h3 class="dh">Uncommitted changes of ${row.name}</h3><${Diff} text=${text}/>`)}</div>`}</div>`;
  }
}

const place = row => { const at = M.rows.indexOf(row); return at < 0 ? 1e9 : at; };

/** The two metrics whose curves stand on top: the sorted one, and the next that has a goal. */
function curves(answer) {
  const keys = answer ? answer.metrics.map(metric => metric.key) : M.keys.metrics.map(metric => metric.key);
  const all = M.keys.metrics.filter(each => keys.includes(each.key) || each.key === M.sortedMetric).map(each => each.key);
  const withGoal = [...M.columns.filter(column => column.kind === 'metrics').map(column => column.key), ...M.keys.metrics.filter(each => each.goal).map(each => each.key)];
  return [...new Set([M.sortedMetric, ...withGoal, ...all].filter(key => key && M.keys.metrics.some(each => each.key === key)))].slice(0, 2);
}

function Sheet({ answer, rows, isAll, onAll }) {
  const isPair = rows.length === 2;
  const wide = rows.length + (isPair ? 2 : 1);
  const metrics = answer.metrics;
  const params = answer.params;
  const first = metrics.map(metric => metric.first_difference_step).filter(step => step !== null && step !== undefined);
  const groups = new Map();
  const differing = answer.provenance.filter(each => new Set(each.values.map(value => (value === null ? null : said(each.key, value)))).size > 1);
  const alike = answer.provenance.filter(each => !differing.includes(each)).map(each => ({ key: each.key, value: said(each.key, each.values[0]) })); // different by less than is read: a part of a second
  for (const each of differing) {
    const name = GROUPS[each.group] || each.group;
    groups.set(name, [...(groups.get(name) || []), each]);
  }
  const isTimed = new Set(rows.map(row => span(row.duration))).size > 1;
  const line = (key, name, values, difference, isCode) => html`<tr key=${key}><th scope="row">${name}</th>${values.map(value => html`<td class="num" title=${typeof value === 'string' ? value : undefined}>${isCode ? html`<code class="say">${value}</code>` : value}</td>`)}${isPair && html`<td class="num">${difference || ''}</td>`}</tr>`;
  const title = (name, note) => html`<tr class="sect"><th colspan=${wide}>${name} <small>${note || ''}</small></th></tr>`;
  const same = [[answer.same.params, 'param'], [answer.same.metrics, 'metric'], [answer.same.provenance + alike.length, 'other fact']].filter(([n]) => n).map(([n, noun]) => count(n, noun)).join(', ');
  return html`<table class="cmpt ${isPair ? 'pair' : 'more'}" style=${{ '--n': rows.length }}>${isPair ? html`<colgroup><col/><col/><col/><col class="dl"/></colgroup>` : html`<colgroup><col class="nm"/></colgroup>`}<thead><tr><th>Only what differs</th>${rows.map(row => html`<th class="num" title=${row.id}><${Dot} item=${row}/><bdi>${row.name}</bdi> <${Mark} s=${row.status}/></th>`)}${isPair && html`<th class="num">difference</th>`}</tr></thead><tbody>
    ${metrics.length > 0 && title('Metrics', 'best value, or the last')}${metrics.map(metric => line(`m ${metric.key}`, html`<${Key} k=${metric.key}/>`, valuesOf(metric, isPair), isPair && difference(metric)))}
    ${isPair && first.length > 0 && line('first', 'first step that differs', ['', ''], html`<span class="dv">step ${num(Math.min(...first))}</span><span class="pct"></span><span class="bw"></span>`)}
    ${params.length > 0 && title('Params', `${params.length} of ${params.length + answer.same.params} differ`)}${params.map(param => line(`p ${param.key}`, html`<${Key} k=${param.key}/>`, param.values.map(value => html`<span class="say" title=${logged(value)}>${value === null ? '–' : logged(value)}</span>`), isPair && html`<span class="dv">${change(param)}</span><span class="pct"></span><span class="bw"></span>`))}
    ${[...groups].map(([name, list]) => html`${title(name)}${list.map(each => line(`g ${each.key}`, called(each.key), each.values.map(value => (value === null ? '–' : said(each.key, value))), '', name === 'Git'))}`)}
    ${isTimed && html`${!groups.has('Run') && title('Run')}${line('run time', 'run time', rows.map(row => (isKnown(row) ? span(row.duration) : '–')), isPair && html`<span class="dv">${isKnown(rows[0]) && isKnown(rows[1]) ? `${rows[1].duration >= rows[0].duration ? '+' : ''}${span(rows[1].duration - rows[0].duration)}` : ''}</span><span class="pct"></span><span class="bw"></span>`)}`}
    ${isAll && html`${title(`The same in ${isPair ? 'both' : 'all'}`)}${[...(answer.same_rows?.params || []), ...[...(answer.same_rows?.provenance || []).map(each => ({ ...each, value: said(each.key, each.value ?? each.values?.[0]) })), ...alike].map(each => ({ ...each, key: called(each.key) }))].map(each => html`<tr><th scope="row"><${Key} k=${each.key}/></th><td class="num" colspan=${wide - 1}><span class="say">${logged(each.value ?? each.values?.[0])}</span></td></tr>`)}`}
    </tbody><tfoot><tr><td colspan=${wide}>The same in ${isPair ? 'both' : 'all'}: ${same || 'nothing'}. <button type="button" class="link" aria-expanded=${isAll} onClick=${onAll}>${isAll ? 'Hide' : 'Show all'}</button></td></tr></tfoot></table>`;
}

/** Whether it is known how long a run took: of one that was lost it is not. */
const isKnown = row => typeof row.duration === 'number';

/** A metric's values; of two runs the better one is bold, of more the least and the greatest. */
function valuesOf(metric, isPair) {
  const values = (metric.goal ? metric.best : metric.last).map(unfold);
  const finite = values.filter(Number.isFinite);
  const strong = i => (isPair ? metric.better === i : values[i] === Math.min(...finite) || values[i] === Math.max(...finite));
  return values.map((value, i) => html`<span class=${strong(i) ? 'strong' : ''}>${value === null || value === undefined ? '–' : num(value)}</span>`);
}

function difference(metric) {
  if (metric.difference === null || metric.difference === undefined) return '';
  const sign = value => (value > 0 ? '+' : '');
  const percent = metric.percent;
  const word = metric.goal && metric.better !== null && metric.better !== undefined ? (metric.better === 1 ? 'better' : 'worse') : '';
  return html`<span class="dv">${sign(metric.difference)}${num(metric.difference, 3)}</span><span class="pct">${percent === null || percent === undefined ? '' : `${sign(percent)}${percent.toFixed(Math.abs(percent) < 10 ? 1 : 0).replace('-', '−')} %`}</span><span class="bw ${word === 'better' ? 'up' : 'dn'}">${word}</span>`;
}

const change = param => (param.ratio !== null && param.ratio !== undefined ? `× ${num(param.ratio, 3)}` : param.difference !== null && param.difference !== undefined ? `${param.difference > 0 ? '+' : ''}${num(param.difference, 3)}` : '');

