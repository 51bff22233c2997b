/** A small file system in memory, for tests of a full disk. Mounting it takes rights that not every machine gives. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mounted file system. Disposing unmounts it. */
export interface SmallDisk extends Disposable {
  folder: string;
}

/** Mounts a file system of `bytes` bytes. @throws Error where this process may not */
export function mountSmallDisk(bytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-small-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  if (status !== 0) {
    rmSync(folder, { recursive: true });
    throw new Error('mounting a file system failed');
  }
  return {
    folder,
    [Symbol.dispose]: () => {
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether this process may mount file systems. Mounts one and removes it. */
export function mayMountSmallDisk(): boolean {
  try {
    mountSmallDisk(65_536)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}
