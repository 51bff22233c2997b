/** `hestia skills`: list, show, check, publish, activate, deactivate, delete. */
import { basename, dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type CheckedFolder, checkSkills, readSkillFolder } from '../domain/skill-source.ts';
import { type SkillDocument, skillLimits } from '../shapes/skill.ts';
import {
  activationAnswerSchema,
  deactivationAnswerSchema,
  publicationViewSchema,
  skillViewSchema,
} from '../shapes/skill-view.ts';
import { printable } from '../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { choiceOption, queryOf, wholeNumber } from './command-options.ts';
import { addSkillReadCommands } from './skill-read-commands.ts';
import { forEachSkill, namespaceQuery, type SkillOptions } from './skill-selection.ts';

/** Adds the commands below `skills`. */
export function addSkillCommands(program: Command, context: CommandContext): void {
  const skills = program.command('skills').description('list, check, publish, activate and deactivate skills');
  addList(skills, context);
  addCheck(skills, context);
  addPublish(skills, context);
  addActivate(skills, context);
  addDeactivate(skills, context);
  addSkillReadCommands(skills, context);
}

interface SkillListOptions {
  query?: string;
  state?: string;
  warnings?: true;
}

function addList(skills: Command, context: CommandContext): void {
  withHubOptions(skills.command('list'), context)
    .description('list skills')
    .option('--namespace <name>', 'another namespace; for operators and auditors')
    .option('--query <text>', 'only skills whose name or description contains this text')
    .addOption(choiceOption('--state <state>', 'only skills that are, or are not, in use', ['active', 'inactive']))
    .option('--warnings', 'only skills that deviate from the Agent Skills specification')
    .action(async ({ namespace, query, state, warnings, ...options }: SkillOptions & SkillListOptions) => {
      const path = `/v1/skills${queryOf({ namespace, query, state, warnings: warnings && 'some' })}`;
      const found = await hubOf(options).list(path, skillViewSchema.loose(), context.signal);
      context.output.table(
        found,
        [
          { title: 'SKILL', cell: ({ name }) => name, isText: true },
          { title: 'NAMESPACE', cell: ({ namespace }) => namespace },
          { title: 'OWNER', cell: ({ ownerAgentId }) => ownerAgentId },
          { title: 'VERSION', cell: ({ latestVersion }) => latestVersion },
          {
            title: 'TOOL',
            cell: ({ activation }) => (activation?.registered ? activation.toolName : ''),
            isText: true,
          },
          { title: 'DESCRIPTION', cell: ({ description }) => description, isText: true },
        ],
        'no skills',
      );
    });
}

function addCheck(skills: Command, context: CommandContext): void {
  skills
    .command('check')
    .description('say what the hub would do with the skills in a folder, by its configuration, without publishing them')
    .argument('<path>', 'a folder that holds skills in any layout, or is one')
    .option('--strict', 'refuse deviations from the specification, as skills.strict does', false)
    .action(async (path: string, { strict }: { strict: boolean }) => {
      const configured = context.skillCheck();
      const options = { ...configured, strict: strict || configured.strict };
      const checked = await checkSkills(resolve(path), options);
      if (checked === undefined) throw new CommandError(exitCodes.usage, `${path}: is not a folder that can be read`);
      const { folders, notSearched } = checked;
      const count = (outcome: CheckedFolder['outcome']) => folders.filter((one) => one.outcome === outcome).length;
      const counts = { warned: count('warned'), held: count('held'), refused: count('refused') };
      const totals = { found: folders.length, published: count('published') + counts.warned, ...counts };
      const { found, published, warned, held, refused } = totals;
      context.output.record({ ...totals, notSearched, folders }, [
        ...folders
          .filter(({ outcome }) => outcome !== 'published')
          .flatMap(({ folder, name, outcome, reasons }) => [
            `${outcome} ${name} (${printable(folder)})`,
            ...reasons.map((reason) => `  ${reason}`),
          ]),
        ...notSearched.map(({ path: left, reason }) => `not searched: ${printable(left)} (${reason})`),
        `found ${found}: published ${published} (${warned} of them warned), held ${held}, refused ${refused}; not searched ${notSearched.length}`,
      ]);
      if (refused > 0) throw new CommandError(exitCodes.failed, `${refused} of ${found} skills would be refused`);
    });
}

