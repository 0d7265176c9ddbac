/**
 * n parties in one process on a virtual clock: the real mailbox, sessions and protocols over a simulated network, with
 * seeded delays, reordering, partitions, crashes and corrupt parties. One seed fixes the whole run: every delivered
 * byte and its time. Programs under test may wait only for their session, clock and journal (nothing of the real
 * world), or the order is not theirs to decide.
 *
 * Cost: one macrotask per event, about 3 us plus the work of the parties.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Party } from '../party.ts';
import { partiesOf, type Roster } from '../roster.ts';
import { createSigner, type Identity } from '../runtime/identity.ts';
import { MAILBOX_LIMITS, type MailboxLimits } from '../runtime/mailbox.ts';
import { createMemoryDisk, type DiskSnapshot, type MemoryDisk } from '../runtime/memory-journal.ts';
import type { PartyModules } from '../runtime/modules.ts';
import { createParty } from '../runtime/party.ts';
import type { Fault } from '../session.ts';
import type { PartyId, SessionId } from '../transport.ts';
import { createNetwork, type Latency, type SimulatedNetwork } from './network.ts';
import { createPrng, type Prng } from './prng.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import type { ShareMessageCodec } from './share-message.ts';
import { describeFaults, type Faults } from './strategy.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { createVirtualClock, type Life } from './virtual-clock.ts';

export interface SimulateOptions {
  readonly seed: number | string;
  readonly n: number;
  readonly t: number;
  readonly kernel: Kernel;
  readonly latency?: Latency;
  /** Default true: messages of one link may overtake each other. */
  readonly reorder?: boolean;
  /** Corrupt parties. At most t of them unless a test wants to see what breaks. */
  readonly faults?: Faults;
  readonly codecs?: readonly ShareMessageCodec[];
  /** Largest difference between two clocks, default 0: every party gets a constant seeded offset. */
  readonly skewMs?: number;
  /** How long a journal sync takes. */
  readonly syncMs?: number;
  readonly limits?: MailboxLimits;
}

export type Outcome<T> =
  | { readonly status: 'fulfilled'; readonly value: T }
  | { readonly status: 'rejected'; readonly reason: unknown }
  | { readonly status: 'crashed' }
  /** Nothing is left that could wake the program, or the time limit of the run is over. */
  | { readonly status: 'stalled' };

export interface ReportedFault {
  readonly by: PartyId;
  readonly fault: Fault;
  readonly session: SessionId | undefined;
  readonly timeMs: number;
}

export interface Run<T> {
  /** Index 0 is party 1. */
  readonly outcomes: readonly Outcome<T>[];
  /** Everything reported during this run, by corrupt parties too. */
  readonly faults: readonly ReportedFault[];
  /** Virtual time the run took. */
  readonly elapsedMs: number;
}

export interface CrashOptions {
  /** When the party comes back and runs the program of the current run again; without it, it stays away. */
  readonly restartAfterMs?: number;
  /**
   * What is on its disk then: 'synced' writes only, a random part of the unsynced ones as well ('torn', the default),
   * or an older snapshot (a restored backup).
   */
  readonly disk?: 'synced' | 'torn' | DiskSnapshot;
}

export interface Simulation {
  readonly roster: Roster;
  /** Randomness for the test itself, from the seed. */
  readonly random: Prng;
  /** Parties without a fault strategy. */
  readonly honest: readonly PartyId[];
  /** The current process of a party. */
  party(id: PartyId): Party;
  now(): number;
  /** Runs `program` at every living party until all have ended, crashed or stalled. */
  run<T>(program: (party: Party) => Promise<T>, options?: { limitMs?: number }): Promise<Run<T>>;
  /** Does something to the simulation at a later time of the current or next run. */
  after(delayMs: number, action: () => void): void;
  partition(groups: readonly (readonly PartyId[])[]): void;
  heal(): void;
  crash(party: PartyId, options?: CrashOptions): void;
  restart(party: PartyId): void;
  /** Turns a party's clock forward, or back, like a wrong time server. It keeps that over a restart. */
  turnClock(party: PartyId, byMs: number): void;
  disk(party: PartyId): MemoryDisk;
  readonly traffic: Traffic;
  /** Seed, size and faults in one line. */
  describe(): string;
}

