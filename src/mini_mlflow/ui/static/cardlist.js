// The runs of a narrow page: two lines each, big enough for a thumb.
import { html, Component } from './vendor/preact.js';
import { S, go } from './address.js';
import { M, isShown, load, need } from './model.js';
import { hover, setBusy } from './hover.js';
import { Mark, Swatch } from './parts.js';
import { tableColumns, textOf } from './columns.js';
import { toggleSelected, toggleShown } from './rowactions.js';
import { groupCell, selection } from './rows.js';
import { logged, prefixEnd } from './format.js';

const HEIGHT = 52;

export class CardList extends Component {
  state = { top: 0, room: 700 };
  componentDidMount() { this.size = new ResizeObserver(() => this.setState({ room: this.box.clientHeight })); this.size.observe(this.box); }
  componentWillUnmount() { this.size.disconnect(); setBusy('table', false); }

  /** What a line says of a run: settings that vary, and the first two metrics. */
  words(columns, texts) {
    const params = columns.map((column, i) => [column, texts[i]]).filter(([column]) => column.kind === 'params').slice(0, 4);
    const metrics = columns.map((column, i) => [column, texts[i]]).filter(([column]) => column.kind === 'metrics').slice(0, 2);
    return { params, metrics };
  }

  run(row, words, selected) {
    const [first, second] = words.metrics;
    return html`<li key=${row.ref} data-id=${row.ref} class="${isShown(row) ? '' : 'dim'} ${selected.has(row.short) ? 'sel' : ''} ${S.r === row.short ? 'open' : ''}">
      <label class="tick"><input type="checkbox" checked=${selected.has(row.short)} aria-label="Select ${row.name}" onChange=${() => toggleSelected(row)}/></label>
      <${Swatch} item=${row} on=${isShown(row)} label=${row.name} onClick=${event => toggleShown(row, event.altKey)}/>
      <button type="button" class="main" onClick=${() => go({ r: row.short })} onFocus=${() => hover(row.ref)} onBlur=${() => hover(null)}><b class="say">${row.name}</b> <${Mark} s=${row.status}/><small class="say">${words.params.map(([column]) => `${column.key} ${logged(column.of(row))}`).join(' · ')}</small></button>
      <div class="r">${first && html`<b>${first[1](first[0].of(row))}</b>`}${second && html`<small>${second[0].key.slice(prefixEnd(second[0].key))} ${second[1](second[0].of(row))}</small>`}</div></li>`;
  }

  group(group, columns, texts) {
    const column = columns.find(each => each.kind === 'metrics');
    const isOpen = M.open.has(group.id);
    return html`<li key=${group.ref} data-id=${group.ref} class=${isShown(group) ? '' : 'dim'}><span class="tick"></span><${Swatch} item=${group} on=${isShown(group)} label=${group.label} onClick=${event => toggleShown(group, event.altKey)}/>
      <button type="button" class="main" aria-expanded=${isOpen} onClick=${() => { if (isOpen) M.open.delete(group.id); else M.open.add(group.id); load({ isLive: true }); this.setState({}); }}><b class="say">${group.label}</b><small>n=${group.n}</small></button>
      <div class="r one">${column && groupCell(group, column, texts[columns.indexOf(column)], false)}</div></li>`;
  }

  render(_, { top, room }) {
    const columns = tableColumns(false);
    const texts = columns.map(textOf);
    const words = this.words(columns, texts);
    const selected = selection();
    const flat = M.groups ? M.groups.flatMap(group => [{ group }, ...(M.open.has(group.id) ? M.rows.filter(row => row && group.runs.includes(row.ref)).map(row => ({ row })) : [])]) : null;
    const all = flat ? flat.length : M.matched;
    const from = Math.max(0, Math.floor(top / HEIGHT) - 6);
    const to = Math.min(all, Math.ceil((top + room) / HEIGHT) + 6);
    if (!flat) need(from, to);
    const lines = [];
    for (let i = from; i < to; i += 1) {
      const { group, row } = flat ? flat[i] : { row: M.rows[i] };
      lines.push(group ? this.group(group, columns, texts) : row ? this.run(row, words, selected) : html`<li key=${i}></li>`);
    }
    return html`<ul class="cardlist" aria-label="Runs" ref=${e => { this.box = e; }} onScroll=${() => { if (Math.abs(this.box.scrollTop - top) > HEIGHT) this.setState({ top: this.box.scrollTop }); }}>
      ${from > 0 && html`<li key="above" aria-hidden="true" style=${{ height: `${from * HEIGHT}px` }}></li>`}${lines}${to < all && html`<li key="below" aria-hidden="true" style=${{ height: `${(all - to) * HEIGHT}px` }}></li>`}
      ${M.isLoaded && !all && !M.pending && html`<li>${S.y === 'deleted' ? 'No deleted runs' : S.q ? 'No run matches' : 'No runs in this experiment yet'}</li>`}</ul>`;
  }
}
