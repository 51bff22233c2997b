/** Work on an audit trail without its hub: verify exports, folders and proofs, and set a trail aside. */
export { type SetAside, setAsideTrail } from './audit/set-aside.ts';
export { verifyJournalFolder } from './audit/verification/journal-folder.ts';
export { type TrustedKey, trustedKey } from './audit/verification/key-ring.ts';
export { checkInclusion, consistencyFault, openTrusted } from './audit/verification/proof-check.ts';
export { verifyTrail } from './audit/verification/trail-check.ts';