interface Seat {
  readonly id: PartyId;
  readonly identity: Identity;
  readonly disk: MemoryDisk;
  life: Life;
  party: Party;
  incarnation: number;
  /** How far its clock is ahead of the simulation's own. */
  skewMs: number;
}

/** 2023-11-14: any fixed time does. */
const START_MS = 1_700_000_000_000;
const DEFAULT_LATENCY: Latency = { minMs: 1, maxMs: 20 };
/** Virtual time after which a run that keeps itself busy counts as stalled. */
const RUN_LIMIT_MS = 24 * 60 * 60 * 1000;

export function simulate(options: SimulateOptions): Simulation {
  return new SeededSimulation(options);
}

class SeededSimulation implements Simulation {
  readonly roster: Roster;
  readonly random: Prng;
  readonly honest: readonly PartyId[];
  readonly traffic: Traffic = createTraffic();
  readonly #options: SimulateOptions;
  readonly #scheduler: Scheduler = createScheduler(START_MS);
  readonly #network: SimulatedNetwork;
  readonly #seats = new Map<PartyId, Seat>();
  readonly #reported: ReportedFault[] = [];
  /** Starts the program of the current run at a party. */
  #launch: ((seat: Seat) => void) | undefined;
  /** Parties whose program has not ended in the current run. */
  readonly #unfinished = new Set<PartyId>();
  readonly #crashed = new Set<PartyId>();

  constructor(options: SimulateOptions) {
    const { seed, n, t, latency = DEFAULT_LATENCY, reorder = true, faults = {}, syncMs = 1, skewMs = 0 } = options;
    this.#options = options;
    this.random = createPrng(seed);
    const ids = Array.from({ length: n }, (_, index) => index + 1);
    const identities = ids.map((id) => createSigner(this.random.fork(`identity ${id}`).bytes(32)));
    this.roster = { network: 'simulation', n, t, publicKeys: identities.map(({ publicKey }) => publicKey) };
    this.honest = ids.filter((id) => !(id in faults));
    this.#network = createNetwork(
      { parties: ids, latency, reorder },
      { scheduler: this.#scheduler, traffic: this.traffic, random: this.random.fork('network') },
    );
    identities.forEach((identity, index) => {
      const id = index + 1;
      const skew = this.random.fork(`skew ${id}`).unit() * skewMs;
      const disk = createMemoryDisk({ syncMs });
      this.#seats.set(id, this.#boot({ id, identity, disk, life: { alive: false }, incarnation: 0, skewMs: skew }));
    });
  }

  party(id: PartyId): Party {
    return this.#seat(id).party;
  }

  disk(id: PartyId): MemoryDisk {
    return this.#seat(id).disk;
  }

  now(): number {
    return this.#scheduler.now();
  }

