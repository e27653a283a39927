package store

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/services/backup/internal/request"
)

// once returns the resource that the request made before, or runs make and notes what it made.
func once(ctx context.Context, tx *pg.Tx, o request.Key, make func() (uuid.UUID, error)) (uuid.UUID, error) {
	if o.ID == uuid.Nil {
		return make()
	}
	resource, found, err := before(ctx, tx, o)
	if err != nil || found {
		return resource, err
	}
	resource, err = make()
	if err != nil {
		return uuid.Nil, err
	}
	if _, err := tx.Exec(ctx, query("request_add"), o.Method, o.Ref, o.ID, o.Digest, resource, tx.Now); err != nil {
		return uuid.Nil, fmt.Errorf("note request: %w", err)
	}
	return resource, nil
}

func before(ctx context.Context, tx *pg.Tx, o request.Key) (resource uuid.UUID, found bool, err error) {
	var digest []byte
	err = tx.QueryRow(ctx, query("request_get"), o.Method, o.Ref, o.ID).Scan(&digest, &resource)
	switch {
	case pg.NoRows(err):
		return uuid.Nil, false, nil
	case err != nil:
		return uuid.Nil, false, fmt.Errorf("look for request: %w", err)
	case !bytes.Equal(digest, o.Digest):
		return uuid.Nil, false, fault.Exists("REQUEST_ID_REUSED", "The request_id was used with another request.").
			WithRemedy("Choose a new UUID for each new request.")
	}
	return resource, true, nil
}
