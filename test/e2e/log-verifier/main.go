// Command log-verifier verifies the audit log of a running hub without any code of the hub.
//
// It uses the packages of the Go checksum database: golang.org/x/mod/sumdb/note for the signature of the checkpoint, and
// golang.org/x/mod/sumdb/tlog for hashes, tiles and proofs. It fetches every entry bundle and every tile of the log, recomputes
// all leaves and the root, and checks inclusion and consistency proofs that it makes from the tiles.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is the height of tiles in C2SP tlog-tiles: 256 hashes.
const tileHeight = 8

// A checkpoint is the tree head that a signed note states (C2SP tlog-checkpoint).
type checkpoint struct {
	origin string
	tree   tlog.Tree
}

// A report is what the program prints if everything verifies.
type report struct {
	Origin       string `json:"origin"`
	Size         int64  `json:"size"`
	Root         string `json:"root"`
	Signatures   int    `json:"signatures"`
	Records      int    `json:"records"`
	Tiles        int    `json:"tiles"`
	Inclusions   int    `json:"inclusions"`
	Consistences int    `json:"consistences"`
}

func main() {
	url := flag.String("url", "", "prefix of the log, such as http://127.0.0.1:7420/v1/audit/log")
	key := flag.String("key", "", "API key that may read the log")
	vkey := flag.String("vkey", "", "verifier key of the log")
	old := flag.String("old", "", "file with an earlier checkpoint, which the log must extend")
	save := flag.String("save", "", "file in which the checkpoint is stored")
	flag.Parse()
	result, err := verify(&client{prefix: *url, key: *key}, *vkey, *old, *save)
	if err != nil {
		fmt.Fprintln(os.Stderr, "log-verifier:", err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(result)
}

func verify(log *client, vkey, oldFile, saveFile string) (*report, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	signed, err := log.get("checkpoint", "text/plain; charset=utf-8")
	if err != nil {
		return nil, err
	}
	head, signatures, err := openCheckpoint(signed, verifier)
	if err != nil {
		return nil, err
	}
	stored, records, err := recomputeTree(log, head.tree.N)
	if err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(head.tree.N, stored)
	if err != nil {
		return nil, err
	}
	if root != head.tree.Hash {
		return nil, fmt.Errorf("the records have the root %v, but the checkpoint states %v", root, head.tree.Hash)
	}
	tiles, err := compareTiles(log, head.tree.N, stored)
	if err != nil {
		return nil, err
	}
	// From here on hashes come from the tiles alone, which the reader authenticates against the signed root.
	fromTiles := tlog.TileHashReader(head.tree, log)
	inclusions, err := checkInclusion(head.tree, fromTiles, stored)
	if err != nil {
		return nil, err
	}
	consistences, err := checkConsistency(head, fromTiles, stored, oldFile, verifier)
	if err != nil {
		return nil, err
	}
	if saveFile != "" {
		if err := os.WriteFile(saveFile, signed, 0o600); err != nil {
			return nil, err
		}
	}
	return &report{head.origin, head.tree.N, head.tree.Hash.String(), signatures, records, tiles, inclusions, consistences}, nil
}

// openCheckpoint verifies the signature of a checkpoint and parses its text.
func openCheckpoint(signed []byte, verifier note.Verifier) (*checkpoint, int, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return nil, 0, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return nil, 0, errors.New("checkpoint: too few lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return nil, 0, fmt.Errorf("checkpoint: the size %q is not a number", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return nil, 0, fmt.Errorf("checkpoint: the root %q is not a hash", lines[2])
	}
	if lines[0] != verifier.Name() {
		return nil, 0, fmt.Errorf("checkpoint: the origin %q is not the name of the key", lines[0])
	}
	head := &checkpoint{origin: lines[0], tree: tlog.Tree{N: size, Hash: tlog.Hash(root)}}
	return head, len(opened.Sigs) + len(opened.UnverifiedSigs), nil
}

// storedHashes are all hashes of the tree, computed from the records, in the order of tlog.StoredHashIndex.
type storedHashes []tlog.Hash

func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes[at] = s[index]
	}
	return hashes, nil
}

// recomputeTree fetches every entry bundle and computes the tree from the records.
func recomputeTree(log *client, size int64) (storedHashes, int, error) {
	var stored storedHashes
	var records int
	for number := int64(0); number*256 < size; number++ {
		tile := tlog.Tile{H: tileHeight, L: -1, N: number, W: int(min(256, size-number*256))}
		bundle, err := log.get(pathOf(tile), "application/octet-stream")
		if err != nil {
			return nil, 0, err
		}
		entries, err := splitBundle(bundle)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", pathOf(tile), err)
		}
		if len(entries) != tile.W {
			return nil, 0, fmt.Errorf("%s: has %d entries, not %d", pathOf(tile), len(entries), tile.W)
		}
		for _, entry := range entries {
			if err := checkEntry(entry, records); err != nil {
				return nil, 0, err
			}
			hashes, err := tlog.StoredHashes(int64(records), entry, stored)
			if err != nil {
				return nil, 0, err
			}
			stored = append(stored, hashes...)
			records++
		}
	}
	return stored, records, nil
}

