/** Where the services tell what an operator should know. Never a share, key or plaintext. */
export interface LogEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

export type Log = (event: LogEvent) => void;
