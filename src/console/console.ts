/** The console: pages for people at `/`, with sessions of their own, over the use cases of the hub. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AccessService } from '../domain/access-service.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import { assetRoutes } from './assets.ts';
import { errorPage } from './error-page.ts';
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
import { type ConsoleEnv, requireSession } from './session.ts';

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
  app.onError((error, c) => {
    if (!(error instanceof HestiaError)) deps.log.error('A page of the console failed', {}, { error });
    return errorPage(c, error);
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
  app.all('/console/*', () => {
    throw notFound('page');
  });
  return app;
}

/** The longest form, in bytes. */
const formBytesMax = 1_048_576;

function refuseLongForm(): never {
  throw new HestiaError('PAYLOAD_TOO_LARGE', `the form is longer than ${formBytesMax} bytes`);
}
