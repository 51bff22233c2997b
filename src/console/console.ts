/** The console: pages for people at `/`, with sessions of their own, over the use cases of the hub. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AccessService } from '../domain/access-service.ts';
import { errorCodes, HestiaError } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import { assetRoutes } from './assets.ts';
import { plainDocument } from './layout.ts';
import { html } from './markup.ts';
import { type ActivityPagesDeps, activityPages } from './pages/activity.ts';
import { connectPages } from './pages/client-setup.ts';
import { type HomePagesDeps, homePages } from './pages/home.ts';
import { keyPages } from './pages/keys.ts';
import { type QuarantinePagesDeps, quarantinePages } from './pages/quarantine.ts';
import { type SchedulerPagesDeps, schedulerPages } from './pages/scheduler.ts';
import { type SearchQualityPagesDeps, searchQualityPages } from './pages/search-quality.ts';
import { type ServerPagesDeps, serverPages } from './pages/servers.ts';
import { type SignInPagesDeps, signInPages, signOutPages } from './pages/sign-in.ts';
import { type SkillPagesDeps, skillPages } from './pages/skills.ts';
import { type ToolPagesDeps, toolPages } from './pages/tools.ts';
import { type ConsoleEnv, requireSession, respond } from './session.ts';

/** Dependencies of the console. */
export interface ConsoleDeps
  extends HomePagesDeps,
    ServerPagesDeps,
    ToolPagesDeps,
    SkillPagesDeps,
    ActivityPagesDeps,
    QuarantinePagesDeps,
    SchedulerPagesDeps,
    SearchQualityPagesDeps,
    SignInPagesDeps {
  access: AccessService;
  log: Log;
}

/** Creates the console, an application to be mounted at `/`. */
export function createConsole(deps: ConsoleDeps): Hono<ConsoleEnv> {
  const app = new Hono<ConsoleEnv>();
  app.onError((error) => {
    const { code, message } = publicError(error, deps.log);
    const { status, title } = errorCodes[code];
    const content = html`<p class="notice bad" role="alert">${message}</p><p><a href="/">Home</a></p>`;
    return respond(plainDocument(title, content), status);
  });
  app.use(bodyLimit({ maxSize: formBytesMax, onError: refuseLongForm }));
  app.route('/', assetRoutes());
  app.route('/', signInPages(deps));
  app.use('/', requireSession(deps));
  app.use('/console/*', requireSession(deps));
  for (const pages of [
    signOutPages(deps),
    homePages(deps),
    serverPages(deps),
    toolPages(deps),
    skillPages(deps),
    activityPages(deps),
    quarantinePages(deps),
    searchQualityPages(deps),
    keyPages(deps),
    connectPages(deps),
    schedulerPages(deps),
  ]) {
    app.route('/', pages);
  }
  return app;
}

/** The longest form, in bytes. */
const formBytesMax = 1_048_576;

function refuseLongForm(): never {
  throw new HestiaError('PAYLOAD_TOO_LARGE', `the form is longer than ${formBytesMax} bytes`);
}

/** What a page says about an error. An error that is not of the hub says nothing about its cause. */
function publicError(error: unknown, log: Log): Pick<HestiaError, 'code' | 'message'> {
  if (error instanceof HestiaError) return error;
  log.error('A page of the console failed', {}, { error });
  return { code: 'INTERNAL', message: 'the hub failed; its log has the cause' };
}
