// Package manifest is the table of contents of one snapshot, as it lies in the bucket: whoever has it, the packs and the
// workspace's key can restore without any database of ours. It reads and writes no storage.
package manifest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// Format is the version of the layout; a reader refuses one that it does not know.
const Format = "naksha-snapshot/1"

// Manifest lists everything that a snapshot holds and where its bytes lie.
type Manifest struct {
	Format        string     `json:"format"`
	Snapshot      string     `json:"snapshot"` // workspaces/{ref}/snapshots/{id}
	Attempt       int        `json:"attempt"`  // which of several tries wrote it
	Schema        string     `json:"schema"`
	Time          time.Time  `json:"time"`           // the moment that the rows show
	ServerVersion string     `json:"server_version"` // server_version of the cell
	PreData       Stream     `json:"pre_data"`       // pg_dump --section=pre-data
	PostData      Stream     `json:"post_data"`      // pg_dump --section=post-data
	Tables        []Table    `json:"tables"`
	Sequences     []Sequence `json:"sequences"`
	Packs         []Pack     `json:"packs"`
	ObjectRegion  string     `json:"object_region"` // region whose bucket was read
	Objects       []Object   `json:"objects"`
}

// Stream is a run of bytes, cut into frames.
type Stream struct {
	Bytes  int64   `json:"bytes"`
	Frames []Frame `json:"frames"`
}

// Frame is at most 1 MiB of a stream: compressed, sealed, and part of a pack.
type Frame struct {
	Pack   int    `json:"pack"`
	Offset int64  `json:"offset"` // in the pack
	Length int64  `json:"length"` // stored bytes
	Bytes  int64  `json:"bytes"`  // plain bytes
	SHA256 string `json:"sha256"` // of the plain bytes, hex
}

// Pack is one stored object that holds frames.
type Pack struct {
	Number int    `json:"number"`
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"` // of the stored bytes, hex
}

// Table is a table's rows as COPY writes them as text.
type Table struct {
	Name     string   `json:"name"`
	Columns  []string `json:"columns"` // of the COPY, in order; generated columns are left out
	Rows     int64    `json:"rows"`
	Checksum string   `json:"checksum"`
	Stream
}

// Sequence is a sequence's position.
type Sequence struct {
	Name      string `json:"name"`
	LastValue int64  `json:"last_value"`
	Called    bool   `json:"is_called"`
}

// Object is the version of an object that was current at the snapshot's moment.
type Object struct {
	Key         string            `json:"key"`
	VersionID   string            `json:"version_id"`
	ETag        string            `json:"etag"`
	Size        int64             `json:"size"`
	Modified    time.Time         `json:"modified"`
	ContentType string            `json:"content_type"`
	Meta        map[string]string `json:"meta,omitempty"`
	SHA256      string            `json:"sha256"` // of the whole object, hex
	Chunks      []Chunk           `json:"chunks"`
}

// Chunk is at most 8 MiB of an object, stored once for a workspace under its address.
type Chunk struct {
	Address string `json:"address"` // HMAC-SHA-256 of the plain bytes under the workspace's key, hex
	Bytes   int64  `json:"bytes"`   // plain bytes
	Stored  int64  `json:"stored"`  // sealed bytes, upper bound where another snapshot stored it
}

// Encode writes the manifest as JSON.
func (m *Manifest) Encode() ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return b, nil
}

// Decode reads a manifest and refuses one of another format or of another snapshot.
func Decode(b []byte, name string) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("decode manifest of %s: %w", name, err)
	}
	switch {
	case m.Format != Format:
		return nil, fmt.Errorf("manifest of %s has format %q, not %q", name, m.Format, Format)
	case m.Snapshot != name:
		return nil, fmt.Errorf("manifest of %s names %s", name, m.Snapshot)
	}
	return m, nil
}

// Key is the manifest's place in the bucket.
func Key(ref string, id uuid.UUID) string {
	return fmt.Sprintf("workspace/%s/snapshots/%s/manifest", ref, id)
}

// PackKey is a pack's place in the bucket. The attempt is part of it, so that names are written once.
func PackKey(ref string, id uuid.UUID, attempt, number int) string {
	return fmt.Sprintf("workspace/%s/snapshots/%s/attempt-%03d/pack-%06d", ref, id, attempt, number)
}

// ChunkKey is an object chunk's place in the bucket, shared by all snapshots of the workspace.
func ChunkKey(ref, address string) string {
	return fmt.Sprintf("workspace/%s/objects/%s/%s", ref, address[:2], address)
}

// Taken sums the manifest up.
func (m *Manifest) Taken() snapshot.Taken {
	t := snapshot.Taken{At: m.Time, Objects: int64(len(m.Objects))}
	for _, table := range m.Tables {
		t.Tables = append(t.Tables, snapshot.Table{Name: table.Name, Rows: table.Rows, Checksum: table.Checksum})
		t.Rows += table.Rows
		t.RawBytes += table.Bytes
	}
	for _, p := range m.Packs {
		t.StoredBytes += p.Length
	}
	for _, o := range m.Objects {
		t.ObjectBytes += o.Size
		for _, c := range o.Chunks {
			t.StoredBytes += c.Stored
		}
	}
	return t
}

// Streams are all streams that lie in packs.
func (m *Manifest) Streams() []Stream {
	streams := []Stream{m.PreData, m.PostData}
	for _, t := range m.Tables {
		streams = append(streams, t.Stream)
	}
	return streams
}
