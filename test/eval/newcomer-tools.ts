/** What newcomers meet: the three example servers, started for real, and the skills of the repository. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { indexedOffer } from '../../src/domain/offer/indexed-offer.ts';
import { parseSkillDocument } from '../../src/domain/skill-source.ts';
import { hubServerId } from '../../src/shapes/server.ts';
import { skillToolName } from '../../src/shapes/skill.ts';
import type { IndexedTool, ToolDefinition } from '../../src/shapes/tool.ts';
import { realServer } from '../support/servers/real-server.ts';

const skillsFolder = fileURLToPath(new URL('../../skills', import.meta.url));

/** Tools, and prompts and resources, by server. */
export interface NewcomerTools {
  tools: Map<string, IndexedTool[]>;
  offers: Map<string, IndexedTool[]>;
}

/** Lists what the servers and skills offer. */
export async function newcomerTools(): Promise<NewcomerTools> {
  const tools = new Map<string, IndexedTool[]>([[hubServerId, skillTools()]]);
  const offers = new Map<string, IndexedTool[]>();
  for (const name of ['everything', 'filesystem', 'memory'] as const) {
    const listed = await listServer(name);
    tools.set(name, listed.tools);
    offers.set(name, listed.offers);
  }
  return { tools, offers };
}

async function listServer(name: Parameters<typeof realServer>[0]) {
  const client = new Client({ name: 'eval', version: '1.0.0' });
  const { command, args } = realServer(name, name === 'filesystem' ? [skillsFolder] : []);
  await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));
  const { tools } = await client.listTools();
  const { prompts, resources } = client.getServerCapabilities() ?? {};
  const offers = [
    ...(prompts ? (await client.listPrompts()).prompts.map((entry) => indexedOffer(name, 'prompts', entry)) : []),
    ...(resources
      ? (await client.listResources()).resources.map((entry) => indexedOffer(name, 'resources', entry))
      : []),
    ...(resources
      ? (await client.listResourceTemplates()).resourceTemplates.map((entry) => indexedOffer(name, 'templates', entry))
      : []),
  ];
  await client.close();
  const indexedTools = tools.map(({ name: toolName, title, description = '', inputSchema }) =>
    indexed('upstream', { serverId: name, toolName, title, description, inputSchema }),
  );
  return { tools: indexedTools, offers };
}

function skillTools(): IndexedTool[] {
  return readdirSync(skillsFolder).map((folderName) => {
    const document = readFileSync(`${skillsFolder}/${folderName}/SKILL.md`);
    const { frontmatter } = parseSkillDocument({ document, files: [], folderName });
    const { name, description } = frontmatter;
    return indexed('skill', {
      serverId: hubServerId,
      toolName: skillToolName(name),
      title: name,
      description,
      inputSchema: {},
    });
  });
}

function indexed(
  source: IndexedTool['source'],
  definition: Pick<ToolDefinition, 'serverId' | 'toolName' | 'title' | 'description' | 'inputSchema'>,
): IndexedTool {
  return {
    source,
    namespace: undefined,
    definition: { outputSchema: undefined, annotations: undefined, ...definition },
  };
}
