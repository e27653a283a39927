// Package schedule is the noun: when a workspace's daily snapshot is due. It starts nothing.
package schedule

import (
	"hash/fnv"
	"time"
)

// Day is how far the snapshots of a workspace are apart.
const Day = 24 * time.Hour

// Offset is the workspace's own moment of the day, spread by its ref so that a cell's workspaces do not all begin at once.
func Offset(ref string) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(ref))
	return time.Duration(h.Sum64()%uint64(Day/time.Minute)) * time.Minute
}

// Next is the first moment after `after` at which the workspace is due, UTC.
func Next(ref string, after time.Time) time.Time {
	due := after.UTC().Truncate(Day).Add(Offset(ref))
	if !due.After(after) {
		due = due.Add(Day)
	}
	return due
}
