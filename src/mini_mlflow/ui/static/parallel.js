// Parallel coordinates: a line per run through all axes; a drag on an axis brushes, a drag of its title moves it.
import { html, Component } from './vendor/preact.js';
import { hover } from './hover.js';
import { go } from './address.js';
import { isReport } from './boot.js';
import { goodness } from './scaling.js';
import { prefixEnd } from './format.js';

const HEIGHT = 362;
const TOP = 34;
const BOTTOM = 22;
const SIDE = 50;
const APART = 68; // px between two axes at least; where there is less room the chart is scrolled
const mix = part => `color-mix(in oklab, var(--seq-1) ${Math.round(part * 100)}%, var(--seq-0))`;

/** How strong each line is: of many each a little, so that what most have in common stands out and no wall hides the rest. */
const weight = many => ({ '--o': Math.min(0.95, Math.sqrt(40 / Math.max(1, many))).toFixed(2), '--w': many > 100 ? 1.1 : 1.6 });

export class Parallel extends Component {
  state = { drag: null, moved: null };

  y = (axis, value) => HEIGHT - BOTTOM - axis.position(value) * (HEIGHT - TOP - BOTTOM);
  across = () => Math.max(this.props.width - 24, 2 * SIDE + APART * (this.props.axes.length - 1));
  x = i => SIDE + (this.props.axes.length > 1 ? (i * (this.across() - 2 * SIDE)) / (this.props.axes.length - 1) : 0);
  at = (axis, y) => axis.back(Math.max(0, Math.min(1, (HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM))));

  start = (axis, event) => {
    const box = this.svg.getBoundingClientRect();
    const from = event.clientY - box.top;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.drag = { axis, from };
    event.preventDefault();
  };

  drive = event => {
    if (!this.drag) return;
    const y = event.clientY - this.svg.getBoundingClientRect().top;
    const { axis, from } = this.drag;
    if (Math.abs(y - from) < 3 && !this.drag.isMoved) return;
    this.drag.isMoved = true;
    const ends = [this.at(axis, from), this.at(axis, y)].sort((a, b) => a - b);
    this.props.onBrush(axis.name, axis.texts ? [Math.ceil(ends[0] - 0.3), Math.floor(ends[1] + 0.3)] : ends);
  };

  stop = () => {
    if (this.drag && !this.drag.isMoved) this.props.onBrush(this.drag.axis.name, null);
    this.drag = null;
  };

