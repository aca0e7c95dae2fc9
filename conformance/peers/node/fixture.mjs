// A server under test with the fixture functions of section 20: their state by `run`, the steps of fx/act and
// fx/run, the argument types and the settings that the section asks for. Usage: node fixture.mjs PORT
import { hostname } from 'node:os';
import { wireflight } from './server.mjs';
import { ApplicationError } from './run.mjs';
import * as t from './types.mjs';

const LIMITS = { handler_ms: 2000, refresh_phase_ms: 1000, body_idle_ms: 2000, body_total_ms: 3000 };
const RESPONSE_BYTES = 4194304;

class Money { constructor(amount, currency) { Object.assign(this, { amount, currency }); } }
const money = {
  name: 'fx.Money', type: Money,
  fromValue(v) {
    if (typeof v?.amount !== 'bigint' || typeof v.currency !== 'string' || Object.keys(v).length !== 2) throw new Error('not money');
    return new Money(v.amount, v.currency);
  },
  toValue: (m) => ({ amount: m.amount, currency: m.currency }),
  project: (m) => `${m.amount} ${m.currency}`,
};

// ---- state, by run

const runs = new Map();
const runOf = (run) => {
  if (!runs.has(run)) runs.set(run, { cells: new Map(), calls: { 'fx/cell': 0, 'fx/act': 0, 'fx/run': 0 }, gates: new Map() });
  return runs.get(run);
};
const add = (state, cell, by) => state.cells.set(cell, (state.cells.get(cell) ?? 0) + by);
function gateOf(state, name) {
  if (!state.gates.has(name)) {
    const gate = {};
    gate.opened = new Promise((resolve) => { gate.open = resolve; });
    state.gates.set(name, gate);
  }
  return state.gates.get(name);
}
const abortable = (promise, signal) => new Promise((resolve, reject) => {
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  promise.then(resolve, reject);
});
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function special(kind) {
  switch (kind) {
    case 'cyclic': { const array = []; array.push(array); return array; }
    case 'function': return () => {};
    case 'large': return 'x'.repeat(RESPONSE_BYTES);
    case 'shared': { const x = { x: 1 }; return [x, x]; }
    case 'view': return new Uint8Array(Buffer.from('SENTINEL-SECRETx')).subarray(15);
    case 'surrogate': return '\ud800';
    default: throw new Error('no such value');
  }
}

async function runSteps(call, { run, steps }) {
  const state = runOf(run);
  let result = null;
  const finished = [];
  state.calls[call.id]++;
  try {
    for (const step of steps) {
      if (call.signal.aborted) throw call.signal.reason;
      const { query, arg } = step;
      switch (step.do) {
        case 'add': add(state, step.cell, step.by); break;
        case 'read': await call.query(query, arg); break;
        case 'return_read': result = await call.query(query, arg); break;
        case 'refresh': call.refresh(query, arg); break;
        case 'set': call.set(query, arg, step.value); break;
        case 'set_special': call.set(query, arg, special(step.kind)); break;
        case 'accept': call.accept(query, step.limit); break;
        case 'take': call.accept(query, step.limit, { refresh: false }); break;
        case 'invalidate': call.invalidate({ id: query, argument: arg, one: 'arg' in step, all: step.all === true }); break;
        case 'reset': call.reset(); break;
        case 'late': call.afterEnd(() => { try { call.refresh(query, arg); } catch { add(state, 'late', 1); } }); break;
        case 'fail_commit': call.failCommit(); break;
        case 'slow_commit': call.slowCommit(step.ms); break;
        case 'return': result = step.value; break;
        case 'return_special': result = special(step.kind); break;
        case 'fail': throw new ApplicationError(step.status, step.code, step.message);
        case 'crash': throw new Error(step.text);
        case 'redirect': call.redirect(step.location); break;
        case 'cookie': call.cookie(step.name, step.value); break;
        case 'sleep': await abortable(pause(step.ms), call.signal); break;
        case 'open': gateOf(state, step.gate).open(); break;
        case 'wait': await abortable(gateOf(state, step.gate).opened, call.signal); break;
        case 'child':
          try { await call.command('fx/run', { run, steps: step.steps }); } catch (e) { if (step.catch !== true) throw e; }
          break;
        case 'finish': finished.push(step.cell); break;
        default: throw new Error('no such step');
      }
    }
    return result;
  } finally {
    for (const cell of finished) add(state, cell, 1);
  }
}

const steps = t.object({ run: t.string(), steps: t.array(t.any) });
const typed = t.object({
  name: t.string({ min: 1, max: 20 }), count: t.integer({ minimum: 0, maximum: 100 }),
  when: { type: t.date, optional: true }, mode: { type: t.choice('a', 'b'), optional: true },
  tags: { type: t.array(t.string(), { max: 3 }), optional: true }, at: { type: t.object({ x: t.double() }), optional: true },
  data: { type: t.bytes, optional: true }, big: { type: t.bigint, optional: true }, labels: { type: t.set(t.string()), optional: true },
  counts: { type: t.map(t.string(), t.integer()), optional: true },
});
const functions = [
  { id: 'fx/echo', argument: t.any, handler: (_, value) => value },
  { id: 'fx/none', argument: t.none, result: { type: 'string' }, handler: () => 'none' },
  { id: 'fx/pair', argument: t.parameters({ a: t.integer(), b: { type: t.integer(), default: 2 } }), handler: (_, pair) => pair },
  { id: 'fx/typed', argument: typed, result: typed.schema, details: true, handler: (_, value) => value },
  {
    id: 'fx/cell', argument: t.object({ run: t.string(), cell: t.string() }), result: { type: 'integer' },
    handler(_, { run, cell }) { const state = runOf(run); state.calls['fx/cell']++; return state.cells.get(cell) ?? 0; },
  },
  { id: 'fx/calls', argument: t.object({ run: t.string() }), handler: (_, { run }) => ({ ...runOf(run).calls }) },
  {
    id: 'fx/whoami', argument: t.none,
    async handler(call) { for (let i = 0; i < 3; i++) await pause(1); return call.cookies.get('fx_session') ?? null; },
  },
  { id: 'fx/seen', argument: t.none, handler: (call) => ({ id: call.id, page: call.page }) },
  { id: 'fx/money', argument: t.instance(money), handler: (_, value) => value },
  { id: 'fx/act', argument: steps, handler: runSteps },
  { id: 'fx/run', kind: 'command', argument: steps, handler: runSteps },
].map((f) => ({ kind: 'query', ...f }));

const [port, base = ''] = process.argv.slice(2);
wireflight({
  functions, base, extensions: [money], limits: LIMITS, build: 'fixture', showFunctions: true,
  hosts: ['localhost', '127.0.0.1', '[::1]', hostname().toLowerCase()],
  allowedOrigins: ['https://allowed.example'], redirectOrigins: ['https://allowed.example'],
}).listen(Number(port), '127.0.0.1', () => console.log(`listening on 127.0.0.1:${port}${base}`));
