/** The routes `/v1/skills`: publish, read, delete, activate and deactivate skills. The domain makes all decisions. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import type { SkillLifecycle } from '../../domain/skill-lifecycle.ts';
import type { SkillService } from '../../domain/skill-service.ts';
import {
  invalidSkill,
  normalisedName,
  parseSkillDocument,
  registryName,
  skillFile,
} from '../../domain/skill-source.ts';
import { namespaceSchema } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject } from '../../shapes/json.ts';
import { decodeCursor, decodeNumberCursor, pageOf, pageQuerySchema, pageSchema } from '../../shapes/page.ts';
import {
  activateRequestSchema,
  type SkillDocument,
  skillFilterSchema,
  skillPublishSchema,
} from '../../shapes/skill.ts';
import {
  activationAnswerSchema,
  activationView,
  deactivationAnswerSchema,
  publicationViewSchema,
  skillDetailsView,
  skillDetailsViewSchema,
  skillVersionDetailsView,
  skillVersionDetailsViewSchema,
  skillVersionView,
  skillVersionViewSchema,
  skillView,
  skillViewSchema,
} from '../../shapes/skill-view.ts';
import { quotable } from '../../shapes/text.ts';
import type { HubEnv } from '../authenticate.ts';
import { invalidJson } from '../json-body.ts';
import { invalidRequest } from '../problem.ts';
import { createRouter, jsonAnswer, jsonBody, problemAnswers, security } from './route-parts.ts';

const nameParameters = z.object({ name: z.string().max(64) });
const namespaceQuery = z.object({
  namespace: namespaceSchema.optional().meta({ description: 'Another namespace, for auditors and operators only.' }),
});

const tags = ['skills'];
const publishRoute = createRoute({
  method: 'put',
  path: '/v1/skills/{name}',
  summary: 'Publish a skill, as a SKILL.md or as JSON with its files; changed content is a new version',
  tags,
  security,
  request: {
    params: nameParameters,
    body: {
      required: true,
      content: { 'text/markdown': { schema: z.string() }, 'application/json': { schema: skillPublishSchema } },
    },
  },
  responses: {
    200: jsonAnswer(publicationViewSchema, 'A further version, or the same content again'),
    201: jsonAnswer(publicationViewSchema, 'The first version'),
    ...problemAnswers,
  },
});
const listRoute = createRoute({
  method: 'get',
  path: '/v1/skills',
  summary: 'List skills',
  tags,
  security,
  request: { query: pageQuerySchema.extend(namespaceQuery.shape).extend(skillFilterSchema.shape) },
  responses: { 200: jsonAnswer(pageSchema(skillViewSchema), 'Skills by name'), ...problemAnswers },
});
const getRoute = createRoute({
  method: 'get',
  path: '/v1/skills/{name}',
  summary: 'Read the latest version of a skill',
  tags,
  security,
  request: { params: nameParameters, query: namespaceQuery },
  responses: { 200: jsonAnswer(skillDetailsViewSchema, 'The skill'), ...problemAnswers },
});
const versionsRoute = createRoute({
  method: 'get',
  path: '/v1/skills/{name}/versions',
  summary: 'List the versions of a skill, oldest first',
  tags,
  security,
  request: { params: nameParameters, query: pageQuerySchema.extend(namespaceQuery.shape) },
  responses: { 200: jsonAnswer(pageSchema(skillVersionViewSchema), 'Versions'), ...problemAnswers },
});
const versionRoute = createRoute({
  method: 'get',
  path: '/v1/skills/{name}/versions/{version}',
  summary: 'Read any version of a skill',
  tags,
  security,
  request: { params: nameParameters.extend({ version: z.coerce.number().int().min(1) }), query: namespaceQuery },
  responses: { 200: jsonAnswer(skillVersionDetailsViewSchema, 'The version'), ...problemAnswers },
});
const deleteRoute = createRoute({
  method: 'delete',
  path: '/v1/skills/{name}',
  summary: 'Delete a skill; an active one is deactivated first',
  tags,
  security,
  request: { params: nameParameters, query: namespaceQuery },
  responses: { 204: { description: 'Deleted' }, ...problemAnswers },
});
const activateRoute = createRoute({
  method: 'post',
  path: '/v1/skills/{name}/activate',
  summary: 'Make a version of a skill, by default the latest, an MCP tool; may be repeated',
  tags,
  security,
  request: {
    params: nameParameters,
    query: namespaceQuery,
    body: { required: false, content: jsonBody(activateRequestSchema).content },
  },
  responses: { 200: jsonAnswer(activationAnswerSchema, 'The activation'), ...problemAnswers },
});
const deactivateRoute = createRoute({
  method: 'post',
  path: '/v1/skills/{name}/deactivate',
  summary: 'Remove the MCP tool of a skill; may be repeated',
  tags,
  security,
  request: { params: nameParameters, query: namespaceQuery },
  responses: { 200: jsonAnswer(deactivationAnswerSchema, 'What was changed'), ...problemAnswers },
});

/** Dependencies of the routes. */
export interface SkillRoutesDeps {
  skills: SkillService;
  lifecycle: SkillLifecycle;
  /** Whether a skill that deviates from the specification is refused. */
  strictSkills: boolean;
}

