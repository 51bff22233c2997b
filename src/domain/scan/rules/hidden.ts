/** Scan rules for hidden text: invisible characters, hidden markup, encodings. Matched by `scan/hidden-text`. */
import type { ScanRule } from './rule.ts';

/** The rules of the families UNI, HID, ENC and SIZ that match characters and structure rather than sentences. */
export const hiddenRules = {
  tags: { id: 'UNI-01', severity: 'critical', why: 'Contains tag characters, which spell invisible text.' },
  bidi: { id: 'UNI-02', severity: 'high', why: 'Contains controls that change the order in which text is displayed.' },
  invisible: { id: 'UNI-03', severity: 'high', why: 'Contains invisible characters inside words or in a row.' },
  mixedScript: { id: 'UNI-04', severity: 'medium', why: 'Writes a word with look-alike letters of another script.' },
  variation: { id: 'UNI-05', severity: 'high', why: 'Contains a row of variation selectors, which can encode data.' },
  hiddenInstruction: {
    id: 'HID-01',
    severity: 'critical',
    why: 'Gives an instruction in text that is hidden when rendered.',
  },
  escapedLetters: {
    id: 'ENC-03',
    severity: 'high',
    why: 'Writes plain letters as escapes, which has no use but to hide them.',
  },
  encoded: { id: 'ENC-01', severity: 'critical', why: 'Contains encoded text that matches other rules once decoded.' },
  tooLong: { id: 'SIZ-01', severity: 'high', why: 'Is longer than the scan reads, so the rest is unknown.' },
} as const satisfies Record<string, Pick<ScanRule, 'id' | 'severity' | 'why'>>;
