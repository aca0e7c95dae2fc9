// The two encodings of Wireflight: payload texts (sections 3 to 5) and plain JSON (section 6).
// The value model maps to JavaScript as it lies: undefined, null, boolean, number, bigint, string,
// Uint8Array (bytes), Date, Array, plain object, Map, Set, and instances of registered extension classes.
// An extension is {name, type (a class), fromValue(v) (throws), toValue(x), project(x)}.

export class Failure extends Error {
  constructor(code, extra = {}) { super(code); this.code = code; this.extra = extra; }
}
const invalid = () => { throw new Failure('invalid_payload'); };
const tooMuch = (code, limit) => { throw new Failure(code, { limit }); };
export class Unencodable extends Error {}

const DATE = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const BYTES = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;
const BIGINT = /^(?:0|-?[1-9][0-9]*)$/;
export const KEY = /^[A-Za-z_]\w*(?:\/[A-Za-z_]\w*)*\/[A-Za-z0-9_-]*$/;

export function readDate(text) {
  if (typeof text !== 'string' || !DATE.test(text)) return null;
  const date = new Date(text);                  // V8 rolls 30 February over: compare with what it writes
  return !Number.isNaN(date.getTime()) && date.toISOString() === text ? date : null;
}
export const readBytes = (text) =>
  typeof text === 'string' && BYTES.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : null;
export function readBigint(text, limits) {
  if (typeof text !== 'string' || !BIGINT.test(text)) return null;
  return text.replace('-', '').length > limits.bigint_digits ? tooMuch('too_large', 'bigint_digits') : BigInt(text);
}
const writeBytes = (b) => (b instanceof ArrayBuffer ? Buffer.from(b) : Buffer.from(b.buffer, b.byteOffset, b.byteLength)).toString('base64');
const isBytes = (x) => x instanceof ArrayBuffer || ArrayBuffer.isView(x);
export const isPlainObject = (x) => typeof x === 'object' && x !== null
  && (Object.getPrototypeOf(x) === Object.prototype || Object.getPrototypeOf(x) === null);

// ---------------------------------------------------------------- JSON texts

export function utf8(bytes) {
  let text;
  try { text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes); } catch { invalid(); }
  if (text.startsWith('\ufeff')) invalid();
  return text;
}

// A strict JSON reader. Objects become Maps, so that no name is special and order is kept; a name that stands
// twice, an unpaired surrogate, `__proto__` and a number that is no finite double are refused here.
function parseJson(text, maxDepth, { negativeZero }) {
  let at = 0;
  const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  const space = () => { while (' \t\n\r'.includes(text[at] || 'x')) at++; };
  const string = () => {
    const start = at++;
    let plain = true;
    for (;; at++) {
      const c = text.charCodeAt(at);
      if (c === 34) break;
      if (c === 92) { plain = false; at++; } else if (!(c >= 32)) invalid();   // also NaN: the end of the text
    }
    at++;
    let value;
    try { value = plain ? text.slice(start + 1, at - 1) : JSON.parse(text.slice(start, at)); } catch { invalid(); }
    return value.isWellFormed() ? value : invalid();
  };
  const value = (depth) => {
    space();
    const c = text[at];
    if (c === '"') return string();
    if (c === '{' || c === '[') {
      if (depth === maxDepth) invalid();
      const close = c === '{' ? '}' : ']', result = c === '{' ? new Map() : [];
      at++; space();
      if (text[at] === close) { at++; return result; }
      for (;;) {
        if (c === '{') {
          space();
          if (text[at] !== '"') invalid();
          const name = string();
          space();
          if (text[at++] !== ':' || name === '__proto__' || result.has(name)) invalid();
          result.set(name, value(depth + 1));
        } else result.push(value(depth + 1));
        space();
        const next = text[at++];
        if (next === close) return result;
        if (next !== ',') invalid();
      }
    }
    for (const [word, literal] of [['null', null], ['true', true], ['false', false]]) {
      if (text.startsWith(word, at)) { at += word.length; return literal; }
    }
    number.lastIndex = at;
    const literal = number.exec(text)?.[0] ?? invalid();
    at += literal.length;
    const n = Number(literal);
    if (!Number.isFinite(n) || (n === 0 && literal[0] === '-' && !negativeZero)) invalid();
    return n;
  };
  const result = value(0);
  space();
  return at === text.length ? result : invalid();
}

// ---------------------------------------------------------------- encoding (PAY-1, KEY-1)

