package outbox

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/pg"
)

// Head is an aggregate's newest version.
type Head struct {
	Aggregate string
	Version   int64
	ChangedAt time.Time
}

// HeadPage is a part of a list of heads.
type HeadPage struct {
	Heads []Head    // by time of change
	Until time.Time // all that changed before it, and are published, are listed: ask from there next time
	Next  string    // token of the next page; empty = this was the last
}

// headAge is how old a change must be before its head is served: younger ones may still be on their way.
const headAge = 10 * time.Second

// Heads lists the heads that changed since a moment, are older than 10 s and are published as far as is known: what still
// waits for the relay is no loss of the bus. token is Next of the page before.
func Heads(ctx context.Context, p *pg.Pool, since time.Time, token string, limit int) (HeadPage, error) {
	c, err := parseHeadCursor(token)
	if err != nil {
		return HeadPage{}, err
	}
	if token == "" {
		c = headCursor{until: p.Now().Add(-headAge), after: since.Add(-time.Microsecond)}
		var oldest *time.Time
		if err := p.QueryRow(ctx, query("oldest_pending")).Scan(&oldest); err != nil {
			return HeadPage{}, fmt.Errorf("look for unpublished facts: %w", err)
		}
		if oldest != nil && oldest.Before(c.until) {
			c.until = *oldest
		}
	}
	rows, err := p.Query(ctx, query("heads"), c.after, c.aggregate, c.until, limit)
	heads, err := pg.All[Head](rows, err)
	if err != nil {
		return HeadPage{}, fmt.Errorf("list heads: %w", err)
	}
	page := HeadPage{Heads: heads, Until: c.until}
	if len(heads) == limit {
		last := heads[limit-1]
		page.Next = headCursor{until: c.until, after: last.ChangedAt, aggregate: last.Aggregate}.token()
	}
	return page, nil
}

// headCursor is a place in a list of heads, whose end stays where it was at the first page.
type headCursor struct {
	until, after time.Time
	aggregate    string
}

func (c headCursor) token() string {
	text := fmt.Sprintf("%d %d %s", c.until.UnixMicro(), c.after.UnixMicro(), c.aggregate)
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func parseHeadCursor(token string) (headCursor, error) {
	if token == "" {
		return headCursor{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	var until, after int64
	var aggregate string
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d %d", &until, &after)
		parts := strings.SplitN(string(text), " ", 3)
		aggregate = parts[len(parts)-1]
	}
	c := headCursor{until: time.UnixMicro(until).UTC(), after: time.UnixMicro(after).UTC(), aggregate: aggregate}
	if err != nil || c.token() != token || c.until.Year() > 9999 || c.after.Year() > 9999 || strings.ContainsRune(aggregate, 0) {
		return headCursor{}, fault.Invalid("PAGE_TOKEN_INVALID", "The page token is not one of this list.").
			WithRemedy("Pass next_page_token of the page before, or leave it empty.").
			WithField("page_token", "is not one of this list")
	}
	return c, nil
}
