package iam

import (
	"context"
	"strings"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// CreateUser adds a user. A name that differs from another's in case only is taken.
func (s *Store) CreateUser(_ context.Context, user types.User) (*types.User, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if _, err := s.find(user.UserName); err == nil {
		return nil, iamerr.EntityAlreadyExistsUser(user.UserName)
	}
	if s.hasID(user.UserID) {
		return nil, storage.ErrUserIDAlreadyExists // the caller draws another id
	}
	if err := s.commit(record{Put: copyOf(&user)}); err != nil {
		return nil, err
	}
	return copyOf(&user), nil
}

func (s *Store) hasID(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, taken := s.ids[id]
	return taken
}

// DeleteUser removes a user that has neither keys nor policies left.
func (s *Store) DeleteUser(_ context.Context, name string) error {
	s.change.Lock()
	defer s.change.Unlock()
	user, err := s.find(name)
	switch {
	case err != nil:
		return err
	case len(user.Policies.Inline) > 0:
		return iamerr.GetAPIError(iamerr.ErrDeleteConflictPolicies)
	case len(user.AccessKeys) > 0:
		return iamerr.GetAPIError(iamerr.ErrDeleteConflict)
	}
	return s.commit(record{Removed: user.UserName})
}

// GetUser returns a user with its keys and policies.
func (s *Store) GetUser(_ context.Context, name string) (*types.User, error) {
	user, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return copyOf(user), nil
}

// GetUserByAccessKeyID returns the user that owns an access key.
func (s *Store) GetUserByAccessKeyID(_ context.Context, key string) (*types.User, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name, ok := s.owners[key]
	if !ok {
		return nil, iamerr.NoSuchEntityAccessKey(key)
	}
	return copyOf(s.users[name]), nil
}

// ListUsers returns users under a path by name.
func (s *Store) ListUsers(_ context.Context, in storage.ListUsersInput) (*storage.ListUsersOutput, error) {
	s.mu.RLock()
	var users []types.User
	for _, user := range s.users {
		if strings.HasPrefix(user.Path, in.PathPrefix) {
			users = append(users, *copyOf(user))
		}
	}
	s.mu.RUnlock()
	shown, marker := page(users, func(u types.User) string { return u.UserName }, in.Marker, in.MaxItems)
	return &storage.ListUsersOutput{Users: shown, Marker: marker, IsTruncated: marker != ""}, nil
}

// UpdateUser changes a user's name, path and ARN, as far as they are given.
func (s *Store) UpdateUser(_ context.Context, in storage.UpdateUserInput) (*types.User, error) {
	return s.edit(in.UserName, func(user *types.User) error {
		if in.NewUserName != "" && fold(in.NewUserName) != fold(user.UserName) {
			if _, err := s.find(in.NewUserName); err == nil {
				return iamerr.EntityAlreadyExistsUser(in.NewUserName)
			}
		}
		for field, value := range map[*string]string{&user.UserName: in.NewUserName, &user.Path: in.NewPath, &user.Arn: in.NewArn} {
			if value != "" {
				*field = value
			}
		}
		return nil
	})
}
