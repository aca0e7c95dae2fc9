// The first line in is {name: text}; each further one is a name, answered by {stringify, parse}
// in seconds per call: the best batch within as many seconds as the first argument says.
import { createInterface } from 'node:readline';
import { parse, stringify } from 'devalue';

const seconds = Number(process.argv[2]);
const BATCH = 0.0005;

function batch(call, calls) {
	const start = performance.now();
	for (let n = 0; n < calls; n += 1) call();
	return (performance.now() - start) / 1000;
}

function best(call) {
	let calls = 1;
	while (batch(call, calls) < BATCH) calls *= 2;
	let fastest = Infinity;
	for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
		fastest = Math.min(fastest, batch(call, calls) / calls);
	}
	return fastest;
}

let corpora = null;
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
	if (corpora === null) {
		const texts = Object.entries(JSON.parse(line));
		corpora = Object.fromEntries(texts.map(([name, text]) => [name, { text, value: parse(text) }]));
		continue;
	}
	const { text, value } = corpora[line];
	console.log(JSON.stringify({ stringify: best(() => stringify(value)), parse: best(() => parse(text)) }));
}
