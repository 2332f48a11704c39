// Which settings lead where: parallel coordinates with brushes, and two scatter charts.
import { html, Component } from './vendor/preact.js';
import { S, go, watch } from './address.js';
import { M, scope, watchModel } from './model.js';
import { ask, unfold, whenBack } from './server.js';
import { watchHover, hovered } from './hover.js';
import { axesAndBrushes, outward, setAxes, places, valueOf } from './brushes.js';
import { kindName } from './columns.js';
import { makeAxis } from './scaling.js';
import { Parallel } from './parallel.js';
import { Scatter } from './scatter.js';
import { alsoWith, quoted } from './narrowing.js';
import { say } from './undo.js';

const MOST = 2000; // runs that are drawn
const MOST_AXES = 8;
const TRUTHS = { true: 'True', false: 'False' }; // as filters write them

/** The axes that are shown at first: params that vary, then metrics with a goal. */
function firstAxes() {
  const params = M.keys.params.filter(param => param.is_varying).map(param => param.name);
  const metrics = M.keys.metrics.filter(metric => metric.goal);
  const others = metrics.filter(metric => metric.key !== M.sortedMetric).slice(0, 2);
  const own = M.keys.metrics.find(metric => metric.key === M.sortedMetric);
  const chosen = [...others, ...(own ? [own] : [])];
  const fallback = chosen.length ? chosen : M.keys.metrics.slice(0, 2);
  const last = fallback.map(metric => kindName(metric.key, metric.goal || 'last'));
  return [...params.slice(0, MOST_AXES - last.length), ...last];
}

/** The setting that was tried most widely: on a log axis, or with the most values. */
function widest(axes) {
  const weight = axis => (axis.isMetric ? -1e6 : axis.isLog ? 1e6 : 0) + axis.ticks.length;
  return axes.reduce((best, axis, i) => (weight(axis) > weight(axes[best]) ? i : best), 0);
}

export class Explore extends Component {
  state = { width: 0, rows: null, columns: [], error: null, dragged: null };

  componentDidMount() {
    this.size = new ResizeObserver(([entry]) => this.setState({ width: entry.contentRect.width }));
    this.size.observe(this.box);
    this.ends = [
      watchHover(id => this.light(id)),
      watchModel(() => { if (this.stamp !== M.stamp) this.fetch(); }),
      watch(() => this.fetch()),
      whenBack(() => { this.asked = null; this.fetch(); }),
    ];
    this.fetch();
  }
  componentWillUnmount() { this.size.disconnect(); this.ends.forEach(end => end()); }
  componentDidUpdate() { this.light(hovered()); }

  light(id) {
    if (!this.box) return;
    this.box.classList.toggle('hov', id !== null);
    this.box.querySelectorAll('.on').forEach(element => element.classList.remove('on'));
    if (id !== null) this.box.querySelectorAll(`[data-run="${CSS.escape(id)}"]`).forEach(element => element.classList.add('on'));
  }

  /** The axes of the address in their order, else those at first. */
  axisNames() {
    const { axes } = axesAndBrushes();
    return axes.length ? axes : firstAxes();
  }

  async fetch() {
    const names = this.axisNames();
    const color = M.sortedMetric ? M.columns.find(column => column.kind === 'metrics' && column.key === M.sortedMetric)?.name : null;
    const columns = [...new Set([...names, ...(color ? [color] : [])])];
    const asked = JSON.stringify([scope(), S.q, columns, M.stamp, S.s]);
    if (!columns.length || asked === this.asked || !M.isLoaded) return;
    this.asked = asked;
    this.stamp = M.stamp;
    try {
      const answer = await ask('api/runs', { experiments: scope(), filter: S.q, order: M.order, columns, offset: 0, limit: MOST, stage: S.y, group: null, picks: [], shown: 0 });
      if (this.asked !== asked) return;
      const at = new Map(answer.columns.map((column, i) => [column.name, i]));
      const block = answer.rows;
      const rows = block.ref.map((ref, i) => ({ ref, short: block.id[i].slice(0, Math.max(6, M.idLength)), id: block.id[i], name: block.name[i] || block.id[i].slice(0, 8), rank: block.rank[i] || 0, cells: new Map(answer.columns.map(column => [column.name, unfold(block.values[at.get(column.name)][i])])) }));
      this.setState({ rows, columns: answer.columns, total: answer.matched, error: null, color });
    } catch (error) {
      this.setState({ error });
    }
  }

  /** What each axis looks like, and which rows lie inside the brushes. */
  work() {
    const { rows, columns } = this.state;
    const { brushes } = axesAndBrushes();
    const names = this.axisNames().filter(name => columns.some(column => column.name === name));
    const axes = names.map(name => makeAxis(columns.find(column => column.name === name), rows.map(row => row.cells.get(name))));
    for (const axis of axes) {
      if (axis.texts) places.set(axis.name, axis.texts);
      else places.delete(axis.name);
    }
    const isIn = row => [...brushes].every(([name, [low, high]]) => { const value = valueOf(name, row.cells.get(name)); return value >= low && value <= high; });
    return { axes, brushes, hits: new Set(rows.filter(isIn)) };
  }

  brush = (name, range) => {
    const { brushes } = axesAndBrushes();
    if (range) brushes.set(name, range);
    else brushes.delete(name);
    setAxes(this.axisNames(), brushes);
  };

  move = (name, to) => {
    const names = this.axisNames().filter(each => each !== name);
    names.splice(to, 0, name);
    setAxes(names, axesAndBrushes().brushes, true);
  };

  /** Make a filter of the brushes. */
  keep = () => {
    const { brushes } = axesAndBrushes();
    const left = [];
    const parts = [...brushes].map(([name, [low, high]]) => {
      const texts = places.get(name);
      if (!texts) {
        const [least, most] = outward([low, high]);
        return `${name} >= ${least} and ${name} <= ${most}`;
      }
      const truths = new Set(this.state.rows.map(row => row.cells.get(name)).filter(value => typeof value === 'boolean').map(String));
      const chosen = [...texts].filter(([, at]) => at >= low && at <= high).flatMap(([text]) => (truths.has(text) ? [TRUTHS[text], text] : [text]));
      left.push(...chosen.filter(text => quoted(text) === null));
      return `${name} in (${chosen.map(quoted).filter(Boolean).join(', ') || "''"})`;
    });
    go({ q: alsoWith(S.q, parts), a: '' });
    if (left.length) say('No filter can name, so left out:', left.join(', '));
  };

  render(_, { width, rows, error, total, color }) {
    const parts = rows && rows.length && this.work();
    return html`<div class="expl" ref=${e => { this.box = e; }}>
      ${error && html`<p class="brk">${error.message}</p>`}
      ${parts && width > 0 && html`<${Parallel} width=${width} rows=${rows} total=${total} ...${parts} color=${color} onBrush=${this.brush} onMove=${this.move} onKeep=${this.keep} onClear=${() => setAxes([], new Map())}/>
        <div class="two-up"><${Scatter} rows=${rows} ...${parts} x=${widest(parts.axes)} y=${parts.axes.length - 1}/><${Scatter} rows=${rows} ...${parts} x=${Math.max(0, parts.axes.length - 2)} y=${parts.axes.length - 1}/></div>`}
      ${rows && !rows.length && html`<div class="empty"><h2>No runs to explore</h2></div>`}</div>`;
  }
}
