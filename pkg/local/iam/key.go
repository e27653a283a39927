package iam

import (
	"context"
	"slices"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// CreateAccessKey adds a key to a user, who may have two, as on AWS.
func (s *Store) CreateAccessKey(_ context.Context, in storage.CreateAccessKeyInput) (*types.AccessKey, error) {
	user, err := s.edit(in.UserName, func(user *types.User) error {
		if len(user.AccessKeys) >= storage.MaxAccessKeysPerUser {
			return iamerr.AccessKeysLimitExceeded(storage.MaxAccessKeysPerUser)
		}
		if s.hasKey(in.AccessKeyID) {
			return storage.ErrAccessKeyIDAlreadyExists // the caller draws another id
		}
		user.AccessKeys = append(user.AccessKeys, types.AccessKeyEntry{
			AccessKeyId: in.AccessKeyID, SecretAccessKey: in.SecretAccessKey, Status: in.Status, CreateDate: in.CreateDate,
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &types.AccessKey{
		UserName: user.UserName, AccessKeyId: in.AccessKeyID, SecretAccessKey: in.SecretAccessKey, Status: in.Status, CreateDate: in.CreateDate,
	}, nil
}

func (s *Store) hasKey(key string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, taken := s.owners[key]
	return taken
}

// UpdateAccessKey activates or deactivates a key.
func (s *Store) UpdateAccessKey(_ context.Context, in storage.UpdateAccessKeyInput) error {
	return s.editKey(in.UserName, in.AccessKeyID, func(user *types.User, at int) { user.AccessKeys[at].Status = in.Status })
}

// DeleteAccessKey removes a key.
func (s *Store) DeleteAccessKey(_ context.Context, userName, key string) error {
	return s.editKey(userName, key, func(user *types.User, at int) { user.AccessKeys = slices.Delete(user.AccessKeys, at, at+1) })
}

func (s *Store) editKey(userName, key string, change func(user *types.User, at int)) error {
	_, err := s.edit(userName, func(user *types.User) error {
		at := slices.IndexFunc(user.AccessKeys, func(k types.AccessKeyEntry) bool { return k.AccessKeyId == key })
		if at < 0 {
			return iamerr.NoSuchEntityAccessKey(key)
		}
		change(user, at)
		return nil
	})
	return err
}

// ListAccessKeys returns a user's keys without their secrets.
func (s *Store) ListAccessKeys(_ context.Context, in storage.ListAccessKeysInput) (*storage.ListAccessKeysOutput, error) {
	user, err := s.find(in.UserName)
	if err != nil {
		return nil, err
	}
	var keys []types.AccessKeyMetadata
	for _, k := range user.AccessKeys {
		keys = append(keys, types.AccessKeyMetadata{UserName: user.UserName, AccessKeyId: k.AccessKeyId, Status: k.Status, CreateDate: k.CreateDate})
	}
	shown, marker := page(keys, func(k types.AccessKeyMetadata) string { return k.AccessKeyId }, in.Marker, in.MaxItems)
	return &storage.ListAccessKeysOutput{AccessKeys: shown, Marker: marker, IsTruncated: marker != ""}, nil
}
