/** Loads a configuration in tests, and returns the one line that refuses an invalid one. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigSources, loadConfig } from '../../../src/config.ts';
import type { Config } from '../../../src/shapes/configuration/config.ts';
import { ConfigurationError } from '../../../src/shapes/configuration/configuration-error.ts';

/** Writes `hestia.config.json`, as text or as JSON, into a folder and loads it with that folder as working directory. */
export async function loadConfigFile(
  folder: string,
  content: unknown,
  environment: ConfigSources['environment'] = {},
): Promise<Config> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(join(folder, 'hestia.config.json'), text);
  return loadConfig({ environment, workingDirectory: folder });
}

/**
 * The message of the configuration error that `start` throws.
 * @throws Error if it does not throw one, or if the message has more than one line
 */
export async function configRefusal(start: () => unknown): Promise<string> {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    if (/[\n\r]/.test(error.message)) throw new Error('the message is not one line', { cause: error });
    return error.message;
  }
  throw new Error('the configuration was accepted');
}
