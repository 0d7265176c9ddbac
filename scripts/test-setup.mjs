/** Global setup of the test run: `vitest` started by hand finds a kernel that is up to date. */
import { buildKernel } from '../packages/kernel/build.mjs';

export default async function setup() {
  await buildKernel();
}
