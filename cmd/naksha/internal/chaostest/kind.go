package chaostest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// Traffic is seventy clients with orders of each kind.
func (c *Clients) Traffic() Traffic {
	const short, long = 30 * time.Millisecond, 300 * time.Millisecond // a cell holds only so many workspaces
	return Traffic{
		{Kind: c.Workspaces(), Clients: 6, Rest: long},
		{Kind: c.Keys(), Clients: 24, Rest: short},
		{Kind: c.Rows(), Clients: 16, Rest: short},
		{Kind: c.Objects(), Clients: 12, Rest: short},
		{Kind: c.Alerts(), Clients: 12, Rest: short},
	}
}

// kind is a Kind made of functions.
type kind struct {
	name    string
	place   func(ctx context.Context, id string) error
	effects func(ctx context.Context) (map[string]int, error)
}

func (k *kind) Name() string { return k.name }

func (k *kind) Place(ctx context.Context, id string) error { return k.place(ctx, id) }

func (k *kind) Effects(ctx context.Context) (map[string]int, error) { return k.effects(ctx) }

// Workspaces are orders of CreateWorkspace; the id is request id and display name.
func (c *Clients) Workspaces() Kind {
	return &kind{"workspace", func(ctx context.Context, id string) error {
		made, err := c.tenant().CreateWorkspace(ctx, &tenantv1.CreateWorkspaceRequest{DisplayName: id, RequestId: id})
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.made[id] = made
		return nil
	}, c.counted("SELECT display_name, count(*) FROM tenant.workspace WHERE length(display_name) = 36 GROUP BY 1")}
}

// Keys are orders of CreateKey, in workspaces of their own.
func (c *Clients) Keys() Kind {
	rings := &rings{clients: c, byOrder: map[string]string{}, request: uuid.NewString()}
	return &kind{"key", func(ctx context.Context, id string) error {
		workspace, err := rings.of(ctx, id)
		if err != nil {
			return err
		}
		_, err = tenantv1.NewKeyServiceClient(c.conn).CreateKey(ctx, &tenantv1.CreateKeyRequest{
			Parent: workspace, Kind: tenantv1.Key_KIND_SECRET, DisplayName: id, RequestId: id,
		})
		return err
	}, c.counted("SELECT display_name, count(*) FROM tenant.api_key WHERE length(display_name) = 36 GROUP BY 1")}
}

// ringSize is how many keys are put into one workspace; it takes a hundred.
const ringSize = 80

// rings are the workspaces that hold keys, made when they are needed.
type rings struct {
	clients *Clients

	mu      sync.Mutex
	byOrder map[string]string
	newest  string
	room    int
	request string // id of the order that makes the next one
}

// of is the workspace of an order, the same at each try.
func (r *rings) of(ctx context.Context, id string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if workspace := r.byOrder[id]; workspace != "" {
		return workspace, nil
	}
	if r.room == 0 {
		made, err := r.clients.tenant().CreateWorkspace(ctx, &tenantv1.CreateWorkspaceRequest{DisplayName: "ring", RequestId: r.request})
		if err != nil {
			return "", err
		}
		r.newest, r.room, r.request = made.GetWorkspace().GetName(), ringSize, uuid.NewString()
	}
	r.room--
	r.byOrder[id] = r.newest
	return r.newest, nil
}

// Alerts are alerts as Prometheus posts them, in a few groups.
func (c *Clients) Alerts() Kind {
	listener := c.platform.Endpoints.Alerting // the same after each start
	return &kind{"alert", func(ctx context.Context, id string) error {
		return outsider.PostAlerts(ctx, listener, outsider.PrometheusAlert{
			Labels: map[string]string{"alertname": "Chaos" + id[:1], "order": id, "severity": "info"},
			EndsAt: time.Now().Add(24 * time.Hour),
		})
	}, c.counted("SELECT labels->>'order', count(*) FROM alerting.alert WHERE labels->>'order' <> '' GROUP BY 1")}
}

// Rows are rows that the customer writes with the login of the workspace.
func (c *Clients) Rows() Kind {
	return &kind{"row", func(ctx context.Context, id string) error {
		_, err := c.rows.Exec(ctx, "INSERT INTO orders VALUES ($1) ON CONFLICT DO NOTHING", id)
		return err
	}, func(ctx context.Context) (map[string]int, error) {
		return count(ctx, c.owner.GetCredentials().GetDatabaseUrl(), "SELECT id, count(*) FROM orders GROUP BY 1")
	}}
}

// Objects are objects that the customer writes with the key of the workspace. One with other bytes than it was sent with
// is not there.
func (c *Clients) Objects() Kind {
	bucket := c.owner.GetWorkspace().GetEndpoints().GetBucket()
	return &kind{"object", func(ctx context.Context, id string) error {
		return put(ctx, c.objects, bucket, id)
	}, func(ctx context.Context) (map[string]int, error) {
		found := map[string]int{}
		for object := range c.objects.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
			if object.Err != nil {
				return nil, object.Err
			}
			sum := md5.Sum(body(object.Key))
			if object.ETag == hex.EncodeToString(sum[:]) && object.Size == int64(len(body(object.Key))) {
				found[object.Key]++
			}
		}
		return found, nil
	}}
}

// put writes the object of a name.
func put(ctx context.Context, client *minio.Client, bucket, name string) error {
	content := body(name)
	_, err := client.PutObject(ctx, bucket, name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return err
}

func body(id string) []byte { return bytes.Repeat([]byte(id), 100) }

// counted counts effects in the platform database.
func (c *Clients) counted(query string) func(ctx context.Context) (map[string]int, error) {
	return func(ctx context.Context) (map[string]int, error) {
		at, err := c.platform.DatabaseURL()
		if err != nil {
			return nil, err
		}
		return count(ctx, at, query)
	}
}
