/**
 * Whether the journal accepts writes now, without writing a record.
 * After a group failed, the answer is its error until a probe or another group succeeds.
 */
import type { JournalError } from '../journal-error.ts';
import type { SegmentFile } from './segment-file.ts';

/** The state of the last writes. */
export interface WriteCheck {
  /** Notes that a group failed, or succeeded. */
  failed(error: JournalError): void;
  succeeded(): void;
  /** @throws JournalError if a write would fail now. `isBusy`: a group is being written, whose result is not known yet. */
  check(file: SegmentFile, isBusy: boolean): void;
}

/** How often a failing journal is probed, and the space on the disk is checked, in milliseconds. */
const intervalMs = 100;
/** How long the place of the file is assumed to be as it was found, in milliseconds. Each write looks again. */
const placeKnownMs = 5;

/** Creates the state. `elapsedMs` is a monotonic clock. */
export function createWriteCheck(elapsedMs: () => number): WriteCheck {
  let failure: JournalError | undefined;
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  let placeCheckedAtMs = Number.NEGATIVE_INFINITY;
  const checkPlace = (file: SegmentFile) => {
    if (elapsedMs() - placeCheckedAtMs < placeKnownMs) return;
    file.checkPlace();
    placeCheckedAtMs = elapsedMs();
  };
  return {
    failed: (error) => {
      failure = error;
      checkedAtMs = elapsedMs();
    },
    succeeded: () => {
      failure = undefined;
    },
    check: (file, isBusy) => {
      const isRecent = elapsedMs() - checkedAtMs < intervalMs;
      if (failure !== undefined && (isRecent || isBusy)) throw failure;
      if (failure === undefined) checkPlace(file);
      if (isRecent) return;
      checkedAtMs = elapsedMs();
      if (failure === undefined) file.checkSpace();
      else file.probe();
      failure = undefined;
    },
  };
}
