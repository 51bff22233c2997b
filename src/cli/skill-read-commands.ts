/** `hestia skills show`, `versions` and `delete`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { skillDetailsViewSchema, skillVersionDetailsViewSchema, skillVersionViewSchema } from '../shapes/skill-view.ts';
import { printable } from '../shapes/text.ts';
import { type CommandContext, hubOf, withHubOptions } from './command-context.ts';
import { wholeNumber } from './command-options.ts';
import { namespaceQuery, type SkillOptions } from './skill-selection.ts';
import { relativeTime } from './terminal/relative-time.ts';

/** Adds the commands below `skills`. */
export function addSkillReadCommands(skills: Command, context: CommandContext): void {
  addShow(skills, context);
  withNamespace(skills.command('versions'), context)
    .description('list the versions of a skill, oldest first')
    .action(async (name: string, options: SkillOptions) => {
      const path = `${pathOf(name)}/versions${namespaceQuery(options)}`;
      const found = await hubOf(options).list(path, skillVersionViewSchema.loose(), context.signal);
      context.output.table(
        found,
        [
          { title: 'VERSION', cell: ({ version }) => version },
          { title: 'CREATED', cell: ({ createdAt }) => createdAt },
          { title: 'AGO', cell: ({ createdAt }) => relativeTime(createdAt) },
          { title: 'DIGEST', cell: ({ digest }) => digest.slice(-8) },
        ],
        'no versions',
      );
    });
  withNamespace(skills.command('delete'), context)
    .description('delete a skill; an active one is deactivated first')
    .action(async (name: string, options: SkillOptions) => {
      const request = { method: 'DELETE', signal: context.signal } as const;
      await hubOf(options).request(`${pathOf(name)}${namespaceQuery(options)}`, z.undefined(), request);
      context.output.record({ name, deleted: true }, [printable(`${name} is deleted`)]);
    });
}

function addShow(skills: Command, context: CommandContext): void {
  withNamespace(skills.command('show'), context)
    .description('show the content of a skill, by default of its latest version')
    .option('--version <number>', 'an older version', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action(async (name: string, { version, ...options }: SkillOptions & { version?: number }) => {
      const hub = hubOf(options);
      const request = { signal: context.signal };
      const path = `${pathOf(name)}${version === undefined ? '' : `/versions/${version}`}${namespaceQuery(options)}`;
      const found =
        version === undefined
          ? await hub.request(path, skillDetailsViewSchema.loose(), request)
          : await hub.request(path, skillVersionDetailsViewSchema.loose(), request);
      const { description, instructions, files } = found;
      context.output.record(found, [
        printable(description),
        ...files.map((file) => printable(`file ${file.path}`)),
        '',
        ...instructions.split('\n').map(printable),
      ]);
    });
}

function withNamespace(command: Command, context: CommandContext): Command {
  return withHubOptions(command, context)
    .argument('<skill>')
    .option('--namespace <name>', 'another namespace; for operators and auditors');
}

function pathOf(name: string): string {
  return `/v1/skills/${encodeURIComponent(name)}`;
}
