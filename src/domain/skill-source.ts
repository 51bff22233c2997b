/** The parsers of skills that doors may use: a SKILL.md with its files, and a folder on disk. */
export { invalidSkill, parseSkillDocument, skillFile } from './skill/document.ts';
export { readSkillFolder } from './skill/folder.ts';
export { normalisedName, registryName } from './skill/name.ts';
