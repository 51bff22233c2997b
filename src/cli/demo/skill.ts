/** Skills as the demo publishes them. */

/** A SKILL.md for the demo. */
export function demoSkillText(name: string, instructions: string): string {
  return `---\nname: ${name}\ndescription: Part of hestia demo, which deletes it at its end.\n---\n\n${instructions}\n`;
}
