// Package durable makes versitygw's files survive a crash: it stands around the storage of objects and flushes what a
// request wrote before the request is answered, which versitygw never does.
//
// The order is what counts. Content and attributes are flushed before the file gets the object's name, so that a name
// never leads to half an object, and an object that is replaced has its older version on disk first; then the folders
// are flushed, older versions' before the object's own; then comes the answer. A plain PUT costs one flush of its file and
// one of its folder; folders above are flushed once, not for each object. Attributes of buckets and objects are flushed
// where they are set.
//
// It owns no state: Tidy, at the start, takes back what a killed process left half done.
package durable
