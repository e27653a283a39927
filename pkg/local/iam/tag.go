package iam

import (
	"context"
	"slices"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// TagUser adds tags to a user, and replaces those whose keys differ in case at most.
func (s *Store) TagUser(_ context.Context, userName string, tags []types.Tag) error {
	_, err := s.edit(userName, func(user *types.User) error {
		for _, tag := range tags {
			if at := tagAt(user.Tags, tag.Key); at >= 0 {
				user.Tags[at] = tag
			} else {
				user.Tags = append(user.Tags, tag)
			}
		}
		if len(user.Tags) > storage.MaxTagsPerResource {
			return iamerr.GetAPIError(iamerr.ErrTagLimitExceeded)
		}
		return nil
	})
	return err
}

// UntagUser removes tags; a key without a tag is no error.
func (s *Store) UntagUser(_ context.Context, userName string, keys []string) error {
	_, err := s.edit(userName, func(user *types.User) error {
		for _, key := range keys {
			if at := tagAt(user.Tags, key); at >= 0 {
				user.Tags = slices.Delete(user.Tags, at, at+1)
			}
		}
		return nil
	})
	return err
}

// ListUserTags returns a user's tags by key.
func (s *Store) ListUserTags(_ context.Context, in storage.ListUserTagsInput) (*storage.ListTagsOutput, error) {
	user, err := s.find(in.UserName)
	if err != nil {
		return nil, err
	}
	shown, marker := page(slices.Clone(user.Tags), func(t types.Tag) string { return t.Key }, in.Marker, in.MaxItems)
	return &storage.ListTagsOutput{Tags: shown, Marker: marker, IsTruncated: marker != ""}, nil
}

func tagAt(tags []types.Tag, key string) int {
	return slices.IndexFunc(tags, func(t types.Tag) bool { return fold(t.Key) == fold(key) })
}
