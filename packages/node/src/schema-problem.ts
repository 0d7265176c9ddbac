/**
 * One readable line for a value that does not match its schema: which field, what it must be. Never the value itself.
 */
import type { TLocalizedValidationError } from 'typebox/error';

/** `ciphertexts.0.handle`, or '' for the whole value. */
function fieldOf(instancePath: string): string {
  return instancePath.split('/').slice(1).join('.').slice(0, 200);
}

export interface SchemaProblem {
  readonly field: string;
  readonly message: string;
}

/** The first problem that an operator or caller can act on. `whole` names the value when no field is to blame. */
export function schemaProblem(errors: readonly TLocalizedValidationError[], whole: string): SchemaProblem {
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties');
  if (unknown?.keyword === 'additionalProperties') {
    const name = String(unknown.params.additionalProperties[0]).slice(0, 80);
    const field = [fieldOf(unknown.instancePath), name].filter((part) => part !== '').join('.');
    return { field, message: `${field}: unknown field` };
  }
  const [first] = errors;
  const missing = first?.keyword === 'required' ? first.params.requiredProperties[0] : undefined;
  const path = first ? fieldOf(first.instancePath) : '';
  if (missing !== undefined) {
    const field = [path, missing].filter((part) => part !== '').join('.');
    return { field, message: `${field}: missing` };
  }
  const choices = first?.keyword === 'enum' ? `must be one of ${first.params.allowedValues.join(', ')}` : undefined;
  return { field: path, message: `${path || whole}: ${choices ?? first?.message ?? 'does not match the schema'}` };
}
