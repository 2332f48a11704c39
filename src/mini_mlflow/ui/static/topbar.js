// The top bar: which store and experiment, the filter, the grouping, whether the page is up to date.
import { html, Component } from './vendor/preact.js';
import { S, go, plainOf, split, join } from './address.js';
import { M, experiments, isReadOnly, refreshExperiments, showStage, store } from './model.js';
import { boot, isReport } from './boot.js';
import { link, watchLink } from './server.js';
import { count, moment, ago, bothTimes } from './format.js';
import { Brand, Icon } from './parts.js';
import { Menu, Option, Action } from './menu.js';
import { Filter } from './filter.js';

const nameOf = ref => M.experiments.find(each => each.ref === ref)?.name ?? ref.split('/')[1];

/** Which experiments are looked at, and which others there are. */
function Where() {
  const refs = experiments();
  const title = refs.length === 0 ? 'no experiment' : refs.length === 1 ? nameOf(refs[0]) : `${refs.length} experiments`;
  if (isReport) return html`<bdi class="exp say" title=${refs.map(nameOf).join(', ')}>${title}</bdi>`;
  return html`<${Menu} label="Experiments" onOpen=${refreshExperiments} button=${({ toggle, isOpen }) => html`<button type="button" class="exp" aria-expanded=${isOpen} aria-haspopup="dialog" title="Choose experiments" onClick=${toggle}><bdi class="say">${title}</bdi><${Icon} n="down" s=12/></button>`}>
    ${close => html`<${Experiments} close=${close} refs=${refs}/>`}<//>`;
}

class Experiments extends Component {
  state = { text: '' };
  choose(ref, isToggled) {
    const [number, id] = ref.split('/');
    const same = this.props.refs.filter(each => each.split('/')[0] === number).map(each => each.split('/')[1]);
    const ids = !isToggled ? [id] : same.includes(id) ? same.filter(each => each !== id) : [...same, id];
    go({ i: number, e: join(ids), y: 'active', ...(isToggled ? {} : { q: '', s: '', c: '', g: '', h: '', o: '', p: '', d: '', r: '', z: '', a: '', k: '', n: '20' }) });
  }
  render({ close, refs }, { text }) {
    const found = M.experiments.filter(each => each.stage === 'active' && each.name.toLowerCase().includes(text.toLowerCase()));
    return html`${M.experiments.length > 8 && html`<input class="text-input search" data-first placeholder="Find experiment" aria-label="Find experiment" value=${text} onInput=${event => this.setState({ text: event.target.value })}/>`}
      ${M.stores.map(each => { const mine = found.filter(one => Number(one.ref.split('/')[0]) === each.number); return html`
        ${(M.stores.length > 1 || each.error) && html`<h3 title=${each.path}>${each.name}${each.error ? `: ${each.error}` : ''}</h3>`}
        ${mine.slice(0, 200).map(one => html`<label class="opt" title="Ctrl: several"><input type="checkbox" checked=${refs.includes(one.ref)} onClick=${event => { event.stopPropagation(); this.choose(one.ref, true); }}/><button type="button" class="say grow" onClick=${event => { event.preventDefault(); if (!event.ctrlKey && !event.metaKey) close(); this.choose(one.ref, event.ctrlKey || event.metaKey); }}>${one.name}</button><small>${one.runs === null ? '' : count(one.runs, 'run')}${one.updated_ms ? ` · ${ago(one.updated_ms)}` : ''}</small></label>`)}`; })}
      ${!found.length && html`<p class="hint">No experiment is named like that.</p>`}
      <h3>Also</h3><${Action} name=${S.y === 'deleted' ? 'Show runs' : 'Show deleted runs'} onClick=${() => { close(); showStage(S.y === 'deleted' ? 'active' : 'deleted'); }}/>`;
  }
}

