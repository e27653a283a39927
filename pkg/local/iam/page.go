package iam

import (
	"slices"
	"strings"
)

// page sorts items by name and returns at most most of them (0: all) that come after marker, and the marker of the next
// page, empty on the last one. Items that come and go between two pages do not disturb it.
func page[T any](items []T, name func(T) string, marker string, most int32) (shown []T, next string) {
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	if marker != "" {
		items = slices.DeleteFunc(items, func(item T) bool { return name(item) <= marker })
	}
	if most <= 0 || len(items) <= int(most) {
		return items, ""
	}
	return items[:most], name(items[most-1])
}
