// Checks the vectors of this directory against npm devalue 6.0.3, the test peer of the encoding.
//
//   npm ci --prefix reference/tests/node
//   node spec/vectors/verify.mjs reference/tests/node/node_modules/devalue
//
// Checked: decode (what devalue reads from each accepted text), encode and canonical (the texts that
// it writes, byte for byte), payload (the canonical text behind each accepted payload), number, and
// the JSON side of plain. A vector with `differs` says why devalue cannot agree; it is red here if
// devalue agrees after all. Only what a vector accepts is checked: devalue is laxer than the protocol.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { Extension, expand, normalise, tag, untag } from './tagged.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const devalue = await import(
	process.argv[2] ? pathToFileURL(join(process.argv[2], existsSync(join(process.argv[2], 'index.js')) ? '' : 'src', 'index.js')).href : 'devalue'
);

const reducers = (name) => ({ [name]: (value) => value instanceof Extension && value.name === name && value.value });
const encode = (value) => devalue.stringify(value, reducers('fx.Money'));
const decode = (text) => devalue.parse(text, { 'fx.Money': (value) => new Extension('fx.Money', value) });

const view = new DataView(new ArrayBuffer(8));
const checks = {
	decode(vector) {
		if (vector.verdict === 'reject') return;
		const text = vector.bytes_hex ? Buffer.from(vector.bytes_hex, 'hex').toString() : expand(vector.text);
		const value = decode(text);
		if ('value' in vector) same(tag(value), vector.value);
	},
	encode(vector) {
		if (vector.verdict === 'accept') same(encode(untag(vector.value)), vector.text);
	},
	canonical(vector) {
		if (vector.verdict === 'accept') return same(encode(normalise(untag(vector.value), encode)), vector.text);
		if (![vector.code].flat().includes('no_normal_form') || vector.needs === 'equal_items') return;
		let text;
		try {
			text = encode(normalise(untag(vector.value), encode));
		} catch {
			return;
		}
		throw new Error(`has the normal form ${text}`);
	},
	payload(vector) {
		const payload = expand(vector.payload);
		if (vector.verdict === 'reject') return;
		const text = payload === '' ? '-1' : Buffer.from(payload, 'base64url').toString();
		const value = decode(text);
		if ('value' in vector) same(tag(value), vector.value);
		same(encode(normalise(value, encode)), text);
		if (payload !== '') same(Buffer.from(text).toString('base64url'), payload);
	},
	number(vector) {
		if (vector.direction === 'read') {
			view.setFloat64(0, Number(vector.text));
			const readable = Number.isFinite(Number(vector.text)) && !Object.is(Number(vector.text), -0);
			same(readable, vector.verdict === 'accept');
			if (readable) same(view.getBigUint64(0).toString(16).padStart(16, '0'), vector.bits);
		} else {
			view.setBigUint64(0, BigInt(`0x${vector.bits}`));
			same(String(view.getFloat64(0)), vector.text);
		}
	},
	plain(vector) {
		if (vector.direction !== 'in' || vector.verdict === 'reject') return;
		const value = JSON.parse(vector.bytes_hex ? Buffer.from(vector.bytes_hex, 'hex').toString() : expand(vector.text));
		if ('value' in vector) same(tag(value), vector.value);
		if ('payload' in vector) same(Buffer.from(encode(normalise(value, encode))).toString('base64url'), vector.payload);
	}
};

function same(found, wanted) {
	if (!isDeepStrictEqual(found, wanted)) throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}

let wrong = 0;
for (const name of readdirSync(here).filter((name) => name.endsWith('.json')).sort()) {
	const file = JSON.parse(readFileSync(join(here, name), 'utf8'));
	const check = checks[file.kind];
	if (!check) continue;
	let differing = 0;
	for (const vector of file.vectors) {
		let fault;
		try {
			check(vector);
		} catch (error) {
			fault = error;
		}
		if (vector.differs) differing += 1;
		if (!fault === !vector.differs) continue;
		wrong += 1;
		console.log(`${name} ${vector.id}: ${fault ? fault.message.slice(0, 400) : 'devalue agrees; `differs` is wrong'}`);
	}
	console.log(`${name}: ${file.vectors.length} vectors, ${differing} where devalue differs`);
}
console.log(wrong ? `${wrong} vectors disagree` : 'all agree');
process.exitCode = wrong ? 1 : 0;
