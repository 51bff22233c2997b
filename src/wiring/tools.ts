/** Builds the sources of tools: search index, upstream connections and active skills. */
import { createOfferCatalogue } from '../domain/offer/catalogue.ts';
import { createOfferChanges, type OfferChanges } from '../domain/offer/changes.ts';
import { createUpstreamSkills } from '../domain/resource/upstream-skills.ts';
import { createOfferGate } from '../domain/screening/offer-gate.ts';
import { createScreeningEvents } from '../domain/screening/screening-events.ts';
import { createSkillGate } from '../domain/screening/skill-gate.ts';
import { createToolGate } from '../domain/screening/tool-gate.ts';
import { createQuarantineRecord } from '../domain/server/quarantine-record.ts';
import { createSkillTools } from '../domain/skill-tools.ts';
import { createWordIndex } from '../search-index/words/word-index.ts';
import { hubServerId } from '../shapes/server.ts';
import type { IndexedTool } from '../shapes/tool.ts';
import { createVectorMetrics } from '../telemetry/vector-metrics.ts';
import { type ConnectionPoolDeps, createConnectionPool } from '../upstream/connection-pool.ts';
import type { Foundation } from './foundation.ts';
import type { HubDeps } from './hub-deps.ts';
import { createUpstreamLogins } from './logins.ts';
import { createSearchIndex } from './search-index.ts';

/** What {@link createTools} builds. */
export type Tools = Awaited<ReturnType<typeof createTools>>;

/** Builds the sources of tools. Nothing connects yet. @throws Error with one line if a configured embedding model is not installed */
export async function createTools({ config, version }: HubDeps, foundation: Foundation) {
  const { log, now, trail, storedLessons, pinStore, quarantineStore } = foundation;
  const searchIndex = await createSearchIndex({
    configuration: config.search,
    words: createWordIndex(),
    storedLessons,
    log,
    metrics: createVectorMetrics(),
  });
  const { toolIndex } = searchIndex;
  const offerChanges = createOfferChanges();
  const screening = { quarantineStore, trail, events: createScreeningEvents(trail), now };
  const toolGate = createToolGate({
    ...screening,
    pinStore,
    policy: config.policy,
    limits: config.limits,
    log,
    hubToolNames: () => toolIndex.list({ serverId: hubServerId }).flatMap(hubToolName),
    offer: async (serverId, definitions) => {
      const enabled = definitions.filter((definition) => !pool.isDisabled(definition));
      const indexed = enabled.map((definition) => ({ source: 'upstream', definition, namespace: undefined }) as const);
      await toolIndex.replaceServerInSlices(serverId, indexed);
      offerChanges.report({ serverId, kind: 'tools' });
    },
  });
  const skillGate = createSkillGate({ ...screening, policy: config.policy.contentScan });
  const upstreamSkills = createUpstreamSkills({ skillGate, quarantineStore, log });
  const upstreamLogins = createUpstreamLogins(config, foundation);
  const pool = createConnectionPool({
    ...upstreamLogins,
    servers: config.servers,
    misconfigured: config.misconfiguredServers,
    environment: config.serverEnvironment,
    limits: config.limits,
    clientVersion: version,
    log,
    onToolsChanged: toolGate.admit,
    unofferedCount: toolGate.unpinnedCount,
    onSkillsChanged: upstreamSkills.admit,
    onQuarantined: createQuarantineRecord({ trail, log }),
    ...serverEvents({ log, offerChanges, refreshOffers: (serverId) => offerCatalogue.refresh(serverId) }),
  });
  const skillTools = createSkillTools({ toolIndex, now });
  const offerGate = createOfferGate({ ...screening, policy: config.policy.contentScan });
  const offerCatalogue = createOfferCatalogue({ pool, offerGate, offerIndex: searchIndex.offerIndex, log });
  const skills = { skillGate, upstreamSkills, skillTools };
  const offers = { offerChanges, offerGate, offerCatalogue };
  return { searchIndex, toolIndex, toolGate, ...offers, ...skills, pool, ...upstreamLogins };
}

function hubToolName({ source, definition }: IndexedTool): string[] {
  return source === 'hub' ? [definition.toolName] : [];
}

/** What happens when the state of a server has changed, or what it offers besides tools. */
function serverEvents({
  log,
  offerChanges,
  refreshOffers,
}: {
  log: Foundation['log'];
  offerChanges: OfferChanges;
  refreshOffers: (serverId: string) => void;
}): Pick<ConnectionPoolDeps, 'onOffersChanged' | 'onStateChanged'> {
  return {
    onOffersChanged: (serverId, change) => {
      if (change.kind === 'prompts' || change.kind === 'resources') refreshOffers(serverId);
      offerChanges.report({ serverId, ...change });
    },
    onStateChanged: ({ serverId, state, errorType }) => {
      log.info('Server state changed', { server_id: serverId, state, error_type: errorType });
      if (state === 'connected' || state === 'disconnected') refreshOffers(serverId);
    },
  };
}
