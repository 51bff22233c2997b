/** The pages of skills: all of them, one with its versions and their differences, and its activation. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SkillLifecycle } from '../../domain/skill-lifecycle.ts';
import type { ListedSkill, SkillDetails, SkillService } from '../../domain/skill-service.ts';
import { invalidSkill, normalisedName, parseSkillDocument, registryName } from '../../domain/skill-source.ts';
import { HestiaError } from '../../shapes/error.ts';
import { decodeCursor, decodeNumberCursor, encodeCursor } from '../../shapes/page.ts';
import { type Activation, type SkillVersionSummary, skillFilterSchema } from '../../shapes/skill.ts';
import { truncated } from '../../shapes/text.ts';
import type { PageContext } from '../layout.ts';
import { choicesOf, cursorOf, type Filter, filterForm, given, givenChoice, listTable, nextPage } from '../list.ts';
import { html, lines, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, facts, field, firstOf, longText, table, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { markdown } from './markdown.ts';
import { skillComparison } from './skill-comparison.ts';

/** Dependencies of the pages. */
export interface SkillPagesDeps {
  skills: SkillService;
  lifecycle: SkillLifecycle;
  /** Whether a skill that deviates from the specification is refused. */
  strictSkills: boolean;
}

const pageSize = 50;
const versionsShown = 20;
/** The longest instructions that are shown, in characters, and in bytes of HTML: a page is at most 150 kB. */
const instructionsMax = 40_000;
const instructionsBytesMax = 80_000;
/** The most files that are named, and the most warnings. */
const filesMax = 100;
const warningsMax = 20;

/** The longest description in the list, in characters. */
const descriptionMax = 300;

const skillStateSchema = skillFilterSchema.shape.state.unwrap();
const skillWarningsSchema = z.enum(['some']);
const textFilters: readonly Filter[] = [{ name: 'query', label: 'Name or text', placeholder: 'invoices' }];
const namespaceFilter: Filter = { name: 'namespace', label: 'Namespace', placeholder: 'default' };
const stateFilters: readonly Filter[] = [
  { name: 'state', label: 'State', choices: { active: 'active', inactive: 'not active' } },
  { name: 'warnings', label: 'Warnings', choices: choicesOf(skillWarningsSchema.options) },
];

const comparedVersions: readonly Filter[] = [
  { name: 'before', label: 'Version' },
  { name: 'after', label: 'with version' },
];

/** The filters of a reader. Agents see one namespace. */
function filtersFor({ caller }: PageContext): readonly Filter[] {
  return [...textFilters, ...(caller.role === 'agent' ? [] : [namespaceFilter]), ...stateFilters];
}

/** The routes below `/console/skills`. */
export function skillPages({ skills, lifecycle, strictSkills }: SkillPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/skills', async (c) => {
    const context = c.var.page;
    const content = html`${await listPart(skills, context)}${context.caller.role !== 'auditor' && publishForm(context)}`;
    const about = 'Instructions (SKILL.md) that agents use as tools once they are active.';
    return show(c, { title: 'Skills', about, content });
  });
  router.get('/console/skills/:namespace/:name', async (c) => {
    const context = c.var.page;
    const address = c.req.param();
    const details = await skills.get(context.caller, address);
    // Versions are listed from the oldest, and shown from the newest.
    const before = decodeNumberCursor(cursorOf(context)) ?? details.skill.latestVersion + 1;
    const after = Math.max(0, before - 1 - versionsShown);
    const listed = await skills.versions(context.caller, address, { after, limit: versionsShown });
    const versions = listed.filter(({ version }) => version < before);
    return show(c, skillPage(details, { versions, older: after === 0 ? undefined : after + 1 }, context));
  });
  router.get('/console/skills/:namespace/:name/compare', async (c) => {
    const context = c.var.page;
    const address = c.req.param();
    const version = async (name: string) => {
      const number = Number(given(context, name));
      if (!Number.isSafeInteger(number) || number < 1)
        throw new HestiaError('INVALID_REQUEST', `${name}: must be the number of a version`);
      return skills.version(context.caller, address, number);
    };
    const [before, after] = [await version('before'), await version('after')];
    return show(c, {
      title: `${address.name}, ${before.version} and ${after.version}`,
      about: html`What changed between two versions of <a href="${skillPath(address)}">${address.name}</a>.`,
      content: html`${filterForm(context, comparedVersions, { button: 'Compare', isNeeded: true })}${skillComparison(before, after)}`,
    });
  });
  addChanges(router, { skills, lifecycle, strictSkills });
  return router;
}

