// Package iam keeps the users, access keys and policies of one S3 region: the storage behind versitygw's AWS IAM API,
// where each request of a customer looks up its key.
//
// It answers from memory, by access key and by user, and owns one file: a journal of sealed records, one per change,
// each flushed to disk before the change is answered, written anew when it has grown to thrice its content. So a change
// costs the same whether the region has ten users or ten thousand, and no secret is ever on disk in the clear.
//
// It refuses what it cannot read whole: another sealing key, or a record that is damaged while later ones are sound. Only
// an unfinished last record, which nobody was told of, is cut off. Roles, OIDC providers and sessions are not offered.
package iam
