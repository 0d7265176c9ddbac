/**
 * Preloaded (`node --import`) into every process that this workspace starts: ends it when its parent is gone, so that a
 * killed demo, test or terminal never leaves a network behind. SIGKILL of the parent gives no other sign than a new
 * parent process id.
 */
const PARENT_CHECK_MS = 250;
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, PARENT_CHECK_MS).unref();
