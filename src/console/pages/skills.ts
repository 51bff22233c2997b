/** The pages of skills: all of them, one with its versions and their differences, and its activation. */
import { structuredPatch } from 'diff';
import { Hono } from 'hono';
import type { SkillLifecycle } from '../../domain/skill-lifecycle.ts';
import type { SkillDetails, SkillService } from '../../domain/skill-service.ts';
import { invalidSkill, normalisedName, parseSkillDocument, registryName } from '../../domain/skill-source.ts';
import { HestiaError } from '../../shapes/error.ts';
import { decodeCursor, decodeNumberCursor, encodeCursor } from '../../shapes/page.ts';
import type { Activation, Skill, SkillDocument, SkillVersionSummary } from '../../shapes/skill.ts';
import type { PageContext } from '../layout.ts';
import { html, lines, type Markup, type Shown } from '../markup.ts';
import { actionForm, badge, facts, field, firstOf, longText, nextPage, table, time } from '../parts.ts';
import { type ConsoleEnv, show } from '../session.ts';
import { markdown } from './markdown.ts';

/** Dependencies of the pages. */
export interface SkillPagesDeps {
  skills: SkillService;
  lifecycle: SkillLifecycle;
  /** Whether a skill that deviates from the specification is refused. */
  strictSkills: boolean;
}

const pageSize = 50;
const versionsShown = 20;
/** The longest instructions and differences that are shown, in characters: a page is at most 150 kB. */
const instructionsMax = 40_000;
/** The most files that are named. */
const filesMax = 100;