function addPublish(skills: Command, context: CommandContext): void {
  withHubOptions(skills.command('publish'), context)
    .description('publish the skill in a folder; changed content becomes a new version')
    .argument('<folder>', 'the folder that holds SKILL.md')
    .action(async (folder: string, options: HubOptions) => {
      const document = await readSkill(folder);
      const json = { document: document.source, files: filesByPath(document) };
      const path = `/v1/skills/${encodeURIComponent(document.frontmatter.name)}`;
      const answer = await hubOf(options).request(path, publicationViewSchema.loose(), {
        method: 'PUT',
        json,
        signal: context.signal,
      });
      context.output.record(answer, [
        `${answer.skill.name} is ${answer.change}, version ${answer.skill.latestVersion}`,
        ...(answer.warnings ?? []).map(({ field, message }) => `${field}: ${message}`),
      ]);
    });
}

function addActivate(skills: Command, context: CommandContext): void {
  withHubOptions(skills.command('activate'), context)
    .description('register versions of skills, by default the latest, as MCP tools')
    .argument('[skills...]', 'names, or globs such as "incident-*"')
    .option('--all', 'all skills of the namespace')
    .option('--namespace <name>', 'another namespace; for operators')
    .option(
      '--ttl <seconds>',
      'deactivate them after this time; by default they stay active',
      wholeNumber(1, skillLimits.ttlSecondsMax),
    )
    .option(
      '--version <number>',
      'an older version of one skill, to roll back',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .action(async (names: string[], options: ActivateOptions) => {
      const json = { ttlSeconds: options.ttl, version: options.version };
      await forEachSkill({ names, options, context }, async (name, hub) => {
        const path = `/v1/skills/${encodeURIComponent(name)}/activate${namespaceQuery(options)}`;
        const request = { json, signal: context.signal };
        const answer = await hub.request(path, activationAnswerSchema.loose(), request);
        const { toolName, version, registered, expiresAt } = answer.activation;
        const until = expiresAt === undefined ? '' : ` until ${expiresAt}`;
        context.output.record(answer, [
          registered
            ? `${name} is the tool ${toolName}, version ${version}${until}`
            : `${name} is active without a tool: another tool has the name ${toolName}`,
        ]);
      });
    });
}

interface ActivateOptions extends SkillOptions {
  all?: true;
  ttl?: number;
  version?: number;
}

function addDeactivate(skills: Command, context: CommandContext): void {
  withHubOptions(skills.command('deactivate'), context)
    .description('remove the MCP tools of skills')
    .argument('[skills...]', 'names, or globs such as "incident-*"')
    .option('--all', 'all active skills of the namespace')
    .option('--namespace <name>', 'another namespace; for operators')
    .action(async (names: string[], options: SkillOptions & { all?: true }) => {
      await forEachSkill({ names, options, context, isActiveOnly: true }, async (name, hub) => {
        const path = `/v1/skills/${encodeURIComponent(name)}/deactivate${namespaceQuery(options)}`;
        const request = { method: 'POST', signal: context.signal } as const;
        const answer = await hub.request(path, deactivationAnswerSchema.loose(), request);
        context.output.record(answer, [answer.changed ? `${name} is no longer active` : `${name} was not active`]);
      });
    });
}

/** Reads the skill of a folder and checks it as the hub does. @throws CommandError if there is none or it is not valid */
async function readSkill(path: string): Promise<SkillDocument> {
  const absolute = resolve(path);
  const folder = basename(absolute) === 'SKILL.md' ? dirname(absolute) : absolute;
  const reading = await readSkillFolder(folder);
  switch (reading.outcome) {
    case 'skill':
      return reading.document;
    case 'absent':
      throw new CommandError(exitCodes.usage, `${folder} holds no SKILL.md`);
    case 'broken': {
      const [first] = reading.error.violations;
      const reason = first === undefined ? reading.error.message : `${first.field}: ${first.message}`;
      throw new CommandError(exitCodes.failed, `${folder}: ${reason}`, { cause: reading.error });
    }
    default:
      return reading satisfies never;
  }
}

/** The skill's files by path, as the API accepts them: text, or bytes in base64. */
function filesByPath({ files }: SkillDocument) {
  return Object.fromEntries(
    files.map(({ path, content, encoding }) => [path, encoding === 'utf-8' ? content : { content, encoding }]),
  );
}