/** The routes below `/v1/skills`. */
export function skillRoutes({ skills, lifecycle, strictSkills }: SkillRoutesDeps): OpenAPIHono<HubEnv> {
  const router = createRouter();
  addPublish(router, skills, strictSkills);
  addRegistry(router, skills);
  addLifecycle(router, lifecycle);
  return router;
}

function addPublish(router: OpenAPIHono<HubEnv>, skills: SkillService, strict: boolean): void {
  // The body is Markdown or JSON, so the route is registered and its body read separately.
  router.openAPIRegistry.registerPath(publishRoute);
  router.put(publishRoute.getRoutingPath(), async (c) => {
    const document = await readDocument(c, c.req.param('name'), strict);
    const { skill, change, warnings } = await skills.publish(c.var.caller, { document, source: 'published' });
    const answer = { change, skill: skillView(skill, undefined), ...(warnings.length > 0 && { warnings }) };
    return c.json(answer, change === 'created' ? 201 : 200);
  });
}

function addRegistry(router: OpenAPIHono<HubEnv>, skills: SkillService): void {
  router.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const found = await skills.list(c.var.caller, { ...filter, limit, after: decodeCursor(cursor) });
    const page = pageOf(found, limit, {
      position: ({ skill }) => `${skill.namespace}/${skill.name}`,
      view: ({ skill, activation }) => skillView(skill, activation),
    });
    return c.json(page, 200);
  });
  router.openapi(getRoute, async (c) => {
    const { skill, latest, activation } = await skills.get(c.var.caller, {
      ...c.req.valid('param'),
      ...c.req.valid('query'),
    });
    return c.json(skillDetailsView(skill, latest, activation), 200);
  });
  router.openapi(versionsRoute, async (c) => {
    const { limit, cursor, namespace } = c.req.valid('query');
    const address = { ...c.req.valid('param'), namespace };
    const found = await skills.versions(c.var.caller, address, { limit, after: decodeNumberCursor(cursor) });
    return c.json(pageOf(found, limit, { position: ({ version }) => version, view: skillVersionView }), 200);
  });
  router.openapi(versionRoute, async (c) => {
    const { name, version } = c.req.valid('param');
    const found = await skills.version(c.var.caller, { name, ...c.req.valid('query') }, version);
    return c.json(skillVersionDetailsView(found), 200);
  });
  router.openapi(deleteRoute, async (c) => {
    await skills.delete(c.var.caller, { ...c.req.valid('param'), ...c.req.valid('query') });
    return c.body(null, 204);
  });
}

function addLifecycle(router: OpenAPIHono<HubEnv>, lifecycle: SkillLifecycle): void {
  router.openapi(activateRoute, async (c) => {
    const options = c.req.valid('json');
    const address = { ...c.req.valid('param'), ...c.req.valid('query') };
    const { activation, changed, errorType } = await lifecycle.activate(c.var.caller, address, options);
    return c.json(
      { changed, activation: activationView(activation), ...(errorType !== undefined && { errorType }) },
      200,
    );
  });
  router.openapi(deactivateRoute, async (c) => {
    const answer = await lifecycle.deactivate(c.var.caller, { ...c.req.valid('param'), ...c.req.valid('query') });
    return c.json(answer, 200);
  });
}

const nameMessage = 'must be letters, digits, ".", "_" and "-" in the path, beginning with a letter or digit';

/** Parses the document of a publish request. The name in the path is the name of the skill. */
async function readDocument(c: Context, name: string, strict: boolean): Promise<SkillDocument> {
  const folderName = normalisedName(name);
  if (registryName(folderName) !== folderName) throw invalidSkill([{ field: 'name', message: nameMessage }]);
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'text/markdown')
    return parseSkillDocument({ document: new Uint8Array(await c.req.arrayBuffer()), files: [], folderName, strict });
  if (type !== 'application/json') {
    throw new HestiaError(
      'UNSUPPORTED_MEDIA_TYPE',
      `content-type: found ${quotable(type ?? 'none', 64)}; send text/markdown or application/json`,
    );
  }
  const body: unknown = await c.req.json().catch(async () => {
    throw invalidJson(await c.req.text());
  });
  // The library leaves this member out of what it parses, so that the file would be lost without a word.
  if (isJsonObject(body) && isJsonObject(body.files) && Object.hasOwn(body.files, '__proto__'))
    throw new HestiaError(
      'INVALID_REQUEST',
      'files.__proto__: a file of this name can be published from a folder only',
    );
  const parsed = skillPublishSchema.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const files = Object.entries(parsed.data.files).map(([path, file]) =>
    typeof file === 'string'
      ? { path, content: file, encoding: 'utf-8' as const }
      : skillFile(path, Buffer.from(file.content, 'base64')),
  );
  return parseSkillDocument({ document: parsed.data.document, files, folderName, strict });
}