const quote = (s) => {
  if (!s.isWellFormed()) throw new Unencodable('unpaired surrogate');
  return JSON.stringify(s).replace(/[<\u2028\u2029]/g, (c) => (c === '<' ? '\\u003C' : c === '\u2028' ? '\\u2028' : '\\u2029'));
};
const sentinel = (x) => x === undefined ? -1 : typeof x !== 'number' ? 0
  : Number.isNaN(x) ? -3 : x === Infinity ? -4 : x === -Infinity ? -5 : Object.is(x, -0) ? -6 : 0;

function scalarEntry(x) {                       // the entry of a scalar (KEY-1, step 4), or undefined
  if (x === null || typeof x === 'boolean' || typeof x === 'number') return String(x);
  if (typeof x === 'string') return quote(x);
  if (typeof x === 'bigint') return `["BigInt","${x}"]`;
  if (x instanceof Date) {
    const year = x.getUTCFullYear();
    if (!(year >= 1 && year <= 9999)) throw new Unencodable('date');
    return `["Date","${x.toISOString()}"]`;
  }
  return undefined;
}
const scalarText = (x) => {                     // what KEY-3 compares
  if (Object.is(x, -0)) x = 0;
  if (sentinel(x)) return String(sentinel(x));
  const entry = scalarEntry(x);
  return entry === undefined ? undefined : `[${entry}]`;
};
function refuseEqual(items) {
  const seen = new Set();
  for (const item of items) {
    const text = isBytes(item) ? writeBytes(item) : scalarText(item);
    if (text !== undefined && seen.has(text)) throw new Unencodable('equal scalars');
    seen.add(text);
  }
}
const isIndex = (name) => /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) <= 4294967294;
const byUnits = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a, b) => isIndex(a) ? (isIndex(b) ? a - b : -1) : isIndex(b) ? 1 : byUnits(a, b);
const sortByScalar = (items, scalarOf) => items
  .map((item) => [scalarText(scalarOf(item)) ?? (() => { throw new Unencodable('no normal form'); })(), item])
  .sort((a, b) => byUnits(a[0], b[0])).map(([, item]) => item);

// `canonical` writes the text of the normal form; `accepts(name)` says which extensions go out typed.
export function encode(value, { extensions = [], canonical = false, accepts = () => true } = {}) {
  const table = [], known = new Map(), open = new Set();
  const refer = (x) => {
    const extension = extensions.find((e) => x instanceof e.type);
    if (extension && !accepts(extension.name)) return refer(extension.project(x));
    if (canonical && Object.is(x, -0)) x = 0;
    if (sentinel(x)) return sentinel(x);
    if (open.has(x)) throw new Unencodable('cycle');
    if (known.has(x)) return known.get(x);
    const index = table.push('') - 1;
    if (!canonical || typeof x !== 'object' || x === null) known.set(x, index);
    const shared = typeof x === 'object' && x !== null;
    if (shared) open.add(x);
    table[index] = entry(x, extension);
    if (shared) open.delete(x);
    return index;
  };
  const entry = (x, extension) => {
    const scalar = scalarEntry(x);
    if (scalar !== undefined) return scalar;
    if (extension) return `[${quote(extension.name)},${refer(extension.toValue(x))}]`;
    if (isBytes(x)) return `["ArrayBuffer","${writeBytes(x)}"]`;
    if (Array.isArray(x)) return `[${Array.from(x, refer)}]`;
    if (x instanceof Map) {
      refuseEqual(x.keys());
      const pairs = canonical ? sortByScalar([...x], ([key]) => key) : [...x];
      return `[${['"Map"', ...pairs.flat().map(refer)]}]`;
    }
    if (x instanceof Set) {
      refuseEqual(x);
      const items = canonical ? sortByScalar([...x], (item) => item) : [...x];
      return `[${['"Set"', ...items.map(refer)]}]`;
    }
    if (!isPlainObject(x)) throw new Unencodable(typeof x);
    let names = Object.keys(x);
    if (names.includes('__proto__')) throw new Unencodable('__proto__');
    if (canonical) names = names.filter((name) => x[name] !== undefined).sort(byName);
    return `{${names.map((name) => `${quote(name)}:${refer(x[name])}`)}}`;
  };
  const root = refer(value);
  return root < 0 ? String(root) : `[${table}]`;
}

export const toPayload = (argument, extensions) => argument === undefined ? ''
  : Buffer.from(encode(argument, { extensions, canonical: true })).toString('base64url');

// ---------------------------------------------------------------- decoding (PAY-6)

