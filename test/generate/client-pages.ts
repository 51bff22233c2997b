/** The pages of MCP clients in the documents: the first configuration of each is the one that the console shows. */
import type { ClientSetup } from '../../src/console/client-setups.ts';

/** What the documents have in the place of a hub and of a key. */
export const documentedHub = { url: 'http://127.0.0.1:7420/mcp', key: '<key>' } as const;

/** The path of a client's page. */
export function clientPagePath({ id }: ClientSetup): string {
  return `docs/clients/${id}.md`;
}

/**
 * The page with its first block replaced by the configuration.
 * @throws Error if the page has no block
 */
export function withConfiguration(page: string, { language, text }: ClientSetup): string {
  const block = /^```.*?^```$/ms;
  if (!block.test(page)) throw new Error('the page has no block for the configuration');
  return page.replace(block, () => `\`\`\`${language}\n${text(documentedHub)}\n\`\`\``);
}
