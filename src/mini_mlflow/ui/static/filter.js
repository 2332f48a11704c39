// The filter: one grammar for page, terminal and Python; completion under the caret, errors in place.
import { html, Component } from './vendor/preact.js';
import { S, go, watch } from './address.js';
import { M, scope, watchModel } from './model.js';
import { ask } from './server.js';
import { setTimeoutOnce } from './timing.js';
import { count } from './format.js';
import { Icon } from './parts.js';

const PAUSE = 900; // ms without typing after which an error is shown, and a whole filter applies

export class Filter extends Component {
  state = { text: S.q, items: [], at: 0, from: 0, to: 0, left: 0, isOpen: false, error: null, matched: null, total: null };

  componentDidMount() {
    this.ends = [
      watch(() => { if (document.activeElement !== this.input && S.q !== this.state.text) this.setState({ text: S.q, error: null }); }),
      watchModel(() => { if (M.filterError && M.filterError !== this.state.error) this.setState({ error: M.filterError, text: M.filterError.text ?? this.state.text }); }),
    ];
    this.pause = setTimeoutOnce(() => this.settle());
    this.soon = setTimeoutOnce(() => this.complete());
  }

  componentWillUnmount() { this.ends.forEach(end => end()); }

  typed = event => {
    this.isUsed = true;
    this.isQuiet = false;
    this.setState({ text: event.target.value, error: null, at: 0, ...this.carried(event.target.value) });
    this.soon(60);
    this.pause(PAUSE);
  };

  /** What of the list still fits while the answer for the new text is on its way: Tab takes what the eye sees. */
  carried(text) {
    const { items, from, to, isOpen, text: before } = this.state;
    const end = to + text.length - before.length;
    const fits = end >= from && text.slice(0, from) === before.slice(0, from) && text.slice(end) === before.slice(to);
    const word = text.slice(from, end).toLowerCase();
    const left = fits ? items.filter(item => item.text.toLowerCase().includes(word)) : [];
    return { items: left, to: end, isOpen: isOpen && left.length > 0 };
  }

  /** Ask what could stand at the caret. */
  async complete(isOpening = true) {
    const text = this.input.value;
    const caret = this.input.selectionStart ?? text.length;
    const answer = await ask('api/complete', { text, caret, experiments: scope(), stage: S.y }).catch(() => null);
    if (!answer || this.input.value !== text) return;
    this.answer = { text, error: answer.error };
    if (answer.error === null) M.filterError = null;
    this.setState({ items: answer.items || [], from: answer.from, to: answer.to, at: 0, left: this.placeOf(answer.from), isOpen: answer.items?.length > 0 && isOpening && !this.isQuiet && document.activeElement === this.input, matched: answer.matched, total: answer.total });
  }

  /** Where a character of the text stands, in pixels from the left of the field. */
  placeOf(position) {
    const ctx = (Filter.canvas ??= document.createElement('canvas')).getContext('2d');
    ctx.font = getComputedStyle(this.input).font;
    const x = this.input.offsetLeft + ctx.measureText(this.input.value.slice(0, position)).width - this.input.scrollLeft;
    return Math.max(0, Math.min(x, this.field.clientWidth - 200));
  }

  /** After a pause: apply what is whole, say what is wrong with the rest. */
  async settle() {
    const text = this.input.value;
    if (this.answer?.text !== text) await this.complete(false);
    if (this.input.value !== text || this.answer?.text !== text) return;
    if (this.answer.error) this.setState({ error: this.answer.error });
    else if (text !== S.q) go({ q: text }, true);
  }

  async apply() {
    const text = this.input.value;
    this.isQuiet = true; // a list that was asked for before does not open any more
    if (this.answer?.text !== text) await this.complete(false);
    this.setState({ isOpen: false });
    if (this.answer?.text === text && this.answer.error) this.setState({ error: this.answer.error });
    else go({ q: text });
  }

