// The HTTP side of a Wireflight server: the checks of CHK-1 in their order, then the call, then the response.
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { Failure, decodePayload, decodePayloadText, readPlainJson, normalisePlain, isPlainObject, encode, writePlainJson } from './codec.mjs';
import { Fields, bodyEncoding, namesEncoding, responseEncoding, queryParts, decodePart, cookies } from './headers.mjs';
import { Run, errorOf } from './run.mjs';

const LIMITS = {
  get_payload_chars: 4096, header_bytes: 16384, body_bytes: 524288, table_entries: 50000, expanded_nodes: 100000, depth: 64,
  container_members: 10000, bigint_digits: 1024, refresh_keys: 64, response_bytes: 4194304, handler_ms: 30000,
  refresh_phase_ms: 10000, body_idle_ms: 10000, body_total_ms: 60000,
};
const MANIFEST = { id: '~manifest', kind: 'manifest' };
const METHODS = { query: ['GET', 'POST'], command: ['POST'], manifest: ['GET'] };

// options: {functions: [{id, kind, argument, result, handler, details}], extensions, base, hosts, allowedOrigins,
//           redirectOrigins, build, showFunctions, limits}
export function wireflight(options) {
  const { base = '', hosts, allowedOrigins = [], build, showFunctions } = options;
  const limits = { ...LIMITS, ...options.limits };
  const functions = new Map(options.functions.map((f) => [f.id, { ...f, contract: contractOf(f) }]));
  const core = { functions, limits, extensions: options.extensions ?? [], redirectOrigins: options.redirectOrigins ?? [] };

  async function answer(req, res, beforeBody) {
    const fields = new Fields(req.rawHeaders);
    const mark = req.url.indexOf('?');
    const path = (mark < 0 ? req.url : req.url.slice(0, mark)).replace(/^https?:\/\/[^/]*/i, '');
    const query = queryParts(mark < 0 ? '' : req.url.slice(mark + 1));
    const encoding = responseEncoding(fields, query);
    const gone = new AbortController();
    res.on('close', () => gone.abort());
    const headers = commonHeaders(fields);
    let reply;
    try {
      reply = await check();
    } catch (e) {
      if (e.code === 'method_not_allowed') headers.Allow = e.allow.join(', ');
      reply = { document: { type: 'error', error: errorOf(e) } };
    }
    send(res, headers, encoding, reply);

    async function check() {
      checkHost(fields);
      const fn = route(path);
      if (req.method === 'OPTIONS') return preflight(fields, headers);
      if (!METHODS[fn.kind].includes(req.method)) throw Object.assign(new Failure('method_not_allowed'), { allow: METHODS[fn.kind] });
      checkOrigin(req.method, fields);
      const versions = fields.all('wireflight-version');
      if (versions.length > 1 || (versions.length === 1 && versions[0] !== '1')) throw new Failure('unsupported_version', { supported: [1] });
      if (fn.contract && fields.all('wireflight-contract').some((c) => c !== fn.contract)) throw new Failure('contract_mismatch');
      const post = req.method === 'POST';
      const bodyType = post ? checkMedia(fields) : undefined;
      if (fields.size > limits.header_bytes) throw new Failure('headers_too_large', { limit: 'header_bytes' });
      if (fn === MANIFEST) return { document: manifest() };
      const arguments_ = query.filter(([name]) => name === 'payload' || name === 'arg');
      for (const [, raw] of post ? [] : arguments_) {
        if ([...(decodePart(raw) ?? Buffer.from(raw)).toString()].length > limits.get_payload_chars) throw new Failure('payload_too_long', { limit: 'get_payload_chars' });
      }
      const body = post ? await readBody(req, fields, beforeBody) : undefined;
      const call = post ? readCall(fn, bodyType, body, arguments_) : readUrl(arguments_);

      const accepted = new Set(fields.list('wireflight-accept'));
      const run = new Run(core, {
        encoding, accepts: (name) => accepted.has(name), page: fields.all('wireflight-page')[0] ?? null, jar: cookies(fields), signal: gone.signal,
      });
      if (fn.kind === 'query') return run.answerQuery(fn, call.argument, call.plain);
      run.judge(call.refreshes);
      return run.answerCommand(fn, call.argument, call.plain);
    }
  }

  // ---- stages 1 to 7

  function checkHost(fields) {
    const host = fields.one('host')?.toLowerCase().replace(/:\d*$/, '');
    if (hosts && !hosts.includes(host)) throw new Failure('forbidden_host');
  }
  function route(path) {
    const rest = path.startsWith(`${base}/`) && !/%(?:2f|5c|00)|%(?![0-9a-f]{2})/i.test(path) ? path.slice(base.length + 1) : '';
    const name = decodePart(rest.replaceAll('+', '%2B')).toString('latin1');
    const fn = name === '~manifest' ? MANIFEST : functions.get(name);
    if (!fn) throw new Failure('unknown_function');
    return fn;
  }
  function allowed(fields) { const origin = fields.one('origin'); return allowedOrigins.includes(origin) ? origin : undefined; }
  function preflight(fields, headers) {
    if (!allowed(fields)) throw new Failure('forbidden_origin');
    headers['Access-Control-Allow-Methods'] = 'GET, POST';
    headers['Access-Control-Allow-Headers'] = ['Content-Type', ...['Version', 'Build', 'Contract', 'Accept', 'Page'].map((n) => `Wireflight-${n}`)].join(', ');
    return { document: null };
  }
  function checkOrigin(method, fields) {
    const origins = fields.all('origin'), sites = fields.all('sec-fetch-site');
    const refuse = () => { throw new Failure('forbidden_origin'); };
    if (method === 'GET') {                                      // SEC-3
      if ((sites.length > 1 || ['cross-site', 'same-site'].includes(sites[0])) && !allowed(fields)) refuse();
      return;
    }
    if (origins.length > 1 || sites.length > 1) refuse();        // SEC-2
    if (allowed(fields)) return;
    if (sites.length) { if (!['same-origin', 'none'].includes(sites[0])) refuse(); return; }
    if (origins.length) {
      const bare = (authority) => authority?.toLowerCase().replace(/:(?:80|443)$/, '');
      const own = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@]+)$/i.exec(origins[0])?.[1];
      if (!own || bare(own) !== bare(fields.one('host'))) refuse();
      return;
    }
    if (!namesEncoding(fields.one('content-type')) && !fields.all('wireflight-version').length) refuse();
  }
  function checkMedia(fields) {
    const type = bodyEncoding(fields.one('content-type'));
    if (!type || fields.all('content-encoding').join(',').toLowerCase() !== (fields.all('content-encoding').length ? 'identity' : '')) throw new Failure('unsupported_media_type');
    return type;
  }

  // ---- stage 8

  function readBody(req, fields, beforeBody) {
    const tooLarge = new Failure('body_too_large', { limit: 'body_bytes' });
    if (Number(fields.one('content-length') ?? 0) > limits.body_bytes) throw tooLarge;
    beforeBody();
    return new Promise((resolve, reject) => {
      const chunks = [];
      let size = 0, idle;
      const slow = () => finish(reject, new Failure('body_timeout'));
      const total = setTimeout(slow, limits.body_total_ms);
      const wait = () => { clearTimeout(idle); idle = setTimeout(slow, limits.body_idle_ms); };
      const finish = (settle, value) => { clearTimeout(idle); clearTimeout(total); req.removeAllListeners('data'); settle(value); };
      wait();
      req.on('data', (chunk) => {
        wait();
        size += chunk.length;
        if (size > limits.body_bytes) finish(reject, tooLarge); else chunks.push(chunk);
      });
      req.on('end', () => finish(resolve, Buffer.concat(chunks)));
      req.on('error', () => finish(reject, new Failure('invalid_request')));
    });
  }

  // ---- stages 9 and 10

  function readUrl(parts) {
    if (parts.length > 1) throw new Failure('invalid_request');
    if (!parts.length) return { argument: undefined };
    const [name, raw] = parts[0], bytes = decodePart(raw);
    if (!bytes) throw new Failure('invalid_payload');
    if (name === 'payload') return { argument: decodePayload(bytes.toString('latin1'), core) };
    return { argument: normalisePlain(readPlainJson(bytes, { limits })), plain: true };
  }
  function readCall(fn, type, body, urlParts) {
    const refuse = () => { throw new Failure('invalid_request'); };
    if (urlParts.length) refuse();
    const plain = type === 'plain';
    const value = plain ? readPlainJson(body, { limits, argumentIn: 'arg' })
      : decodePayloadText(body, { limits, extensions: core.extensions, argumentIn: 'arg' });
    if (!isPlainObject(value)) refuse();
    const { arg, payload, refreshes = [] } = value;
    if (fn.kind === 'command') {
      if (payload !== undefined || !Array.isArray(refreshes) || refreshes.some((k) => typeof k !== 'string')) refuse();
      if (new Set(refreshes).size > limits.refresh_keys) throw new Failure('too_large', { limit: 'refresh_keys' });
      return { argument: arg, plain, refreshes };
    }
    if (payload === undefined) {
      if (arg !== undefined && !plain) refuse();
      return { argument: normalisePlain(arg), plain };
    }
    if (arg !== undefined || typeof payload !== 'string') refuse();
    return { argument: decodePayload(payload, core) };
  }

  // ---- the response

  function commonHeaders(fields) {
    const origin = allowed(fields);
    return {
      'Cache-Control': 'private, no-store', 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin',
      Vary: 'Accept, Origin, Sec-Fetch-Site', 'Wireflight-Version': '1', ...(build && { 'Wireflight-Build': build }),
      ...(origin && { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' }),
    };
  }
  function send(res, headers, encoding, { document, written, cookies: set = [] }) {
    if (res.destroyed) return;
    if (set.length) headers['Set-Cookie'] = set;
    if (document === null) { res.writeHead(204, headers).end(); return; }
    const accepted = new Set(new Fields(res.req.rawHeaders).list('wireflight-accept'));
    const text = encoding === 'wireflight' ? encode(document, { extensions: core.extensions, accepts: (n) => accepted.has(n) })
      : writePlainJson(document, { extensions: core.extensions });
    const status = document.type === 'error' ? document.error.status : 200;
    if (document.error?.code === 'body_timeout') headers.Connection = 'close';
    const type = encoding === 'wireflight' ? 'application/wireflight+json' : 'application/json';
    res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), ...headers }).end(text);
  }
  function manifest() {
    const described = [...functions.values()].map(({ id, kind, contract, argument, result }) => ({
      id, kind, contract, ...(argument?.schema && { argument: clean(argument.schema) }), ...(result && { result: clean(result) }),
    }));
    return { type: 'manifest', versions: [1], capabilities: [], limits, ...(build && { build }), ...(showFunctions && { functions: described }) };
  }

  const server = createServer({ maxHeaderSize: 1 << 20, requireHostHeader: false, keepAliveTimeout: 60000 });
  const handle = (beforeBody) => (req, res) => answer(req, res, () => beforeBody(res)).catch((e) => { console.error(e); res.destroy(); });
  server.on('request', handle(() => {}));
  server.on('checkContinue', handle((res) => res.writeContinue()));
  server.on('checkExpectation', handle(() => {}));
  server.on('clientError', (e, socket) => {                      // what node:http itself refuses
    if (!socket.writable) return;
    const failure = e.code === 'HPE_HEADER_OVERFLOW' ? new Failure('headers_too_large', { limit: 'header_bytes' }) : new Failure('invalid_request');
    const error = errorOf(failure), text = JSON.stringify({ type: 'error', error });
    const lines = Object.entries({ 'Content-Type': 'application/json', ...commonHeaders(new Fields([])), 'Content-Length': text.length, Connection: 'close' });
    socket.end(`HTTP/1.1 ${error.status} Refused\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n${text}`);
  });
  return server;
}

const clean = (schema) => JSON.parse(JSON.stringify(schema));
const contractOf = ({ argument, result }) =>
  createHash('sha256').update(JSON.stringify([argument?.schema ?? null, result ?? null])).digest('base64url').slice(0, 22);
