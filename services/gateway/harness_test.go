package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/naksha-cloud/naksha/pkg/caller"
	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/local/localtest"
	"github.com/naksha-cloud/naksha/pkg/outbox"
	"github.com/naksha-cloud/naksha/pkg/pg"
	"github.com/naksha-cloud/naksha/pkg/service"
	"github.com/naksha-cloud/naksha/pkg/service/servicetest"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/gateway"
)

func TestMain(m *testing.M) {
	os.Exit(localtest.NoLeaks(localtest.Run(m)))
}

// Two workspaces, and a key of each kind. The texts have the right form; the tenant peer below knows them.
const (
	own, other = "abcdefghijklmnopqrst", "zyxwvutsrqponmlkjihg"
	secretTail = "_0123456789012345678901234567890123456789012_ABCDEF"
	adminKey   = "nk_adm_AAAAAAAAAAAA" + secretTail
	ownKey     = "nk_sec_BBBBBBBBBBBB" + secretTail
	otherKey   = "nk_sec_CCCCCCCCCCCC" + secretTail
	publicKey  = "nk_pub_DDDDDDDDDDDD" + secretTail
	expiredKey = "nk_sec_EEEEEEEEEEEE" + secretTail
	strangeKey = "nk_sec_FFFFFFFFFFFF" + secretTail
)

// tenant is a peer that speaks the tenant service's protocol, with a real record of facts. (Services may not import each
// other, in tests neither.)
type tenant struct {
	tenantv1.UnimplementedKeyServiceServer
	tenantv1.UnimplementedWorkspaceServiceServer
	core *service.Core

	mu      sync.Mutex
	keys    map[string]*tenantv1.AuthenticateKeyResponse
	asked   int                                                    // calls of AuthenticateKey
	seen    []caller.Caller                                        // who called, of all other calls
	onCall  func(ctx context.Context, request proto.Message) error // nil = nothing happens
	onCheck func()                                                 // inside of AuthenticateKey, after the key was found
}

func newTenant(t testing.TB, env *servicetest.Env) *tenant {
	t.Helper()
	core, err := service.New("tenant", env.Config("tenant"), service.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	p := &tenant{core: core, keys: map[string]*tenantv1.AuthenticateKeyResponse{
		adminKey:  {Kid: "AAAAAAAAAAAA", Kind: tenantv1.Key_KIND_ADMIN},
		ownKey:    {Kid: "BBBBBBBBBBBB", Kind: tenantv1.Key_KIND_SECRET, Workspace: "workspaces/" + own},
		otherKey:  {Kid: "CCCCCCCCCCCC", Kind: tenantv1.Key_KIND_SECRET, Workspace: "workspaces/" + other},
		publicKey: {Kid: "DDDDDDDDDDDD", Kind: tenantv1.Key_KIND_PUBLIC, Workspace: "workspaces/" + own},
	}}
	core.Assemble(service.Parts{Register: func(s grpc.ServiceRegistrar) {
		tenantv1.RegisterKeyServiceServer(s, p)
		tenantv1.RegisterWorkspaceServiceServer(s, p)
	}})
	servicetest.Start(t, core)
	return p
}

// AuthenticateKey answers as the tenant service does.
func (p *tenant) AuthenticateKey(_ context.Context, r *tenantv1.AuthenticateKeyRequest) (*tenantv1.AuthenticateKeyResponse, error) {
	p.mu.Lock()
	p.asked++
	found, ok := p.keys[r.GetText()]
	hook := p.onCheck
	p.mu.Unlock()
	if hook != nil {
		hook()
	}
	switch {
	case r.GetText() == expiredKey:
		return nil, fault.Unauthenticated("KEY_EXPIRED", "This API key has expired.").WithRemedy("Make a new key.")
	case !ok:
		return nil, fault.Unauthenticated("KEY_UNKNOWN", "This API key is not known.").WithRemedy("Check it.")
	}
	return found, nil
}

func (p *tenant) note(ctx context.Context, request proto.Message) error {
	who, _ := caller.From(ctx)
	p.mu.Lock()
	p.seen = append(p.seen, who)
	hook := p.onCall
	p.mu.Unlock()
	if hook != nil {
		return hook(ctx, request)
	}
	return nil
}

// GetWorkspace shows any workspace.
func (p *tenant) GetWorkspace(ctx context.Context, r *tenantv1.GetWorkspaceRequest) (*tenantv1.GetWorkspaceResponse, error) {
	return &tenantv1.GetWorkspaceResponse{Workspace: &tenantv1.Workspace{Name: r.GetName(), State: tenantv1.Workspace_STATE_ACTIVE}}, p.note(ctx, r)
}

// CreateWorkspace makes nothing.
func (p *tenant) CreateWorkspace(ctx context.Context, r *tenantv1.CreateWorkspaceRequest) (*tenantv1.CreateWorkspaceResponse, error) {
	return &tenantv1.CreateWorkspaceResponse{Workspace: &tenantv1.Workspace{Name: "workspaces/" + own, DisplayName: r.GetDisplayName()}}, p.note(ctx, r)
}

// ListWorkspaces lists none.
func (p *tenant) ListWorkspaces(ctx context.Context, r *tenantv1.ListWorkspacesRequest) (*tenantv1.ListWorkspacesResponse, error) {
	return &tenantv1.ListWorkspacesResponse{NextPageToken: r.GetPageToken()}, p.note(ctx, r)
}

// DeleteWorkspace says that there is none.
func (p *tenant) DeleteWorkspace(ctx context.Context, r *tenantv1.DeleteWorkspaceRequest) (*tenantv1.DeleteWorkspaceResponse, error) {
	if err := p.note(ctx, r); err != nil {
		return nil, err
	}
	return nil, fault.NotFound("WORKSPACE_NOT_FOUND", "There is no %s.", r.GetName()).WithRemedy("List the workspaces.").
		WithField("name", "of a workspace that exists")
}

func (p *tenant) questions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *tenant) calls() []caller.Caller {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]caller.Caller(nil), p.seen...)
}