  take(item) {
    this.isQuiet = false;
    const { text, from, to } = this.state;
    const after = text.slice(to);
    const insert = item.text + (after.startsWith(' ') || /[(]$/.test(item.text) ? '' : ' ');
    const whole = text.slice(0, from) + insert + after;
    this.input.value = whole;
    this.input.setSelectionRange(from + insert.length, from + insert.length);
    this.setState({ text: whole, error: null, items: [], isOpen: false });
    this.complete();
    this.pause(PAUSE);
  }

  /** Put a near name in the place of the one that is not there. */
  mend(name) {
    const { error } = this.state;
    const end = error.position + this.wrong(error).length;
    const text = error.text.slice(0, error.position) + name + error.text.slice(end);
    this.input.value = text;
    this.setState({ text, error: null });
    M.filterError = null;
    this.answer = null;
    this.apply();
  }

  /** The word that an error is about. */
  wrong(error) {
    return /^(`[^`]*`|'[^']*'|"[^"]*"|[\w./:+-]+|.)/s.exec((error.text || '').slice(error.position || 0))?.[0] || ' ';
  }

  keys = event => {
    const { items, at, isOpen } = this.state;
    if (event.key === 'ArrowDown') this.isQuiet = false;
    if (event.key === 'ArrowDown' && !isOpen) { this.complete(); event.preventDefault(); }
    else if (isOpen && items.length && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      this.setState({ at: (at + (event.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length });
      event.preventDefault();
    } else if (event.key === 'Tab' && isOpen && items.length && !event.shiftKey) { this.take(items[at]); event.preventDefault(); }
    else if (event.key === 'Enter') { this.apply(); event.preventDefault(); }
    else if (event.key === 'Escape') {
      if (isOpen) this.setState({ isOpen: false });
      else if (this.state.text !== S.q) this.reset();
      else this.input.blur();
      event.stopPropagation();
    }
  };

  reset() {
    M.filterError = null;
    this.input.value = S.q;
    this.setState({ text: S.q, error: null });
  }

  clear = () => {
    M.filterError = null;
    this.input.value = '';
    this.setState({ text: '', error: null, isOpen: false });
    go({ q: '' });
    this.input.focus();
  };

  render({ narrow }, { text, items, at, left, isOpen, error, matched, total, from, to }) {
    const typed = text.slice(from, to);
    return html`<div class="filter ${error && !isOpen ? 'bad' : ''}" ref=${e => { this.field = e; }} onClick=${event => { if (event.target === event.currentTarget) this.input.focus(); }}><${Icon} n="search"/>
      <input id="filter" type="text" role="combobox" aria-label="Filter runs" aria-expanded=${isOpen && items.length > 0} aria-controls="completions" aria-autocomplete="list" aria-invalid=${Boolean(error)} autocomplete="off" autocapitalize="off" spellcheck=${false}
        aria-activedescendant=${isOpen && items.length ? `completion-${at}` : undefined}
        placeholder=${narrow ? 'Filter runs' : 'Filter runs:  params.lr < 0.01 and max(metrics.val.acc) > 0.9'} value=${text} ref=${e => { this.input = e; }} onInput=${this.typed} onKeyDown=${this.keys} onFocus=${() => { if (!this.state.error && (this.isUsed || S.q)) this.soon(60); }}
        onBlur=${() => { this.setState({ isOpen: false }); if (!this.state.error && this.state.text !== S.q) this.settle(); }}/>
      ${text ? html`<span class="hits">${S.q && !error ? count(M.matched, 'run') : ''}</span><button type="button" class="clr" aria-label="Clear filter" title="Clear filter" onClick=${this.clear}><${Icon} n="x" s=12/></button>` : html`<kbd>/</kbd>`}
      ${isOpen && items.length > 0 && html`<div class="pop comp" style=${{ left: `${left}px` }}><ul id="completions" role="listbox" aria-label="Completions">${items.map((item, i) => html`<li id="completion-${i}" key=${item.text} role="option" aria-selected=${i === at} ref=${e => { if (e && i === at) e.scrollIntoView({ block: 'nearest' }); }} onMouseDown=${event => { event.preventDefault(); this.take(item); }}>
          <span class="say">${item.text.toLowerCase().startsWith(typed.toLowerCase()) && typed ? html`<b>${item.text.slice(0, typed.length)}</b>${item.text.slice(typed.length)}` : item.text}</span><small class="say">${item.detail}</small></li>`)}</ul>
        <footer class=${matched === null || matched === undefined ? 'bare' : ''}><span class="keys"><kbd>Tab</kbd> take <kbd>Enter</kbd> apply</span><span class="grow"></span>${matched === null || matched === undefined ? '' : `so far ${matched} of ${count(total, 'run')}`}</footer></div>`}
      ${error && !isOpen && html`<${Trouble} error=${error} wrong=${this.wrong(error)} onMend=${name => this.mend(name)}/>`}
    </div>`;
  }
}

const SHOWN = 56; // characters of a long filter around the place

/** What is wrong with a filter, with ^^^ under the place and the near names. */
function Trouble({ error, wrong, onMend }) {
  const position = error.position || 0;
  const start = position > SHOWN ? position - SHOWN / 2 : 0;
  const part = (error.text || '').slice(start, start + SHOWN + 20).replace(/\s/g, ' ');
  const said = String(error.message || '').split('\n')[0];
  return html`<div class="ferr" role="alert"><pre>${start ? '…' : ''}${part}${'\n'}<i>${' '.repeat(position - start + (start ? 1 : 0))}${'^'.repeat(Math.max(1, Math.min(wrong.length, 40)))}</i></pre>
    <p>${said} ${error.near?.length > 0 && html`Near: ${error.near.slice(0, 4).map((name, i) => html`${i ? ', ' : ''}<button type="button" class="link" onClick=${() => onMend(name)}>${name}</button>`)}. `}The last valid filter still applies.</p></div>`;
}
