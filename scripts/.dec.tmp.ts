import { readFileSync } from 'node:fs';
import { decrypt, decryptionRequest } from './network/decryption.ts';
import { createEncryptor } from './network/encryption.ts';
import { createRest } from './network/rest.ts';

const key = readFileSync('/tmp/kqd/api-key', 'utf8').trim();
const rests = [7300, 7302, 7304, 7306].map((p) => createRest(`http://127.0.0.1:${p}`, key));
const keys: any = await rests[0]!.get('/v1/keys');
const k = keys.keys[0];
const pub = new Uint8Array(await (await fetch(k.objects[0].uris[0])).arrayBuffer());
const enc = createEncryptor(pub);
const types: any[] = process.argv[2]
  ? process.argv[2].split(',')
  : ['bool', 'uint8', 'uint64', 'uint256', 'address', 'int64', 'uint2048'];
const { randomSample } = await import('./network/encryption.ts');
const N = Number(process.argv[3] ?? 1);
for (const type of types) {
  const ms: number[] = [];
  for (let i = 0; i < N; i++) {
    const s = randomSample(type);
    const cts = enc.encrypt([s], i % 2 ? 'plain' : 'packed');
    const d = await decrypt(rests[i % 4]!, decryptionRequest(k.requestId, cts));
    ms.push(d.ms);
    if (BigInt(d.values[0]!.value) !== s.value) console.log('WRONG', type, s.value, d.values[0]);
    if (d.faults.length) console.log(JSON.stringify(d.faults));
  }
  ms.sort((a, b) => a - b);
  console.log(type, 'p50', ms[ms.length >> 1]!.toFixed(1), 'max', ms.at(-1)!.toFixed(1));
}
