// Running handlers: calls of queries and commands, instructions, the refresh phase (sections 7, 9, 10, 11, 12).
import { randomBytes, randomUUID } from 'node:crypto';
import { Failure, Unencodable, KEY, encode, toPayload, decodePayload, writePlainJson } from './codec.mjs';

export class ApplicationError extends Error {
  constructor(status, code, message) { super(message); this.status = status; this.code = code ?? 'app.error'; }
}
class Redirect extends Error { constructor(location) { super('redirect'); this.location = location; } }

export const STATUS = {
  invalid_request: 400, unsupported_version: 400, invalid_payload: 400, non_canonical: 400, too_deep: 400, too_large: 400,
  invalid_argument: 400, invalid_key: 400, not_refreshable: 400, refresh_limit: 400, forbidden_host: 403,
  forbidden_origin: 403, unknown_function: 404, method_not_allowed: 405, body_timeout: 408, contract_mismatch: 409,
  body_too_large: 413, payload_too_long: 414, unsupported_media_type: 415, headers_too_large: 431, internal: 500,
  redirect_in_command: 500, invalid_redirect: 500, unencodable_result: 500, response_too_large: 500,
  cookie_in_query: 500, handler_timeout: 504,
};
const EXT_NAME = /^(?=.{1,64}$)[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/s;

export function errorOf(e) {                    // the `error` member of an envelope
  if (e instanceof Failure) {
    return { status: STATUS[e.code], code: e.code, message: `The request failed: ${e.code.replaceAll('_', ' ')}.`, ...e.extra };
  }
  if (e instanceof Redirect) return errorOf(new Failure('redirect_in_command'));
  if (e instanceof Unencodable) return errorOf(new Failure('unencodable_result'));
  const { status, code, message } = e ?? {};
  if (e instanceof ApplicationError && Number.isInteger(status) && status >= 400 && status <= 599
    && ![407, 408, 421, 425].includes(status) && EXT_NAME.test(code) && message.isWellFormed()) return { status, code, message };
  const id = randomUUID();
  console.error(id, e);
  return { ...errorOf(new Failure('internal')), id };
}

// ---------------------------------------------------------------- stamps (ORD-1)

const PROCESS = Array.from(randomBytes(12), (b) => 'abcdefghijklmnopqrstuvwxyz0123456789'[b % 36]).join('');
let count = 0;
const stamp = () => `${PROCESS}.${(++count).toString(16).padStart(16, '0')}`;

// ---------------------------------------------------------------- time

// Runs `work(signal)`; after `ms`, or when `parent` aborts, the signal aborts and the run fails.
async function within(ms, parent, work) {
  const controller = new AbortController();
  const stop = () => controller.abort(new Failure('handler_timeout'));
  const timer = setTimeout(stop, ms);
  if (parent?.aborted) stop();
  parent?.addEventListener('abort', stop);
  const aborted = new Promise((_, reject) => controller.signal.addEventListener('abort', () => reject(controller.signal.reason)));
  aborted.catch(() => {});
  try {
    if (controller.signal.aborted) throw controller.signal.reason;
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    parent?.removeEventListener('abort', stop);
  }
}

// ---------------------------------------------------------------- instructions

class Updates {
  keys = new Map();                             // key -> {op, fn, argument, value}: the last instruction (UPD-4)
  invalidated = new Set();                      // keys that were ever invalidated (UPD-9)
  ids = new Set();
  all = false;
  reset = false;
  accepted = new Set();                         // ids of functions that an acceptance named
  taken = new Set();                            // keys that acceptances took
  copy() {
    const c = new Updates();
    for (const [n, v] of Object.entries(this)) c[n] = v instanceof Map ? new Map(v) : v instanceof Set ? new Set(v) : v;
    return c;
  }
  give(key, instruction) { this.keys.delete(key); this.keys.set(key, instruction); }
  marks() {                                     // what the handler gave that is no instruction for a key
    return [...this.ids].map((id) => ({ op: 'invalidate', id })).concat(this.all ? [{ op: 'invalidate', all: true }] : []);
  }
}

// ---------------------------------------------------------------- what a handler sees

class Call {
  constructor(run, fn, signal, parent, phase) {
    Object.assign(this, { run, fn, signal, parent, phase, ended: false, cookieSet: false, afterwards: [], names: [] });
  }
  get id() { return this.fn.id; }
  get page() { return this.run.page; }
  get cookies() { return this.run.state.jar; }
  get #isQuery() { return this.fn.kind === 'query'; }

  #find(id, kind) {
    const fn = this.run.server.functions.get(id);
    if (fn?.kind !== kind) throw new Error(`no ${kind} ${id}`);
    return fn;
  }
  // KEY-7: the key of the arguments as written in the server's own code
  #instance(id, argument) {
    const fn = this.#find(id, 'query');
    if (argument === undefined && fn.argument.several) argument = {};
    try { return { fn, argument, key: `${id}/${toPayload(argument, this.run.server.extensions)}` }; } catch (e) {
      if (e instanceof Unencodable) throw new Error('an argument without a normal form names no instance');
      throw e;
    }
  }
  // UPD-18: an instruction names no instance whose argument its function's type refuses
  #target(id, argument) {
    const q = this.#instance(id, argument);
    try { this.run.validate(q.fn, q.argument); } catch { throw new Error('an argument that the type refuses'); }
    return q;
  }
  async query(id, argument) {
    if (!this.#isQuery) return this.run.query(this.#find(id, 'query'), argument, this.signal, null);   // FUN-4: never remembered
    const q = this.#instance(id, argument);
    this.memo ??= this.phase?.memo ?? new Map();
    if (!this.memo.has(q.key)) this.memo.set(q.key, this.run.remembered(q.fn, q.argument, this.signal, this.phase, this.memo));
    const known = this.memo.get(q.key), value = await known.value;
    this.names.push(...known.names);
    return value;
  }
  async command(id, argument) {
    const fn = this.#find(id, 'command');
    if (this.#isQuery) throw new Error('a query called a command');                      // FUN-5
    const before = { ...this.run.state, updates: this.run.state.updates.copy(), jar: new Map(this.run.state.jar), setCookies: new Map(this.run.state.setCookies) };
    try { return await this.run.handle(fn, argument, this.signal); } catch (e) { Object.assign(this.run.state, before); throw e; }
  }
  #instruct() {
    if (this.ended || this.#isQuery) throw new Error('no instruction here');             // UPD-18
    return this.run.state.updates;
  }
  refresh(id, argument) {
    const { key, ...q } = this.#target(id, argument);
    if (this.ended) throw new Error('the handler has ended');
    if (this.#isQuery) { if (this.phase) this.names.push([key, q]); return; }
    this.#instruct().give(key, { op: 'refresh', ...q });
  }
  set(id, argument, value) { const { key, ...q } = this.#target(id, argument); this.#instruct().give(key, { op: 'set', ...q, value }); }
  invalidate({ id, argument, one, all }) {
    const updates = this.#instruct();
    if (all) updates.all = true;
    else if (!one) updates.ids.add(this.#find(id, 'query').id);
    else { const { key, ...q } = this.#target(id, argument); updates.invalidated.add(key); updates.give(key, { op: 'invalidate', ...q }); }
  }
  reset() { this.#instruct().reset = true; }
  accept(id, limit, { refresh = true } = {}) {
    const updates = this.#instruct(), fn = this.#find(id, 'query');
    updates.accepted.add(id);
    for (const r of this.run.requested) {
      if (limit <= 0) break;
      if (r.fn !== fn || r.failure || updates.taken.has(r.key)) continue;
      limit--;
      updates.taken.add(r.key);
      if (refresh) updates.give(r.key, { op: 'refresh', fn, argument: r.argument });
    }
  }
  cookie(name, value) {
    if (this.#isQuery) { this.cookieSet = true; throw new Failure('cookie_in_query'); }
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value)) throw new Error('not a cookie');
    this.run.state.setCookies.set(name, `${name}=${value}; Path=/`);
    this.run.state.jar.set(name, value);
  }
  redirect(location) { throw new Redirect(location); }
  slowCommit(ms) { this.run.state.commitMs += ms; }
  failCommit() { this.run.state.commitFails = true; }
  afterEnd(task) { this.afterwards.push(task); }
}

// ---------------------------------------------------------------- one request

export class Run {
  // request: {encoding, accepts(name), page, jar (Map of cookies), signal (aborts when the client has gone)}
  constructor(server, request) {
    Object.assign(this, { server, page: request.page, request, requested: [] });
    this.state = { updates: new Updates(), jar: new Map(request.jar), setCookies: new Map(), commitFails: false, commitMs: 0 };
  }

  write(document) {
    const { extensions } = this.server;
    return this.request.encoding === 'wireflight'
      ? encode(document, { extensions, accepts: this.request.accepts }) : writePlainJson(document, { extensions });
  }
  encodes(value) { try { this.write(value); return true; } catch (e) { if (e instanceof Unencodable || e instanceof RangeError) return false; throw e; } }
  fits(document) { return Buffer.byteLength(this.write(document)) <= this.server.limits.response_bytes; }

  validate(fn, argument, plain = false) {
    const at = { path: [], issues: [], plain, limits: this.server.limits };
    const value = fn.argument.check(argument, at);
    if (at.issues.length === 0) return value;
    const issues = at.issues.length <= 100 ? at.issues
      : [...at.issues.slice(0, 100), { path: [], code: 'truncated', message: 'There were more issues.', params: { limit: 100 } }];
    throw new Failure('invalid_argument', fn.details ? { issues } : {});
  }

  async handle(fn, argument, signal, { phase = null, plain = false, memo, names } = {}) {
    argument = this.validate(fn, argument, plain);
    const call = new Call(this, fn, signal, null, phase);
    if (memo) call.memo = memo;
    if (names) call.names = names;
    try {
      return await fn.handler(call, argument);
    } catch (e) {
      if (e instanceof Failure && e.code === 'invalid_argument') throw new Error('a call with an argument that the type refuses');   // FUN-10
      throw e;
    } finally {
      call.ended = true;
      for (const task of call.afterwards) await task();
      if (call.cookieSet) throw new Failure('cookie_in_query');
    }
  }
  query(fn, argument, signal, phase, memo) { return this.handle(fn, argument, signal, { phase, memo }); }
  remembered(fn, argument, signal, phase, memo) {   // a run and the refreshes that it gave (UPD-5)
    const names = [];
    return { names, value: this.handle(fn, argument, signal, { phase, memo, names }) };
  }

  checkedRedirect(location) {                   // ENV-6
    const origin = /^(https:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?)(?:\/[\x21-\x5B\x5D-\x7E]*)?$/.exec(location)?.[1];
    if (/^\/(?![/\\])[\x21-\x5B\x5D-\x7E]*$/.test(location) || (origin && this.server.redirectOrigins.includes(origin))) return location;
    throw new Failure('invalid_redirect');
  }

  async answerQuery(fn, argument, plain) {
    const at = stamp();
    try {
      const value = await within(this.server.limits.handler_ms, this.request.signal, (signal) => this.handle(fn, argument, signal, { plain }));
      if (!this.encodes(value)) throw new Failure('unencodable_result');
      const document = { type: 'result', value, at };
      if (!this.fits(document)) throw new Failure('response_too_large', { limit: 'response_bytes' });
      return { document };
    } catch (e) {
      try {
        if (e instanceof Redirect) return { document: { type: 'redirect', location: this.checkedRedirect(e.location) } };
      } catch (bad) { e = bad; }
      return { document: { type: 'error', error: errorOf(e) } };
    }
  }

  // REQ-3, steps 1 to 3, for each different string
  judge(refreshes) {
    this.requested = [...new Set(refreshes)].map((key) => {
      const fail = (code, extra) => ({ key, failure: new Failure(code, extra) });
      const slash = key.lastIndexOf('/');
      if (!KEY.test(key) || slash > 255) return fail('invalid_key');
      const fn = this.server.functions.get(key.slice(0, slash));
      if (!fn) return fail('unknown_function');
      if (fn.kind !== 'query') return fail('not_refreshable');
      try { return { key, fn, argument: decodePayload(key.slice(slash + 1), this.server) }; } catch (e) { return { key, failure: e }; }
    });
  }

  async answerCommand(fn, argument, plain) {
    const from = stamp(), { state } = this;
    let value;
    try { argument = this.validate(fn, argument, plain); } catch (e) { return { document: { type: 'error', error: errorOf(e) } }; }
    try {
      value = await within(this.server.limits.handler_ms, null, async (signal) => {
        const result = await this.handle(fn, argument, signal);
        if (state.commitMs) await new Promise((resolve) => setTimeout(resolve, state.commitMs));
        if (state.commitFails) throw new CommitFailed();
        return result;
      });
    } catch (e) {
      const error = errorOf(e);
      const raised = e instanceof ApplicationError && error.code !== 'internal';
      if (!raised) return { document: { type: 'error', error } };
      const updates = [...[...state.updates.invalidated].map((key) => ({ op: 'invalidate', key })), ...state.updates.marks()];
      return { document: this.fittingError(error, updates), cookies: [...state.setCookies.values()] };
    }
    const result = { type: 'result', value, at: stamp() };
    let refusal;
    if (!this.encodes(value)) refusal = new Failure('unencodable_result');
    else if (!this.fits(result)) refusal = new Failure('response_too_large', { limit: 'response_bytes' });
    else {
      const document = this.shrink(result, [...(state.updates.reset ? [{ op: 'reset' }] : []), ...await this.outcomes(from), ...state.updates.marks()]);
      if (document) return { document, cookies: [...state.setCookies.values()] };
      refusal = new Failure('response_too_large', { limit: 'response_bytes' });
    }
    return { document: this.fittingError(errorOf(refusal), this.doneUpdates()), cookies: [...state.setCookies.values()] };
  }

  doneUpdates() {                               // ENV-9
    const { updates } = this.state;
    const keys = new Set([...updates.keys.keys(), ...this.requested.map((r) => r.key)]);
    const all = updates.all || updates.reset;
    return [...[...keys].map((key) => ({ op: 'invalidate', key })), ...[...updates.ids].map((id) => ({ op: 'invalidate', id })),
      ...(all ? [{ op: 'invalidate', all: true }] : [])];
  }
  fittingError(error, updates) {                // UPD-13
    const document = { type: 'error', error, ...(updates.length && { updates }) };
    return !updates.length || this.fits(document) ? document : { type: 'error', error, updates: [{ op: 'invalidate', all: true }] };
  }
  shrink(result, updates) {                     // UPD-12
    const document = updates.length ? { ...result, updates } : result;
    for (let i = updates.length - 1; !this.fits(document); i--) {
      while (i >= 0 && !['set', 'fail', 'redirect'].includes(updates[i].op)) i--;
      if (i < 0) return null;
      updates[i] = { op: 'invalidate', key: updates[i].key };
    }
    return document;
  }

  // The refresh phase, then one outcome for each key.
  async outcomes(from) {
    const { keys, accepted, taken } = this.state.updates;
    const setAt = stamp(), at = stamp();
    const phase = new Phase(this, at);
    await phase.work([...keys].filter(([, i]) => i.op === 'refresh'));
    const outcomes = new Map();
    for (const [key, instruction] of keys) {
      if (instruction.op === 'invalidate') outcomes.set(key, { op: 'invalidate', key });
      if (instruction.op === 'set') outcomes.set(key, this.encodes(instruction.value)
        ? { op: 'set', key, value: instruction.value, at: setAt, from } : { op: 'fail', key, error: errorOf(new Failure('unencodable_result')) });
    }
    for (const [key, outcome] of phase.outcomes) outcomes.set(key, outcome);
    for (const { key, fn, argument, failure } of this.requested) {
      if (outcomes.has(key) && !failure) continue;
      const fail = (e) => outcomes.set(key, { op: 'fail', key, error: errorOf(e) });
      if (failure) { fail(failure); continue; }
      if (accepted.has(fn.id)) {
        if (!taken.has(key)) { fail(new Failure('refresh_limit')); continue; }
        try { this.validate(fn, argument); } catch (e) { fail(e); continue; }
      }
      outcomes.set(key, { op: 'ignore', key });
    }
    return outcomes.values();
  }
}
class CommitFailed extends Error {}

class Phase {
  memo = new Map();                             // key -> promise of the value: each key runs once (UPD-5)
  outcomes = new Map();
  named = new Map();                            // keys for the next round
  constructor(run, at) { Object.assign(this, { run, at }); }
  name(key, q) { if (!this.outcomes.has(key) && !this.current?.has(key)) this.named.set(key, q); }

  async work(first) {
    const { limits } = this.run.server;
    this.named = new Map(first);
    let timedOut = false;
    try {
      await within(limits.refresh_phase_ms, null, async (signal) => {
        for (let round = 1; this.named.size && round <= 8; round++) {
          this.current = this.named;
          this.named = new Map();
          const queue = [...this.current];
          await Promise.all(Array.from({ length: 8 }, async () => {
            for (let next; !signal.aborted && (next = queue.shift());) await this.evaluate(...next, signal);
          }));
          if (signal.aborted) return;
        }
      });
    } catch (e) { if (e?.code !== 'handler_timeout') throw e; timedOut = true; }
    this.over = true;
    const rest = [...(this.current?.keys() ?? []), ...this.named.keys()].filter((key) => !this.outcomes.has(key));
    const error = () => errorOf(new Failure(timedOut ? 'handler_timeout' : 'refresh_limit'));
    for (const key of rest) this.outcomes.set(key, { op: 'fail', key, error: error() });
  }

  async evaluate(key, { fn, argument }, signal) {
    const { run, at } = this;
    let outcome, failed = false;
    try {
      const value = await within(run.server.limits.handler_ms, signal, (inner) => {
        if (!this.memo.has(key)) this.memo.set(key, run.remembered(fn, argument, inner, this, this.memo));
        return this.memo.get(key).value;
      });
      outcome = run.encodes(value) ? { op: 'set', key, value, at } : { op: 'fail', key, error: errorOf(new Failure('unencodable_result')) };
    } catch (e) {
      failed = !(e instanceof Redirect);
      try {
        outcome = e instanceof Redirect ? { op: 'redirect', key, location: run.checkedRedirect(e.location) } : { op: 'fail', key, error: errorOf(e) };
      } catch (bad) { failed = true; outcome = { op: 'fail', key, error: errorOf(bad) }; }
    }
    if (failed) this.memo.get(key)?.names.splice(0);                 // UPD-5: a handler that fails names nothing
    for (const named of this.memo.get(key)?.names ?? []) this.name(...named);
    if (!this.over) this.outcomes.set(key, outcome);
  }
}
