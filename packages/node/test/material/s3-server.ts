/**
 * Started as a process of its own: an S3 server over HTTP on the folder and port that are given, with one bucket. Sends
 * its port to whoever started it.
 */
import S3rver from '@20minutes/s3rver';
import { BUCKET } from './object-storage.ts';

const [directory, port] = process.argv.slice(2);
const server = new S3rver({
  ...{ directory, port: Number(port), address: '127.0.0.1', silent: true },
  configureBuckets: [{ name: BUCKET, configs: [] }],
});
const address: unknown = await server.run();
process.on('disconnect', () => process.exit()); // whoever started it is gone
process.send?.(address);
