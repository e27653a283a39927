package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/naksha-cloud/naksha/pkg/caller"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/credential"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/request"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// requestOf makes the identity of an order: who asks, the id that the client chose, and a hash of everything else.
func requestOf(ctx context.Context, method string, m interface {
	proto.Message
	GetRequestId() string
},
) (request.Request, error) {
	id := strings.ToLower(m.GetRequestId())
	if id == "" {
		return request.Request{}, nil
	}
	body := proto.Clone(m)
	body.ProtoReflect().Clear(body.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name("request_id")))
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return request.Request{}, fmt.Errorf("fingerprint %s: %w", method, err)
	}
	sum := sha256.Sum256(b)
	c, _ := caller.From(ctx)
	return request.Request{Method: method, Principal: c.Kind + "/" + c.Principal, ID: id, Fingerprint: sum[:]}, nil
}

func (s *Workspaces) workspace(w workspace.Workspace) *tenantv1.Workspace {
	return &tenantv1.Workspace{
		Name: workspace.Name(w.Ref), DisplayName: w.DisplayName, Plan: w.Plan, State: stateMessage(w.State),
		Cell: cell.Name(w.Cell), Server: cell.ServerName(w.Server), CreateTime: timestamppb.New(w.CreateTime),
		DeleteTime: stamp(w.DeleteTime), Endpoints: s.Endpoints(w.Ref),
	}
}

func stateMessage(s workspace.State) tenantv1.Workspace_State {
	switch s {
	case workspace.Active:
		return tenantv1.Workspace_STATE_ACTIVE
	case workspace.Deleted:
		return tenantv1.Workspace_STATE_DELETED
	case workspace.Erased:
		return tenantv1.Workspace_STATE_ERASED
	}
	return tenantv1.Workspace_STATE_UNSPECIFIED
}

func credentials(b *credential.Bundle) *tenantv1.Credentials {
	if b == nil {
		return nil
	}
	return &tenantv1.Credentials{
		DatabaseUser: b.DatabaseUser, DatabasePassword: b.DatabasePassword, DatabaseUrl: b.DatabaseURL,
		S3AccessKeyId: b.S3AccessKey, S3SecretAccessKey: b.S3SecretKey, SecretKey: b.SecretKey, PublicKey: b.PublicKey,
	}
}

func keyMessage(k key.Key) *tenantv1.Key {
	return &tenantv1.Key{
		Name: k.Name(), Kind: kindMessage(k.Kind), DisplayName: k.DisplayName, CreateTime: timestamppb.New(k.CreateTime),
		ExpireTime: stamp(k.ExpireTime), RevokeTime: stamp(k.RevokeTime),
	}
}

func kindMessage(k key.Kind) tenantv1.Key_Kind {
	switch k {
	case key.Secret:
		return tenantv1.Key_KIND_SECRET
	case key.Public:
		return tenantv1.Key_KIND_PUBLIC
	case key.Admin:
		return tenantv1.Key_KIND_ADMIN
	}
	return tenantv1.Key_KIND_UNSPECIFIED
}

// kindOf converts the two kinds that the proto lets a customer ask for.
func kindOf(k tenantv1.Key_Kind) key.Kind {
	if k == tenantv1.Key_KIND_PUBLIC {
		return key.Public
	}
	return key.Secret
}

func cellMessage(c cell.Cell) *tenantv1.Cell {
	return &tenantv1.Cell{
		Name: cell.Name(c.ID), Server: cell.ServerName(c.Server), Host: c.Inside.Host, Port: int32(c.Inside.Port), Database: c.Database,
		TlsParameters: c.Inside.TLSParameters, CustomerHost: c.Host, CustomerPort: int32(c.Port), CustomerTlsParameters: c.TLSParameters,
	}
}

func loginMessage(l cell.Login) *tenantv1.Login {
	return &tenantv1.Login{
		Role: l.Role, Generation: l.Generation, Enabled: l.Enabled, Sessions: l.Sessions, LastSeenTime: stamp(l.LastSeen),
	}
}

func stamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

func optional(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	at := t.AsTime().Truncate(time.Microsecond)
	return &at
}