async function listPart(skills: SkillService, context: PageContext): Promise<Markup> {
  const rows = await skills.list(context.caller, {
    query: given(context, 'query'),
    namespace: given(context, 'namespace'),
    state: givenChoice(context, 'state', skillStateSchema),
    warnings: givenChoice(context, 'warnings', skillWarningsSchema),
    after: decodeCursor(cursorOf(context)),
    limit: pageSize,
  });
  const empty = html`No skill is published yet. ${context.caller.role !== 'auditor' && 'Paste one below. '}<code>hestia skills publish folder</code> publishes a folder, and <code>skills.directories</code> of the configuration all of a repository.`;
  const filters = filtersFor(context);
  const position = ({ skill }: ListedSkill) => `${skill.namespace}/${skill.name}`;
  const page = { rows, pageSize, position, columns: columns(context), empty, noun: 'skill', filters };
  return html`${filterForm(context, filters)}${listTable(context, page)}`;
}

/** Adds the changes: publish a skill, activate or deactivate one. */
function addChanges(router: Hono<ConsoleEnv>, { skills, lifecycle, strictSkills }: SkillPagesDeps): void {
  router.post('/console/skills', async (c) => {
    const { name, text } = await c.req.parseBody();
    const folderName = normalisedName(typeof name === 'string' ? name.trim() : '');
    if (folderName === '' || registryName(folderName) !== folderName)
      throw invalidSkill([
        { field: 'name', message: 'must be letters, digits, ".", "_" and "-", beginning with a letter or digit' },
      ]);
    const bytes = new TextEncoder().encode(typeof text === 'string' ? text.replaceAll('\r\n', '\n') : '');
    const document = parseSkillDocument({ document: bytes, files: [], folderName, strict: strictSkills });
    const { skill } = await skills.publish(c.var.page.caller, { document, source: 'published' });
    return c.redirect(skillPath(skill), 303);
  });
  router.post('/console/skills/:namespace/:name/:action{activate|deactivate}', async (c) => {
    const { action, ...address } = c.req.param();
    const { version } = await c.req.parseBody();
    if (action === 'deactivate') await lifecycle.deactivate(c.var.page.caller, address);
    else await lifecycle.activate(c.var.page.caller, address, { version: Number(version) || undefined });
    return c.redirect(skillPath(address), 303);
  });
}

