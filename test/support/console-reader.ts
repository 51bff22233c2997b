/** A reader of the console without a browser: it keeps its cookie, and sends the forms of the pages that it reads. */
import { z } from 'zod';
import type { ListeningHub } from './hub/hub-listening.ts';

/** A reader who is signed in. */
export interface ConsoleReader {
  /** The value of the session's cookie. */
  cookie: string;
  /** A response, with redirects not followed. */
  get(path: string): Promise<Response>;
  /** The HTML of a page. @throws Error for a status other than 200 */
  read(path: string): Promise<string>;
  /** Sends a form with the token of the session, or with another one. */
  send(path: string, fields?: Record<string, string>, formToken?: string): Promise<Response>;
}

const cookieSchema = z.string().regex(/^hestia_session=/);

/** The `name=value` of the cookie that a response sets. */
export function cookieOf(response: Response): string {
  return cookieSchema.parse(response.headers.getSetCookie()[0]?.split(';')[0]);
}

/** Signs in with a key. */
export async function signIn(hub: Pick<ListeningHub, 'url'>, secret: string): Promise<ConsoleReader> {
  const answer = await fetch(`${hub.url}/console/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ key: secret }),
    redirect: 'manual',
  });
  const cookie = cookieOf(answer);
  const get = (path: string) => fetch(hub.url + path, { headers: { cookie }, redirect: 'manual' });
  const read = async (path: string) => {
    const response = await get(path);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  };
  const ownToken = /name="formToken" value="([^"]+)"/.exec(await read('/'))?.[1] ?? '';
  return {
    cookie,
    get,
    read,
    send: (path, fields = {}, formToken = ownToken) =>
      fetch(hub.url + path, {
        method: 'POST',
        headers: { cookie },
        body: new URLSearchParams({ ...fields, formToken }),
        redirect: 'manual',
      }),
  };
}
