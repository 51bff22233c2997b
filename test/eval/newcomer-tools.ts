/** The tools that newcomers meet: those of the three example servers, started for real, and the skills of the repository. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { parseSkillDocument } from '../../src/domain/skill-source.ts';
import { hubServerId } from '../../src/shapes/server.ts';
import { skillToolName } from '../../src/shapes/skill.ts';
import type { IndexedTool, ToolDefinition } from '../../src/shapes/tool.ts';
import { realServer } from '../support/servers/real-server.ts';

const skillsFolder = fileURLToPath(new URL('../../skills', import.meta.url));

/** Lists the tools by server. */
export async function newcomerTools(): Promise<Map<string, IndexedTool[]>> {
  const servers = new Map<string, IndexedTool[]>([[hubServerId, skillTools()]]);
  for (const name of ['everything', 'filesystem', 'memory'] as const) servers.set(name, await serverTools(name));
  return servers;
}

async function serverTools(name: Parameters<typeof realServer>[0]): Promise<IndexedTool[]> {
  const client = new Client({ name: 'eval', version: '1.0.0' });
  const { command, args } = realServer(name, name === 'filesystem' ? [skillsFolder] : []);
  await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name: toolName, title, description = '', inputSchema }) =>
    indexed('upstream', { serverId: name, toolName, title, description, inputSchema }),
  );
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
