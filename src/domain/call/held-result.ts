/** Counts the result of an upstream server against the bytes that are held until clients have read them. */
import { currentResultAccount } from '../../flow/held-results.ts';
import { HestiaError } from '../../shapes/error.ts';
import { valueBytes } from '../../upstream/response-limits.ts';

/** Smaller results are not counted: what the operating system buffers for a connection takes about as much. */
const smallResultBytesMax = 65_536;

/**
 * The result, counted until the client has read it.
 * @throws HestiaError OVERLOADED if too much is held already: the server has answered, but the result is dropped
 */
export function heldResult<Result>(result: Result): Result {
  const account = currentResultAccount();
  if (account === undefined) return result;
  const bytes = valueBytes(result);
  if (bytes <= smallResultBytesMax) return result;
  const refusal = account.take(bytes);
  if (refusal === undefined) return result;
  const why =
    refusal === 'share'
      ? 'the results of this key that were not read yet take its share of limits.resultBytesHeldMax'
      : 'the results that clients have not read yet take limits.resultBytesHeldMax';
  throw new HestiaError('OVERLOADED', `the server answered, but its result of ${bytes} bytes was dropped: ${why}`);
}