const SENTINELS = new Map([[-1, undefined], [-3, NaN], [-4, Infinity], [-5, -Infinity], [-6, -0]]);

// `argumentIn` names the member of the root that holds the argument; without it the whole text is the argument.
export function decodePayloadText(bytes, { limits, extensions, argumentIn }) {
  const table = parseJson(utf8(bytes), 2, { negativeZero: false });
  if (typeof table === 'number') return SENTINELS.has(table) ? SENTINELS.get(table) : invalid();
  if (!Array.isArray(table) || table.length === 0) invalid();
  if (table.length > limits.table_entries) tooMuch('too_large', 'table_entries');

  const entries = table.map((e) => readEntry(e, limits, extensions));
  for (const { refs } of entries) {
    for (const r of refs) {
      if (typeof r !== 'number' || !(SENTINELS.has(r) || (Number.isInteger(r) && r >= 0 && r < table.length))) invalid();
    }
  }
  const order = childrenFirst(entries, entries.keys());            // all entries: fails at a cycle
  if (childrenFirst(entries, [0]).length < entries.length) invalid();   // step 10

  for (const { kind, refs } of entries) {
    if (kind !== 'Map' && kind !== 'Set') continue;
    const compared = kind === 'Set' ? refs : refs.filter((_, i) => i % 2 === 0);
    const seen = new Set();
    for (const r of compared) {
      // a Set of JavaScript cannot hold one object twice either, so the same entry is refused too
      const text = r < 0 ? scalarText(SENTINELS.get(r)) : 'scalar' in entries[r] ? scalarText(entries[r].scalar) : entries[r].bytes ?? r;
      if (seen.has(text)) invalid();
      seen.add(text);
    }
  }

  let argument = 0;
  if (argumentIn !== undefined) {
    const i = entries[0].kind === 'object' ? entries[0].names.indexOf(argumentIn) : -1;
    argument = i < 0 ? -1 : entries[0].refs[i];
  }
  if (argument >= 0) {
    const depth = new Float64Array(entries.length), nodes = new Float64Array(entries.length);
    const reached = childrenFirst(entries, [argument]);
    for (const i of reached) {
      const { container, refs, size } = entries[i];
      if (container && size > limits.container_members) tooMuch('too_large', 'container_members');
      depth[i] = container ? 1 + refs.reduce((d, r) => Math.max(d, r < 0 ? 0 : depth[r]), 0) : 0;
      nodes[i] = 1 + refs.reduce((n, r) => n + (r < 0 ? 1 : nodes[r]), 0);
    }
    if (depth[argument] > limits.depth) tooMuch('too_deep', 'depth');
    if (nodes[argument] > limits.expanded_nodes) tooMuch('too_large', 'expanded_nodes');
  }

  const values = new Array(entries.length);
  for (const i of order) {
    const e = entries[i];
    values[i] = e.build(e.refs.map((r) => (r < 0 ? SENTINELS.get(r) : values[r])));
  }
  return values[0];
}

function readEntry(json, limits, extensions) {
  if (json instanceof Map) return objectEntry([...json.keys()], [...json.values()]);
  if (!Array.isArray(json)) return { refs: [], scalar: json, build: () => json };
  if (typeof json[0] !== 'string') {
    return { container: true, size: json.length, refs: json, build: (items) => items };
  }
  const [tag, ...rest] = json;
  const one = (read, scalar) => {
    const value = rest.length === 1 ? read(rest[0]) : null;
    if (value === null) invalid();
    return { refs: [], ...(scalar ? { scalar: value } : { bytes: `bytes ${rest[0]}` }), build: () => value };
  };
  switch (tag) {
    case 'Date': return one(readDate, true);
    case 'ArrayBuffer': return one(readBytes, false);
    case 'BigInt': return one((text) => readBigint(text, limits), true);
    case 'Set': return { kind: 'Set', container: true, size: rest.length, refs: rest, build: (items) => new Set(items) };
    case 'Map':
      if (rest.length % 2) invalid();
      return { kind: 'Map', container: true, size: rest.length / 2, refs: rest, build: (flat) => new Map(pairs(flat)) };
    case 'null': {
      if (rest.length % 2) invalid();
      const names = pairs(rest).map(([name]) => name);
      if (names.some((n) => typeof n !== 'string' || n === '__proto__') || new Set(names).size < names.length) invalid();
      return objectEntry(names, pairs(rest).map(([, ref]) => ref));
    }
    default: {
      const extension = extensions.find((e) => e.name === tag);
      if (!extension || rest.length !== 1) invalid();
      return { container: true, size: 1, refs: rest, build: ([value]) => { try { return extension.fromValue(value); } catch { invalid(); } } };
    }
  }
}
const pairs = (flat) => flat.flatMap((x, i) => (i % 2 ? [] : [[x, flat[i + 1]]]));
const objectEntry = (names, refs) => ({
  kind: 'object', container: true, size: names.length, names, refs,
  build: (values) => Object.fromEntries(names.map((name, i) => [name, values[i]])),
});

