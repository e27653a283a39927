package iam

import (
	"context"
	"net/http"
	"time"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// unoffered refuses the rest of the IAM API: nothing of ours assumes a role.
type unoffered struct{}

func refused() error {
	return iamerr.Error{
		Type: iamerr.TypeSender, Code: "NotImplemented", HTTPStatusCode: http.StatusNotImplemented,
		Message: "This server has users, access keys and inline policies only; roles, OIDC providers and sessions are not offered.",
	}
}

func (unoffered) CreateRole(context.Context, types.Role) (*types.Role, error) { return nil, refused() }
func (unoffered) DeleteRole(context.Context, string) error                    { return refused() }
func (unoffered) UpdateAssumeRolePolicy(context.Context, storage.UpdateAssumeRolePolicyInput) (*types.Role, error) {
	return nil, refused()
}

func (unoffered) RecordRoleUsage(context.Context, string, string, time.Time) error { return refused() }

func (unoffered) TagRole(context.Context, string, []types.Tag) error { return refused() }

func (unoffered) UntagRole(context.Context, string, []string) error { return refused() }

func (unoffered) PutRolePolicy(context.Context, storage.PutRolePolicyInput) error { return refused() }

func (unoffered) DeleteRolePolicy(context.Context, string, string) error { return refused() }

// GetRole finds none. Bucket policies may name roles; such a name is one that does not exist.
func (unoffered) GetRole(_ context.Context, name string) (*types.Role, error) {
	return nil, iamerr.NoSuchEntityRole(name)
}

// ListRoles finds none.
func (unoffered) ListRoles(context.Context, storage.ListRolesInput) (*storage.ListRolesOutput, error) {
	return &storage.ListRolesOutput{}, nil
}

func (unoffered) ListRoleTags(_ context.Context, in storage.ListRoleTagsInput) (*storage.ListTagsOutput, error) {
	return nil, iamerr.NoSuchEntityRole(in.RoleName)
}

func (unoffered) GetRolePolicy(_ context.Context, role, _ string) (*types.PolicyEntry, error) {
	return nil, iamerr.NoSuchEntityRole(role)
}

func (unoffered) ListRolePolicies(_ context.Context, in storage.ListRolePoliciesInput) (*storage.ListRolePoliciesOutput, error) {
	return nil, iamerr.NoSuchEntityRole(in.RoleName)
}

func (unoffered) CreateOIDCProvider(context.Context, types.OIDCProvider) (*types.OIDCProvider, error) {
	return nil, refused()
}

func (unoffered) DeleteOIDCProvider(context.Context, string) error { return refused() }

func (unoffered) AddClientIDToOIDCProvider(context.Context, string, string) error { return refused() }

func (unoffered) RemoveClientIDFromOIDCProvider(context.Context, string, string) error {
	return refused()
}

func (unoffered) UpdateOIDCProviderThumbprint(context.Context, string, []string) error {
	return refused()
}
func (unoffered) TagOIDCProvider(context.Context, string, []types.Tag) error { return refused() }
func (unoffered) UntagOIDCProvider(context.Context, string, []string) error  { return refused() }

// GetOIDCProvider finds none.
func (unoffered) GetOIDCProvider(_ context.Context, arn string) (*types.OIDCProvider, error) {
	return nil, iamerr.NoSuchEntityOIDCProviderGet(arn)
}

// ListOIDCProviders finds none.
func (unoffered) ListOIDCProviders(context.Context) (*storage.ListOIDCProvidersOutput, error) {
	return &storage.ListOIDCProvidersOutput{}, nil
}

func (unoffered) ListOIDCProviderTags(_ context.Context, in storage.ListOIDCProviderTagsInput) (*storage.ListTagsOutput, error) {
	return nil, iamerr.NoSuchEntityOIDCProviderGet(in.Arn)
}

func (unoffered) CreateSession(context.Context, types.Session) (*types.Session, error) {
	return nil, refused()
}

// GetSession finds none.
func (unoffered) GetSession(context.Context, string) (*types.Session, error) {
	return nil, storage.ErrSessionNotFound
}
