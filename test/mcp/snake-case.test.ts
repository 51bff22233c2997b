import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { snakeCaseFields } from '../../src/mcp/snake-case.ts';
import { toolReferenceSchema } from '../../src/shapes/search-answer.ts';
import { skillDetailsViewSchema } from '../../src/shapes/skill-view.ts';
import { toolViewSchema } from '../../src/shapes/tool.ts';

/** Names of the fields that hold JSON objects with names of their own. */
function contentFieldsOf(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const inner = field instanceof z.ZodOptional ? field.unwrap() : field;
    return inner instanceof z.ZodRecord ? [name] : [];
  });
}

describe('the fields of an answer', () => {
  test('are renamed at every depth', () => {
    const answer = { searchId: 's', results: [{ toolName: 't', explanation: { parts: { textLogOdds: 1 } } }] };
    expect(snakeCaseFields(answer)).toStrictEqual({
      search_id: 's',
      results: [{ tool_name: 't', explanation: { parts: { text_log_odds: 1 } } }],
    });
  });

  test('are left out where they are undefined, and kept where they are null', () => {
    expect(snakeCaseFields({ lastRunTime: null, nextRunTime: undefined })).toStrictEqual({ last_run_time: null });
  });

  test.each([toolViewSchema, toolReferenceSchema, skillDetailsViewSchema].flatMap(contentFieldsOf))(
    'keep the content of %s unchanged',
    (name) => {
      const content = { someName: { otherName: [{ deepName: 1 }] } };
      expect(Object.values(snakeCaseFields({ [name]: content }))).toEqual([content]);
    },
  );
});
