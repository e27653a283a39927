package alerting_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/naksha-cloud/naksha/services/alerting"
)

// batchSize is Prometheus' own.
const batchSize = 256

// batches are n posts of 256 alerts each in 1,000 groups, as Prometheus repeats them.
func batches(n int) (bodies []string) {
	for b := range n {
		var body strings.Builder
		for i := range batchSize {
			id := b*batchSize + i
			fmt.Fprintf(&body, `,{"labels":{"alertname":"High%d","severity":"sev4","instance":"i%d"},"annotations":{"summary":"x"},"startsAt":"2026-11-22T06:00:00Z","endsAt":"2099-01-01T00:00:00Z"}`, id%1000, id)
		}
		bodies = append(bodies, "["+body.String()[1:]+"]")
	}
	return bodies
}

// BenchmarkTakeAlerts posts batches of 256 alerts that are known already; the peer writes as many bare rows.
func BenchmarkTakeAlerts(b *testing.B) {
	s, conn := benchHouse(b)
	bodies := batches(16)
	for _, body := range bodies {
		benchPost(b, s, body)
	}
	b.Run("service", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			benchPost(b, s, bodies[i%len(bodies)])
		}
		b.ReportMetric(float64(b.N*batchSize)/b.Elapsed().Seconds(), "alerts/s")
	})
	b.Run("peer", func(b *testing.B) {
		if _, err := conn.Exec(b.Context(), "CREATE TABLE peer (key text PRIMARY KEY, labels jsonb, seen timestamptz)"); err != nil {
			b.Fatal(err)
		}
		for i := 0; b.Loop(); i++ {
			benchPeer(b, conn, i%16)
		}
		b.ReportMetric(float64(b.N*batchSize)/b.Elapsed().Seconds(), "alerts/s")
	})
}

// BenchmarkOpenIncidents posts alerts that each open an incident of its own.
func BenchmarkOpenIncidents(b *testing.B) {
	s, _ := benchHouse(b)
	for i := 0; b.Loop(); i++ {
		benchPost(b, s, fmt.Sprintf(`[{"labels":{"alertname":"New%d","severity":"sev1"}}]`, i))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "incidents/s")
}

func benchPeer(b *testing.B, conn *pgx.Conn, batch int) {
	b.Helper()
	var keys, labels []string
	for i := range batchSize {
		keys, labels = append(keys, fmt.Sprint(batch*batchSize+i)), append(labels, `{"alertname":"High","severity":"sev4"}`)
	}
	_, err := conn.Exec(b.Context(), `INSERT INTO peer SELECT k, l::jsonb, $3 FROM unnest($1::text[], $2::text[]) AS f (k, l)
		ON CONFLICT (key) DO UPDATE SET labels = excluded.labels, seen = excluded.seen`, keys, labels, time.Now())
	if err != nil {
		b.Fatal(err)
	}
}

func benchPost(b *testing.B, s *alerting.Service, body string) {
	b.Helper()
	reply, err := http.Post("http://"+s.HTTPAddr()+"/api/v2/alerts", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		b.Fatal(reply.Status)
	}
}
