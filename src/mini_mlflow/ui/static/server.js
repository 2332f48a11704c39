// How does the page ask the server, and what does it do when nobody, or somebody else, answers?
import { boot } from './boot.js';

let answerer = null;
/** Let somebody else answer, and no server: a report does it itself. */
export function answerBy(other) {
  answerer = other;
}

/** The state of the connection, for the top bar. */
export const link = { state: 'live', since: 0, message: '' };
const watchers = new Set();
export function watchLink(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const returns = new Set();
/** Call *call* each time that the server answers again after it did not: what was asked for in vain is asked for anew. Returns what ends that. */
export function whenBack(call) {
  returns.add(call);
  return () => returns.delete(call);
}

function setLink(state, message = '') {
  if (link.state === state && link.message === message) return;
  const isBack = link.state === 'lost' && state === 'live';
  if (state !== 'live' && link.state === 'live') link.since = Date.now();
  link.state = state;
  link.message = message;
  watchers.forEach(watcher => watcher());
  if (isBack) returns.forEach(call => call());
}

/** What the server said no with. */
export class Refusal extends Error {
  constructor(status, facts) {
    super(facts.message || `The server answered ${status}.`);
    this.status = status;
    this.code = facts.code || '';
    this.facts = facts;
  }
}

/** Nobody answered, or not to the end. */
class Lost extends Error {
  constructor(path) {
    super(`The server does not answer. ${CHANGES.test(path) ? 'Try again when it does.' : 'Trying again.'}`);
    this.code = 'lost';
  }
}
const CHANGES = /^api\/(edit|tag|delete|restore|csv|series\.csv)$/; // what is not sent a second time by itself

let instance = boot?.server?.instance;
/** Whether another server sits at our address now: ours that was started anew, or a stranger. Nothing more is sent then. */
export const isStranger = () => link.state === 'anew' || link.state === 'stranger';

async function send(path, body, signal) {
  if (isStranger()) throw new Refusal(0, { code: 'stranger', message: link.message });
  const options = { signal, credentials: 'same-origin', cache: 'no-store' };
  if (body !== undefined) {
    Object.assign(options, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', 'X-Mini-MLflow': '1' } });
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    throw lost(error, path);
  }
  const theirs = answer.headers.get('X-Mini-MLflow-Instance');
  instance = instance ?? theirs;
  if (!theirs && answer.status >= 502 && answer.status <= 504) throw lost({}, path); // a proxy that finds nobody behind it
  if (!theirs) { // every answer of ours bears the mark
    setLink('stranger', 'Another program answers at this address. Start mini-mlflow ui again and open its link.');
    throw new Refusal(0, { code: 'stranger', message: link.message });
  }
  if (answer.status === 401) {
    setLink('token', 'The server was started anew. Open the link that it printed.');
  } else if (theirs !== instance) {
    setLink('anew', 'The server was started anew.');
    throw new Refusal(0, { code: 'stranger', message: link.message });
  } else {
    setLink('live');
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, told.error || {});
  }
  return answer;
}

/** What an error of a request means: that somebody gave up on it, or that the connection is lost. */
function lost(error, path) {
  if (error.name === 'AbortError') return error;
  setLink('lost');
  return new Lost(path);
}

/** Read an answer to its end. */
async function read(answer, how, path) {
  try {
    return await answer[how]();
  } catch (error) {
    throw error instanceof SyntaxError ? error : lost(error, path);
  }
}

async function askOther(path, body) {
  try {
    return await answerer(path, body);
  } catch (error) {
    throw error.facts ? new Refusal(error.status, error.facts) : error;
  }
}

/** Ask for JSON: a POST where there is a body. */
export async function ask(path, body, signal) {
  if (answerer) return askOther(path, body);
  return read(await send(path, body, signal), 'json', path);
}

/** Ask for series: the header and the bytes behind it; null where nothing is new; JSON where no series came. */
export async function askSeries(path, body, signal) {
  if (answerer) return askOther(path, body);
  const answer = await send(path, body, signal);
  if (answer.status === 204) return null;
  if ((answer.headers.get('Content-Type') || '').includes('json')) return { header: await read(answer, 'json', path), data: null };
  return decodeSeries(await read(answer, 'arrayBuffer', path));
}

/** Ask for a text file, such as CSV. */
export async function askBlob(path, body) {
  return read(await send(path, body), 'blob', path);
}

/** Take an MMS1 document apart: docs/page.md, section 4. */
export function decodeSeries(buffer) {
  const magic = new TextDecoder().decode(new Uint8Array(buffer, 0, 4));
  if (magic !== 'MMS1') throw new Error('The server sent series in a form that this page does not know. Reload the page.');
  const length = new DataView(buffer).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  return { header, data: { buffer, at: 8 + length } };
}

const KINDS = { f8: Float64Array, f4: Float32Array, u2: Uint16Array, u4: Uint32Array };
/** One array out of an MMS1 document. */
export const arrayOf = (data, kind, at, n) => new KINDS[kind](data.buffer, data.at + at, n);

/** A number as JSON carries it: NaN and infinities are texts. */
export function unfold(value) {
  return value === 'NaN' ? NaN : value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value;
}

/** The address of a file of a run. */
export const fileAddress = (ref, path, isDownload) =>
  `artifacts/${[...ref.split('/'), ...path.split('/')].map(encodeURIComponent).join('/')}${isDownload ? '?download=1' : ''}`;
