package chaostest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/minio/minio-go/v7"
	s3credentials "github.com/minio/minio-go/v7/pkg/credentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/naksha-cloud/naksha/cmd/naksha/internal/demo/outsider"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
)

// Clients are the people around a platform: an operator, a subscriber of its facts, and one customer with rows and
// objects.
type Clients struct {
	platform *Platform
	conn     *grpc.ClientConn
	feed     *outsider.Feed
	owner    *tenantv1.CreateWorkspaceResponse
	rows     *pgxpool.Pool
	objects  *minio.Client

	mu   sync.Mutex
	made map[string]*tenantv1.CreateWorkspaceResponse // workspaces by the order that was acknowledged
}

// NewClients gives a started platform its operator, and a customer with a workspace.
func NewClients(ctx context.Context, p *Platform) (_ *Clients, err error) {
	c := &Clients{platform: p, made: map[string]*tenantv1.CreateWorkspaceResponse{}}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.conn, err = dial(p); err != nil {
		return nil, err
	}
	if c.feed, err = subscribe(p); err != nil {
		return nil, err
	}
	c.owner, err = c.tenant().CreateWorkspace(ctx, &tenantv1.CreateWorkspaceRequest{DisplayName: "customer", Plan: "enterprise"})
	if err != nil {
		return nil, fmt.Errorf("create the customer's workspace: %w", err)
	}
	if c.rows, err = pgxpool.New(ctx, c.owner.GetCredentials().GetDatabaseUrl()+"&pool_max_conns=16"); err != nil {
		return nil, err
	}
	if _, err = c.rows.Exec(ctx, "CREATE TABLE orders (id text PRIMARY KEY)"); err != nil {
		return nil, fmt.Errorf("make the customer's table: %w", err)
	}
	c.objects, err = bucket(c.owner)
	return c, err
}

// subscribe opens a subscription with the password that the platform left for outsiders.
func subscribe(p *Platform) (*outsider.Feed, error) {
	password, err := os.ReadFile(filepath.Join(p.Dir, "subscriber.password"))
	if err != nil {
		return nil, err
	}
	feed := outsider.NewFeed(p.Endpoints.NATS, "subscriber", strings.TrimSpace(string(password)))
	return feed, feed.Open()
}

// dial is a connection of the operator's that tries again soon after the platform was away.
func dial(p *Platform) (*grpc.ClientConn, error) {
	ca, err := os.ReadFile(p.Endpoints.CAFile)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(p.Endpoints.AdminKeyFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return grpc.NewClient(strings.TrimPrefix(p.Endpoints.Gateway, "https://"),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})),
		grpc.WithPerRPCCredentials(bearer(strings.TrimSpace(string(key)))),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond},
			MinConnectTimeout: 2 * time.Second,
		}))
}

// bearer presents an API key with every call.
type bearer string

// GetRequestMetadata returns the authorization header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says that a key never travels in the clear.
func (bearer) RequireTransportSecurity() bool { return true }

func bucket(made *tenantv1.CreateWorkspaceResponse) (*minio.Client, error) {
	at, err := url.Parse(made.GetWorkspace().GetEndpoints().GetS3Endpoints()["primary"])
	if err != nil {
		return nil, err
	}
	own := made.GetCredentials()
	return minio.New(at.Host, &minio.Options{
		Creds:  s3credentials.NewStaticV4(own.GetS3AccessKeyId(), own.GetS3SecretAccessKey(), ""),
		Region: "us-east-1", MaxRetries: 1,
	})
}

// Close ends the clients' connections.
func (c *Clients) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	if c.feed != nil {
		c.feed.Close()
	}
	if c.rows != nil {
		c.rows.Close()
	}
}

func (c *Clients) tenant() tenantv1.WorkspaceServiceClient {
	return tenantv1.NewWorkspaceServiceClient(c.conn)
}
