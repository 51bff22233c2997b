/** Reading a skill as it comes from outside: the text of a SKILL.md with its files, or a folder on disk. */
export { parseSkillDocument } from './skill/document.ts';
export { readSkillFolder } from './skill/folder.ts';
