/** The existence of a process. */
import { readFileSync } from 'node:fs';

/** True while a process with this id exists. One that has exited and is not reaped yet counts as gone, on Linux. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // The state follows the name in parentheses (proc(5), /proc/pid/stat).
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return process.platform !== 'linux';
  }
}
