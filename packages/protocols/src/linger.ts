/** A session that ended here stays open a while: slower parties may still pull what this one offers. */
import type { Session } from '@keyquorum/mpc/session';

const LINGER_MS = 10_000;

export function closeLater(session: Session): void {
  session.clock.until(session.clock.now() + LINGER_MS, session.signal).then(
    () => session.close(),
    () => undefined, // it ended before
  );
}
