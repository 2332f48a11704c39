// One value against another, a dot per run; hollow where it lies outside of the brushes.
import { html, Component } from './vendor/preact.js';
import { go } from './address.js';
import { hover } from './hover.js';
import { cssColor } from './colors.js';
import { Icon } from './parts.js';
import { Menu, Option } from './menu.js';

const HEIGHT = 356;
const LEFT = 48;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 34;

export class Scatter extends Component {
  state = { x: null, y: null, width: 0 };
  componentDidMount() { this.size = new ResizeObserver(([entry]) => this.setState({ width: entry.contentRect.width })); this.size.observe(this.box); }
  componentWillUnmount() { this.size.disconnect(); }

  pick(which, axis) {
    const { axes } = this.props;
    return html`<${Menu} label="Axis" button=${({ toggle }) => html`<button type="button" class="pick" aria-label="${which === 'y' ? 'Upwards' : 'Across'}: ${axis.key}" onClick=${toggle}><span class="say">${axis.key}</span><${Icon} n="down" s=11/></button>`}>
      ${close => axes.map(each => html`<${Option} type="radio" on=${each === axis} name=${each.key} note=${each.isLog ? 'log' : ''} onChange=${() => { close(); this.setState({ [which]: each.name }); }}/>`)}<//>`;
  }

  render({ axes, rows, hits, x, y, brushes }, state) {
    const { width } = state;
    const across = axes.find(axis => axis.name === state.x) || axes[x];
    const up = axes.find(axis => axis.name === state.y) || axes[y];
    // Here up is up: an axis that parallel coordinates turn is turned back.
    const plain = (axis, part) => (axis.isTurned ? 1 - part : part);
    const px = part => LEFT + 10 + plain(across, part) * (width - LEFT - RIGHT - 20);
    const py = part => HEIGHT - BOTTOM - 8 - plain(up, part) * (HEIGHT - BOTTOM - TOP - 16);
    const seen = new Map();
    const points = rows.map(row => {
      const [a, b] = [across.at(row.cells.get(across.name)), up.at(row.cells.get(up.name))];
      if (Number.isNaN(a) || Number.isNaN(b)) return null;
      const same = seen.get(a) || 0; // equal x are set apart by a few px
      seen.set(a, same + 1);
      const apart = across.isFew && !across.isMetric ? (((same * 7) % 11) - 5) * 1.2 : 0;
      return { row, x: px(a) + apart, y: py(b) };
    }).filter(Boolean).sort((a, b) => hits.has(a.row) - hits.has(b.row));
    const step = Math.ceil((across.ticks.length * 44) / Math.max(1, width - LEFT - RIGHT));
    return html`<figure class="card" ref=${e => { this.box = e; }}><figcaption><b>${this.pick('y', up)} <span class="pre">against</span> ${this.pick('x', across)}</b>${across.isLog && html`<em class="flag">log x</em>`}<span class="out on">${brushes.size ? `${hits.size} of ${rows.length}` : `${points.length} of ${rows.length}`}</span></figcaption>
      ${width > 0 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label="${up.key} against ${across.key}, ${points.length} runs">
        ${up.ticks.map(({ value, text }) => html`<g><line class="gl" x1=${LEFT} x2=${width - RIGHT} y1=${py(up.position(value))} y2=${py(up.position(value))}/><text class="tk" x=${LEFT - 6} y=${py(up.position(value)) + 4} text-anchor="end">${text}</text></g>`)}
        ${across.ticks.filter((_, i) => i % step === 0).map(({ value, text }) => html`<text class="tk" x=${px(across.position(value))} y=${HEIGHT - 12} text-anchor="middle">${text}</text>`)}
        ${points.map(point => html`<circle key=${point.row.ref} data-run=${point.row.ref} class="pt ${hits.has(point.row) ? '' : 'out-side'}" cx=${point.x} cy=${point.y} r="4.5" style=${{ '--c': cssColor(point.row) }} onMouseEnter=${() => hover(point.row.ref)} onMouseLeave=${() => hover(null)} onClick=${() => go({ r: point.row.short })}><title>${point.row.name}</title></circle>`)}</svg>`}</figure>`;
  }
}
