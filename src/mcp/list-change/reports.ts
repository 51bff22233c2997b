/** Reports changes of the lists at `/mcp`: skill tools, skills, and prompts and resources of servers. */
import type { ServerEvent } from '@modelcontextprotocol/server';
import type { SkillCatalogue } from '../../domain/skill-catalogue.ts';
import type { SkillTools } from '../../domain/skill-tools.ts';
import type { Caller } from '../../shapes/access.ts';
import type { ServerEndpoints } from '../server-endpoint/endpoint.ts';
import type { ChangeBus } from './bus.ts';
import type { ListChange, ListChangeStreams } from './streams.ts';

/** What the lists consist of. */
export interface ListSources {
  skillTools: SkillTools;
  skillCatalogue: Pick<SkillCatalogue, 'onChange'>;
  servers: Pick<ServerEndpoints, 'onChange'>;
}

/** How long changes of skills are gathered, in milliseconds: the first pass over a directory changes all of them. */
const gatheredMs = 250;

const eventOf = {
  tools: { kind: 'tools_list_changed' },
  prompts: { kind: 'prompts_list_changed' },
  resources: { kind: 'resources_list_changed' },
} as const satisfies Record<ListChange, ServerEvent>;

/** Reports changes to clients of both eras, until the returned function is called. */
export function reportListChanges(
  { skillTools, skillCatalogue, servers }: ListSources,
  { bus, streams }: { bus: ChangeBus; streams: ListChangeStreams },
): () => void {
  const report = (change: ListChange, concerns: (caller: Caller) => boolean) => {
    bus.publishTo(concerns, eventOf[change]);
    streams.notify(concerns, change);
  };
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const reportSkills = () => {
    const namespaces = new Set(changed);
    changed.clear();
    timer = undefined;
    report('resources', ({ namespace }) => namespaces.has(namespace));
  };
  const endings = [
    skillTools.onChange((changedNamespace) => report('tools', ({ namespace }) => namespace === changedNamespace)),
    skillCatalogue.onChange((namespace) => {
      changed.add(namespace);
      timer ??= setTimeout(reportSkills, gatheredMs).unref();
    }),
    // The tools of servers are called by name here, and not listed.
    servers.onChange(({ kind }, concerns) => {
      if (kind === 'prompts' || kind === 'resources') report(kind, concerns);
    }),
  ];
  return () => {
    clearTimeout(timer);
    for (const end of endings) end();
  };
}
