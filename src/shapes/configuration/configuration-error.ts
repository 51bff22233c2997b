/** The error for an invalid setting, which stops the start with one line. */
import { printable, truncated } from '../text.ts';

/** An invalid setting, which stops the start. The message is one printable line: the key, the value found, what is allowed. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(message: string, options?: ErrorOptions) {
    super(truncated(printable(message), messageLengthMax), options);
  }
}

const messageLengthMax = 500;
