// How is one chart drawn? uPlot has the axes, the cursor and the zoom; the lines come straight from the series; hovering redraws nothing.
import { uPlot } from './uplot.js';
import { S, go } from './address.js';
import { theme } from './theme.js';
import { colorOf } from './colors.js';
import { busy, hovered } from './hover.js';
import { seriesOf } from './series.js';
import { smooth } from './smooth.js';
import { frameOf, looksLog } from './frame.js';
import { mapping, strokeLine, trace, fillBand } from './strokes.js';
import { drawBest, drawMarks } from './marks.js';
import { axisOfX, axisOfY } from './axes.js';
import { tick } from './format.js';

const FEW = 8; // runs whose raw lines stand behind the smoothed ones
export const plots = new Set();
const auto = new Map(); // metric -> whether it looks log; kept, so that a chart does not change its axis while it grows
/** What a frame goes by: a line, or of a group both edges of its band. */
const edges = line => (line.counts ? [{ x: line.x, y: line.low }, { x: line.x, y: line.high }] : [line]);

/** How wide the y axis is, in px: as all charts have it, or as its longest label needs. */
const widthOfLabels = (u, labels) => Math.max(42, 8 + 6.6 * Math.max(0, ...(labels || []).map(label => label.length)));

export class Plot {
  /**
   * @param {HTMLElement} box where it is drawn
   * @param {{metric: string, goal: ?string, onDraw: function(Plot): void}} about
   */
  constructor(box, about) {
    Object.assign(this, { box, ...about, lines: [], yRange: [0, 1], xRange: [0, 1], isLog: false, height: 196 });
    plots.add(this);
  }

  destroy() {
    plots.delete(this);
    this.u?.destroy();
    this.u = null;
  }

  /** Draw these items anew, the best of them first. */
  set(items, height) {
    this.items = items;
    this.height = height || this.height;
    const { xRange, yRange, isClipped, isEmpty } = this;
    this.measure();
    const view = [S.x, S.z, S.m, S.l, S.u, ...this.lines.map(line => line.item.ref)].join();
    this.isHeld = busy.chart && view === this.view && !isEmpty && !this.isEmpty;
    if (this.isHeld) Object.assign(this, { xRange, yRange, isClipped }); // what runs on does not move the chart under the pointer
    this.view = view;
    const made = [this.isLog, S.x, theme.version].join();
    if (this.made !== made || !this.u) this.make(made);
    else this.refresh();
    this.onDraw(this);
  }

  /** Work out lines, frame and axis from what is known of the series. */
  measure() {
    const zoom = S.z ? S.z.split(',').map(Number) : null;
    const known = [...this.items].reverse().map(item => ({ item, series: seriesOf(item, this.metric) })).filter(each => each.series?.x.length);
    const ends = known.flatMap(({ series }) => [series.x[0], series.x[series.x.length - 1]]);
    let [from, to] = zoom || (ends.length ? [Math.min(...ends), Math.max(...ends)] : [0, 1]);
    if (from === to) [from, to] = [from - 1, to + 1];
    this.xRange = [from, to];
    const tau = ((to - from) * Number(S.m)) / 100;
    this.isSmoothed = tau > 0;
    this.lines = known.map(({ item, series }) => {
      const source = tau && series.means && !series.counts ? series.means : series;
      const line = { item, series, color: colorOf(item), dash: item.dash, x: source.x, y: smooth(source.x, source.y, tau, source.weights), counts: series.counts, members: series.members };
      if (S.x.startsWith('metrics.') && Number.isFinite(series.end?.x)) line.end = series.end; // elsewhere the newest row is the one furthest to the right
      if (series.counts) Object.assign(line, { low: smooth(series.x, series.low, tau), high: smooth(series.x, series.high, tau) });
      return line;
    });
    const raws = this.lines.map(line => line.series);
    if (!auto.has(this.metric) && this.lines.length) auto.set(this.metric, looksLog(raws, this.goal, this.metric));
    const isFlipped = S.l && S.l.split(',').map(decodeURIComponent).includes(this.metric);
    this.isLog = Boolean(auto.get(this.metric)) !== Boolean(isFlipped);
    const how = { isLog: this.isLog, isClipped: !S.u, goal: this.goal, xRange: this.xRange, isZoomed: Boolean(zoom), raws: raws.flatMap(edges) };
    const frame = frameOf(this.lines.flatMap(edges), how);
    this.isEmpty = !frame;
    this.yRange = frame?.range || (this.isLog ? [1, 10] : [0, 1]);
    this.isClipped = Boolean(frame?.isClipped);
  }

