/** The Merkle tree of the journal (RFC 6962), over hash tiles in the layout of C2SP tlog-tiles. */

/**
 * The tree over all lines of the journal. Hashes are buffers of 32 bytes. It holds the frontier and the incomplete tiles in
 * memory and writes full tiles to files.
 */
export interface LogTree {
  /** The number of leaves. */
  size(): number;
  /** The root over all leaves: SHA-256 of the empty string for the empty tree. */
  root(): Buffer;
  append(leaf: Buffer): void;
  /** The root over the first `size` leaves. */
  rootAt(size: number): Promise<Buffer>;
  /** The audit path of a leaf: PATH(index, D[size]) of RFC 6962, section 2.1.1. */
  inclusionProof(index: number, size: number): Promise<Buffer[]>;
  /** The consistency path between two sizes: PROOF(from, D[to]) of RFC 6962, section 2.1.2. */
  consistencyProof(from: number, to: number): Promise<Buffer[]>;
  /** A tile in the layout of tlog-tiles, full or partial as of size(); undefined if the tree is too small for it. */
  tile(level: number, index: number, width: number): Promise<Buffer | undefined>;
  /** Resolves when all full tiles are on disk. */
  flush(): Promise<void>;
}
