package demo

import (
	"context"
	"errors"
	"fmt"
)

// Mistakes as people make them, and more of them on top.
const (
	damage     = `DELETE FROM cities WHERE id % 3 = 0; DROP TABLE notes; UPDATE countries SET places = 0 WHERE code < 'M'`
	moreDamage = `DELETE FROM cities WHERE id % 7 = 1; DROP VIEW north; INSERT INTO countries VALUES ('ZZ', 1)`
)

// lose damages the shop, makes sure that it did, and returns what is left.
func (w *world) lose(ctx context.Context, before moment, sql string) (left moment, err error) {
	if err := w.shop.sql.Try(ctx, sql); err != nil {
		return left, fmt.Errorf("damage the tables: %w", err)
	}
	if err := w.loseObjects(ctx); err != nil {
		return left, fmt.Errorf("damage the objects: %w", err)
	}
	left, err = w.shop.observe(ctx)
	if err == nil && left.sameAs(before) == nil {
		err = errors.New("the damage did nothing")
	}
	return left, err
}

// loseObjects removes a third, overwrites some, and adds one.
func (w *world) loseObjects(ctx context.Context) error {
	keys, err := w.shop.s3.Keys(ctx)
	if err != nil {
		return err
	}
	for i, key := range keys {
		switch {
		case i%3 == 0:
			err = w.shop.s3.Remove(ctx, key)
		case i%12 == 1:
			err = w.shop.s3.Put(ctx, key, []byte("overwritten by mistake"))
		}
		if err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return w.shop.s3.Put(ctx, "added by mistake", []byte("!"))
}
