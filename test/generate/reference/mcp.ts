/** The section "MCP" of the reference, from the tools that a hub lists. */
import { z } from 'zod';
import { skillPageMax } from '../../../src/domain/skill-resources.ts';
import { defaultOf, jsonSchemaSchema, propertiesOf, type Row, table, valuesOf } from './markdown.ts';

const listedSchema = z.object({
  result: z.object({
    tools: z.array(z.object({ name: z.string(), description: z.string(), inputSchema: jsonSchemaSchema })),
  }),
});
type ListedTool = z.infer<typeof listedSchema>['result']['tools'][number];

/** The section, with its heading. `listed` is the JSON-RPC response to `tools/list` of a hub without active skills. */
export function mcpSection(listed: unknown): string {
  const { tools } = listedSchema.parse(listed).result;
  return `## MCP

The endpoint is \`/mcp\`: Streamable HTTP, protocol 2026-07-28 and the versions of 2025, with the key as a bearer token. The agent is the key's; a call never names
another. Arguments and results of the hub's tools are snake_case. A result has the same JSON as text and as structured content, but for \`call_mcp_tool\`, which returns
the result of the tool it called. \`/sse\` is the same endpoint for clients of HTTP+SSE, the transport of protocol 2024-11-05, and \`/sse/{server}\` is that of a server. A key may have 64 sessions there.

An active skill of the caller's namespace is one more tool, \`skill_<name>\`, in which hyphens are underscores; a name that is long or not plain ASCII ends in a digest. Such tools appear and disappear with
\`notifications/tools/list_changed\`. Over HTTP and in \`call_mcp_tool\`, they are tools of the server \`hestia\`.

${table(['tool', 'does'], [...tools.map(toolRow), skillToolRow])}

### Tool arguments

${table(['tool', 'argument', 'values', 'default', 'meaning'], [...tools.flatMap(argumentRows), ...skillArgumentRows])}

### Skills extension

The hub declares \`io.modelcontextprotocol/skills\` ([SEP-2640](https://modelcontextprotocol.io/seps/2640-skills-extension)) with \`directoryRead\`. A skill of the caller’s
namespace is at \`skill://<name>/SKILL.md\`, in its active version or else the latest one. A skill of an upstream server is at \`skill://<server>/<path>/SKILL.md\`. A skill of the
namespace hides the skills of a server that has its name. An entry has the frontmatter of SKILL.md as JSON, and of every file the URI, the size in bytes and the digest
\`sha256:…\` of its bytes. Answers of protocol 2026-07-28 have \`ttlMs\` 10000 and \`cacheScope\` \`private\`. A URI that names nothing the caller may read, and what is blocked or held in the
quarantine, is refused with -32602.

${table(['method', 'parameters', 'answers'], skillMethods)}
`;
}

/** The methods of the Skills extension, as the SDK serves them over `src/domain/skill-resources.ts`. */
const skillMethods: Row[] = [
  [
    '`skills/list`',
    '`cursor?`',
    `The entries of the skills of the caller’s namespace by name, then those of upstream servers by URI; at most ${skillPageMax} a page.`,
  ],
  ['`skills/get`', '`uri`', 'The entry of the skill whose SKILL.md is at the URI.'],
  [
    '`resources/read`',
    '`uri`',
    'A file of a skill: `text` where it is UTF-8, otherwise `blob`. Recorded as `SKILL_READ`.',
  ],
  [
    '`resources/directory/read`',
    '`uri` `cursor?`',
    `The files and folders of a folder in a skill; at most ${skillPageMax} a page.`,
  ],
  ['`resources/list`', '', 'The first 200 SKILL.md files of `skills/list`.'],
];

/** The tool of an active skill, as `src/domain/skill-tools.ts` defines it. */
const skillToolRow: Row = [
  '`skill_<name>`',
  'Returns the instructions of a skill, the arguments given and the list of its files.',
];
const skillArgumentRows: Row[] = [
  [
    '`skill_<name>`',
    '`arguments?`',
    'string, at most 65536 characters',
    '',
    'What to apply the skill to, in your own words.',
  ],
  [
    '`skill_<name>`',
    '`file?`',
    'string, at most 1024 characters',
    '',
    'Path of one of the skill’s files, or a link to it. Returns that file instead. Only for a skill with files.',
  ],
  [
    '`skill_<name>`',
    '`from?`',
    'string, at most 255 characters',
    '',
    'The file that holds the link, if it is not SKILL.md: `file` is relative to its folder.',
  ],
];

function toolRow({ name, description }: ListedTool): Row {
  return [`\`${name}\``, description];
}

function argumentRows({ name, inputSchema }: ListedTool): Row[] {
  return propertiesOf(inputSchema).map(([argument, schema]) => [
    `\`${name}\``,
    `\`${argument}\``,
    valuesOf(schema),
    defaultOf(schema),
    schema.description ?? '',
  ]);
}
