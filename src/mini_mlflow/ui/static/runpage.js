// One run on one page: params, metrics, where it comes from, files, what it printed.
import { html, Component } from './vendor/preact.js';
import { S, go, toggled } from './address.js';
import { M, findAll, need, now, isReadOnly, isShown, watchModel } from './model.js';
import { isReport } from './boot.js';
import { ask, unfold, whenBack } from './server.js';
import { ago, bothTimes, logged, num, span } from './format.js';
import { cssColor } from './colors.js';
import { Icon, Key, Mark, Swatch } from './parts.js';
import { copy, edit, Rename, renaming, restore, RowMenu, tag, TagField, toggleShown, watchEdits } from './rowactions.js';
import { Files, Console } from './files.js';
import { Provenance } from './provenance.js';
import { Menu } from './menu.js';

/** A curve as small as a word. */
export function Spark({ values, item, w = 112, h = 22 }) {
  const line = values.map(unfold);
  const known = line.filter(Number.isFinite).sort((a, b) => a - b);
  if (!known.length) return html`<svg class="spark" width=${w} height=${h}></svg>`;
  const [low, high] = [known[0], known[Math.floor((known.length - 1) * 0.97)]];
  let path = '';
  let isDown = false;
  line.forEach((value, i) => {
    if (!Number.isFinite(value)) { isDown = value === null || value === undefined ? isDown : false; return; }
    const x = line.length > 1 ? (i / (line.length - 1)) * (w - 6) + 3 : w / 2;
    const y = h - 3 - Math.min(1.1, high > low ? (value - low) / (high - low) : 0.5) * (h - 6);
    path += `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
  });
  return html`<svg class="spark" width=${w} height=${h} viewBox="0 0 ${w} ${h}" style=${{ color: cssColor(item) }} aria-hidden="true"><path d=${known.length === 1 ? `${path}h.01` : path} fill="none" stroke="currentColor" stroke-width=${known.length === 1 ? 4 : 1.4} stroke-linecap="round"/></svg>`;
}

/** A text that is edited in place; Ctrl+Enter or leaving it saves, Esc does not. */
class Note extends Component {
  state = { isEdited: false };
  finish(isKept) {
    if (!this.state.isEdited) return;
    const text = this.field.value;
    this.setState({ isEdited: false });
    if (isKept && text !== (this.props.text || '')) this.props.onSave(text);
  }
  render({ text, isFixed }, { isEdited }) {
    if (isEdited) return html`<textarea aria-label="Note" ref=${e => { if (e && this.field !== e) { this.field = e; e.value = text || ''; e.focus(); } }} onBlur=${() => this.finish(true)} onKeyDown=${event => {
      if (event.key === 'Escape') this.finish(false);
      if (event.key === 'Enter' && !event.shiftKey) { this.finish(true); event.preventDefault(); }
      event.stopPropagation();
    }}></textarea>`;
    return html`<p onDblClick=${() => !isFixed && this.setState({ isEdited: true })}>${text || ''}</p>${!isFixed && html`<button type="button" class="add" onClick=${() => this.setState({ isEdited: true })}>${text ? 'Edit note' : '+ note'}</button>`}`;
  }
}

export class RunPage extends Component {
  state = { run: null, error: null, isNamed: false };

  componentDidMount() {
    this.fetch();
    this.end = watchModel(() => { if (this.state.run && this.row()?.status !== this.state.run.status) this.fetch(); });
    this.endBack = whenBack(() => this.fetch());
    this.endEdits = watchEdits(refs => { if (refs.includes(this.props.item.ref)) this.fetch(); });
    renaming.open = () => this.setState({ isNamed: true });
    this.timer = setInterval(() => { if (!document.hidden && this.state.run?.status === 'RUNNING') this.fetch(); }, 4000);
  }
  componentDidUpdate(before) { if (before.item.ref !== this.props.item.ref) { this.setState({ run: null, error: null, isNamed: false }); this.fetch(); } }
  componentWillUnmount() { this.end(); this.endBack(); this.endEdits(); clearInterval(this.timer); renaming.open = null; }
  row() { return M.byRef.get(this.props.item.ref); }

  async fetch() {
    if (S.y === 'deleted') return; // of a run in the trash the server tells what the table has
    const { ref } = this.props.item;
    const turn = (this.turn = (this.turn || 0) + 1); // an answer from before a change does not come after it
    try {
      const run = await ask(`api/run?run=${encodeURIComponent(ref)}`);
      if (turn === this.turn) this.setState({ run, error: null });
    } catch (error) {
      if (turn === this.turn && !(error.code === 'lost' && this.state.run)) this.setState({ error });
    }
  }

  render({ item }, { run, error, isNamed }) {
    const isDeleted = S.y === 'deleted';
    const fixed = isReadOnly() || isDeleted || run?.is_writable === false;
    const name = item.name || run?.name;
    const status = item.status || run?.status;
    const step = item.step ?? null;
    const tags = Object.entries(run?.tags || item.tags || {});
    const close = () => go({ r: '' });
    return html`<article class="run" aria-label="Run ${name}">
      <header class="runhead"><${Swatch} item=${item} on=${isShown(item)} label=${name} onClick=${event => toggleShown(item, event.altKey)}/>
        ${isNamed ? html`<${Rename} row=${item} done=${() => this.setState({ isNamed: false })}/>` : html`<h1 class="say" title=${fixed ? name : 'Double click to rename (F2)'} onDblClick=${() => !fixed && this.setState({ isNamed: true })}><bdi>${name}</bdi></h1>`}
        <${Mark} s=${status} word/><span class="meta" title=${bothTimes(item.start)}>${span(item.duration)} · started ${ago(item.start, now())}${step === null ? '' : ` · step ${num(step)}`}</span><span class="grow"></span>
        <button type="button" class="id" title="Copy the id: ${item.id}" onClick=${() => copy(item.id)}>${item.id.slice(0, 8)}</button>
        ${!isDeleted && html`<button type="button" class="btn" onClick=${() => go({ d: toggled('d', item.short, true), v: 'compare', r: '' })}>Compare</button>`}<${RowMenu} row=${item} isButton onRename=${() => this.setState({ isNamed: true })}/>
        <button type="button" class="btn ghost" aria-label="Close (Esc)" title="Close (Esc)" onClick=${close}><${Icon} n="x"/></button></header>
      ${run?.provenance?.ended_by && html`<p class="fell ${status}">${run.provenance.ended_by}</p>`}
      <div class="note"><span class="tags">${tags.map(([key, value]) => html`<em class="tag"><span class="say">${value === '' || value === 'true' ? key : `${key} ${value}`}</span>${!fixed && html`<button type="button" aria-label="Remove tag ${key}" title="Remove" onClick=${() => edit(item, { delete_tags: [key] }, `Removed tag ${key} from`, { set_tags: { [key]: value } })}><${Icon} n="x" s=9/></button>`}</em>`)}
        ${!fixed && html`<${Menu} label="Add a tag" button=${({ toggle }) => html`<button type="button" class="add" onClick=${toggle}>+ tag</button>`}>${close => html`<${TagField} onDone=${text => { close(); if (text) tag([item], text); }}/>`}<//>`}</span>
        <${Note} text=${run?.note} isFixed=${fixed || !run} onSave=${text => edit(item, { note: text }, 'Changed note of', { note: run.note || '' })}/></div>
      ${isDeleted ? html`<div class="empty"><h2>This run is deleted</h2><p>All of it is shown again when it is restored.</p>${!isReadOnly() && html`<button type="button" class="btn" onClick=${() => restore([item])}>Restore</button>`}</div>` : error ? html`<div class="empty"><h2>${M.gone.has(item.ref) || error.code === 'not_found' ? 'This run is gone' : error.code === 'lost' ? 'This run is not loaded yet' : 'This run cannot be shown'}</h2><p>${error.message}</p></div>` : !run ? html`<div class="two"><section><h2>Params</h2></section><section><h2>Metrics</h2></section></div>` : html`<div class="two">
        <section><h2>Params <small>${run.params.length}</small></h2><dl class="kv">${run.params.map(param => html`<div class=${param.is_varying ? 'vary' : ''}><dt class="say" title=${param.key}>${param.key}</dt><dd class="say" title=${param.text ?? logged(param.value)}>${param.text ?? logged(param.value)}</dd></div>`)}</dl>${!run.params.length && html`<p class="dimt">None logged</p>`}</section>
        <section><h2>Metrics <small>${run.metrics.length}</small></h2>${run.metrics.length ? html`<table class="mini"><thead><tr><th>name</th><th><span class="vh">curve</span></th><th class="num">last</th><th class="num">best</th><th class="num">at step</th></tr></thead><tbody>${run.metrics.map(metric => html`<${MetricRow} key=${metric.key} metric=${metric} item=${item}/>`)}</tbody></table>` : html`<p class="dimt">None logged</p>`}</section>
        <${Provenance} run=${run} refOf=${item.ref}/>
        <section>${!isReport && html`<${Files} run=${run} refOf=${item.ref}/>`}<${Console} run=${run} refOf=${item.ref} isLive=${run.status === 'RUNNING'}/>${run.problems.length > 0 && html`<h3>Problems</h3><ul>${run.problems.map(problem => html`<li class="brk"><span><code>${problem.path}</code> ${problem.what}</span></li>`)}</ul>`}</section>
      </div>`}</article>`;
  }
}

function MetricRow({ metric, item }) {
  const { goal } = metric;
  const best = goal === 'min' ? metric.min : goal === 'max' ? metric.max : null;
  const step = goal === 'min' ? metric.min_step : metric.max_step;
  return html`<tr><td class="name"><${Key} k=${metric.key}/></td><td><${Spark} values=${metric.sparkline} item=${item}/></td><td class="num">${num(unfold(metric.last))}${metric.first_nan_step !== null && metric.first_nan_step !== undefined && html`<sup title="NaN from step ${num(metric.first_nan_step)}">NaN</sup>`}</td>
    <td class="num strong">${num(unfold(best))}</td><td class="num">${best === null ? '' : num(step)}</td></tr>`;
}

/** The runs from top to bottom: pinned ones first, and once; in groups those of the open ones. */
function shownRows() {
  if (M.groups) return M.groups.filter(group => M.open.has(group.id)).flatMap(group => M.rows.filter(row => row && (row.group === group.id || group.runs.includes(row.ref))));
  const pins = findAll('p');
  const pinned = new Set(pins.map(row => row.ref));
  const rows = Array.from({ length: Math.max(M.rows.length, M.isHeld ? 0 : M.matched) }, (_, i) => M.rows[i]);
  return [...pins, ...rows.filter(row => !row || !pinned.has(row.ref))];
}

/** Open the next run, or the one before, without closing; tell whether it is there yet. */
export function nextRun(by) {
  const rows = shownRows();
  const at = rows.findIndex(row => row && (row.short === S.r || row.id.startsWith(S.r)));
  const to = Math.max(0, Math.min(rows.length - 1, at + by));
  if (rows[to]) go({ r: rows[to].short }, true);
  else need(to, to + 1); // it is on its way
  return Boolean(rows[to]);
}
