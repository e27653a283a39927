package api

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
	"github.com/naksha-cloud/naksha/services/backup/internal/snapshot"
)

// refOf reads `workspaces/{ref}`; its shape was checked by the proto's rules.
func refOf(parent string) (string, error) {
	ref, ok := strings.CutPrefix(parent, "workspaces/")
	if !ok || ref == "" {
		return "", fault.Invalid("NAME_INVALID", "The parent is not `workspaces/{ref}`.").WithRemedy("Give a workspace's name.")
	}
	return ref, nil
}

// split reads `workspaces/{ref}/{kind}/{id}`.
func split(name, kind string) (ref string, id uuid.UUID, err error) {
	parts := strings.Split(name, "/")
	if len(parts) == 4 && parts[0] == "workspaces" && parts[2] == kind {
		if id, err = uuid.Parse(parts[3]); err == nil {
			return parts[1], id, nil
		}
	}
	return "", uuid.Nil, fault.Invalid("NAME_INVALID", "The name is not `workspaces/{ref}/%s/{id}` with a UUID as id.", kind).
		WithRemedy("Copy the name from a reply.")
}

// window is a part of a list, newest first.
type window struct {
	list string // what the page token belongs to
	from snapshot.Position
	size int
}

func windowOf(list string, size int32, token string) (window, error) {
	w := window{list: list, from: snapshot.Newest(), size: page.Size(size)}
	cursor, err := page.Parse(token, list, page.IsUUID)
	if err != nil || cursor.First() {
		return w, err
	}
	w.from = snapshot.Position{At: cursor.Time, ID: uuid.MustParse(cursor.ID)}
	return w, nil
}

// next is the token of the page after the one that ends here.
func (w window) next(at time.Time, id uuid.UUID) string {
	return page.Cursor{Time: at, ID: id.String()}.Token(w.list)
}
