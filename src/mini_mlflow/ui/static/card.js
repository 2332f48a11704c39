// One chart in its frame: title, best value, tools; drawn when it comes into view.
import { html, Component } from './vendor/preact.js';
import { S, go, toggled } from './address.js';
import { isReport } from './boot.js';
import { M } from './model.js';
import { Plot } from './plot.js';
import { leave, listen, moveCursor, textOf } from './pointing.js';
import { want, watchSeries, seriesOf } from './series.js';
import { watchTheme } from './theme.js';
import { busy, hovered, watchHover, whenCalm } from './hover.js';
import { num } from './format.js';
import { Icon, Key } from './parts.js';
import { Menu, Action } from './menu.js';
import { savePng, saveCsv } from './saving.js';

/** Charts to draw, one after the other with a frame between, so that the page answers meanwhile. */
const queue = new Set();
let running = false;
function drawSoon(card) {
  queue.add(card);
  if (running) return;
  running = true;
  requestAnimationFrame(function next() {
    const until = performance.now() + 12;
    for (const each of [...queue].sort((a, b) => b.isKnown() - a.isKnown())) {
      queue.delete(each);
      each.draw();
      if (performance.now() > until) break;
    }
    if (queue.size) requestAnimationFrame(next);
    else running = false;
  });
}

/** Metrics that visible cards wait for, asked for together: one request per section. */
const wishes = new Map();
function wish(section, card) {
  if (!wishes.size) setTimeout(grant, 0);
  if (!wishes.has(section)) wishes.set(section, { items: card.props.items, metrics: new Set(), width: 0 });
  const entry = wishes.get(section);
  entry.items = card.props.items;
  entry.metrics.add(card.props.metric);
  entry.width = Math.max(entry.width, card.box.clientWidth);
}
function grant() {
  const all = [...wishes.values()];
  wishes.clear();
  for (const { items, metrics, width } of all) want(items, [...metrics], width);
}

/** The best value of a metric in a line, with its word: "min 0.2841". */
export function bestText(metric, goal, item, series) {
  if (item.stats) {
    const at = M.columns.findIndex(column => column.kind === 'metrics' && column.key === metric);
    return at >= 0 && Number.isFinite(item.stats[at]?.mean) ? `${M.columns[at].function || 'last'} ${num(item.stats[at].mean)}` : lastOf(series);
  }
  if (series.last && !Number.isFinite(series.last.value)) return `last ${num(series.last.value)}`; // what has diverged is not told by its best
  const best = goal === 'min' ? series.min : goal === 'max' ? series.max : series.last;
  return best ? `${goal || 'last'} ${num(best.value)}` : '';
}
function lastOf(series) {
  for (let i = series.y.length - 1; i >= 0; i -= 1) if (Number.isFinite(series.y[i])) return `last ${num(series.y[i])}`;
  return '';
}

export class Card extends Component {
  componentDidMount() {
    const { metric, goal } = this.props;
    this.plot = new Plot(this.box, { metric, goal, onDraw: (plot, id) => this.readOut(id), onMake: u => listen(this.plot, u) });
    this.ends = [watchSeries(metric, () => this.isVisible && drawSoon(this))];
    this.eye = new IntersectionObserver(entries => {
      this.isVisible = entries[entries.length - 1].isIntersecting;
      if (this.isVisible) this.ask();
    }, { rootMargin: '120px' });
    this.eye.observe(this.figure);
    this.size = new ResizeObserver(() => { if (this.isVisible && this.plot.u && Math.abs(this.plot.u.width - this.box.clientWidth) > 1) this.ask(); });
    this.size.observe(this.box);
    cards.add(this);
  }

  componentDidUpdate(before) {
    if (before.sig !== this.props.sig || before.height !== this.props.height) {
      if (this.isVisible) this.ask();
      else this.isStale = true;
    }
  }

  componentWillUnmount() {
    this.ends.forEach(end => end());
    this.eye.disconnect();
    this.size.disconnect();
    queue.delete(this);
    cards.delete(this);
    if (steered === this) steered = null;
    this.plot.destroy();
  }

  /** Whether there is a curve to draw; a frame without any can wait. */
  isKnown() { return this.props.items.some(item => seriesOf(item, this.props.metric)); }

  /** Ask for what is missing, and draw what is there. */
  ask() {
    wish(this.props.section, this);
    drawSoon(this);
  }

  draw() {
    if (!this.box.clientWidth) return;
    const { items, height, metric } = this.props;
    const known = items.filter(item => seriesOf(item, metric));
    this.plot.goal = this.props.goal;
    this.plot.set(items, height);
    this.nothing.hidden = !(known.length && this.plot.isEmpty);
    this.nothing.textContent = known.some(item => seriesOf(item, metric).x.length) ? 'No values in this range' : 'No values in these runs';
    this.log.hidden = !this.plot.isLog;
    this.figure.classList.toggle('drawn', !this.plot.isEmpty);
  }