/** Group ▾: none, all but seed, any params that vary; what the band shows. */
export function GroupMenu({ isPlain }) {
  const by = S.g === 'auto' ? M.groups?.by?.map?.(name => name) || [] : split(S.g);
  const varying = M.keys.params.filter(param => param.is_varying);
  const seeds = varying.filter(param => param.is_seed);
  const title = !S.g ? 'none' : S.g === 'auto' ? (seeds.length === 1 ? `all but ${seeds[0].key}` : 'all but seeds') : by.join(', ');
  const set = keys => { M.open.clear(); go({ g: keys, o: '', h: '' }); };
  const isIn = key => (S.g === 'auto' ? !seeds.some(seed => seed.key === key) : by.includes(key));
  const flip = key => {
    const now = S.g === 'auto' ? varying.filter(param => !param.is_seed).map(param => param.key) : by;
    set(join(now.includes(key) ? now.filter(each => each !== key) : [...now, key]));
  };
  const body = () => html`
    <${Option} type="radio" on=${!S.g} name="None" note=${count(M.matched, 'run')} onChange=${() => set('')}/>
    <${Option} type="radio" on=${S.g === 'auto'} name=${seeds.length ? `All but ${seeds.map(seed => seed.key).join(', ')}` : 'All but seed'} note=${seeds.length ? (M.groups && S.g === 'auto' ? count(M.groupCount, 'group') : '') : 'no seed varies'} onChange=${() => set('auto')}/>
    <h3>By params that vary</h3>
    ${varying.map(param => html`<${Option} key=${param.key} on=${Boolean(S.g) && isIn(param.key)} name=${param.key} note=${param.is_seed ? 'seed' : ''} onChange=${() => flip(param.key)}/>`)}
    ${!varying.length && html`<p class="hint">All params are the same in these runs.</p>`}
    <h3>Band</h3><div class="seg" role="group" aria-label="Band">${[['range', 'min to max'], ['std', '± std'], ['sem', '± std error']].map(([value, name]) => html`<button type="button" aria-pressed=${S.b === value} onClick=${() => go({ b: value })}>${name}</button>`)}</div>`;
  if (isPlain) return body();
  return html`<${Menu} label="Group" button=${({ toggle, isOpen }) => html`<button type="button" id="group" class="btn ctl ${S.g ? 'on' : ''}" aria-expanded=${isOpen} aria-haspopup="dialog" title="Group runs (g)" onClick=${toggle}><${Icon} n="group"/><span>Group</span><b>${title}</b><${Icon} n="down" s=12/></button>`}>${body}<//>`;
}

/** Of when a report is. */
const Made = () => html`<span class="live of" title=${`Made ${bothTimes(boot.server.now_ms)} by Mini MLflow ${boot.server.version}. The values are of that moment${boot.has_provenance ? '' : '; where the runs come from is left out'}.`}>Report of ${moment(boot.server.now_ms).slice(0, 10)}</span>`;

/** Whether what is shown is up to date. */
class Live extends Component {
  componentDidMount() { this.end = watchLink(() => this.forceUpdate()); }
  componentWillUnmount() { this.end(); }
  render({ narrow }) {
    if (link.state === 'live') return html`<span class="live" title="Checks for new values every 2 s" role="status"><i></i>${narrow ? html`<span class="vh">Live</span>` : 'Live'}</span>`;
    const text = link.state === 'lost' ? `Not connected since ${moment(link.since).slice(11)}. Trying again.` : link.message;
    return html`<span class="live off" role="alert" title=${text}><i></i>${narrow ? html`<span class="vh">${text}</span>` : text}${link.state === 'anew' && html` <button type="button" class="link" onClick=${() => location.reload()}>Reload</button>`}</span>`;
  }
}

export function TopBar({ narrow, isEmpty, onHelp }) {
  const where = store();
  const { pending } = M;
  return html`<header class="top"><a class="brand" href="#" aria-label="Mini MLflow: the view at first" onClick=${event => { event.preventDefault(); go({ ...fresh, e: '' }); }}><${Brand}/></a>
    <span class="crumb">${!isReport && html`<bdi class="store say" title=${where?.path || 'Store'}>${where?.name || ''}</bdi><span class="slash">/</span>`}<${Where}/></span>
    ${isEmpty || isReport ? html`<span class="grow"></span>` : html`<${Filter} narrow=${narrow}/>`}
    ${!narrow && !isEmpty && !isReport && html`<${GroupMenu}/>`}
    ${isReadOnly() && !narrow && !isReport && html`<span class="live" title="This store, or this server, takes no changes">Read-only</span>`}${isReport ? html`<${Made}/>` : html`<${Live} narrow=${narrow}/>`}
    ${!narrow && html`<button type="button" class="btn ghost" aria-label="Keyboard (?)" title="Keyboard (?)" onClick=${onHelp}>?</button>`}
    ${pending && html`<progress value=${pending.total ? pending.done / pending.total : undefined} aria-label=${pending.what || 'Reading runs'}></progress>`}</header>`;
}

const fresh = { i: plainOf('i'), y: 'active', q: '', g: '', s: '', c: '', h: '', o: '', n: '20', p: '', k: '', x: 'step', m: '2', l: '', u: '', z: '', f: '', v: 'charts', r: '', d: '', a: '', b: 'range' };
