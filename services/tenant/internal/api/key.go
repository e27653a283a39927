package api

import (
	"context"
	"strings"

	"github.com/naksha-cloud/naksha/pkg/fault"
	"github.com/naksha-cloud/naksha/pkg/page"
	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/issue"
	"github.com/naksha-cloud/naksha/services/tenant/internal/key"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Issuer makes keys.
type Issuer interface {
	Create(ctx context.Context, o issue.Order) (k key.Key, text string, err error)
}

// Authenticator checks texts.
type Authenticator interface {
	Check(ctx context.Context, text string) (key.Key, error)
}

// KeyStore reads and revokes keys.
type KeyStore interface {
	Workspace(ctx context.Context, ref string) (workspace.Workspace, error)
	Keys(ctx context.Context, ref string, after page.Cursor, limit int) ([]key.Key, error)
	RevokeKey(ctx context.Context, ref, kid string) (key.Key, error)
}

// Keys implements naksha.tenant.v1.KeyService.
type Keys struct {
	tenantv1.UnimplementedKeyServiceServer
	Issuer        Issuer
	Authenticator Authenticator
	Store         KeyStore
}

// CreateKey makes a key of a workspace.
func (s *Keys) CreateKey(ctx context.Context, r *tenantv1.CreateKeyRequest) (*tenantv1.CreateKeyResponse, error) {
	if r.GetExpireTime() != nil && r.GetExpireTime().CheckValid() != nil {
		return nil, fault.Invalid("EXPIRE_TIME_INVALID", "expire_time is no time.").
			WithRemedy("Write it as RFC 3339, between the years 1 and 9999.").WithField("expire_time", "is no time")
	}
	ref, _ := workspace.ParseName(r.GetParent())
	id, err := requestOf(ctx, "CreateKey", r)
	if err != nil {
		return nil, err
	}
	k, text, err := s.Issuer.Create(ctx, issue.Order{
		Workspace: ref, Kind: kindOf(r.GetKind()), DisplayName: r.GetDisplayName(), ExpireTime: optional(r.GetExpireTime()), Request: id,
	})
	if err != nil {
		return nil, err
	}
	return &tenantv1.CreateKeyResponse{Key: keyMessage(k), Text: text}, nil
}

// ListKeys lists a page of a workspace's keys.
func (s *Keys) ListKeys(ctx context.Context, r *tenantv1.ListKeysRequest) (*tenantv1.ListKeysResponse, error) {
	ref, _ := workspace.ParseName(r.GetParent())
	query := "keys?" + ref
	after, err := page.Parse(r.GetPageToken(), query, key.ValidKid)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Workspace(ctx, ref); err != nil {
		return nil, err
	}
	size := page.Size(r.GetPageSize())
	found, err := s.Store.Keys(ctx, ref, after, size+1)
	if err != nil {
		return nil, err
	}
	reply := &tenantv1.ListKeysResponse{}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		reply.NextPageToken = page.Cursor{Time: last.CreateTime, ID: last.Kid}.Token(query)
	}
	for _, k := range found {
		reply.Keys = append(reply.Keys, keyMessage(k))
	}
	return reply, nil
}

// DeleteKey revokes a key.
func (s *Keys) DeleteKey(ctx context.Context, r *tenantv1.DeleteKeyRequest) (*tenantv1.DeleteKeyResponse, error) {
	name, kid, _ := strings.Cut(r.GetName(), "/keys/")
	ref, _ := workspace.ParseName(name)
	k, err := s.Store.RevokeKey(ctx, ref, kid)
	if err != nil {
		return nil, err
	}
	return &tenantv1.DeleteKeyResponse{Key: keyMessage(k)}, nil
}

// AuthenticateKey says whose key a text is.
func (s *Keys) AuthenticateKey(ctx context.Context, r *tenantv1.AuthenticateKeyRequest) (*tenantv1.AuthenticateKeyResponse, error) {
	k, err := s.Authenticator.Check(ctx, r.GetText())
	if err != nil {
		return nil, err
	}
	reply := &tenantv1.AuthenticateKeyResponse{Kid: k.Kid, Kind: kindMessage(k.Kind), ExpireTime: stamp(k.ExpireTime)}
	if k.Workspace != "" {
		reply.Workspace = workspace.Name(k.Workspace)
	}
	return reply, nil
}