  async run<T>(program: (party: Party) => Promise<T>, { limitMs = RUN_LIMIT_MS } = {}): Promise<Run<T>> {
    if (this.#launch) throw new RangeError('simulation: a run is going on');
    const outcomes = new Map<PartyId, Outcome<T>>();
    const reportedBefore = this.#reported.length;
    const startMs = this.now();
    this.#launch = ({ id, life, party }) => {
      this.#unfinished.add(id);
      const end = (outcome: Outcome<T>) => {
        if (!life.alive) return; // the code of a dead process ran on to its next wait
        outcomes.set(id, outcome);
        this.#unfinished.delete(id);
      };
      program(party).then(
        (value) => end({ status: 'fulfilled', value }),
        (reason) => end({ status: 'rejected', reason }),
      );
    };
    try {
      for (const seat of this.#seats.values()) if (seat.life.alive) this.#launch(seat);
      await this.#drive(startMs + limitMs);
    } finally {
      this.#launch = undefined;
      this.#unfinished.clear();
    }
    return {
      outcomes: partiesOf(this.roster).map((id): Outcome<T> => {
        return outcomes.get(id) ?? { status: this.#crashed.has(id) ? 'crashed' : 'stalled' };
      }),
      faults: this.#reported.slice(reportedBefore),
      elapsedMs: this.now() - startMs,
    };
  }

  after(delayMs: number, action: () => void): void {
    this.#scheduler.at(this.now() + delayMs, action);
  }

  partition(groups: readonly (readonly PartyId[])[]): void {
    this.#network.partition(groups);
  }

  heal(): void {
    this.#network.heal();
  }

  crash(id: PartyId, { restartAfterMs, disk = 'torn' }: CrashOptions = {}): void {
    const seat = this.#seat(id);
    if (!seat.life.alive) return;
    seat.life.alive = false;
    this.#crashed.add(id);
    if (disk === 'synced') seat.disk.crash();
    else if (disk === 'torn') seat.disk.crash(this.random.below(seat.disk.unsynced() + 1));
    else seat.disk.restore(disk);
    this.#network.announce(id, 'down');
    if (restartAfterMs === undefined) this.#unfinished.delete(id);
    else this.after(restartAfterMs, () => this.restart(id));
  }

  restart(id: PartyId): void {
    const seat = this.#seat(id);
    if (seat.life.alive) return;
    this.#seats.set(id, this.#boot(seat));
    this.#crashed.delete(id);
    this.#network.announce(id, 'restarted');
    this.#network.announce(id, 'up');
    this.#launch?.(this.#seat(id));
  }

  turnClock(id: PartyId, byMs: number): void {
    this.#seat(id).skewMs += byMs;
  }

  describe(): string {
    const { seed, n, t, faults = {} } = this.#options;
    return `seed ${seed}, n=${n}, t=${t}, ${describeFaults(faults)}`;
  }

  /** Steps through the events until every program has ended. */
  async #drive(limitMs: number): Promise<void> {
    await settleMicrotasks();
    while (this.#unfinished.size > 0 && this.now() < limitMs && this.#scheduler.step()) await settleMicrotasks();
  }

  /** A new process of a party, on what is left of its disk. */
  #boot(seat: Omit<Seat, 'party'>): Seat {
    const { id, identity, disk, skewMs } = seat;
    const { kernel, faults = {}, codecs = [], limits = MAILBOX_LIMITS } = this.#options;
    const incarnation = seat.incarnation + 1;
    const life: Life = { alive: true };
    const clock = createVirtualClock(this.#scheduler, life, () => this.#seats.get(id)?.skewMs ?? skewMs);
    const random = this.random.fork(`party ${id} incarnation ${incarnation}`);
    const network = this.#network.transport(id, life);
    const transport =
      faults[id]?.wrap(network, {
        ...{ roster: this.roster, self: id, signer: identity, clock, codecs },
        random: random.fork('faults'),
        colluders: partiesOf(this.roster).filter((other) => other in faults),
        shared: this.random.fork('collusion'),
        crash: () => this.crash(id),
      }) ?? network;
    const modules: PartyModules = {
      ...{ roster: this.roster, self: id, kernel, clock, signer: identity, transport },
      journal: disk.open(clock),
      random: random.bytes,
      onFault: (fault, session) => {
        if (life.alive) this.#reported.push({ by: id, fault, session, timeMs: this.now() });
      },
    };
    const party = createParty(modules, limits);
    void party.start(); // the simulated transport starts at once
    return { ...seat, life, party, incarnation };
  }

  #seat(id: PartyId): Seat {
    const seat = this.#seats.get(id);
    if (!seat) throw new RangeError(`simulation: no party ${id}`);
    return seat;
  }
}

/** All promise reactions that are due run before a macrotask does. */
function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