// revoke makes a key unknown and tells the fact.
func (p *tenant) revoke(t testing.TB, text string) {
	t.Helper()
	p.mu.Lock()
	kid := p.keys[text].GetKid()
	delete(p.keys, text)
	p.mu.Unlock()
	p.tell(t, outbox.Fact{Aggregate: "keys/" + kid, Message: &tenantv1.KeyRevoked{Key: "keys/" + kid, Kid: kid}})
}

func (p *tenant) tell(t testing.TB, fact outbox.Fact) {
	t.Helper()
	err := p.core.Pool.InTx(t.Context(), func(ctx context.Context, tx *pg.Tx) error {
		return p.core.Outbox.Emit(ctx, tx, fact)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// world is a gateway before a tenant peer.
type world struct {
	env    *servicetest.Env
	tenant *tenant
	config gateway.Config
	door   *gateway.Service
	http   *http.Client
	roots  *x509.CertPool
}

func newWorld(t testing.TB, deps gateway.Deps, change ...func(*gateway.Config)) *world {
	t.Helper()
	env := servicetest.New(t)
	w := &world{env: env, tenant: newTenant(t, env)}
	w.config = gateway.DefaultConfig()
	w.config.Config = env.Config("gateway")
	w.config.Peers["tenant"] = w.tenant.core.Addr()
	w.config.DoorListen = "127.0.0.1:0"
	for _, f := range change {
		f(&w.config)
	}
	w.door = w.start(t, deps)
	pem, err := os.ReadFile(w.config.TLS.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	w.roots = x509.NewCertPool()
	w.roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	w.http = &http.Client{Transport: transport, Timeout: localtest.Patience}
	return w
}

// start starts a gateway of the world's configuration.
func (w *world) start(t testing.TB, deps gateway.Deps) *gateway.Service {
	t.Helper()
	s, err := gateway.New(w.config, deps)
	if err != nil {
		t.Fatal(err)
	}
	servicetest.Start(t, s)
	return s
}

// dial is a public gRPC connection with a key; an empty one sends none.
func (w *world) dial(t testing.TB, apiKey string) *grpc.ClientConn {
	t.Helper()
	options := []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: w.roots}))}
	if apiKey != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(apiKey)))
	}
	conn, err := grpc.NewClient(w.door.DoorAddr(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}
func (bearer) RequireTransportSecurity() bool { return true }

// reply is what REST answered.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any // nil when it is no JSON object
}

func (r reply) reason() string { s, _ := r.body["reason"].(string); return s }

// do sends one REST request with a key, unless that is empty.
func (w *world) do(t testing.TB, apiKey, method, path, body string, headers ...string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), localtest.Patience)
	defer cancel()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://"+w.door.DoorAddr()+path, content)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if apiKey != "" {
		r.Header.Set("Authorization", "Bearer "+apiKey)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := w.send(r)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (w *world) send(r *http.Request) (reply, error) {
	response, err := w.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	text, err := io.ReadAll(response.Body)
	answer := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	_ = json.Unmarshal(text, &answer.body) // not every page is JSON
	return answer, errors.Join(err, response.Body.Close())
}