/** The routes below `/console/skills`. */
export function skillPages({ skills, lifecycle, strictSkills }: SkillPagesDeps): Hono<ConsoleEnv> {
  const router = new Hono<ConsoleEnv>();
  router.get('/console/skills', async (c) => {
    const context = c.var.page;
    const after = decodeCursor(c.req.query('cursor'));
    const list = await skills.list(context.caller, { after, limit: pageSize });
    const last = list.at(-1);
    const empty = html`No skill is published yet. Paste one below. <code>hestia skills publish folder</code> publishes a folder, and <code>skills.directories</code> of the configuration all of a repository.`;
    const content = html`${table(list, columns(context), empty)}
      ${nextPage(context, list.length === pageSize && last !== undefined ? encodeCursor(last.skill.name) : undefined)}
      ${context.caller.role !== 'auditor' && publishForm(context)}`;
    return show(c, {
      title: 'Skills',
      about: 'Instructions (SKILL.md) that agents use as tools once they are active.',
      content,
    });
  });
  router.get('/console/skills/:namespace/:name', async (c) => {
    const context = c.var.page;
    const address = c.req.param();
    const details = await skills.get(context.caller, address);
    // Versions are listed from the oldest, and shown from the newest.
    const before = decodeNumberCursor(c.req.query('cursor')) ?? details.skill.latestVersion + 1;
    const after = Math.max(0, before - 1 - versionsShown);
    const listed = await skills.versions(context.caller, address, { after, limit: versionsShown });
    const versions = listed.filter(({ version }) => version < before);
    return show(c, skillPage(details, { versions, older: after === 0 ? undefined : after + 1 }, context));
  });
  router.get('/console/skills/:namespace/:name/compare', async (c) => {
    const { caller, url } = c.var.page;
    const address = c.req.param();
    const version = async (name: string) => {
      const number = Number(url.searchParams.get(name));
      if (!Number.isSafeInteger(number) || number < 1)
        throw new HestiaError('INVALID_REQUEST', `${name}: must be the number of a version`);
      return skills.version(caller, address, number);
    };
    const [before, after] = [await version('before'), await version('after')];
    return show(c, {
      title: `${address.name}, ${before.version} and ${after.version}`,
      about: 'What changed between two versions.',
      content: differences(before.document, after.document),
    });
  });
  addChanges(router, { skills, lifecycle, strictSkills });
  return router;
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

interface Listed {
  skill: Skill;
  activation: Activation | undefined;
}

function columns({ now }: PageContext) {
  return [
    { title: 'Skill', cell: ({ skill }: Listed) => html`<a href="${skillPath(skill)}">${skill.name}</a>` },
    {
      title: 'State',
      cell: ({ activation }: Listed) =>
        activation ? html`${badge('active', 'good')} version ${activation.version}` : badge('not active', 'neutral'),
    },
    { title: 'Version', cell: ({ skill }: Listed) => skill.latestVersion, isNumber: true },
    { title: 'Namespace', cell: ({ skill }: Listed) => skill.namespace },
    { title: 'Changed', cell: ({ skill }: Listed) => time(skill.updatedAt, now) },
    { title: 'Description', cell: ({ skill }: Listed) => skill.description },
  ];
}

function skillPage(
  { skill, latest, activation }: SkillDetails,
  { versions, older }: { versions: readonly SkillVersionSummary[]; older: number | undefined },
  context: PageContext,
) {
  const path = skillPath(skill);
  const { warnings, instructions, files } = latest.document;
  const canChange = context.caller.role === 'operator' || context.caller.agentId === skill.ownerAgentId;
  const content = html`<p>${skill.description}</p>
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
    ${warnings.length > 0 && html`<div class="notice warning"><p>Deviations from the specification:</p><ul>${warnings.map(({ field, message }) => html`<li>${field}: ${message}</li>`)}</ul></div>`}
    ${canChange && activation !== undefined && actionForm(context, { action: `${path}/deactivate`, button: 'Deactivate', tone: 'quiet' })}
    <h2>Versions</h2>${table(versions.toReversed(), versionColumns({ path, activation, canChange, context }), 'No version.')}
    ${nextPage(context, older === undefined ? undefined : encodeCursor(older), 'Older versions')}
    <h2>Instructions</h2><div class="card markdown">${markdown(instructions.slice(0, instructionsMax))}${instructions.length > instructionsMax && html`<p class="hint">… ${instructions.length - instructionsMax} more characters are not shown here.</p>`}</div>`;
  return { title: skill.name, about: html`A skill of the namespace ${skill.namespace}.`, content };
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

/** How long a comparison may take, in milliseconds: the hub does nothing else meanwhile. */
const comparisonMsMax = 50;

/** The differences of SKILL.md, and the files that differ. */
function differences(before: SkillDocument, after: SkillDocument): Markup {
  const bounds = { context: 3, timeout: comparisonMsMax };
  const patch = structuredPatch('before', 'after', before.source, after.source, undefined, undefined, bounds);
  if (patch === undefined)
    return html`<p class="notice warning">The texts differ in too many lines to compare them here.</p>
      <div class="halves"><div><h2>Before</h2><pre>${longText(before.source)}</pre></div><div><h2>After</h2><pre>${longText(after.source)}</pre></div></div>
      ${changedFiles(before, after)}`;
  const { hunks } = patch;
  const { shown, isCut } = withinLimit(hunks.map((hunk) => hunk.lines));
  const tone = (line: string) => (line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : 'same');
  return html`<div class="diff" role="region" aria-label="Differences" tabindex="0">
      ${shown.map((changed) => html`<pre>${changed.map((line) => html`<span class="${tone(line)}">${line}</span>${lines('\n')}`)}</pre>`)}
    </div>${isCut && html`<p class="hint">Further differences are not shown here; the API has both versions.</p>`}
    ${hunks.length === 0 && html`<p>SKILL.md is the same.</p>`}${changedFiles(before, after)}`;
}

/** The first lines of the hunks, as many as a page holds. A line counts with its markup. */
function withinLimit(hunks: readonly string[][]): { shown: string[][]; isCut: boolean } {
  let left = instructionsMax;
  let isCut = false;
  const shown = hunks.map((hunk) =>
    hunk.filter((line) => {
      left -= line.length + markupOfLine;
      isCut ||= left < 0;
      return left >= 0;
    }),
  );
  return { shown: shown.filter(({ length }) => length > 0), isCut };
}

const markupOfLine = 30;

function changedFiles(before: SkillDocument, after: SkillDocument): Markup {
  const contents = ({ files }: SkillDocument) => new Map(files.map(({ path, content }) => [path, content]));
  const [old, current] = [contents(before), contents(after)];
  const paths = [...new Set([...old.keys(), ...current.keys()])]
    .filter((path) => old.get(path) !== current.get(path))
    .sort();
  const state = (path: string) => (old.has(path) ? (current.has(path) ? 'changed' : 'removed') : 'added');
  return html`<ul>${firstOf(paths, filesMax, (path) => html`<li>${path}: ${state(path)}</li>`)}</ul>`;
}
