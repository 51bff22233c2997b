/** Rules on what a reader does not see: characters without a glyph, hidden markup, encoded text. Matched by `scan-hidden`. */
import type { ScanRule } from './rule.ts';

/** Families UNI, HID, ENC and SIZ: found by looking at characters and structure, not at sentences. */
export const hiddenRules = {
  tags: { id: 'UNI-01', severity: 'critical', why: 'Holds tag characters, which spell text that no one sees.' },
  bidi: { id: 'UNI-02', severity: 'high', why: 'Holds controls that change the order in which text is shown.' },
  invisible: { id: 'UNI-03', severity: 'high', why: 'Holds invisible characters inside words or in a row.' },
  mixedScript: { id: 'UNI-04', severity: 'medium', why: 'Writes a word with look-alike letters of another script.' },
  variation: { id: 'UNI-05', severity: 'high', why: 'Holds a row of variation selectors, which can carry bytes.' },
  hiddenInstruction: {
    id: 'HID-01',
    severity: 'critical',
    why: 'Gives an instruction in text that is hidden when it is shown.',
  },
  escapedLetters: { id: 'ENC-03', severity: 'high', why: 'Writes plain letters as escapes, which only hides them.' },
  encoded: { id: 'ENC-01', severity: 'critical', why: 'Holds encoded text that says what other rules refuse.' },
  tooLong: { id: 'SIZ-01', severity: 'high', why: 'Is longer than what is read, so that the rest is unknown.' },
} as const satisfies Record<string, Pick<ScanRule, 'id' | 'severity' | 'why'>>;
