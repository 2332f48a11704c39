// How does a menu open, close and move by keys?
import { html, Component } from './vendor/preact.js';

/** What can be reached by the arrow keys in a menu. */
const stops = box => [...box.querySelectorAll('button, input, a[href]')].filter(element => !element.disabled && element.offsetParent);
/** The menu that is open, if any: Esc closes it first. */
export const opened = { close: null };

/**
 * A button with a menu below it.
 * @param {{button: function({open: boolean}): any, label: string, kind?: string, children: function(function(): void): any, onOpen?: function(): void}} props
 */
export class Menu extends Component {
  state = { at: null };

  open = event => {
    if (this.state.at) { this.close(); return; }
    opened.close?.();
    const place = (event?.currentTarget || this.anchor.firstElementChild).getBoundingClientRect();
    this.before = document.activeElement;
    opened.close = this.close;
    this.props.onOpen?.();
    this.setState({ at: { left: place.left, right: place.right, top: place.bottom + 4, over: place.top } });
    addEventListener('pointerdown', this.outside, true);
  };

  close = () => {
    removeEventListener('pointerdown', this.outside, true);
    if (opened.close === this.close) opened.close = null;
    const had = this.box?.contains(document.activeElement);
    this.setState({ at: null });
    if (had) (this.before?.isConnected ? this.before : this.anchor?.firstElementChild)?.focus();
  };

  outside = event => { if (!this.anchor.contains(event.target)) this.close(); };

  componentWillUnmount() { removeEventListener('pointerdown', this.outside, true); if (opened.close === this.close) opened.close = null; }

  /** Keep the menu within the window, and put the focus into it. */
  componentDidUpdate(_, before) {
    const { at } = this.state;
    if (!at || !this.box) return;
    const { offsetWidth: width, offsetHeight: height } = this.box;
    this.box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    this.box.style.top = `${at.top + height > innerHeight - 8 ? Math.max(8, Math.min(at.over - height - 4, innerHeight - height - 8)) : at.top}px`;
    if (!before.at) (this.box.querySelector('[data-first]') || stops(this.box)[0])?.focus();
  }

  keys = event => {
    if (event.key === 'Escape') { this.close(); event.stopPropagation(); return; }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    if (event.target.type === 'range') return;
    const all = stops(this.box);
    const at = all.indexOf(document.activeElement);
    all[(at + (event.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };

  render({ button, label, kind, children }, { at }) {
    return html`<span class="anchor" ref=${element => { this.anchor = element; }}>${button({ isOpen: Boolean(at), toggle: this.open })}
      ${at && html`<div class="pop menu ${kind || ''}" role="dialog" aria-label=${label} ref=${element => { this.box = element; }} onKeyDown=${this.keys} onClick=${event => event.stopPropagation()}>${children(this.close)}</div>`}</span>`;
  }
}

/** One line of a menu with a box or a round to tick. */
export const Option = ({ type = 'checkbox', on, name, note, onChange, mono }) => html`<label class="opt"><input type=${type} checked=${on} onChange=${onChange}/><span class="say ${mono ? 'mono' : ''}">${name}</span><small>${note}</small></label>`;
/** One line of a menu that does something. */
export const Action = ({ name, note, onClick, kind }) => html`<button type="button" class="opt ${kind || ''}" onClick=${onClick}><span class="say">${name}</span>${note && html`<small><kbd>${note}</kbd></small>`}</button>`;
