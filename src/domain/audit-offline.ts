/** Verification of an exported audit trail and of its proofs, without a hub: what an auditor's command line needs. */
export { type VerifyingKey, verifyingKey } from './audit/checkpoint.ts';
export { consistencyFault, inclusionFault } from './audit/proof.ts';
export { verifyTrail } from './audit/verification.ts';