  make(made) {
    this.made = made;
    this.u?.destroy();
    this.box.querySelector('.uplot')?.remove();
    const font = `11px ${theme.font}`;
    const grid = { stroke: theme.grid, width: 1 };
    const all = { filter: (u, ticks) => ticks };
    const nothing = () => ({ stroke: new Path2D(), fill: null, clip: null, flags: 0 });
    this.u = new uPlot({
      width: this.box.clientWidth || 300, height: this.height, padding: [8, 22, 0, 0], legend: { show: false },
      cursor: {
        y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 5 },
        bind: { dblclick: () => () => { go({ z: '' }); return null; } },
      },
      scales: { x: { time: false, range: () => this.xRange }, y: { distr: this.isLog ? 3 : 1, range: () => this.yRange } },
      axes: [
        { font, stroke: theme.axis, size: 24, gap: 3, grid: { show: false }, ticks: { stroke: theme['line-strong'], size: 3, width: 1 }, ...this.axis() },
        {
          font, stroke: theme.axis, size: widthOfLabels, gap: 5, grid: { ...grid, ...all }, ticks: { show: false }, ...axisOfY(this), ...all,
          values: (u, ticks) => ticks.map(at => (this.isEmpty ? '' : tick(at))),
        },
      ],
      series: [{}, { stroke: 'transparent', width: 0, points: { show: false }, paths: nothing }],
      hooks: { draw: [u => this.draw(u)], setSelect: [u => this.zoom(u)] },
    }, this.data(), this.box);
    this.veil = document.createElement('canvas');
    this.veil.className = 'veil';
    this.u.ctx.canvas.after(this.veil);
    this.onMake?.(this.u);
  }

  /** The x axis; without labels while there is nothing to label. */
  axis() {
    const axis = axisOfX(S.x);
    const { values } = axis;
    return { ...axis, values: (u, ticks, ...how) => (this.isEmpty ? ticks.map(() => '') : values(u, ticks, ...how)) };
  }

  data() {
    return [[...this.xRange], [...this.yRange]];
  }

  refresh() {
    const width = this.box.clientWidth;
    if (width && (Math.abs(this.u.width - width) > 1 || this.u.height !== this.height)) this.u.setSize({ width, height: this.height });
    this.u.setData(this.data(), true);
    if (this.crossing !== undefined) this.u.setCursor({ left: this.u.valToPos(this.crossing, 'x'), top: 0 }, false);
  }

  zoom(u) {
    const { left, width } = u.select;
    if (width < 3) return;
    const ends = [u.posToVal(left, 'x'), u.posToVal(left + width, 'x')].map(at => (S.x === 'step' ? Math.round(at) : Number(at.toPrecision(8))));
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (ends[1] > ends[0]) go({ z: ends.join(',') }, true);
  }

  /** The lines, and the signs of what lines cannot show. The worst comes first, so that the best lies on top. */
  draw(u) {
    const { ctx, bbox } = u;
    const d = devicePixelRatio;
    const map = mapping(u);
    const last = this.lines.length - 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 2 * d, bbox.top - d, bbox.width + 4 * d, bbox.height + 2 * d);
    ctx.clip();
    if (this.isSmoothed && this.lines.length <= FEW) for (const line of this.lines) if (!line.counts) this.drawRaw(ctx, u, map, line, 0.28);
    for (const [n, line] of this.lines.entries()) {
      ctx.strokeStyle = ctx.fillStyle = line.color;
      if (line.counts) {
        ctx.globalAlpha = 0.14;
        fillBand(ctx, u, map, line.x, line.low, line.high);
        ctx.globalAlpha = 1;
      }
      strokeLine(ctx, u, map, line, n === last ? 2 : line.counts ? 1.6 : 1.25);
    }
    ctx.restore();
    ctx.save();
    for (const line of this.lines) {
      const isRunning = line.item.status === 'RUNNING';
      const firstNan = line.counts ? null : line.series.firstNan;
      drawMarks(u, line, { color: line.color, background: theme.bg, firstNan, isClipped: this.isClipped && !line.counts, isRunning });
    }
    const best = this.lines[last];
    if (best && this.goal && !best.counts && !this.isLog) drawBest(u, this.goal === 'min' ? best.series.min : best.series.max, best.color, theme.bg);
    ctx.restore();
    this.paint(hovered()); // here the canvas has its size: uPlot sets it when it draws
  }

  drawRaw(ctx, u, map, line, alpha) {
    ctx.globalAlpha = alpha;
    ctx.strokeStyle = line.color;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    trace(ctx, u, map, line.series.x, line.series.y);
    ctx.stroke();
    ctx.globalAlpha = 1;
  }

  /** Veil all lines but that of one run or group, on the canvas above; all of them where it has no values of this metric. */
  paint(id) {
    const { u, veil } = this;
    if (!u || !veil) return;
    if (veil.width !== u.ctx.canvas.width || veil.height !== u.ctx.canvas.height) Object.assign(veil, { width: u.ctx.canvas.width, height: u.ctx.canvas.height });
    const ctx = veil.getContext('2d');
    if (this.isVeiled) ctx.clearRect(0, 0, veil.width, veil.height);
    const line = id === null ? null : this.lineOf(id);
    this.isVeiled = Boolean(line) || this.lacks(id);
    if (!this.isVeiled) return;
    const { left, top, width, height } = u.bbox;
    const d = devicePixelRatio;
    const map = mapping(u);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left - 5 * d, top - 5 * d, width + 10 * d, height + 10 * d);
    ctx.clip();
    ctx.globalAlpha = 0.84;
    ctx.fillStyle = theme.bg;
    ctx.fillRect(left - 5 * d, top - 5 * d, width + 10 * d, height + 5 * d);
    if (line) this.paintLine(ctx, u, map, line);
    ctx.restore();
  }

  paintLine(ctx, u, map, line) {
    const { left, top, width, height } = u.bbox;
    const d = devicePixelRatio;
    ctx.beginPath();
    ctx.rect(left - 2 * d, top - d, width + 4 * d, height + 2 * d);
    ctx.clip();
    ctx.strokeStyle = ctx.fillStyle = line.color;
    if (line.counts) this.paintGroup(ctx, u, map, line);
    else if (this.isSmoothed) this.drawRaw(ctx, u, map, line, 0.32);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = line.color;
    strokeLine(ctx, u, map, line, 2.25);
  }

  /** A group's band, with its members as thin lines in it. */
  paintGroup(ctx, u, map, line) {
    ctx.globalAlpha = 0.16;
    fillBand(ctx, u, map, line.x, line.low, line.high);
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = devicePixelRatio;
    const tau = ((this.xRange[1] - this.xRange[0]) * Number(S.m)) / 100;
    for (const ref of line.item.runs) {
      const series = seriesOf({ ref }, this.metric);
      if (!series?.x.length) continue;
      const source = tau && series.means ? series.means : series;
      ctx.beginPath();
      trace(ctx, u, map, source.x, smooth(source.x, source.y, tau, source.weights));
      ctx.stroke();
    }
  }

  /** Whether a run or group is among those in the charts, but has no line in this one. */
  lacks(id) {
    return id !== null && Boolean(this.items?.some(item => item.ref === id || item.runs?.includes(id))) && !this.lineOf(id);
  }

  /** The line of a run, a group, or the group that a run belongs to. */
  lineOf(id) {
    return this.lines.find(line => line.item.ref === id) || this.lines.find(line => line.item.runs?.includes(id)) || null;
  }
}