// splitBundle splits an entry bundle: each entry follows its length, 2 bytes in big-endian order.
func splitBundle(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 {
			return nil, errors.New("the length of an entry is cut off")
		}
		length := int(binary.BigEndian.Uint16(bundle))
		if len(bundle) < 2+length {
			return nil, errors.New("an entry is cut off")
		}
		entries = append(entries, bundle[2:2+length])
		bundle = bundle[2+length:]
	}
	return entries, nil
}

// checkEntry checks that a record is JSON and has the number of its place.
func checkEntry(entry []byte, index int) error {
	var record struct {
		Seq int `json:"seq"`
	}
	if err := json.Unmarshal(entry, &record); err != nil {
		return fmt.Errorf("record %d: %w", index+1, err)
	}
	if record.Seq != index+1 {
		return fmt.Errorf("record %d states the number %d", index+1, record.Seq)
	}
	return nil
}

// compareTiles fetches every hash tile of the tree and compares it with the hashes of the records.
func compareTiles(log *client, size int64, stored storedHashes) (int, error) {
	tiles := tlog.NewTiles(tileHeight, 0, size)
	for _, tile := range tiles {
		served, err := log.get(pathOf(tile), "application/octet-stream")
		if err != nil {
			return 0, err
		}
		computed, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(served, computed) {
			return 0, fmt.Errorf("%s: the hashes are not those of the records", pathOf(tile))
		}
	}
	return len(tiles), nil
}

// checkInclusion proves some records, from the first to the last, and checks the proofs.
func checkInclusion(tree tlog.Tree, fromTiles tlog.HashReader, stored storedHashes) (int, error) {
	var checked int
	for _, index := range sample(0, tree.N-1) {
		proof, err := tlog.ProveRecord(tree.N, index, fromTiles)
		if err != nil {
			return 0, fmt.Errorf("inclusion of record %d: %w", index+1, err)
		}
		leaf := stored[tlog.StoredHashIndex(0, index)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
			return 0, fmt.Errorf("inclusion of record %d: %w", index+1, err)
		}
		checked++
	}
	return checked, nil
}

// checkConsistency proves that the tree extends some smaller ones, and the one of an earlier checkpoint.
func checkConsistency(head *checkpoint, fromTiles tlog.HashReader, stored storedHashes, oldFile string, verifier note.Verifier) (int, error) {
	trees, err := smallerTrees(head.tree.N, stored)
	if err != nil {
		return 0, err
	}
	if oldFile != "" {
		signed, err := os.ReadFile(oldFile)
		if err != nil {
			return 0, err
		}
		old, _, err := openCheckpoint(signed, verifier)
		if err != nil {
			return 0, err
		}
		trees = append(trees, old.tree)
	}
	for _, old := range trees {
		proof, err := tlog.ProveTree(head.tree.N, old.N, fromTiles)
		if err != nil {
			return 0, fmt.Errorf("consistency with %d records: %w", old.N, err)
		}
		if err := tlog.CheckTree(proof, head.tree.N, head.tree.Hash, old.N, old.Hash); err != nil {
			return 0, fmt.Errorf("consistency with %d records: %w", old.N, err)
		}
	}
	return len(trees), nil
}

func smallerTrees(size int64, stored storedHashes) ([]tlog.Tree, error) {
	var trees []tlog.Tree
	for _, n := range sample(1, size) {
		root, err := tlog.TreeHash(n, stored)
		if err != nil {
			return nil, err
		}
		trees = append(trees, tlog.Tree{N: n, Hash: root})
	}
	return trees, nil
}

// sample returns up to 64 numbers from first to last, both included.
func sample(first, last int64) []int64 {
	step := max(1, (last-first)/62)
	var numbers []int64
	for number := first; number < last; number += step {
		numbers = append(numbers, number)
	}
	return append(numbers, last)
}

// A client reads the log. It is the tlog.TileReader of tlog.TileHashReader.
type client struct {
	prefix string
	key    string
}

func (c *client) Height() int { return tileHeight }

func (c *client) SaveTiles([]tlog.Tile, [][]byte) {}

func (c *client) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for at, tile := range tiles {
		served, err := c.get(pathOf(tile), "application/octet-stream")
		if err != nil {
			return nil, err
		}
		data[at] = served
	}
	return data, nil
}

// pathOf is the path of a tile in C2SP tlog-tiles, which is that of the checksum database without the height.
func pathOf(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	if rest, isData := strings.CutPrefix(path, "data/"); isData {
		return "tile/entries/" + rest
	}
	return "tile/" + path
}

func (c *client) get(path, contentType string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, c.prefix+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d: %s", path, response.StatusCode, body)
	}
	if served := response.Header.Get("Content-Type"); served != contentType {
		return nil, fmt.Errorf("%s: the content type is %q", path, served)
	}
	return body, nil
}
