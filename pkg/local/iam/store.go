package iam

import (
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
	"github.com/versity/versitygw/iamapi/types"
)

// Store implements storage.Storer. Its methods are safe for concurrent use; errors of the caller's are iamerr.Errors.
type Store struct {
	unoffered
	dir  string
	aead cipher.AEAD

	change  sync.Mutex // one change at a time
	journal *journal   // change guards it

	mu     sync.RWMutex
	users  map[string]*types.User // by folded name; never changed in place
	ids    map[string]string      // folded names by user id
	owners map[string]string      // folded names by access key id
	uses   map[string]use         // by access key id

	stop chan struct{}
	wait sync.WaitGroup
}

var _ storage.Storer = (*Store)(nil)

// record is what the journal holds: the state of something after a change.
type record struct {
	Removed string         `json:"removed,omitempty"` // name of a user; before Put
	Put     *types.User    `json:"put,omitempty"`
	Used    map[string]use `json:"used,omitempty"`
}

// Open opens the store in the folder dir, which must exist and belong to this process, under a sealing key of KeySize
// bytes. cut is the length in bytes of an unfinished last record that was cut off.
func Open(dir string, key []byte) (s *Store, cut int64, err error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, 0, fmt.Errorf("open users: %w", err)
	}
	s = &Store{
		dir: dir, aead: aead, stop: make(chan struct{}),
		users: map[string]*types.User{}, ids: map[string]string{}, owners: map[string]string{},
		uses: map[string]use{},
	}
	s.journal, cut, err = openJournal(dir, aead, s.load)
	if errors.Is(err, fs.ErrNotExist) {
		s.journal, err = makeJournal(dir, aead, s.all())
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open users: %w", err)
	}
	s.wait.Go(s.tellUses)
	return s, cut, nil
}

// Close writes what is not yet written and closes the file. No method may be called after it.
func (s *Store) Close() error {
	close(s.stop)
	s.wait.Wait()
	return errors.Join(s.saveUses(true), s.journal.close())
}

func (s *Store) load(content []byte) error {
	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	s.apply(r)
	return nil
}

// commit makes a change durable, and then visible. The caller holds change.
func (s *Store) commit(r record) error {
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write user: %w", err)
	}
	if s.journal.lost {
		if err := s.renew(); err != nil {
			return err
		}
	}
	if err := s.journal.append(content); err != nil {
		return err
	}
	s.apply(r)
	if s.journal.fat() {
		_ = s.renew() // the change is durable; the next one tries again
	}
	return nil
}

// renew writes the journal anew from memory, which holds exactly what was answered.
func (s *Store) renew() error {
	next, err := makeJournal(s.dir, s.aead, s.all())
	if err != nil {
		s.journal.lost = true // the name may lead to the other file already
		return fmt.Errorf("write users anew: %w", err)
	}
	_ = s.journal.close() // nothing reads it any more
	s.journal = next
	return nil
}

// all is the whole state as records.
func (s *Store) all() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		for _, user := range s.users {
			if !yield(json.Marshal(record{Put: user})) {
				return
			}
		}
		if len(s.uses) > 0 {
			yield(json.Marshal(record{Used: s.uses}))
		}
	}
}

// apply changes memory.
func (s *Store) apply(r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []types.AccessKeyEntry
	if r.Removed != "" {
		keys = s.forget(fold(r.Removed))
	}
	if r.Put != nil {
		name := fold(r.Put.UserName)
		keys = append(keys, s.forget(name)...)
		s.users[name], s.ids[r.Put.UserID] = r.Put, name
		for _, key := range r.Put.AccessKeys {
			s.owners[key.AccessKeyId] = name
		}
	}
	for key, u := range r.Used {
		if known := s.uses[key]; !known.At.After(u.At) {
			s.uses[key] = u
		} else {
			known.saved = u.saved
			s.uses[key] = known
		}
	}
	for _, key := range keys {
		if _, kept := s.owners[key.AccessKeyId]; !kept {
			delete(s.uses, key.AccessKeyId)
		}
	}
}

// forget takes a user out of memory and returns the keys that it had.
func (s *Store) forget(name string) []types.AccessKeyEntry {
	user, ok := s.users[name]
	if !ok {
		return nil
	}
	delete(s.users, name)
	delete(s.ids, user.UserID)
	for _, key := range user.AccessKeys {
		delete(s.owners, key.AccessKeyId)
	}
	return slices.Clone(user.AccessKeys)
}

// fold makes names equal that AWS takes for equal.
func fold(name string) string { return strings.ToLower(name) }

// find returns a user, which must not be changed in place.
func (s *Store) find(name string) (*types.User, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if user, ok := s.users[fold(name)]; ok {
		return user, nil
	}
	return nil, iamerr.NoSuchEntityUser(name)
}

// edit changes a copy of a user and commits it.
func (s *Store) edit(name string, change func(*types.User) error) (*types.User, error) {
	s.change.Lock()
	defer s.change.Unlock()
	user, err := s.find(name)
	if err != nil {
		return nil, err
	}
	next := copyOf(user)
	if err := change(next); err != nil {
		return nil, err
	}
	r := record{Put: next}
	if fold(next.UserName) != fold(user.UserName) {
		r.Removed = user.UserName
	}
	if err := s.commit(r); err != nil {
		return nil, err
	}
	return copyOf(next), nil
}

func copyOf(user *types.User) *types.User {
	next := *user
	next.Tags, next.AccessKeys, next.Policies.Inline = slices.Clone(user.Tags), slices.Clone(user.AccessKeys), slices.Clone(user.Policies.Inline)
	return &next
}
