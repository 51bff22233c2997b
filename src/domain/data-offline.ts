/** Work on the data of a hub without the hub, such as verification, backup and restore. */
export { type SetAside, setAsideTrail } from './audit/set-aside.ts';
export { verifyJournalFolder } from './audit/verification/journal-folder.ts';
export { type TrustedKey, trustedKey } from './audit/verification/key-ring.ts';
export { checkInclusion, consistencyFault, openTrusted } from './audit/verification/proof-check.ts';
export { verifyTrail } from './audit/verification/trail-check.ts';
export { type Backup, type BackupManifest, backUp } from './offline/backup.ts';
export { BackupError } from './offline/backup-error.ts';
export { type OperatorReset, resetOperator } from './offline/operator-reset.ts';
export { restoreBackup } from './offline/restore.ts';
