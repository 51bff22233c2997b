/** An HTTP client that adds access tokens, and repeats a refused request once with a renewed token. */
import type { HttpClient, HttpResponse } from '../http/client.ts';
import type { Authorizer } from './authorizer.ts';

/** Wraps a client of one server, unless it needs no token. A token is sent to the server's own origin only. */
export function authorizedClient(http: HttpClient, authorizer: Authorizer | undefined, serverUrl: URL): HttpClient {
  if (authorizer === undefined) return http;
  return {
    send: async (url, options, observer) => {
      if (new URL(url).origin !== serverUrl.origin) return http.send(url, options, observer);
      let hasEnded = false;
      // The body of a refusal that is repeated is not that of the response.
      const onEnded = () => {
        hasEnded = true;
      };
      const ending = { onExceeded: observer.onExceeded, onEnded };
      const sendWith = (token: string | undefined) => {
        hasEnded = false;
        return http.send(url, { ...options, headers: { ...options.headers, ...bearer(token) } }, ending);
      };
      const token = await authorizer.token();
      let response = await sendWith(token);
      if (isRefusal(response) && (await authorizer.onRefused({ ...response, token }))) {
        discard(response);
        response = await sendWith(await authorizer.token());
        // The server refuses what was just renewed, so that only a new login can help.
        if (response.status === 401) throw authorizer.onRefusedAgain();
      }
      if (hasEnded) observer.onEnded();
      return response;
    },
    close: () => http.close(),
  };
}

function bearer(token: string | undefined): { authorization?: string } {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function isRefusal({ status }: HttpResponse): boolean {
  return status === 401 || status === 403;
}

function discard({ body }: HttpResponse): void {
  if (typeof body !== 'string') body.destroy();
}
