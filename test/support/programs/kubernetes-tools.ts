/** Helm, kubeconform and Kubernetes schemas, at the path at which test/e2e/kubernetes/install.sh builds them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const script = new URL('../../e2e/kubernetes/install.sh', import.meta.url);

/** The path of a program or schema for the current versions. Does not check whether it exists. */
export function kubernetesTool(name: string): string {
  const digest = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 16);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', 'kubernetes', digest, name);
}
