package iam

import (
	"context"
	"time"

	"github.com/versity/versitygw/iamapi/iamerr"
	"github.com/versity/versitygw/iamapi/storage"
)

// saveUsesEvery is how much of what is known of keys' uses a crash can lose. Each request is a use, so it is not paid with
// a flush.
const saveUsesEvery = time.Second

// use is the last use of an access key.
type use struct {
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	Region  string    `json:"region"`
	saved   time.Time // At as the journal knows it
}

// GetAccessKeyLastUsed returns when and for what a key was used last; the zero time if never.
func (s *Store) GetAccessKeyLastUsed(_ context.Context, key string) (*storage.GetAccessKeyLastUsedOutput, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name, ok := s.owners[key]
	if !ok {
		return nil, iamerr.NoSuchEntityAccessKey(key)
	}
	last := s.uses[key]
	return &storage.GetAccessKeyLastUsedOutput{UserName: s.users[name].UserName, LastUsedDate: last.At, ServiceName: last.Service, Region: last.Region}, nil
}

// RecordAccessKeyUsage notes a use. It is seen at once and survives a crash that comes a second later.
func (s *Store) RecordAccessKeyUsage(_ context.Context, key, service, region string, when time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.owners[key]; !ok {
		return iamerr.NoSuchEntityAccessKey(key)
	}
	last := s.uses[key]
	if when.Before(last.At) {
		return nil
	}
	next := use{At: when, Service: service, Region: region}
	if last.Service == service && last.Region == region {
		next.saved = last.saved
	}
	s.uses[key] = next
	return nil
}

func (s *Store) tellUses() {
	tick := time.NewTicker(saveUsesEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			_ = s.saveUses(false) // the next tick tries again
		}
	}
}

// saveUses writes down new uses: of a key in steady use one a minute, as AWS's are coarse too, or with all each last one.
func (s *Store) saveUses(all bool) error {
	s.change.Lock()
	defer s.change.Unlock()
	news := s.newUses(all)
	if len(news) == 0 {
		return nil
	}
	return s.commit(record{Used: news})
}

func (s *Store) newUses(all bool) map[string]use {
	s.mu.RLock()
	defer s.mu.RUnlock()
	news := map[string]use{}
	for key, u := range s.uses {
		if age := u.At.Sub(u.saved); age >= storage.UsageRecordCoalesceWindow || all && age > 0 {
			u.saved = u.At
			news[key] = u
		}
	}
	return news
}
