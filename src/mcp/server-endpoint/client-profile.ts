/** What a server gets to know of a client: the capabilities that let the server ask for input. */
import { ProtocolError, specTypeSchemas } from '@modelcontextprotocol/server';
import type { ServerOffers } from '../../domain/server-offers.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { inputCapabilities } from '../request/client-declaration.ts';

/** A client as a server gets to know it. */
export type ClientProfile = Parameters<ServerOffers['openSession']>[2];

/** Where requests and notifications of the server go. */
export type ClientListener = Pick<ClientProfile, 'onRequest' | 'onNotification'>;

const capabilityOf: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
};

/** Of the notifications of a server those that concern a single client. Others are the same for all clients. */
const passedNotifications: ReadonlySet<string> = new Set([
  'notifications/message',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
  'notifications/tools/list_changed',
]);

/** Whether a client with these capabilities can be asked for input. */
export function isAskable(capabilities: unknown): boolean {
  return Object.keys(inputCapabilities(capabilities)).length > 0;
}

/** The profile of a client that declares these capabilities. It refuses what they do not include. */
export function clientProfile(declared: unknown, listener: ClientListener): ClientProfile {
  const capabilities = inputCapabilities(declared);
  const checked = specTypeSchemas.ClientCapabilities['~standard'].validate(capabilities);
  return {
    capabilities: 'value' in checked ? checked.value : {},
    onRequest: async ({ method, params }, signal) => {
      const capability = capabilityOf[method];
      if (capability === undefined || capabilities[capability] === undefined) {
        throw new ProtocolError(-32601, 'Method not found');
      }
      return listener.onRequest({ method, params: withoutMeta(params) }, signal);
    },
    onNotification: (notification) => {
      if (passedNotifications.has(notification.method)) listener.onNotification(notification);
    },
  };
}

/** The parameters without progress tokens and trace context of the session with the server. */
function withoutMeta({ _meta, ...params }: JsonObject): JsonObject {
  return params;
}
