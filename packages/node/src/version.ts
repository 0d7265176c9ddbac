/** The version of this program, as its package says it. */
import packageFile from '../package.json' with { type: 'json' };

export const VERSION: string = packageFile.version;