  grab = (i, event) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    this.grabbed = i;
  };

  drop = (axis, event) => {
    if (this.grabbed === undefined) return;
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const to = Math.max(0, Math.min(this.props.axes.length - 1, Math.round((x - this.x(0)) / Math.max(1, this.x(1) - this.x(0)))));
    if (to !== this.grabbed) this.props.onMove(axis.name, to);
    this.grabbed = undefined;
  };

  /** Axes answer to keys too: up and down move a brush, Backspace takes it away, left and right move the axis. */
  keys = (axis, i, event) => {
    const { brushes, onBrush, onMove } = this.props;
    const [low, high] = brushes.get(axis.name) || [axis.low, axis.high];
    const step = (axis.high - axis.low) / 20;
    if (event.key === 'Backspace' || event.key === 'Delete') onBrush(axis.name, null);
    else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const isUp = (event.key === 'ArrowUp') !== axis.isTurned;
      if (event.shiftKey) onBrush(axis.name, [low, Math.max(low, high + (isUp ? step : -step))]);
      else onBrush(axis.name, [Math.min(high, low + (isUp ? step : -step)), high]);
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') onMove(axis.name, Math.max(0, i + (event.key === 'ArrowRight' ? 1 : -1)));
    else return;
    event.preventDefault();
  };

  path(row) {
    let text = '';
    let isDown = false;
    this.props.axes.forEach((axis, i) => {
      const part = axis.at(row.cells.get(axis.name));
      if (Number.isNaN(part)) { isDown = false; return; }
      const apart = axis.isFew && !axis.isMetric ? (((row.rank * 7) % 24) - 11.5) * 0.35 : 0;
      text += `${isDown ? 'L' : 'M'}${this.x(i).toFixed(1)} ${(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM) + apart).toFixed(1)}`;
      isDown = true;
    });
    return text;
  }

  render({ axes, rows, total, hits, brushes, color, onKeep, onClear }) {
    const colorAxis = axes.find(axis => axis.name === color);
    const good = row => goodness(colorAxis, row.cells.get(color));
    const order = [...rows].sort((a, b) => hits.has(a) - hits.has(b) || good(a) - good(b));
    const last = axes.length - 1;
    const room = axes.length > 1 ? this.x(1) - this.x(0) : 200;
    const fit = key => { const end = prefixEnd(key); const text = key.length * 7 > room && end ? key.slice(end) : key; const most = Math.max(4, Math.floor(room / 7)); return text.length > most ? `${text.slice(0, most - 1)}…` : text; };
    return html`<figure class="card pc"><figcaption><b>Parallel coordinates</b>${colorAxis && html`<span class="legend-key">worse<i></i>better <span class="pre say">${colorAxis.key}</span></span>`}<span class="grow"></span>
      ${brushes.size > 0 && html`<span class="bcount" role="status">${hits.size} of ${rows.length} inside</span>${!isReport && html`<button type="button" class="btn sm" onClick=${onKeep}>Keep as filter</button>`}<button type="button" class="btn sm ghost" onClick=${onClear}>Clear</button>`}${total > rows.length && html`<small>the first ${rows.length} of ${total}</small>`}</figcaption>
      <div class="sideways"><svg style=${weight(hits.size)} width=${this.across()} height=${HEIGHT} role="group" aria-label="Parallel coordinates of ${rows.length} runs" ref=${e => { this.svg = e; }} onPointerMove=${this.drive} onPointerUp=${this.stop}>
        ${order.map(row => html`<path key=${row.ref} data-run=${row.ref} class="pl ${hits.has(row) ? '' : 'out-side'}" style=${{ '--c': mix(good(row)) }} d=${this.path(row)} onMouseEnter=${() => hover(row.ref)} onMouseLeave=${() => hover(null)} onClick=${() => go({ r: row.short })}/>`)}
        ${axes.map((axis, i) => html`<g key=${axis.name}><line class="ax" x1=${this.x(i)} x2=${this.x(i)} y1=${TOP} y2=${HEIGHT - BOTTOM}/>
          <text class="an" x=${this.x(i)} y="14" text-anchor="middle" onPointerDown=${event => this.grab(i, event)} onPointerUp=${event => this.drop(axis, event)}><title>${axis.key}: drag to move</title>${fit(axis.key)}</text>
          ${(axis.isTurned || axis.isLog) && html`<text class="tk" x=${this.x(i)} y="26" text-anchor="middle">${axis.isTurned ? 'low is up' : 'log'}</text>`}
          ${axis.ticks.map(({ value, text }) => html`<line class="ax" x1=${this.x(i) - 3} x2=${this.x(i) + 3} y1=${this.y(axis, value)} y2=${this.y(axis, value)}/><text class="tk halo" x=${i === last ? this.x(i) + 9 : this.x(i) - 7} y=${this.y(axis, value) + 4} text-anchor=${i === last ? 'start' : 'end'}>${text}</text>`)}
          ${brushes.has(axis.name) && this.brushed(axis, i, brushes.get(axis.name))}
          <rect class="ax-hit" x=${this.x(i) - 10} y=${TOP - 6} width="20" height=${HEIGHT - TOP - BOTTOM + 12} tabindex="0" role="slider" aria-orientation="vertical" aria-label="${axis.key}: arrows brush from ${brushes.has(axis.name) ? 'the brush' : 'the ends'}, with Shift the upper end" aria-valuemin=${axis.low} aria-valuemax=${axis.high} aria-valuenow=${(brushes.get(axis.name) || [axis.low])[0]} onPointerDown=${event => this.start(axis, event)} onKeyDown=${event => this.keys(axis, i, event)}/></g>`)}
      </svg></div></figure>`;
  }

  brushed(axis, i, [low, high]) {
    const clamp = y => Math.max(TOP - 4, Math.min(HEIGHT - BOTTOM + 4, y));
    const ends = [clamp(this.y(axis, low) + (axis.texts ? 5 : 0)), clamp(this.y(axis, high) - (axis.texts ? 5 : 0))].sort((a, b) => a - b);
    const x = this.x(i);
    return html`<g class="brush"><rect x=${x - 7} y=${ends[0]} width="14" height=${Math.max(2, ends[1] - ends[0])} rx="2"/><line x1=${x - 7} x2=${x + 7} y1=${ends[0]} y2=${ends[0]}/><line x1=${x - 7} x2=${x + 7} y1=${ends[1]} y2=${ends[1]}/></g>`;
  }
}
