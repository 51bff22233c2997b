/**
 * A channel to an upstream server over HTTP+SSE, the transport of 2024, with that of the MCP library.
 * The stream of events is the session: when it ends, the channel closes instead of resuming it, because the server has
 * lost the requests in progress.
 */
import { SSEClientTransport } from '@modelcontextprotocol/client';
import type { Channel } from '../channel.ts';
import { authorizedClient } from '../oauth/authorized-client.ts';
import { loginRequired } from '../oauth/login-error.ts';
import type { BodyObserver } from '../response-limits.ts';
import type { HttpChannelDeps } from './channel.ts';
import { createHttpClient, fetchResponse, httpRequest } from './client.ts';

/** Creates a channel. The stream is opened when the client connects. */
export function createSseChannel({ configuration, messageBytesMax, authorizer }: HttpChannelDeps): Channel {
  const http = authorizedClient(createHttpClient(messageBytesMax), authorizer, new URL(configuration.url));
  let streamStatus: number | undefined;
  let isMessageTooLarge = false;
  let isLoginRequired = false;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= transport.close().then(() => http.close());
    return closing;
  };
  const observer: BodyObserver = {
    onExceeded: () => {
      isMessageTooLarge = true;
    },
    onEnded: () => undefined,
  };
  const transport = new SSEClientTransport(new URL(configuration.url), {
    requestInit: { headers: configuration.headers },
    fetch: async (target, init) => {
      const request = httpRequest(init);
      const isStream = request.method === 'GET';
      if (isStream && streamStatus === 200) {
        void close();
        throw new Error('the stream of events has ended');
      }
      const response = await http.send(target, request, observer).catch((error: unknown) => {
        // The library reports errors of the stream without their cause.
        isLoginRequired ||= loginRequired(error) !== undefined;
        throw error;
      });
      if (isStream) streamStatus = response.status;
      if (typeof response.body !== 'string') response.body.once('close', () => void close());
      return fetchResponse(response, { bytesMax: messageBytesMax, observer });
    },
  });
  const detail = () => ({
    ...(streamStatus !== undefined && streamStatus >= 400 && { httpStatus: streamStatus }),
    ...(isMessageTooLarge && { isMessageTooLarge }),
    ...(isLoginRequired && { isLoginRequired, httpStatus: 401 }),
  });
  return { transport, detail, close };
}
