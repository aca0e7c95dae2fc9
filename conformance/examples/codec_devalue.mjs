// A driver for `wireflight-conformance codec` around npm devalue, with nothing added to it:
//
//   wireflight-conformance codec --cmd 'node codec_devalue.mjs PATH-OF-DEVALUE'
//
// It shows how small a driver is, and where devalue alone is no codec of the protocol: it writes what
// PAY-1 writes, and reads far more than PAY-6 allows.
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { Extension, normalise, tag, untag } from '../../spec/vectors/tagged.mjs';

const devalue = await import(process.argv[2] ? pathToFileURL(join(process.argv[2], 'index.js')).href : 'devalue');

const encode = (value) =>
	devalue.stringify(value, { 'fx.Money': (item) => item instanceof Extension && item.name === 'fx.Money' && item.value });
const decode = (text) => devalue.parse(text, { 'fx.Money': (value) => new Extension('fx.Money', value) });
const text_of = ({ text, hex }) => text ?? Buffer.from(hex, 'hex').toString();
const base64url = (text) => (text === '-1' ? '' : Buffer.from(text).toString('base64url'));

const operations = {
	hello: () => ({
		name: 'npm devalue',
		version: 1,
		lacks: ['member_order', 'equal_items', 'same_container', 'microseconds', 'offsets', 'view']
	}),
	echo: ({ value }) => value,
	decode: (request) => tag_unless_quiet(decode(text_of(request)), request),
	encode: ({ value }) => encode(untag(value)),
	recode: ({ text }) => encode(decode(text)),
	canonical: ({ value }) => encode(normalise(untag(value), encode)),
	payload: ({ value }) => base64url(encode(normalise(untag(value), encode))),
	decode_payload: (request) =>
		tag_unless_quiet(request.payload ? decode(Buffer.from(request.payload, 'base64url').toString()) : undefined, request)
};

function tag_unless_quiet(value, { quiet }) {
	return quiet ? true : tag(value);
}

for await (const line of createInterface({ input: process.stdin })) {
	const request = JSON.parse(line);
	const operation = operations[request.op];
	let answer;
	try {
		answer = operation ? { ok: operation(request) ?? null } : { unsupported: 'devalue has no such operation' };
	} catch (error) {
		const is_normal = error.message === 'no normal form';
		const is_written = ['encode', 'canonical', 'payload'].includes(request.op);
		answer = { error: is_normal ? 'no_normal_form' : is_written ? 'unencodable' : 'invalid_payload' };
	}
	process.stdout.write(JSON.stringify({ id: request.id, ...answer }) + '\n');
}
