/** A configuration that cannot work, found before anything is started. `field` is the setting to look at. */

export type ConfigErrorCode =
  | 'CONFIG_MISSING' // a file that is named does not exist or cannot be read
  | 'CONFIG_SYNTAX' //  not TOML
  | 'CONFIG_INVALID' // a field is missing, unknown or out of range
  | 'CONFIG_ROSTER' //  the parties do not make a network: n < 3t+1, double or missing cards
  | 'CONFIG_CARD'; //   a node card is damaged or not signed by its own key

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly file: string;
  readonly field: string;
  constructor(code: ConfigErrorCode, { file, field, message }: { file: string; field: string; message: string }) {
    super(`${file}: ${message}`);
    this.code = code;
    this.file = file;
    this.field = field;
  }
}
