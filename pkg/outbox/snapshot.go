package outbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Snapshot makes a fact that holds a whole resource, as it is now: a message whose name ends in Snapshotted. It stands
// for all facts of the aggregate up to now, where the log does not have them any more. nil = there is no such resource.
type Snapshot func(ctx context.Context, tx *pg.Tx, aggregate string) (m proto.Message, workspace string, err error)

// Snapshots are a service's by collection: `workspaces` for workspaces/{ref}, `workspaces/keys` for what is in them.
type Snapshots map[string]Snapshot

// of finds the Snapshot of an aggregate's collection.
func (s Snapshots) of(aggregate string) Snapshot {
	var collection []string
	for i, part := range strings.Split(aggregate, "/") {
		if i%2 == 0 {
			collection = append(collection, part)
		}
	}
	return s[strings.Join(collection, "/")]
}

// Recorded returns an aggregate's facts after a version, in order, at most limit; or its snapshot, where the next one is
// gone from the log and the service offers snapshots.
func Recorded(ctx context.Context, p *pg.Pool, s Snapshots, aggregate string, after int64, limit int) ([]Event, error) {
	events, err := List(ctx, p, aggregate, after, limit)
	events = light(events)
	snapshot := s.of(aggregate)
	if err != nil || snapshot == nil || len(events) > 0 && events[0].Version == after+1 {
		return events, err
	}
	err = p.Snapshot(ctx, func(ctx context.Context, tx *pg.Tx) error {
		var version int64
		err := tx.QueryRow(ctx, query("version"), aggregate).Scan(&version)
		if pg.NoRows(err) || err == nil && version <= after {
			return nil
		}
		if err != nil {
			return err
		}
		message, workspace, err := snapshot(ctx, tx, aggregate)
		if err != nil || message == nil {
			return err
		}
		e, err := snapshotOf(tx, aggregate, version, workspace, message)
		if err != nil {
			return err
		}
		events = []Event{e}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make a snapshot of %s: %w", aggregate, err)
	}
	return events, nil
}

// maxPage is what a page of facts may weigh, bytes: a reply holds 4 MiB.
const maxPage = 2 << 20

// light cuts a page that is too heavy; one fact always fits.
func light(events []Event) []Event {
	weight := 0
	for i, e := range events {
		if weight += len(e.Payload); weight > maxPage && i > 0 {
			return events[:i]
		}
	}
	return events
}

func snapshotOf(tx *pg.Tx, aggregate string, version int64, workspace string, m proto.Message) (Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Event{}, fmt.Errorf("make event id: %w", err)
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", typeOf(m), err)
	}
	e := Event{
		At: tx.Now, ID: id, Aggregate: aggregate, Version: version, Type: string(typeOf(m)), Workspace: workspace,
		Headers: map[string]string{}, Payload: payload,
	}
	if !e.snapshot() {
		return Event{}, fmt.Errorf("%s does not say that it is a snapshot", e.Type)
	}
	return e, nil
}
