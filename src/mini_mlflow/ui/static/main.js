// The page as a whole: two panes under a top bar, and what starts it.
import { html, render, Component } from './vendor/preact.js';
import { S, go, plainOf, split, watch } from './address.js';
import { M, changed, experiments, find, load, show, store, take, watchModel } from './model.js';
import { boot, isReport } from './boot.js';
import { watchLink } from './server.js';
import { busy, whenCalm } from './hover.js';
import { follow } from './live.js';
import { KEYS, listenToKeys } from './keyboard.js';
import { TopBar } from './topbar.js';
import { LeftBar, Foot } from './leftbar.js';
import { RightBar } from './rightbar.js';
import { Table } from './table.js';
import { CardList } from './cardlist.js';
import { askAhead, Charts, FullScreen } from './charts.js';
import { RunPage } from './runpage.js';
import { Compare } from './compare.js';
import { Explore } from './explore.js';
import { Toast } from './undo.js';
import { hideTip } from './tooltip.js';

/** What of the address needs other rows from the server; the rest is only shown otherwise. */
const ASKS = ['i', 'e', 'y', 'q', 'g', 's', 'c', 'n', 'p', 'd', 'o', 'r'];
const SAMPLE = `import mini_mlflow as mlflow

with mlflow.start_run():
    mlflow.log_param("lr", 0.01)
    mlflow.log_metric("loss", 0.5)`;

/** The border between the panes: dragged, or moved by keys. */
function Grip() {
  const drag = event => {
    const box = event.currentTarget.parentElement;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.onpointermove = move => {
      const { left, width } = box.getBoundingClientRect();
      go({ w: Math.max(20, Math.min(70, ((move.clientX - left) / width) * 100)).toFixed(1) }, true);
    };
    event.currentTarget.onpointerup = up => { up.currentTarget.onpointermove = null; };
    event.preventDefault();
  };
  return html`<div class="grip" role="separator" aria-orientation="vertical" aria-label="Width of the table" aria-valuenow=${S.w} aria-valuemin="20" aria-valuemax="70" tabindex="0" onPointerDown=${drag} onDblClick=${() => go({ w: '44' }, true)} onKeyDown=${event => {
    const by = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
    if (by) { go({ w: String(Math.max(20, Math.min(70, Number(S.w) + by))) }, true); event.stopPropagation(); }
  }}></div>`;
}

const Empty = () => html`<main class="empty big"><h2>No runs yet in <code>${store()?.name || 'the store'}</code></h2><p>Log one and it appears here within 2 seconds.</p><pre>${SAMPLE}</pre><p class="dimt">Another folder: <code>mini-mlflow ui DIR</code></p>${store()?.error && html`<p class="brk" role="alert">${store().error}</p>`}</main>`;

const Help = ({ onClose }) => html`<div class="pop help" role="dialog" aria-label="Keyboard"><h2>Keyboard</h2><dl>${KEYS.map(([keys, text]) => html`<div><dt>${keys.split(' ').map(key => html`<kbd>${key}</kbd>`)}</dt><dd>${text}</dd></div>`)}</dl><button type="button" class="vh" onClick=${onClose}>Close</button></div>`;

class App extends Component {
  state = { width: innerWidth, find: '', isHelped: false };

  componentDidMount() {
    this.seen = this.asked();
    watch(() => this.moved());
    watchModel(() => this.forceUpdate());
    watchLink(() => this.forceUpdate());
    whenCalm(() => { if (M.isHeld && !busy.table && !busy.chart) load({ isLive: true }); });
    // A frame in a notebook has no width before it is laid out, and no "resize" then: an observer is told in any case.
    new ResizeObserver(() => { if (innerWidth !== this.state.width) this.setState({ width: innerWidth }); }).observe(document.documentElement);
    listenToKeys(this);
  }

  /** What the present rows were asked for by. */
  asked() { return ASKS.map(name => (['p', 'd', 'o', 'r'].includes(name) ? split(S[name]).filter(id => !find(id)).join() : S[name])).join('\n'); }

  moved() {
    hideTip();
    const now = this.asked();
    if (now !== this.seen) {
      this.seen = now;
      load();
    } else {
      show();
    }
    this.forceUpdate();
  }

  right(narrow, isWide) {
    const run = S.r ? find(S.r) : null;
    const isBeside = isWide && run && S.v !== 'compare';
    const view = S.v === 'compare' ? html`<${Compare}/>` : S.v === 'explore' ? html`<${Explore}/>` : html`<${Charts} find=${this.state.find} narrow=${narrow}/>`;
    const isRunAlone = Boolean(run) && !isBeside;
    const isStrip = narrow && S.v === 'charts' && !isRunAlone;
    const bar = html`<${RightBar} narrow=${narrow} find=${this.state.find} onFind=${text => this.setState({ find: text })} isRunOpen=${isRunAlone}/>`;
    const body = html`<div class="body ${isStrip ? 'strip' : ''}" role="tabpanel" aria-label=${run && !isBeside ? 'Run' : S.v}>${isRunAlone ? html`<${RunPage} item=${run}/>` : view}</div>`;
    return html`<section class="right ${isBeside ? 'with-run' : ''}" aria-label="Charts">${isBeside ? html`<div class="column">${bar}${body}</div><div class="third"><${RunPage} item=${run}/></div>` : html`${bar}${body}`}</section>`;
  }

  render(_, { width, isHelped }) {
    const narrow = width < 720;
    const isWide = width >= 1920;
    const isEmpty = M.isLoaded && !M.total && !M.pending && !S.q && S.y === 'active' && !M.problemCount && (!M.experiments.some(each => each.runs) || !experiments().length);
    document.title = `${M.experiments.find(each => each.ref === experiments()[0])?.name || store()?.name || 'Runs'} · Mini MLflow`;
    const isViewing = narrow && (S.r || S.v !== 'charts');
    return html`<div class="app ${narrow ? 'narrow' : ''} ${isWide ? 'wide' : ''} ${isViewing ? 'viewing' : ''}">
      <${TopBar} narrow=${narrow} isEmpty=${isEmpty} onHelp=${() => this.setState({ isHelped: !isHelped })}/>
      ${isEmpty ? html`<${Empty}/>` : html`<main class="split" style=${{ '--split': `${S.w}%` }}>
        <section class="left" aria-label="Runs"><${LeftBar} narrow=${narrow} isWide=${isWide}/>
          ${narrow ? html`<${CardList}/>` : html`<${Table} isWide=${isWide} ref=${table => { this.table = table; }}/>`}<${Foot}/></section>
        <${Grip}/>${this.right(narrow, isWide)}</main>`}
      ${S.f && !isEmpty && html`<${FullScreen}/>`}<${Toast}/>${isHelped && html`<${Help} onClose=${() => this.setState({ isHelped: false })}/>`}</div>`;
  }
}

/** The first answer came with the page: it is shown at once, where it is what the address asks for. */
function start() {
  const isPlain = ASKS.every(name => S[name] === plainOf(name)) && experiments().join() === (boot?.view?.experiments || []).join();
  if (boot?.runs && isPlain) {
    take(boot.runs, true);
    if (!isReport) askAhead();
  }
  document.getElementById('app').replaceChildren();
  render(html`<${App}/>`, document.getElementById('app'));
  if (isReport) load().then(() => { if (!M.isLoaded) take(boot.runs, true); }); // a browser that cannot unpack the rest shows the rows
  else if (!boot?.runs || !isPlain || boot.runs.pending) load().then(changed);
  follow();
}
start();
