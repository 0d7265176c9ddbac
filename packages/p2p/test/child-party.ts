/** Party 2 of 2 in a process of its own: answers every envelope with the same body under the tag `echo/<tag>`. */
import { createMesh } from '../src/mesh.ts';
import { partyOptions } from './meshes.ts';

const [listen = '/ip4/127.0.0.1/tcp/0'] = process.argv.slice(2);
const FAST = { silenceMsMax: 600, pingIntervalMs: 100, redialMsMin: 5, redialMsMax: 50 };
process.on('uncaughtException', (error) => process.send?.({ uncaught: String(error) }));
process.on('disconnect', () => process.exit(0));

const mesh = createMesh(partyOptions(2, 2, new Map(), { listen, limits: FAST }));
await mesh.start({
  onEnvelope: (from, { session, tag, body }) => mesh.send(from, { session, tag: `echo/${tag}`, body }),
  onPeer: (_, state) => process.send?.({ state }),
});
process.send?.({ address: mesh.addresses()[0] });
