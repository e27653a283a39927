package rotation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	rotationv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/rotation/v1"
	"github.com/naksha-cloud/naksha/services/rotation/internal/credential"
)

// TestSecretsStayInside looks for a redeemed password in every log line, every fact and every column.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	h := newHouse(t).start(t)
	facts := h.env.Listen("naksha.feed.>")
	w := h.addWorkspace(t)
	r := h.rotate(t, w)
	h.await(t, r.GetName(), rotationv1.Rotation_STATE_ANNOUNCED)
	name := string(credential.ForWorkspace(w.Name))
	got, err := h.credentials().RedeemCredential(h.customer(t, w), &rotationv1.RedeemCredentialRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	h.cell.Run(t, "ALTER ROLE "+got.GetUser()+" PASSWORD 'another'") // a refused login is told of, too
	acknowledged := &rotationv1.AcknowledgeCredentialRequest{Name: name, Generation: 2}
	if _, err := h.credentials().AcknowledgeCredential(h.customer(t, w), acknowledged); err != nil {
		t.Fatal(err)
	}
	blocked := h.await(t, r.GetName(), rotationv1.Rotation_STATE_BLOCKED)
	places := map[string]string{"log": h.log.String(), "rotation": blocked.String()}
	for told := false; !told; { // the facts of a credential come in order
		m := <-facts
		places["fact "+m.Subject] = fmt.Sprint(m.Header) + string(m.Data)
		told = strings.HasSuffix(m.Subject, ".rotation_blocked."+w.Ref)
	}
	if len(places) < 5 || len(places["log"]) < 1000 {
		t.Errorf("looked at %d places only", len(places))
	}
	for table, text := range h.dump(t) {
		places["table "+table] = text
	}
	for place, text := range places {
		for _, secret := range []string{got.GetPassword(), fmt.Sprintf("%x", got.GetPassword()), w.Password.Reveal()} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds the password", place)
			}
		}
	}
}

// dump reads all tables of the service's schema as text; bytea is hexadecimal there.
func (h *house) dump(t *testing.T) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.config.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
	tables, err := collect(rows, err)
	if err != nil || len(tables) < 10 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	dump := map[string]string{}
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "SELECT t::text FROM "+table+" AS t")
		lines, err := collect(rows, err)
		if err != nil {
			t.Fatal(err)
		}
		dump[table] = strings.Join(lines, "\n")
	}
	if !strings.Contains(dump["generation"], "announced") && !strings.Contains(dump["generation"], "active") {
		t.Errorf("the dump misses the generations: %s", dump["generation"])
	}
	if !strings.Contains(dump["redemption"], "abcdefghijkl") {
		t.Errorf("the redemption is not on record: %s", dump["redemption"])
	}
	return dump
}

func collect(rows pgx.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
