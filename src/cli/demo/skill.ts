/** The SKILL.md text that the demo publishes. */

/** Renders a SKILL.md for the demo. */
export function demoSkillText(name: string, instructions: string): string {
  return `---\nname: ${name}\ndescription: Part of hestia demo, which deletes it at its end.\n---\n\n${instructions}\n`;
}
