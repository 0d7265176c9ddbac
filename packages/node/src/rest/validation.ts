/**
 * Validation by the same engine as the configuration: nothing is coerced except query parameters (which are text), no
 * unknown field passes, and the refusal is one readable line.
 */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { schemaProblem } from '../schema-problem.ts';

export const schemaCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  const validator = Compile(schema);
  return (given) => {
    const value = httpPart === 'querystring' ? validator.Convert(given) : given;
    if (validator.Check(value)) return { value };
    return { error: new Error(schemaProblem(validator.Errors(value), httpPart).message) };
  };
};