function skillPath({ namespace, name }: { namespace: string; name: string }): string {
  return `/console/skills/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

function publishForm(context: PageContext): Markup {
  const text = html`<textarea id="text" name="text" rows="10" required spellcheck="false" placeholder="${lines(exampleSkill)}"></textarea>`;
  const content = html`
    ${field('name', 'Name', html`<input id="name" name="name" required maxlength="64" placeholder="greet">`)}
    ${field('text', 'SKILL.md', text, 'A new text for a name that exists is a new version of it.')}`;
  return html`<section><h2>Publish a skill</h2>${actionForm(context, { action: '/console/skills', button: 'Publish', content })}</section>`;
}

const exampleSkill = `---
name: greet
description: Greets a person in the language they ask for.
---

Greet the person named in the arguments, warmly and briefly.`;

function columns({ now }: PageContext) {
  return [
    { title: 'Skill', cell: ({ skill }: ListedSkill) => html`<a href="${skillPath(skill)}">${skill.name}</a>` },
    { title: 'State', cell: stateOf },
    { title: 'Version', cell: ({ skill }: ListedSkill) => skill.latestVersion, isNumber: true },
    { title: 'Namespace', cell: ({ skill }: ListedSkill) => skill.namespace },
    { title: 'Changed', cell: ({ skill }: ListedSkill) => time(skill.updatedAt, now) },
    {
      title: 'Description',
      cell: ({ skill }: ListedSkill) => truncated(skill.description, descriptionMax),
      isText: true,
    },
  ];
}

function stateOf({ activation, warningsCount }: ListedSkill): Markup {
  return html`${activation ? html`${badge('active', 'good')} version ${activation.version}` : badge('not active', 'neutral')}
    ${warningsCount > 0 && html`<span class="line">${badge(`${warningsCount} ${warningsCount === 1 ? 'warning' : 'warnings'}`, 'warning')}</span>`}`;
}

function skillPage(
  { skill, latest, activation }: SkillDetails,
  { versions, older }: { versions: readonly SkillVersionSummary[]; older: number | undefined },
  context: PageContext,
) {
  const path = skillPath(skill);
  const { warnings, instructions, files } = latest.document;
  const canChange = context.caller.role === 'operator' || context.caller.agentId === skill.ownerAgentId;
  const content = html`<p class="pre-line">${longText(skill.description)}</p>
    ${facts([
      [
        'State',
        activation
          ? html`${badge('active', 'good')} as <code>${activation.toolName}</code>, version ${activation.version}, since ${time(activation.activatedAt, context.now)} by ${activation.agentId}`
          : badge('not active', 'neutral'),
      ],
      ['Ends', time(activation?.expiresAt, context.now)],
      ['Owner', skill.ownerAgentId],
      ['From', skill.source],
      [
        'Files',
        files.length === 0
          ? undefined
          : firstOf(files, filesMax, (file) => html`<span class="line">${file.path}</span>`),
      ],
    ])}
    ${warnings.length > 0 && html`<div class="notice warning"><p>Deviations from the specification:</p><ul>${firstOf(warnings, warningsMax, ({ field, message }) => html`<li>${field}: ${message}</li>`)}</ul></div>`}
    ${canChange && activation !== undefined && actionForm(context, { action: `${path}/deactivate`, button: 'Deactivate', tone: 'quiet' })}
    <h2>Versions</h2>${table(versions.toReversed(), versionColumns({ path, activation, canChange, context }), 'No version.')}
    ${older !== undefined && nextPage(context, encodeCursor(older), 'Older versions')}
    <h2>Instructions</h2><div class="card markdown">${shownMarkdown(instructions)}</div>`;
  return { title: skill.name, about: html`A skill of the namespace ${skill.namespace}.`, content };
}

/** The instructions rendered, as much as a page may weigh. */
function shownMarkdown(instructions: string): Markup {
  for (let length = instructionsMax; ; length = Math.floor(length / 2)) {
    const rendered = markdown(instructions.slice(0, length));
    if (length > 1 && Buffer.byteLength(String(rendered)) > instructionsBytesMax) continue;
    const rest = instructions.length - length;
    return html`${rendered}${rest > 0 && html`<p class="hint">… ${rest} more characters are not shown here.</p>`}`;
  }
}

function versionColumns({
  path,
  activation,
  canChange,
  context,
}: {
  path: string;
  activation: Activation | undefined;
  canChange: boolean;
  context: PageContext;
}) {
  const activate = (version: number): Shown => {
    if (activation?.version === version) return badge('active', 'good');
    const content = html`<input type="hidden" name="version" value="${version}">`;
    return canChange && actionForm(context, { action: `${path}/activate`, button: 'Activate', content, tone: 'quiet' });
  };
  return [
    { title: 'Version', cell: ({ version }: SkillVersionSummary) => version, isNumber: true },
    {
      title: 'Published',
      cell: ({ createdAt, publishedBy }: SkillVersionSummary) =>
        html`${time(createdAt, context.now)} by ${publishedBy}`,
    },
    {
      title: 'Content',
      cell: ({ digest }: SkillVersionSummary) => html`<code title="${digest}">${digest.slice(0, 12)}…</code>`,
    },
    {
      title: 'Difference',
      cell: ({ version }: SkillVersionSummary) =>
        version > 1 && html`<a href="${path}/compare?before=${version - 1}&amp;after=${version}">to ${version - 1}</a>`,
    },
    { title: 'In use', cell: ({ version }: SkillVersionSummary) => activate(version) },
  ];
}
