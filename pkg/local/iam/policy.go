package iam

import (
	"context"
	"slices"
	"time"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// PutUserPolicy writes an inline policy. A user's policies together are at most as long as AWS allows.
func (s *Store) PutUserPolicy(_ context.Context, in storage.PutUserPolicyInput) error {
	_, err := s.edit(in.UserName, func(user *types.User) error {
		now := time.Now().UTC().Truncate(time.Second) // as the IAM API dates users and keys
		entry := types.PolicyEntry{PolicyName: in.PolicyName, PolicyDocument: in.PolicyDocument, CreateDate: now, UpdateDate: now}
		if at := policyAt(user, in.PolicyName); at >= 0 {
			entry.CreateDate = user.Policies.Inline[at].CreateDate
			user.Policies.Inline[at] = entry
		} else {
			user.Policies.Inline = append(user.Policies.Inline, entry)
		}
		length := 0
		for _, p := range user.Policies.Inline {
			length += len(p.PolicyDocument)
		}
		if length > storage.MaxInlinePolicyBytesPerUser {
			return iamerr.InlinePolicyQuotaExceeded("user", in.UserName, storage.MaxInlinePolicyBytesPerUser)
		}
		return nil
	})
	return err
}

// GetUserPolicy returns an inline policy.
func (s *Store) GetUserPolicy(_ context.Context, userName, policy string) (*types.PolicyEntry, error) {
	user, err := s.find(userName)
	if err != nil {
		return nil, err
	}
	at := policyAt(user, policy)
	if at < 0 {
		return nil, iamerr.NoSuchEntityUserPolicy(userName, policy)
	}
	entry := user.Policies.Inline[at]
	return &entry, nil
}

// DeleteUserPolicy removes an inline policy.
func (s *Store) DeleteUserPolicy(_ context.Context, userName, policy string) error {
	_, err := s.edit(userName, func(user *types.User) error {
		at := policyAt(user, policy)
		if at < 0 {
			return iamerr.NoSuchEntityUserPolicy(userName, policy)
		}
		user.Policies.Inline = slices.Delete(user.Policies.Inline, at, at+1)
		return nil
	})
	return err
}

// ListUserPolicies returns the names of a user's inline policies.
func (s *Store) ListUserPolicies(_ context.Context, in storage.ListUserPoliciesInput) (*storage.ListUserPoliciesOutput, error) {
	user, err := s.find(in.UserName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range user.Policies.Inline {
		names = append(names, p.PolicyName)
	}
	shown, marker := page(names, func(name string) string { return name }, in.Marker, in.MaxItems)
	return &storage.ListUserPoliciesOutput{PolicyNames: shown, Marker: marker, IsTruncated: marker != ""}, nil
}

func policyAt(user *types.User, name string) int {
	return slices.IndexFunc(user.Policies.Inline, func(p types.PolicyEntry) bool { return p.PolicyName == name })
}
