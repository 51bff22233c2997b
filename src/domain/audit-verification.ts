/** Offline verification of an exported audit trail and of its proofs, as the command line uses it. */
export { type VerifyingKey, verifyingKey } from './audit/checkpoint.ts';
export { consistencyFault, inclusionFault } from './audit/proof-verification.ts';
export { verifyTrail } from './audit/verification.ts';