  /** The head of the card: the best run's best value, or the hovered one's, where it has one. */
  readOut(id = hovered()) {
    const { plot } = this;
    const line = plot.lacks(id) ? null : (id !== null && plot.lineOf(id)) || plot.lines[plot.lines.length - 1];
    const text = line ? bestText(plot.metric, plot.goal, line.item, line.series) : '';
    this.dot.style.background = line?.color || '';
    this.dot.hidden = !text;
    this.value.textContent = text;
    this.out.classList.toggle('on', id !== null && Boolean(plot.lineOf(id)));
    this.box.setAttribute('aria-label', textOf(plot, text));
  }

  keys = event => {
    if (event.key.startsWith('Arrow')) {
      steered = this;
      moveCursor(this.plot, event);
    } else if (event.key === 'Escape' && this.plot.at !== undefined) { leave(); this.plot.at = undefined; event.stopPropagation(); }
  };

  render({ metric, height, title }) {
    const isFull = S.f === metric;
    return html`<figure class="card" data-metric=${metric} ref=${e => { this.figure = e; }}><figcaption><b class="say">${title || html`<${Key} k=${metric}/>`}</b><em class="flag" hidden title="Logarithmic y axis" ref=${e => { this.log = e; }}>log</em>
      <span class="acts"><button type="button" title="Logarithmic y axis (l)" onClick=${() => flipLog(metric)}>log</button>
        ${isReport ? html`<button type="button" title="Save as PNG" aria-label="Save as PNG" onClick=${() => savePng(this.plot)}><${Icon} n="save"/></button>` : html`<${Menu} label="Save chart" button=${({ toggle }) => html`<button type="button" title="Save as PNG or CSV" aria-label="Save as PNG or CSV" onClick=${toggle}><${Icon} n="save"/></button>`}>
          ${close => html`<${Action} name="Picture (PNG)" onClick=${() => { close(); savePng(this.plot); }}/><${Action} name="Values (CSV)" onClick=${() => { close(); saveCsv(this.plot); }}/>`}<//>`}
        <button type="button" title=${isFull ? 'Leave full screen (f)' : 'Full screen (f)'} aria-label="Full screen" aria-pressed=${isFull} onClick=${() => go({ f: isFull ? '' : metric })}><${Icon} n="full"/></button>
        <span class="touch"><${Menu} label="Chart of ${metric}" button=${({ toggle }) => html`<button type="button" aria-label="More for the chart of ${metric}" onClick=${toggle}><${Icon} n="more"/></button>`}>
          ${close => html`<${Action} name=${this.plot.isLog ? 'Linear y axis' : 'Logarithmic y axis'} onClick=${() => { close(); flipLog(metric); }}/><${Action} name="Save as picture (PNG)" onClick=${() => { close(); savePng(this.plot); }}/>
            ${!isReport && html`<${Action} name="Save values (CSV)" onClick=${() => { close(); saveCsv(this.plot); }}/>`}<${Action} name=${isFull ? 'Leave full screen' : 'Full screen'} onClick=${() => { close(); go({ f: isFull ? '' : metric }); }}/>`}<//></span></span>
      <span class="out" ref=${e => { this.out = e; }}><i class="dot" hidden ref=${e => { this.dot = e; }}></i><span ref=${e => { this.value = e; }}></span></span></figcaption>
      <div class="plot inset" role="img" tabindex="0" aria-label="Chart of ${metric}" style=${{ height: `${height}px` }} onKeyDown=${this.keys} onBlur=${() => { if (this.plot?.at !== undefined) { leave(); this.plot.at = undefined; } }} ref=${e => { this.box = e; }}><div class="nothing" hidden ref=${e => { this.nothing = e; }}></div></div></figure>`;
  }
}

const cards = new Set();
/** The cards that can be seen: what live updates are asked for. */
export const visibleCards = () => [...cards].filter(card => card.isVisible);
/** The members of a group that is hovered stand in its band: their curves are asked for when the pointer rests there. */
let resting = 0;
watchHover(id => {
  clearTimeout(resting);
  const group = id !== null && M.groups?.find(each => each.ref === id);
  if (!group) return;
  resting = setTimeout(() => {
    const seen = visibleCards();
    if (seen.length) want(group.runs.slice(0, 50).map(ref => ({ ref })), seen.map(card => card.props.metric), Math.max(...seen.map(card => card.box.clientWidth)));
  }, 150);
});

watchTheme(() => cards.forEach(card => { if (card.isVisible) drawSoon(card); }));

/** Turn a chart's y axis from linear to logarithmic, or back. */
export const flipLog = metric => go({ l: toggled('l', metric) });
let steered = null; // the chart whose cursor keys move
addEventListener('mousemove', () => { steered = null; });
/** The chart whose cursor keys move, until the pointer moves again; else the one under the pointer, else the one with the focus. */
export const currentCard = () => steered || [':hover', ':focus-within'].map(how => [...cards].find(card => card.figure.matches(how))).find(Boolean) || null;
whenCalm(() => { if (!busy.chart) for (const card of cards) if (card.plot.isHeld) drawSoon(card); });
