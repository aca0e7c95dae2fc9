// Reads {name: text} on stdin; prints {name: {stringify, parse}} in seconds per call.
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'devalue';

const [seconds, rounds] = process.argv.slice(2).map(Number);

function best(call) {
	call();
	let fastest = Infinity;
	for (let round = 0; round < rounds; round += 1) {
		let calls = 0;
		let elapsed = 0;
		const start = performance.now();
		while ((elapsed = (performance.now() - start) / 1000) < seconds) {
			call();
			calls += 1;
		}
		fastest = Math.min(fastest, elapsed / calls);
	}
	return fastest;
}

const measured = {};
for (const [name, text] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
	const value = parse(text);
	measured[name] = { stringify: best(() => stringify(value)), parse: best(() => parse(text)) };
}
console.log(JSON.stringify(measured));