// The entries that `roots` reach, each after those it refers to, without recursion: the chain may be long.
function childrenFirst(entries, roots) {
  const state = new Uint8Array(entries.length), order = [];        // 0 new, 1 open, 2 done
  for (const root of roots) {
    if (state[root]) continue;
    const stack = [[root, 0]];
    state[root] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1], child = entries[top[0]].refs[top[1]++];
      if (child === undefined) { state[top[0]] = 2; order.push(top[0]); stack.pop(); }
      else if (child >= 0 && state[child] === 1) invalid();
      else if (child >= 0 && state[child] === 0) { state[child] = 1; stack.push([child, 0]); }
    }
  }
  return order;
}

export function decodePayload(payload, { limits, extensions }) {  // KEY-5
  if (payload === '') return undefined;
  if (!/^[A-Za-z0-9_-]*$/.test(payload)) invalid();
  const bytes = Buffer.from(payload, 'base64url');
  if (bytes.toString('base64url') !== payload) invalid();
  const value = decodePayloadText(bytes, { limits, extensions });
  try {
    if (value !== undefined && bytes.equals(Buffer.from(encode(value, { extensions, canonical: true })))) return value;
  } catch (e) { if (!(e instanceof Unencodable)) throw e; }
  throw new Failure('non_canonical');
}

// ---------------------------------------------------------------- plain JSON (section 6)

function checkNesting(text, most) {             // PLAIN-1, step 2, on a text that may not be JSON at all
  let depth = 0, inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) { if (c === '\\') i++; else if (c === '"') inString = false; }
    else if (c === '"') inString = true;
    else if (c === '[' || c === '{') { if (++depth > most) tooMuch('too_deep', 'depth'); }
    else if (c === ']' || c === '}') depth--;
  }
}

export function readPlainJson(bytes, { limits, argumentIn }) {
  const text = utf8(bytes);
  checkNesting(text, limits.depth + 4);
  const json = parseJson(text, Infinity, { negativeZero: true });
  const argument = argumentIn === undefined ? json : json instanceof Map ? json.get(argumentIn) : undefined;
  let nodes = 0;
  const measure = (x) => {
    nodes++;
    if (typeof x !== 'object' || x === null) return 0;
    const parts = x instanceof Map ? [...x.values()] : x;
    if (parts.length > limits.container_members) tooMuch('too_large', 'container_members');
    return 1 + parts.reduce((d, p) => Math.max(d, measure(p)), 0);
  };
  if (measure(argument) > limits.depth) tooMuch('too_deep', 'depth');
  if (nodes > limits.expanded_nodes) tooMuch('too_large', 'expanded_nodes');
  const build = (x) => x instanceof Map ? Object.fromEntries([...x].map(([n, v]) => [n, build(v)]))
    : Array.isArray(x) ? x.map(build) : x;
  return build(json);
}

export function normalisePlain(x) {             // KEY-1 for what plain JSON can hold
  if (Array.isArray(x)) return x.map(normalisePlain);
  if (isPlainObject(x)) return Object.fromEntries(Object.keys(x).sort(byName).map((n) => [n, normalisePlain(x[n])]));
  return Object.is(x, -0) ? 0 : x;
}

export function writePlainJson(value, { extensions = [] } = {}) {
  encode(value, { extensions, accepts: () => false });             // the same values cannot be encoded (PAY-4)
  const plain = (x) => {
    const extension = extensions.find((e) => x instanceof e.type);
    if (extension) return plain(extension.project(x));
    if (typeof x === 'bigint') return String(x);
    if (x instanceof Date) return x.toISOString();
    if (isBytes(x)) return writeBytes(x);
    if (Array.isArray(x) || x instanceof Set || x instanceof Map) return Array.from(x, plain);
    if (isPlainObject(x)) return Object.fromEntries(Object.entries(x).map(([n, v]) => [n, v === undefined ? v : plain(v)]));
    return x === undefined ? null : x;
  };
  return JSON.stringify(plain(value));
}
