// Package quota holds each bucket of a region to a limit in bytes. The limit is the bucket's tag Tag, set through the plain
// S3 call PutBucketTagging by the region's root and by nobody else, so that whoever sells space needs no other API, and
// a server that does not know the tag ignores it.
//
// It counts what lies on disk: objects, older versions and the parts of unfinished uploads. A bucket is counted when it
// is first written to, and from then on in memory; what is deleted is seen by counting again when the limit is met. It
// refuses writes only: reading and deleting go on.
package quota
